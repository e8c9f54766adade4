// A library for LD_PRELOAD beside packetdrill --so_filename: packetdrill calls
// getsockopt (for %{ }% blocks) and sendfile by itself, on descriptors that
// the shared object has given out. Here they are handed to the shared object,
// which says at its start where to.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#include "../so/shim.h"

static hubbub_owns_fn owns;
static hubbub_getsockopt_fn ask_getsockopt;
static hubbub_sendfile_fn ask_sendfile;

// hubbub_preload is what the shared object calls.
void hubbub_preload(hubbub_owns_fn o, hubbub_getsockopt_fn g, hubbub_sendfile_fn s)
{
	owns = o;
	ask_getsockopt = g;
	ask_sendfile = s;
}

int getsockopt(int fd, int level, int name, void *restrict value, socklen_t *restrict length)
{
	if (owns != NULL && owns(fd))
		return ask_getsockopt(fd, level, name, value, length);
	static int (*next)(int, int, int, void *, socklen_t *);
	if (next == NULL)
		next = (int (*)(int, int, int, void *, socklen_t *))dlsym(RTLD_NEXT, "getsockopt");
	return next(fd, level, name, value, length);
}

ssize_t sendfile(int out, int in, off_t *offset, size_t count)
{
	if (owns != NULL && owns(out))
		return ask_sendfile(out, in, offset, count);
	static ssize_t (*next)(int, int, off_t *, size_t);
	if (next == NULL)
		next = (ssize_t (*)(int, int, off_t *, size_t))dlsym(RTLD_NEXT, "sendfile");
	return next(out, in, offset, count);
}
