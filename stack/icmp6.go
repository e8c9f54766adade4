package stack

import (
	"net/netip"

	"hubbub/clock"
	"hubbub/event"
	"hubbub/internal/pkt"
	"hubbub/network/icmperr"
	"hubbub/wire"
)

// handleICMPv6 takes an ICMPv6 message for this machine (RFC 4443, 2).
func (s *Stack) handleICMPv6(now clock.Time, at arrival, h *header, p *pkt.Packet, fragmented bool) {
	body := p.Payload(h.len, h.payload())
	defer body.Release()
	m, payload, err := wire.ParseICMPv6(h.src, h.dst, body.Bytes())
	switch {
	case err != nil:
		s.discard(now, at.iface, p, discardBadTransportHeader)
	case m.Type == wire.ICMPv6EchoRequest:
		s.echo6(now, at, h, p, m, body)
	case m.Type.IsError():
		if why, ok := s.handleICMPv6Error(now, at, &m, payload); !ok {
			s.discard(now, at.iface, p, why)
			return
		}
		p.Release()
	case s.isNDP(&m):
		s.handleNDP(now, at, h, p, &m, payload, fragmented)
	case m.Type == wire.MulticastListenerQuery, m.Type == wire.MulticastListenerReport,
		at.iface.queriers.on && (m.Type == wire.MulticastListenerDone || m.Type == wire.MulticastListenerReportV2):
		s.handleMLD(now, at, h, p, &m, payload)
	case m.Type == wire.ICMPv6EchoReply && len(s.raws) > 0:
		p.Release()
	default:
		// RFC 4443, 2.4 (b): "If an ICMPv6 informational message of unknown
		// type is received, it MUST be silently discarded."
		s.discard(now, at.iface, p, discardICMP)
	}
}

// echo6 answers an echo request: "The source address of an Echo Reply sent in
// response to a unicast Echo Request message MUST be the same as the destination
// address of that Echo Request message." To one that was sent to a group, the
// answer comes "from a unicast address belonging to the interface on which the
// Echo Request message was received" (R4443-3; RFC 4443, 4.2).
func (s *Stack) echo6(now clock.Time, at arrival, h *header, p *pkt.Packet, m wire.ICMPv6, body pkt.View) {
	if s.cfg.IgnorePings6 || h.group && s.cfg.IgnoreGroupPings6 || h.src.IsUnspecified() {
		s.discard(now, at.iface, p, discardICMP)
		return
	}
	m.Type = wire.ICMPv6EchoReply
	answer := envelope{src: h.dst, dst: h.src, protocol: wire.ProtocolICMPv6, tos: h.tos}
	if h.dst.IsMulticast() {
		answer.src = netip.Addr{}
	}
	p.Release()
	s.sendICMPv6(now, &answer, m, body.Slice(wire.ICMPv6HeaderLen, body.Len()).Retain(), "echo reply", "RFC 4443, 4.2")
}

// sendICMPv6 sends a message whose payload's reference it takes over.
func (s *Stack) sendICMPv6(now clock.Time, e *envelope, m wire.ICMPv6, payload pkt.View, reason, rfc string) {
	v, err := s.pathTo(e.dst, e.src)
	if err != nil {
		payload.Release()
		s.discards[discardNoRoute]++
		return
	}
	e.src = v.source
	p := pkt.New()
	p.Reason, p.RFC = reason, rfc
	m.PutHeader(e.src, e.dst, p.Prepend(wire.ICMPv6HeaderLen), payload.Bytes())
	p.SetBody(payload)
	s.sendIPv6(now, p, &v, e)
}

// icmpError6 tells the sender of p, a packet whose head begins with its IPv6
// header, what became of it, if that may be told (RFC 4443, 2.4). toGroups is
// set for what senders to a group are told too. p stays the caller's.
func (s *Stack) icmpError6(now clock.Time, at arrival, p *pkt.Packet, m wire.ICMPv6, toGroups bool) {
	h, rest, err := wire.ParseIPv6Header(p.Head())
	if err != nil {
		return
	}
	about := icmperr.Packet6{Header: &h, Upper: wire.ProtocolNone, LinkGroup: at.broadcast, Loopback: at.iface.Loopback}
	if x, upper, err := wire.ParseIPv6Extensions(h.NextHeader, rest); err == nil && x.Fragment.Offset == 0 && len(upper) > 0 {
		about.Upper, about.ICMPType = x.Upper, wire.ICMPv6Type(upper[0])
	}
	if ok, _ := icmperr.MayAnswer6(about, toGroups); !ok {
		return
	}
	src, dst := s.zoned(at.iface, h.Src), s.zoned(at.iface, h.Dst)
	if ok, _ := s.icmpLimit.Allow(now, src); !ok {
		s.discards[discardICMPLimit]++
		return
	}
	answer := envelope{dst: src, protocol: wire.ProtocolICMPv6}
	if s.own.by(dst) != nil {
		answer.src = dst // RFC 4443, 2.2 (a)
	}
	quote := p.Payload(0, icmperr.QuoteLen6(min(p.Len(), wire.IPv6HeaderLen+h.PayloadLen)))
	s.sendICMPv6(now, &answer, m, quote, "ICMPv6 error: "+m.Text(), "RFC 4443")
}

