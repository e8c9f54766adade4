package stack

import (
	"errors"
	"net/netip"

	"hubbub/clock"
	"hubbub/event"
	"hubbub/internal/pkt"
	"hubbub/network/icmperr"
	"hubbub/transport/tcp"
	"hubbub/wire"
)

// handleICMP takes an ICMP message for this machine (RFC 792).
func (s *Stack) handleICMP(now clock.Time, at arrival, h *wire.IPv4, p *pkt.Packet) {
	header := h.HeaderLen()
	body := p.Payload(header, h.TotalLen-header)
	m, payload, err := wire.ParseICMPv4(body.Bytes())
	switch {
	case err != nil:
		s.discard(now, at.iface, p, discardBadTransportHeader)
	case m.Type == wire.Echo:
		s.echo(now, at, h, p, m, body)
	case m.IsError():
		if why, ok := s.handleICMPError(now, at, h, &m, payload); !ok {
			s.discard(now, at.iface, p, why)
			break
		}
		p.Release()
	case m.Type == wire.EchoReply && len(s.raws) > 0:
		p.Release()
	default:
		// RFC 1122, 3.2.2 (R1122-17): if an ICMP message of unknown type is
		// received, it MUST be silently discarded. So are the information
		// requests that RFC 1122, 3.2.2.7 doesn't want answered (R1122-27).
		s.discard(now, at.iface, p, discardICMP)
	}
	body.Release()
}

// echo answers an echo request (R1122-25; RFC 1122, 3.2.2.6): with the same identifier,
// sequence number and data, from the address that was asked (R1122-34).
// One that was broadcast is answered only by a machine that is set to, from its
// own address (R1122-26).
func (s *Stack) echo(now clock.Time, at arrival, h *wire.IPv4, p *pkt.Packet, m wire.ICMPv4, body pkt.View) {
	group := at.broadcast || s.own.by(h.Dst) == nil && !at.iface.Loopback
	if s.cfg.IgnorePings || group && s.cfg.IgnoreBroadcastPings {
		s.discard(now, at.iface, p, discardICMP)
		return
	}
	m.Type = wire.EchoReply
	answer := wire.IPv4{Protocol: wire.ProtocolICMP, TOS: h.TOS, Src: h.Dst, Dst: h.Src}
	if group {
		answer.Src = netip.Addr{}
	}
	p.Release()
	s.sendICMP(now, &answer, m, body.Slice(wire.ICMPv4HeaderLen, body.Len()).Retain(), "echo reply", "RFC 792, page 14")
}

// sendICMP sends a message whose payload's reference it takes over.
func (s *Stack) sendICMP(now clock.Time, h *wire.IPv4, m wire.ICMPv4, payload pkt.View, reason, rfc string) {
	v, err := s.pathTo(h.Dst, h.Src)
	if err != nil {
		payload.Release()
		s.discards[discardNoRoute]++
		return
	}
	h.Src = v.source
	p := pkt.New()
	p.Reason, p.RFC = reason, rfc
	m.PutHeader(p.Prepend(wire.ICMPv4HeaderLen), payload.Bytes())
	p.SetBody(payload)
	s.sendIPv4(now, p, &v, h)
}

