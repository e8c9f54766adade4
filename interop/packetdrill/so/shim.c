// The functions that packetdrill calls. Each packs its arguments, asks Go, and
// sets errno in the calling thread as the last thing it does.
//
// struct packetdrill_interface is spelled out here, member by member, as the
// interface of packetdrill --so_filename demands.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include "_cgo_export.h"
#include "shim.h"

// The calls, by their members' places in the struct. Package drill has the
// same numbers.
enum number {
	FREE = 2, SOCKET, BIND, LISTEN, ACCEPT, CONNECT, READ, READV, RECV, RECVFROM, RECVMSG, WRITE, WRITEV, SEND,
	SENDTO, SENDMSG, FCNTL, IOCTL, CLOSE, SHUTDOWN, GETSOCKOPT, SETSOCKOPT, POLL, NETDEV_SEND, NETDEV_RECEIVE,
	USLEEP, GETTIMEOFDAY, EPOLL_CREATE, EPOLL_CTL, EPOLL_WAIT, PIPE, SPLICE, OWNS, SENDFILE,
};

static pid_t main_thread;
static atomic_llong entered; // calls that other threads have begun

static int64_t ask(enum number number, struct hubbub_args a)
{
	int32_t failure = 0;
	a.thread = syscall(SYS_gettid);
	a.entered = a.thread == main_thread ? atomic_load(&entered) : atomic_fetch_add(&entered, 1) + 1;
	int before = errno;
	int64_t result = hubbub_call(number, &a, &failure);
	errno = failure != 0 ? failure : before;
	return result;
}

#define ARGS(...) ((struct hubbub_args){__VA_ARGS__})
#define N(...) .n = {__VA_ARGS__}
#define P(...) .p = {__VA_ARGS__}

static void free_(void *u)
{
	ask(FREE, ARGS(N(0)));
}

static int socket_(void *u, int domain, int type, int protocol)
{
	return ask(SOCKET, ARGS(N(domain, type, protocol)));
}

static int bind_(void *u, int fd, const struct sockaddr *addr, socklen_t length)
{
	return ask(BIND, ARGS(N(fd, length), P((void *)addr)));
}

static int listen_(void *u, int fd, int backlog)
{
	return ask(LISTEN, ARGS(N(fd, backlog)));
}

static int accept_(void *u, int fd, struct sockaddr *addr, socklen_t *length)
{
	return ask(ACCEPT, ARGS(N(fd), P(addr, length)));
}

static int connect_(void *u, int fd, const struct sockaddr *addr, socklen_t length)
{
	return ask(CONNECT, ARGS(N(fd, length), P((void *)addr)));
}

static ssize_t read_(void *u, int fd, void *b, size_t count)
{
	return ask(READ, ARGS(N(fd, count), P(b)));
}

static ssize_t readv_(void *u, int fd, const struct iovec *v, int count)
{
	return ask(READV, ARGS(N(fd, count), P((void *)v)));
}

static ssize_t recv_(void *u, int fd, void *b, size_t count, int flags)
{
	return ask(RECV, ARGS(N(fd, count, flags), P(b)));
}

static ssize_t recvfrom_(void *u, int fd, void *b, size_t count, int flags, struct sockaddr *from, socklen_t *length)
{
	return ask(RECVFROM, ARGS(N(fd, count, flags), P(b, from, length)));
}

static ssize_t recvmsg_(void *u, int fd, struct msghdr *m, int flags)
{
	return ask(RECVMSG, ARGS(N(fd, flags), P(m)));
}

static ssize_t write_(void *u, int fd, const void *b, size_t count)
{
	return ask(WRITE, ARGS(N(fd, count), P((void *)b)));
}

static ssize_t writev_(void *u, int fd, const struct iovec *v, int count)
{
	return ask(WRITEV, ARGS(N(fd, count), P((void *)v)));
}

static ssize_t send_(void *u, int fd, const void *b, size_t count, int flags)
{
	return ask(SEND, ARGS(N(fd, count, flags), P((void *)b)));
}

static ssize_t sendto_(void *u, int fd, const void *b, size_t count, int flags, const struct sockaddr *to,
		       socklen_t length)
{
	return ask(SENDTO, ARGS(N(fd, count, flags, length), P((void *)b, (void *)to)));
}

static ssize_t sendmsg_(void *u, int fd, const struct msghdr *m, int flags)
{
	return ask(SENDMSG, ARGS(N(fd, flags), P((void *)m)));
}

static int fcntl_(void *u, int fd, int command, ...)
{
	va_list list;
	va_start(list, command);
	int argument = va_arg(list, int); // what isn't there isn't looked at
	va_end(list);
	return ask(FCNTL, ARGS(N(fd, command, argument)));
}

static int ioctl_(void *u, int fd, unsigned long request, ...)
{
	va_list list;
	va_start(list, request);
	int *argument = va_arg(list, int *);
	va_end(list);
	return ask(IOCTL, ARGS(N(fd, (int64_t)request), P(argument)));
}

static int close_(void *u, int fd)
{
	return ask(CLOSE, ARGS(N(fd)));
}

static int shutdown_(void *u, int fd, int how)
{
	return ask(SHUTDOWN, ARGS(N(fd, how)));
}

static int getsockopt_(void *u, int fd, int level, int name, void *value, socklen_t *length)
{
	return ask(GETSOCKOPT, ARGS(N(fd, level, name), P(value, length)));
}

static int setsockopt_(void *u, int fd, int level, int name, const void *value, socklen_t length)
{
	return ask(SETSOCKOPT, ARGS(N(fd, level, name, length), P((void *)value)));
}

static int poll_(void *u, struct pollfd *fds, nfds_t count, int timeout)
{
	return ask(POLL, ARGS(N(count, timeout), P(fds)));
}

