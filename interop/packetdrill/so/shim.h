// What C and Go share: the arguments of a call. struct hubbub_args has the
// layout of Args in package drill.
#ifndef HUBBUB_SHIM_H
#define HUBBUB_SHIM_H

#include <stdint.h>

struct hubbub_args {
	int64_t n[4]; // numbers
	void *p[3];   // pointers
	int64_t thread;
	int64_t entered;
};

// The functions of the preload library, which are looked for at run time.
typedef int (*hubbub_owns_fn)(int fd);
typedef int (*hubbub_getsockopt_fn)(int fd, int level, int name, void *value, uint32_t *length);
typedef int64_t (*hubbub_sendfile_fn)(int out, int in, int64_t *offset, uint64_t count);

#endif
