package drill

import (
	"syscall"
	"testing"
	"time"
	"unsafe"

	"hubbub/wire"
)

// usleep moves the clock by as much as it is told, and what is due on the way
// happens when it is due.
func TestSleepingMovesTheClock(t *testing.T) {
	s := newScript(t)
	s.listener()
	s.sends(wire.TCP{Seq: 100, Flags: wire.SYN}, "")
	_, _, first := s.hears()
	before := s.now()
	s.sleep(10 * second)
	if got := s.now() - before; got != 10*second+time.Microsecond {
		t.Errorf("10 s of sleep and one look at the clock take %v", got)
	}
	for _, want := range []time.Duration{1 * second, 3 * second, 7 * second} {
		if h, _, at := s.hears(); !h.Flags.Has(wire.SYN|wire.ACK) || at-first != want {
			t.Errorf("%v after %v, want the SYN-ACK again after %v", h.Flags, at-first, want)
		}
	}
}

// Looking at the clock moves it by a microsecond: packetdrill spins on it.
func TestLookingMovesTheClock(t *testing.T) {
	s := newScript(t)
	if first, again := s.now(), s.now(); again-first != time.Microsecond {
		t.Errorf("the clock moves by %v", again-first)
	}
}

// Waiting for a packet moves the clock to when it is sent, and no further.
func TestReceivingMovesTheClock(t *testing.T) {
	s := newScript(t)
	s.listener()
	s.sends(wire.TCP{Seq: 100, Flags: wire.SYN}, "")
	_, _, first := s.hears()
	_, _, again := s.hears()
	if again-first != second || s.now() != again+time.Microsecond {
		t.Errorf("the second SYN-ACK comes after %v, at %v", again-first, s.now())
	}
}

// Where nothing will be sent, the answer to a wish for a packet is one of no
// length, after five minutes.
func TestNothingToReceive(t *testing.T) {
	s := newScript(t)
	var b [100]byte
	count, usecs := uintptr(len(b)), int64(0)
	result, errno := s.call(NetdevReceive, Args{}.with(bufferOf(b[:]), unsafe.Pointer(&count), unsafe.Pointer(&usecs)))
	if result != 0 || errno != 0 || count != 0 {
		t.Errorf("%d, %v, a packet of %d bytes", result, errno, count)
	}
	if now := s.now(); now != patience+time.Microsecond {
		t.Errorf("after %v, want %v", now, patience)
	}
}

// A call that the second thread makes waits in the world, while the main
// thread moves the clock.
//
// Once it is over, the clock stays where it is until its thread has asked for
// the time: packetdrill checks when the call returned.
func TestABlockedCallReturnsInTime(t *testing.T) {
	s := newScript(t)
	l := s.listener()
	returned := make(chan time.Duration)
	s.entered++
	go func() {
		a := numbers(l)
		a.Thread, a.Entered = secondThread, 1
		if fd, errno := s.m.Call(Accept, &a); fd < 0 {
			t.Errorf("accept fails: %v", errno)
		}
		returned <- s.clockOf(secondThread, 2)
	}()
	s.sleep(second)
	s.sends(wire.TCP{Seq: 100, Flags: wire.SYN}, "")
	synAck, _, _ := s.hears()
	s.sleep(second)
	opened := s.now()
	s.sends(wire.TCP{Seq: 101, Ack: synAck.Seq + 1, Flags: wire.ACK}, "")
	s.entered++ // the second thread's gettimeofday
	s.sleep(10 * second)
	if at := <-returned; at != opened {
		t.Errorf("accept returns at %v, want %v, when the connection is open", at, opened)
	}
}

// A call of the main thread's that must wait moves the clock itself.
func TestABlockedCallOfTheMainThread(t *testing.T) {
	s := newScript(t)
	fd := s.want(Socket, numbers(syscall.AF_INET, syscall.SOCK_STREAM, 0))
	to := address(peerAddr)
	s.fails(Connect, numbers(fd, int64(len(to))).with(bufferOf(to)), syscall.ETIMEDOUT)
	if now := s.now(); now < time.Minute {
		t.Errorf("connect gives up after %v", now)
	}
}

// Another thread may wait before a call, as the main one does.
func TestTheSecondThreadWaits(t *testing.T) {
	s := newScript(t)
	a := numbers(time.Second.Microseconds())
	a.Thread, a.Entered = secondThread, 1
	s.m.Call(Usleep, &a)
	if at := s.clockOf(secondThread, 2); at != second+time.Microsecond {
		t.Errorf("after a second and a look it is %v", at)
	}
}
