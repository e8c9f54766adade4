package drill

import (
	"encoding/binary"
	"net/netip"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"hubbub/wire"
)

const (
	mainThread   = 1
	secondThread = 2
)

var (
	hostAddr    = netip.MustParseAddrPort("192.168.0.1:8080")
	anotherAddr = netip.MustParseAddrPort("192.168.77.8:8080")
	peerAddr    = netip.MustParseAddrPort("192.0.2.1:40000")
)

// script drives a machine as packetdrill does.
type script struct {
	t *testing.T
	m *Machine
	// calls that the second thread has begun
	entered int64
}

func newScript(t *testing.T) *script {
	t.Helper()
	return withSettings(t, Settings{Local: hostAddr.Addr(), MTU: 1500, Proc: "none", Seed: 1})
}

func withSettings(t *testing.T, settings Settings) *script {
	t.Helper()
	s := &script{t: t, m: New(settings, mainThread)}
	t.Cleanup(func() { s.call(Free, Args{}) })
	return s
}

// call makes a call on the main thread.
func (s *script) call(number Number, a Args) (int64, syscall.Errno) {
	a.Thread, a.Entered = mainThread, s.entered
	return s.m.Call(number, &a)
}

// want makes a call that is to succeed, and returns its result.
func (s *script) want(number Number, a Args) int64 {
	s.t.Helper()
	result, errno := s.call(number, a)
	if errno != 0 {
		s.t.Fatalf("call %d fails: %v", number, errno)
	}
	return result
}

// fails makes a call that is to fail.
func (s *script) fails(number Number, a Args, want syscall.Errno) {
	s.t.Helper()
	if result, errno := s.call(number, a); result != -1 || errno != want {
		s.t.Fatalf("call %d returns %d, %v, want -1, %v", number, result, errno, want)
	}
}

// numbers and pointers make arguments.
func numbers(n ...int64) (a Args) {
	copy(a.N[:], n)
	return a
}

func (a Args) with(p ...unsafe.Pointer) Args {
	copy(a.P[:], p)
	return a
}

func bufferOf(b []byte) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(b)) }

// address returns a socket address as C has it.
func address(addr netip.AddrPort) []byte {
	b := make([]byte, syscall.SizeofSockaddrInet4)
	binary.NativeEndian.PutUint16(b, syscall.AF_INET)
	binary.BigEndian.PutUint16(b[2:], addr.Port())
	ip := addr.Addr().As4()
	copy(b[4:], ip[:])
	return b
}

// listener returns a socket that listens at the host's address.
func (s *script) listener() int64 {
	s.t.Helper()
	fd := s.want(Socket, numbers(syscall.AF_INET, syscall.SOCK_STREAM, syscall.IPPROTO_TCP))
	to := address(hostAddr)
	s.want(Bind, numbers(fd, int64(len(to))).with(bufferOf(to)))
	s.want(Listen, numbers(fd, 5))
	return fd
}

// now returns what gettimeofday tells, as the time since the world began.
func (s *script) now() time.Duration { return s.clockOf(mainThread, s.entered) }

func (s *script) clockOf(thread, entered int64) time.Duration {
	var tv syscall.Timeval
	a := Args{}.with(unsafe.Pointer(&tv))
	a.Thread, a.Entered = thread, entered
	s.m.Call(Gettimeofday, &a)
	return time.Unix(tv.Sec, tv.Usec*1000).Sub(s.m.epoch)
}

func (s *script) sleep(d time.Duration) { s.want(Usleep, numbers(d.Microseconds())) }

// sends lets a segment of the peer's arrive.
func (s *script) sends(h wire.TCP, payload string) {
	s.t.Helper()
	h.SrcPort, h.DstPort = peerAddr.Port(), hostAddr.Port()
	if h.Window == 0 {
		h.Window = 65535
	}
	segment := append(h.AppendTo(nil), payload...)
	wire.PutTCPChecksum(peerAddr.Addr(), hostAddr.Addr(), segment[:h.HeaderLen()], segment[h.HeaderLen():])
	ip := wire.IPv4{TTL: 64, Protocol: wire.ProtocolTCP, Src: peerAddr.Addr(), Dst: hostAddr.Addr()}
	ip.TotalLen = ip.HeaderLen() + len(segment)
	packet := append(ip.AppendTo(nil), segment...)
	s.want(NetdevSend, numbers(int64(len(packet))).with(bufferOf(packet)))
}

// hears returns the next segment that the host sends, and when it was sent.
func (s *script) hears() (wire.TCP, string, time.Duration) {
	s.t.Helper()
	b := make([]byte, 2000)
	count, usecs := uintptr(len(b)), int64(0)
	s.want(NetdevReceive, Args{}.with(bufferOf(b), unsafe.Pointer(&count), unsafe.Pointer(&usecs)))
	if count == 0 {
		s.t.Fatal("the host sends nothing")
	}
	_, rest, err := wire.ParseIPv4(b[:count])
	if err != nil {
		s.t.Fatal(err)
	}
	h, payload, err := wire.ParseTCPHeader(rest)
	if err != nil {
		s.t.Fatal(err)
	}
	return h, string(payload), time.UnixMicro(usecs).Sub(s.m.epoch)
}
