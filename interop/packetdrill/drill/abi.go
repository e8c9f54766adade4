package drill

import (
	"syscall"
	"unsafe"
)

// A Number says which of packetdrill's functions is called: the place of the
// function among the members of struct packetdrill_interface, the first being
// member 1. Those from [Owns] on are the preload library's.
type Number int

// The calls.
const (
	Free Number = iota + 2
	Socket
	Bind
	Listen
	Accept
	Connect
	Read
	Readv
	Recv
	Recvfrom
	Recvmsg
	Write
	Writev
	Send
	Sendto
	Sendmsg
	Fcntl
	Ioctl
	Close
	Shutdown
	Getsockopt
	Setsockopt
	Poll
	NetdevSend
	NetdevReceive
	Usleep
	Gettimeofday
	EpollCreate
	EpollCtl
	EpollWait
	Pipe
	Splice

	Owns     // whether a descriptor is a socket of the host's
	Sendfile // sendfile(2)

	numNumbers
)

// Args are the arguments of a call as C hands them over: numbers and pointers
// apart, each in the order in which C declares them. It has the layout of
// struct hubbub_args in so/shim.h.
type Args struct {
	N [4]int64
	P [3]unsafe.Pointer

	// Thread is the number of the calling thread.
	Thread int64
	// Entered is how many calls threads other than the main one have begun to
	// make, this one counted. It is counted before Go is entered: the main
	// thread believes the other one asleep as soon as it sleeps anywhere.
	Entered int64
}

// Call makes a call. It returns what the function returns in C, and errno, 0
// where the call leaves that alone.
func (m *Machine) Call(number Number, a *Args) (result int64, errno syscall.Errno) {
	if number <= 1 || number >= numNumbers || table[number] == nil {
		return -1, syscall.ENOSYS
	}
	m.enter(a.Thread, a.Entered)
	defer m.leave()
	switch number {
	case Usleep, Gettimeofday, NetdevReceive, Owns:
	default:
		m.readSysctls() // a shell command of the script's may have changed them
	}
	return table[number](m, a)
}

// bytesAt returns the n bytes at p.
func bytesAt(p unsafe.Pointer, n int64) []byte {
	if p == nil || n <= 0 {
		return nil
	}
	return unsafe.Slice((*byte)(p), n)
}

// at returns the p'th argument as a pointer to a T.
func at[T any](a *Args, p int) *T { return (*T)(a.P[p]) }

func iovecs(p unsafe.Pointer, n int64) []syscall.Iovec {
	if p == nil || n <= 0 {
		return nil
	}
	return unsafe.Slice((*syscall.Iovec)(p), n)
}