static int netdev_send_(void *u, const void *b, size_t count)
{
	return ask(NETDEV_SEND, ARGS(N(count), P((void *)b)));
}

static int netdev_receive_(void *u, void *b, size_t *count, long long *usecs)
{
	return ask(NETDEV_RECEIVE, ARGS(P(b, count, usecs)));
}

static int usleep_(void *u, useconds_t usecs)
{
	return ask(USLEEP, ARGS(N(usecs)));
}

static int gettimeofday_(void *u, struct timeval *tv, struct timezone *tz)
{
	return ask(GETTIMEOFDAY, ARGS(P(tv)));
}

static int epoll_create_(void *u, int size)
{
	return ask(EPOLL_CREATE, ARGS(N(size)));
}

static int epoll_ctl_(void *u, int epfd, int op, int fd, struct epoll_event *event)
{
	return ask(EPOLL_CTL, ARGS(N(epfd, op, fd), P(event)));
}

static int epoll_wait_(void *u, int epfd, struct epoll_event *events, int most, int timeout)
{
	return ask(EPOLL_WAIT, ARGS(N(epfd, most, timeout), P(events)));
}

static int pipe_(void *u, int fds[2])
{
	return ask(PIPE, ARGS(P(fds)));
}

static ssize_t splice_(void *u, int in, loff_t *off_in, int out, loff_t *off_out, size_t count, unsigned flags)
{
	return ask(SPLICE, ARGS(N(in, out, count, flags)));
}

struct packetdrill_interface {
	void *userdata;
	void (*free)(void *);
	int (*socket)(void *, int, int, int);
	int (*bind)(void *, int, const struct sockaddr *, socklen_t);
	int (*listen)(void *, int, int);
	int (*accept)(void *, int, struct sockaddr *, socklen_t *);
	int (*connect)(void *, int, const struct sockaddr *, socklen_t);
	ssize_t (*read)(void *, int, void *, size_t);
	ssize_t (*readv)(void *, int, const struct iovec *, int);
	ssize_t (*recv)(void *, int, void *, size_t, int);
	ssize_t (*recvfrom)(void *, int, void *, size_t, int, struct sockaddr *, socklen_t *);
	ssize_t (*recvmsg)(void *, int, struct msghdr *, int);
	ssize_t (*write)(void *, int, const void *, size_t);
	ssize_t (*writev)(void *, int, const struct iovec *, int);
	ssize_t (*send)(void *, int, const void *, size_t, int);
	ssize_t (*sendto)(void *, int, const void *, size_t, int, const struct sockaddr *, socklen_t);
	ssize_t (*sendmsg)(void *, int, const struct msghdr *, int);
	int (*fcntl)(void *, int, int, ...);
	int (*ioctl)(void *, int, unsigned long, ...);
	int (*close)(void *, int);
	int (*shutdown)(void *, int, int);
	int (*getsockopt)(void *, int, int, int, void *, socklen_t *);
	int (*setsockopt)(void *, int, int, int, const void *, socklen_t);
	int (*poll)(void *, struct pollfd *, nfds_t, int);
	int (*netdev_send)(void *, const void *, size_t);
	int (*netdev_receive)(void *, void *, size_t *, long long *);
	int (*usleep)(void *, useconds_t);
	int (*gettimeofday)(void *, struct timeval *, struct timezone *);
	int (*epoll_create)(void *, int);
	int (*epoll_ctl)(void *, int, int, int, struct epoll_event *);
	int (*epoll_wait)(void *, int, struct epoll_event *, int, int);
	int (*pipe)(void *, int[2]);
	ssize_t (*splice)(void *, int, loff_t *, int, loff_t *, size_t, unsigned);
};

// What the preload library asks.

static int owns(int fd)
{
	return ask(OWNS, ARGS(N(fd)));
}

static int getsockopt_preloaded(int fd, int level, int name, void *value, uint32_t *length)
{
	return getsockopt_(NULL, fd, level, name, value, length);
}

static int64_t sendfile_(int out, int in, int64_t *offset, uint64_t count)
{
	return ask(SENDFILE, ARGS(N(out, in, (int64_t)count), P(offset)));
}

// packetdrill_interface_init is the one function that packetdrill looks up.
void packetdrill_interface_init(const char *flags, struct packetdrill_interface *out)
{
	main_thread = syscall(SYS_gettid);
	hubbub_new((char *)flags, main_thread);
	*out = (struct packetdrill_interface){
		.free = free_, .socket = socket_, .bind = bind_, .listen = listen_, .accept = accept_,
		.connect = connect_, .read = read_, .readv = readv_, .recv = recv_, .recvfrom = recvfrom_,
		.recvmsg = recvmsg_, .write = write_, .writev = writev_, .send = send_, .sendto = sendto_,
		.sendmsg = sendmsg_, .fcntl = fcntl_, .ioctl = ioctl_, .close = close_, .shutdown = shutdown_,
		.getsockopt = getsockopt_, .setsockopt = setsockopt_, .poll = poll_, .netdev_send = netdev_send_,
		.netdev_receive = netdev_receive_, .usleep = usleep_, .gettimeofday = gettimeofday_,
		.epoll_create = epoll_create_, .epoll_ctl = epoll_ctl_, .epoll_wait = epoll_wait_, .pipe = pipe_,
		.splice = splice_,
	};
	void (*offer)(hubbub_owns_fn, hubbub_getsockopt_fn, hubbub_sendfile_fn) =
		(void (*)(hubbub_owns_fn, hubbub_getsockopt_fn, hubbub_sendfile_fn))dlsym(RTLD_DEFAULT, "hubbub_preload");
	if (offer != NULL)
		offer(owns, getsockopt_preloaded, sendfile_);
}
