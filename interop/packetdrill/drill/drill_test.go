package drill

import (
	"syscall"
	"testing"
	"time"
	"unsafe"

	"hubbub/wire"
)

const second = time.Second

// connection returns a connection that the host has accepted, with its
// initial sequence number.
func (s *script) connection() (fd int64, iss uint32) {
	s.t.Helper()
	l := s.listener()
	s.sends(wire.TCP{Seq: 100, Flags: wire.SYN}, "")
	synAck, _, _ := s.hears()
	s.sends(wire.TCP{Seq: 101, Ack: synAck.Seq + 1, Flags: wire.ACK}, "")
	return s.accept(l), synAck.Seq
}

func (s *script) accept(l int64) int64 {
	s.t.Helper()
	peer := make([]byte, syscall.SizeofSockaddrInet6)
	length := uint32(len(peer))
	fd := s.want(Accept, numbers(l).with(bufferOf(peer), unsafe.Pointer(&length)))
	if got, errno := readAddress(bufferOf(peer), int64(length)); errno != 0 || got != peerAddr {
		s.t.Fatalf("accept tells %v as the peer, %v", got, errno)
	}
	return fd
}

// A SYN of the script's is answered, and what the connection carries can be
// read and written.
func TestAConversation(t *testing.T) {
	s := newScript(t)
	fd, iss := s.connection()
	s.sends(wire.TCP{Seq: 101, Ack: iss + 1, Flags: wire.ACK | wire.PSH}, "hello")
	b := make([]byte, 100)
	if n := s.want(Read, numbers(fd, int64(len(b))).with(bufferOf(b))); string(b[:n]) != "hello" {
		t.Errorf("read returns %q", b[:n])
	}
	ack, _, _ := s.hears()
	if ack.Ack != 106 {
		t.Errorf("the host acknowledges %d, want 106", ack.Ack)
	}
	s.want(Write, numbers(fd, 5).with(bufferOf([]byte("HELLO"))))
	if h, data, _ := s.hears(); data != "HELLO" || h.Seq != iss+1 {
		t.Errorf("the host sends %q at %d", data, h.Seq-iss)
	}
	s.want(Close, numbers(fd))
	if h, _, _ := s.hears(); !h.Flags.Has(wire.FIN) {
		t.Errorf("close sends %v, want FIN", h.Flags)
	}
}
