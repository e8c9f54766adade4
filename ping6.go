package hubbub

import (
	"encoding/binary"
	"syscall"

	"hubbub/socket"
	"hubbub/wire"
)

// hear6 is hear for ICMPv6, whose messages come without the header of IPv6: the
// hop limit is told beside them.
func (p *ping) hear6() (PingReply, bool, error) {
	const room = 64
	m := socket.Message{Buffers: [][]byte{make([]byte, wire.MaxIPv6Payload)}, Control: make([]byte, room)}
	n, err := p.socket.RecvMsg(&m, 0)
	if err != nil {
		return PingReply{}, false, err
	}
	b := m.Buffers[0][:n]
	h, payload, err := wire.ParseICMPv6Header(b)
	switch {
	case err != nil:
	case h.Type == wire.ICMPv6EchoReply && h.ID() == p.id && h.Seq() == p.seq:
		reply := PingReply{From: m.Addr.Addr(), Seq: int(h.Seq()), Bytes: n}
		if head := 16; len(m.Control) >= head+4 { // of the only control message
			reply.TTL = uint8(binary.NativeEndian.Uint32(m.Control[head:]))
		}
		return reply, true, nil
	case h.Type.IsError() && p.quoted6(payload):
		return PingReply{}, false, &unreachable{text: h.Text(), from: m.Addr.Addr(), errno: errnoOf6(&h)}
	}
	return PingReply{}, false, nil
}

// quoted6 reports whether an error is about this request.
func (p *ping) quoted6(b []byte) bool {
	h, rest, err := wire.ParseIPv6Header(b)
	if err != nil || h.Dst != p.to.WithZone("") {
		return false
	}
	x, rest, err := wire.ParseIPv6Extensions(h.NextHeader, rest)
	if err != nil || x.Upper != wire.ProtocolICMPv6 {
		return false
	}
	m, _, err := wire.ParseICMPv6Header(rest)
	return err == nil && m.Type == wire.ICMPv6EchoRequest && m.ID() == p.id && m.Seq() == p.seq
}

func errnoOf6(m *wire.ICMPv6) syscall.Errno {
	switch m.Type {
	case wire.ICMPv6ParameterProblem:
		return syscall.EPROTO
	case wire.ICMPv6PacketTooBig:
		return syscall.EMSGSIZE
	case wire.ICMPv6DestinationUnreachable:
		if m.Code == wire.CodeNoRoute {
			return syscall.ENETUNREACH
		}
	}
	return syscall.EHOSTUNREACH
}

// tellsHops makes the socket tell the hop limit of what it hears.
func (p *ping) tellsHops() error {
	if !p.to.Is6() {
		return nil
	}
	return p.socket.SetSockOpt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
}
