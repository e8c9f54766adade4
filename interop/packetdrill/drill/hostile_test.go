package drill

import (
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"hubbub/wire"
)

// Whatever a script calls, with whatever arguments, no call crashes and each comes
// back: a pointer that isn't there is EFAULT, a descriptor that isn't there EBADF.
func TestAnyCallComesBack(t *testing.T) {
	for seed := range uint64(60) {
		anyCalls(t, rand.New(rand.NewPCG(seed, 1)))
	}
}

// anyCalls makes calls at random on a machine that has a listener and a connection.
func anyCalls(t *testing.T, r *rand.Rand) {
	s := newScript(t)
	conn, iss := s.connection()
	fds := []int64{conn, s.want(Socket, numbers(2, 1, 0)), s.want(Socket, numbers(2, 2, 0)), s.want(EpollCreate, numbers(1)), -1, 9999}
	words := []int64{-1, 0, 1, 2, 3, 4, 6, 11, 20, 37, 60, 100, 0x40, 0x2000, 0x4000000, 0x20000000}
	for range 60 {
		number := Number(2 + r.IntN(int(numNumbers)-2))
		if slices.Contains([]Number{Free, Pipe, EpollCreate, Socket, Owns, NetdevReceive, Gettimeofday, Splice, Sendfile}, number) {
			continue
		}
		var memory [3][512]uint64
		a := numbers(fds[r.IntN(len(fds))], words[r.IntN(len(words))], words[r.IntN(len(words))], words[r.IntN(len(words))])
		for i := range a.P {
			if r.IntN(3) > 0 {
				memory[i][0] = uint64(r.IntN(3)) * 8
				a.P[i] = unsafe.Pointer(&memory[i])
			}
		}
		switch number {
		case Poll, Usleep, NetdevSend:
			a.N[0] = int64(r.IntN(4)) // how many there are
		case Recvmsg, Sendmsg:
			memory[0] = [512]uint64{}
		case Setsockopt:
			a.N[3] = max(0, a.N[3]) % 64
		case Bind, Connect:
			a.N[1] = int64(r.IntN(40))
			memory[0][0] = 2 | 0x901f<<16 // 0.0.0.0:8080
		case Read, Recv, Recvfrom, Write, Send, Sendto, Readv, Writev, EpollWait:
			a.N[1] = int64(r.IntN(2)) // of the memory there is, which is no vector
			if number == Readv || number == Writev {
				a.N[1] = 0
			}
		}
		s.call(number, a)
		if r.IntN(4) == 0 {
			s.sends(wire.TCP{Seq: 101, Ack: iss + 1, Flags: wire.ACK | wire.PSH}, "data")
		}
	}
}
