package drill

import (
	"encoding/binary"
	"net/netip"
	"syscall"
	"testing"
	"unsafe"

	"hubbub/wire"
)

var (
	hostSix = netip.MustParseAddrPort("[fd3d:a0b:17d6::1]:8080")
	peerSix = netip.MustParseAddrPort("[fd3d:fa7b:d17d::1]:40000")
)

// addressSix returns a socket address of IPv6 as C has it.
func addressSix(addr netip.AddrPort) []byte {
	b := make([]byte, syscall.SizeofSockaddrInet6)
	binary.NativeEndian.PutUint16(b, syscall.AF_INET6)
	binary.BigEndian.PutUint16(b[2:], addr.Port())
	ip := addr.Addr().As16()
	copy(b[8:], ip[:])
	return b
}

// listensSix returns a socket of IPv6 that listens there.
func (s *script) listensSix(at netip.AddrPort) int64 {
	s.t.Helper()
	fd := s.want(Socket, numbers(syscall.AF_INET6, syscall.SOCK_STREAM, syscall.IPPROTO_TCP))
	to := addressSix(at)
	s.want(Bind, numbers(fd, int64(len(to))).with(bufferOf(to)))
	s.want(Listen, numbers(fd, 5))
	return fd
}

// sendsSix lets a segment arrive over IPv6.
func (s *script) sendsSix(h wire.TCP) {
	s.t.Helper()
	h.SrcPort, h.DstPort, h.Window = peerSix.Port(), hostSix.Port(), 65535
	segment := h.AppendTo(nil)
	wire.PutTCPChecksum(peerSix.Addr(), hostSix.Addr(), segment, nil)
	ip := wire.IPv6{PayloadLen: len(segment), NextHeader: wire.ProtocolTCP, HopLimit: 64, Src: peerSix.Addr(), Dst: hostSix.Addr()}
	packet := append(ip.AppendTo(nil), segment...)
	s.want(NetdevSend, numbers(int64(len(packet))).with(bufferOf(packet)))
}

// hearsSix returns the next packet that the host sends over IPv6.
func (s *script) hearsSix() (wire.IPv6, wire.TCP) {
	s.t.Helper()
	b := make([]byte, 2000)
	count, usecs := uintptr(len(b)), int64(0)
	s.want(NetdevReceive, Args{}.with(bufferOf(b), unsafe.Pointer(&count), unsafe.Pointer(&usecs)))
	ip, rest, err := wire.ParseIPv6(b[:count])
	if err != nil {
		s.t.Fatal(err)
	}
	h, _, err := wire.ParseTCPHeader(rest)
	if err != nil {
		s.t.Fatal(err)
	}
	return ip, h
}

// accepted returns the address that accept(2) tells, as C has it.
func (s *script) accepted(fd int64) []byte {
	s.t.Helper()
	from, length := make([]byte, 64), uint32(64)
	s.want(Accept, numbers(fd).with(bufferOf(from), unsafe.Pointer(&length)))
	return from[:length]
}

// Over IPv6 a connection opens as over IPv4. Nothing of neighbour discovery gets
// to the script, and segments are as long as over IPv4, unless the MTU is given.
func TestIPv6(t *testing.T) {
	for _, x := range []struct {
		settings Settings
		mss      uint16
	}{
		{Settings{Local: hostSix.Addr(), Proc: "none", Seed: 1}, 1460},
		{Settings{Proc: "none", Seed: 1}, 1460}, // any address
		{Settings{Local: hostSix.Addr(), MTU: 1500, Proc: "none", Seed: 1}, 1440},
	} {
		s := withSettings(t, x.settings)
		fd := s.listensSix(hostSix)
		s.sendsSix(wire.TCP{Flags: wire.SYN, Options: wire.TCPOptions{MSS: 1000}})
		ip, h := s.hearsSix()
		if ip.Src != hostSix.Addr() || ip.Dst != peerSix.Addr() || h.Flags != wire.SYN|wire.ACK || h.Options.MSS != x.mss {
			t.Fatalf("%+v %+v, want a SYN-ACK with an MSS of %d", ip, h, x.mss)
		}
		s.sendsSix(wire.TCP{Flags: wire.ACK, Seq: 1, Ack: h.Seq + 1})
		if got, want := string(s.accepted(fd)), string(addressSix(peerSix)); got != want {
			t.Errorf("the peer's address is %q, want %q", got, want)
		}
	}
}