// icmpError tells the sender of p, a packet whose head begins with its IPv4
// header h, what became of it, if that may be told (RFC 1122, 3.2.2). The message
// comes from the address of the interface by which it leaves, and takes
// precedence (R1812-11; RFC 1812, 4.3.2.4 and 4.3.2.5). p stays the caller's.
func (s *Stack) icmpError(now clock.Time, at arrival, h *wire.IPv4, p *pkt.Packet, m wire.ICMPv4) {
	about := icmperr.Packet{
		Header: h, LinkBroadcast: at.broadcast,
		Loopback: at.iface.Loopback, DstBroadcast: at.iface.isBroadcast(h.Dst), SrcBroadcast: at.iface.isBroadcast(h.Src),
	}
	if head := transportHead(h, p); h.Protocol == wire.ProtocolICMP && len(head) > 0 {
		about.ICMPType = head[0]
	}
	if ok, _ := icmperr.MayAnswer(about); !ok {
		return
	}
	if ok, _ := s.icmpLimit.Allow(now, h.Src); !ok {
		s.discards[discardICMPLimit]++
		return
	}
	answer := wire.IPv4{Protocol: wire.ProtocolICMP, TOS: 0xc0, Dst: h.Src}
	if s.own.by(h.Dst) != nil {
		answer.Src = h.Dst
	}
	quote := p.Payload(0, icmperr.QuoteLen(h.HeaderLen(), h.TotalLen-h.HeaderLen(), 0))
	s.sendICMP(now, &answer, m, quote, "ICMP error: "+m.Text(), "RFC 792")
}

// handleICMPError hands an error to the endpoint whose packet it quotes (R1122-20,
// MUST-54; RFC 1122, 3.2.2). It reports false, and why, if there is none.
func (s *Stack) handleICMPError(
	now clock.Time, at arrival, outer *wire.IPv4, m *wire.ICMPv4, quoted []byte,
) (Discard, bool) {
	h, transport, err := wire.ParseIPv4Quote(quoted)
	switch {
	case err != nil || s.own.by(h.Src) == nil || at.broadcast:
		return discardICMP, false
	case m.Type == wire.Redirect:
		return discardRedirect, s.redirected(now, at, outer.Src, &h, m.Gateway())
	}
	x, what := header{src: h.Src, dst: h.Dst, protocol: h.Protocol, total: h.TotalLen}, verdictOf(m)
	if what.tooBig {
		if s.cfg.NoPathMTU > 1 || !s.isOurs(&x, transport) {
			return discardICMP, false
		}
		if s.doubtsMTU(&x, transport, int(m.MTU())) {
			return 0, true
		}
		s.learnMTU(now, &x, int(m.MTU()))
	}
	return discardICMP, s.concerns(now, &x, transport, &what)
}

// isOurs reports whether a quoted packet is one that this machine may have
// sent: a forger, who can't see what is in flight, is not to shrink the path's
// MTU (RFC 5927, 7.1).
func (s *Stack) isOurs(h *header, transport []byte) bool {
	if len(transport) < 8 {
		return false
	}
	switch h.protocol {
	case wire.ProtocolTCP:
		e := s.connection(quotedEnds(h, transport))
		if e == nil {
			return false
		}
		info := e.conn.Info()
		return quotedSeq(transport).Between(info.SendUnacked, info.SendNext)
	case wire.ProtocolUDP:
		return len(s.udps[be16(transport)]) > 0
	}
	return len(s.raws) > 0
}

// leastPathMTU is the least path MTU that is believed, Linux's min_pmtu.
const leastPathMTU = 552

// quotedSeq returns the sequence number of a TCP header's first eight bytes.
func quotedSeq(b []byte) tcp.Seq { return tcp.Seq(uint32(be16(b[4:]))<<16 | uint32(be16(b[6:]))) }

// learnMTU believes a router that a packet exceeded a link's MTU (RFC 1191;
// RFC 8201, 4). A machine that doesn't look for IPv4 paths' MTUs takes no more
// than that there is a small one.
func (s *Stack) learnMTU(now clock.Time, about *header, mtu int) {
	if s.cfg.NoPathMTU > 0 && about.dst.Is4() {
		mtu = min(mtu, leastPathMTU)
	}
	v, err := s.pathTo(about.dst, about.src)
	if err != nil {
		return
	}
	s.pathMTU.HandleTooBig(now, about.dst, mtu, about.total, s.mtuTo(now, about.dst, &v))
	s.generation++
}