// parameterProblem tells the sender of p which octet of it can't be.
func (s *Stack) parameterProblem(now clock.Time, at arrival, p *pkt.Packet, code uint8, pointer int, toGroups bool) {
	m := wire.ICMPv6{Type: wire.ICMPv6ParameterProblem, Code: code}
	m.SetWord(uint32(pointer))
	s.icmpError6(now, at, p, m, toGroups)
}

// handleICMPv6Error hands an error to the endpoint whose packet it quotes. It
// reports false, and why, if there is none.
func (s *Stack) handleICMPv6Error(now clock.Time, at arrival, m *wire.ICMPv6, quoted []byte) (Discard, bool) {
	h, rest, err := wire.ParseIPv6Header(quoted)
	if err != nil {
		return discardICMP, false
	}
	x, transport, err := wire.ParseIPv6Extensions(h.NextHeader, rest)
	if err != nil || x.Fragment.Offset != 0 {
		return discardICMP, false
	}
	about := s.header6(at, &h, 0, x.Upper)
	if at.broadcast || s.own.by(about.src) == nil {
		return discardICMP, false
	}
	what := verdictOf6(m)
	if what.tooBig && !s.believesMTU(now, &about, transport, int(m.Word())) {
		return discardICMP, false
	}
	return discardICMP, s.concerns(now, &about, transport, &what)
}

// believesMTU takes a router's word for a link's MTU.
//
// RFC 8201, 4 (R8201-2, R8201-1, R8201-3): "If a node receives a Packet Too Big message
// reporting a next-hop MTU that is less than the IPv6 minimum link MTU, it must
// discard it. A node must not reduce its estimate of the Path MTU below the IPv6
// minimum link MTU on receipt of a Packet Too Big message." "A node must not
// increase its estimate of the Path MTU in response to the contents of a Packet
// Too Big message."
func (s *Stack) believesMTU(now clock.Time, about *header, transport []byte, mtu int) bool {
	if mtu < wire.MinIPv6MTU || !s.isOurs(about, transport) {
		return false
	}
	if s.doubtsMTU(about, transport, mtu) {
		return false
	}
	s.learnMTU(now, about, mtu)
	return true
}

// verdictOf6 returns what a message means to a transport: the same errors as
// for IPv4, as on Linux.
func verdictOf6(m *wire.ICMPv6) verdict {
	switch m.Type {
	case wire.ICMPv6PacketTooBig:
		return verdict{err: ErrMessageSize, tooBig: true}
	case wire.ICMPv6TimeExceeded:
		return verdict{err: ErrHostUnreachable}
	case wire.ICMPv6ParameterProblem:
		return verdict{err: errParameter, hard: m.Code == wire.CodeUnknownNextHeader}
	case wire.ICMPv6DestinationUnreachable:
		return unreachable6(m.Code)
	}
	return verdict{}
}

func unreachable6(code uint8) verdict {
	switch code {
	case wire.CodeNoRoute:
		return verdict{err: ErrNetUnreachable}
	case wire.CodePortUnreachable6:
		return verdict{err: ErrRefused, hard: true}
	case wire.CodeProhibited, wire.CodePolicyFailed, wire.CodeRouteRejected:
		return verdict{err: ErrAccess, hard: true}
	}
	return verdict{err: ErrHostUnreachable}
}

// expireFragments6 gives up the packets of which fragments are missing: "If
// the first fragment (i.e., the one with a Fragment Offset of zero) has been
// received, an ICMP Time Exceeded -- Fragment Reassembly Time Exceeded message
// should be sent to the source of that fragment." (R8200-9; RFC 8200, 4.5)
func (s *Stack) expireFragments6(now clock.Time) {
	s.reassembly6.HandleTimer(now)
	s.tellFragments6(now)
	for {
		x, ok := s.reassembly6.PollExpired(now)
		if !ok {
			return
		}
		if x.First {
			// The first fragment again, for the rules about errors.
			p := pkt.New()
			headers := wire.IPv6HeaderLen + len(x.Header.Before) + wire.FragmentHeaderLen
			size := x.Payload.Len()
			fill(p, x.Payload, headers)
			x.Header.PayloadLen = headers - wire.IPv6HeaderLen + size
			x.Header.AppendTo(p.Prepend(headers)[:0])
			before := s.stream.Because(event.ID(x.Cause))
			s.icmpError6(now, arrival{iface: s.towards(x.Header.Src)}, p,
				wire.ICMPv6{Type: wire.ICMPv6TimeExceeded, Code: wire.CodeReassemblyExceeded}, false)
			s.stream.Because(before)
			p.Release()
		}
	}
}