// concerns tells the endpoint that sent a packet what ICMP says of it.
// transport is at least the first eight bytes of what followed the header h.
func (s *Stack) concerns(now clock.Time, h *header, transport []byte, what *verdict) bool {
	if len(transport) < 8 {
		return false
	}
	local, remote := quotedEnds(h, transport)
	switch h.protocol {
	case wire.ProtocolTCP:
		return s.tcpError(now, local, remote, quotedSeq(transport), what)
	case wire.ProtocolUDP:
		return s.udpError(local, remote, what)
	case wire.ProtocolICMP:
		return len(s.raws) > 0
	}
	return false
}

func be16(b []byte) uint16 { return uint16(b[0])<<8 | uint16(b[1]) }

// verdictOf returns what a message means to a transport.
func verdictOf(m *wire.ICMPv4) verdict {
	err, hard := icmpMeaning(m)
	return verdict{err, hard, m.Type == wire.DestinationUnreachable && m.Code == wire.CodeFragmentationNeeded}
}

// portUnreachable tells the sender of p that no socket has the port that it is
// for.
func (s *Stack) portUnreachable(now clock.Time, at arrival, p *pkt.Packet) {
	if wire.IsIPv6(p.Head()) {
		s.icmpError6(now, at, p, wire.ICMPv6{Type: wire.ICMPv6DestinationUnreachable, Code: wire.CodePortUnreachable6}, false)
	} else if h, _, err := wire.ParseIPv4Header(p.Head()); err == nil {
		s.icmpError(now, at, &h, p, wire.ICMPv4{Type: wire.DestinationUnreachable, Code: wire.CodePortUnreachable})
	}
}

// icmpMeaning returns the error that a message means to a transport, and
// whether it is hard (RFC 1122, 4.2.3.9; RFC 9293, 3.9.2.2): an unreachable
// destination (R1122-21), a time that was exceeded (R1122-23), a problem with a
// parameter (R1122-24). A Source Quench means nothing (MUST-55).
func icmpMeaning(m *wire.ICMPv4) (err error, hard bool) {
	switch m.Type {
	case wire.DestinationUnreachable:
		return unreachable(m.Code)
	case wire.TimeExceeded:
		return ErrHostUnreachable, false
	case wire.ParameterProblem:
		return errParameter, false
	}
	return nil, false
}

var errParameter = errors.New("protocol error")

func unreachable(code uint8) (err error, hard bool) {
	switch code {
	case wire.CodeNetUnreachable, wire.CodeSourceRouteFailed:
		return ErrNetUnreachable, false
	case wire.CodeNetProhibited:
		return ErrNetUnreachable, true
	case wire.CodeHostProhibited, wire.CodeCommunicationProhibited:
		return ErrHostUnreachable, true
	case wire.CodeProtocolUnreachable:
		return ErrProtoUnreach, true
	case wire.CodePortUnreachable:
		return ErrRefused, true
	case wire.CodeFragmentationNeeded:
		return ErrMessageSize, false
	}
	return ErrHostUnreachable, false
}

// expireFragments gives up packets whose fragments did not all come in time,
// and tells their senders (RFC 1122, 3.3.2).
func (s *Stack) expireFragments(now clock.Time) {
	s.reassembly.HandleTimer(now)
	s.tellFragments(now)
	for {
		x, ok := s.reassembly.PollExpired(now)
		if !ok {
			return
		}
		if x.First {
			// The first fragment again, for the rules about errors.
			p := pkt.New()
			p.SetBody(x.Payload)
			x.Header.AppendTo(p.Prepend(x.Header.HeaderLen())[:0])
			before := s.stream.Because(event.ID(x.Cause))
			s.icmpError(now, arrival{iface: s.towards(x.Header.Src)}, &x.Header, p,
				wire.ICMPv4{Type: wire.TimeExceeded, Code: wire.CodeReassemblyTimeExceeded})
			s.stream.Because(before)
			p.Release()
		}
	}
}

// towards returns the interface by which packets go to addr.
func (s *Stack) towards(addr netip.Addr) *Interface {
	if v, err := s.pathTo(addr, netip.Addr{}); err == nil {
		return v.iface
	}
	return s.loopback
}
