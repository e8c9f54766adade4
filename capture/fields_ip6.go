package capture

import (
	"encoding/binary"
	"fmt"

	"hubbub/wire"
)

// readIPv6 explains an IPv6 packet (RFC 8200, 3).
func (x *explainer) readIPv6(at int) {
	b := x.frame[at:]
	head := min(len(b), wire.IPv6HeaderLen)
	x.begin(network, "IPv6 header", at, head)
	x.dolls = append(x.dolls, doll{title: "IPv6 packet", head: head, n: len(b)})
	if x.short(b, wire.IPv6HeaderLen, "an IPv6 header") {
		return
	}
	h, rest, err := wire.ParseIPv6Header(b)
	first := binary.BigEndian.Uint16(b)
	x.field(at, 1, "version", fmt.Sprintf("%s  %d", bitsOf(first>>8, 0xf0, 8), b[0]>>4), "6: IPv6")
	if err != nil {
		x.stop("The version is %d: this is no IPv6 header, whatever the EtherType says.", b[0]>>4)
		return
	}
	x.field(at, 2, "DSCP", fmt.Sprint(h.DSCP()), "what service the packet asks for; 0 is the usual (RFC 2474, 3)")
	x.field(at+1, 1, "ECN", fmt.Sprint(h.ECN()), ecnMeaning(h.ECN()))
	x.field(at+1, 3, "flow label", fmt.Sprintf("0x%05x", h.FlowLabel), choose(h.FlowLabel != 0, "the packets of one conversation have the same (RFC 6437, 2)", "none"))
	x.field(at+4, 2, "payload length", fmt.Sprint(h.PayloadLen), "octets behind this header")
	x.field(at+6, 1, "next header", fmt.Sprint(b[6]), fmt.Sprintf("%v: what follows", h.NextHeader))
	x.field(at+7, 1, "hop limit", fmt.Sprint(h.HopLimit), choose(h.HopLimit == wire.NDPHopLimit, "255: no router has had it in its hands", "each router takes one off; at 0 the packet dies"))
	x.src, x.dst = h.Src, h.Dst
	x.field(at+8, 16, "source", h.Src.String(), x.addrMeaning(h.Src))
	x.field(at+24, 16, "destination", h.Dst.String(), x.addrMeaning(h.Dst))
	at += wire.IPv6HeaderLen
	whole := h.PayloadLen <= len(rest)
	if whole {
		x.dolls[len(x.dolls)-1].n = wire.IPv6HeaderLen + h.PayloadLen
		x.padding(at + h.PayloadLen)
	} else {
		x.stop("The payload length of %d can't be: %d octets are here.", h.PayloadLen, len(rest))
	}
	x.readIPv6Payload(at, h.NextHeader, whole)
}

// readIPv6Payload explains the extension headers, and what follows them.
func (x *explainer) readIPv6Payload(at int, next wire.Protocol, whole bool) {
	payload := x.frame[at:x.end]
	e, rest, err := wire.ParseIPv6Extensions(next, payload)
	if err != nil {
		x.stop("The extension headers are damaged, or too many.")
		x.readData(network, at)
		return
	}
	if e.Len > 0 {
		x.readExtensions(at, &e)
	}
	at += e.Len
	if e.Fragment.Offset > 0 {
		x.stop("This is a later piece of a packet that was cut: the %v header is in the first piece.", e.Upper)
		x.readData(network, at)
		return
	}
	checked := whole && !e.Fragment.More
	switch e.Upper {
	case wire.ProtocolTCP:
		x.readTCP(at, rest, checked)
	case wire.ProtocolUDP:
		x.readUDP(at, rest, checked)
	case wire.ProtocolICMPv6:
		x.readICMPv6(at, rest, checked)
	default:
		x.readData(transport, at)
	}
}

// readExtensions shows the extension headers (RFC 8200, 4).
func (x *explainer) readExtensions(at int, e *wire.IPv6Extensions) {
	x.begin(network, "IPv6 extension headers", at, e.Len)
	base := at - wire.IPv6HeaderLen // of the places
	show := func(name string, options []byte, place int) {
		if place != 0 {
			x.field(base+place-2, 2+len(options), name, counted(2+len(options), "octet"), fmt.Sprintf("options: % x", options))
		}
	}
	show("hop-by-hop options", e.HopByHop, e.HopByHopAt)
	show("destination options", e.EarlyDest, e.EarlyDestAt)
	if e.Routing {
		x.field(base+e.RoutingAt-2, 4, "routing header", fmt.Sprintf("type %d", e.RoutingType), fmt.Sprintf("%d places are still to be visited", e.Segments))
	}
	if e.Fragmented {
		f := &e.Fragment
		x.field(base+e.FragmentAt, wire.FragmentHeaderLen, "fragment header", fmt.Sprintf("offset %d", f.Offset),
			fmt.Sprintf("of the packet 0x%08x; %s", f.ID, choose(f.More, "more pieces follow this one", "this is the last piece, or the only one")))
	}
	show("destination options", e.Dest, e.DestAt)
}

// readICMPv6 explains an ICMPv6 message (RFC 4443, 2.1).
func (x *explainer) readICMPv6(at int, b []byte, checked bool) {
	head := min(len(b), wire.ICMPv6HeaderLen)
	x.begin(network, "ICMPv6 message", at, head)
	x.dolls = append(x.dolls, doll{title: "ICMPv6 message", head: head, n: len(b)})
	if x.short(b, wire.ICMPv6HeaderLen, "an ICMPv6 message") {
		return
	}
	m, payload, _ := wire.ParseICMPv6Header(b)
	x.field(at, 1, "type", fmt.Sprint(b[0]), m.Type.String())
	x.field(at+1, 1, "code", fmt.Sprint(b[1]), m.Text())
	x.checksum(at+2, b, 2, wire.PseudoHeader(x.src, x.dst, wire.ProtocolICMPv6, len(b)), checked, "both addresses and the whole message")
	at += wire.ICMPv6HeaderLen
	switch {
	case m.Type == wire.ICMPv6EchoRequest, m.Type == wire.ICMPv6EchoReply:
		x.field(at-4, 2, "identifier", number(uint64(m.ID()), 2), "which program asks")
		x.field(at-2, 2, "sequence number", fmt.Sprint(m.Seq()), "which of its questions this is")
		x.readData(application, at)
		return
	case m.Type == wire.ICMPv6PacketTooBig:
		x.field(at-4, 4, "MTU", fmt.Sprint(m.Word()), "of the link that the packet is too long for")
	case m.Type == wire.ICMPv6ParameterProblem:
		x.field(at-4, 4, "pointer", fmt.Sprint(m.Word()), "the octet of the quoted packet that can't be")
	}
	if m.Type.IsError() {
		x.readQuote(at, payload)
		return
	}
	x.readNDP(at, &m, payload)
}

// readNDP explains what a neighbour discovery message says (RFC 4861, 4).
func (x *explainer) readNDP(at int, m *wire.ICMPv6, b []byte) {
	var options []byte
	switch m.Type {
	case wire.NeighborSolicitation, wire.NeighborAdvertisement:
		n, err := wire.ParseNeighborMessage(m, b)
		if err != nil {
			break
		}
		if m.Type == wire.NeighborAdvertisement {
			x.field(at-4, 4, "flags", fmt.Sprintf("0x%02x", m.Rest[0]),
				fmt.Sprintf("a router: %s; an answer: %s; to be believed: %s", yesNo(n.Router), yesNo(n.Solicited), yesNo(n.Override)))
		}
		x.field(at, 16, "target", n.Target.String(), x.addrMeaning(n.Target))
		options = n.Options
	case wire.ICMPv6RouterAdvertisement:
		a, err := wire.ParseRouterAdvert(m, b)
		if err != nil {
			break
		}
		x.field(at-4, 1, "hop limit", fmt.Sprint(a.HopLimit), "for what the hosts send")
		x.field(at-2, 2, "router lifetime", fmt.Sprint(a.Lifetime), "seconds as a default router; 0: it is none")
		x.field(at, 4, "reachable time", fmt.Sprint(a.Reachable), "milliseconds that an answer counts; 0: not told")
		x.field(at+4, 4, "retransmission time", fmt.Sprint(a.Retrans), "milliseconds between two questions; 0: not told")
		options = a.Options
	case wire.ICMPv6RouterSolicitation:
		options = b
	case wire.ICMPv6Redirect:
		r, err := wire.ParseRedirect(b)
		if err != nil {
			break
		}
		x.field(at, 16, "target", r.Target.String(), "the better first hop")
		x.field(at+16, 16, "destination", r.Dst.String(), x.addrMeaning(r.Dst))
		options = r.Options
	}
	x.ndpOptions(at+len(b)-len(options), options)
	if len(options) == 0 && len(b) > 0 && len(x.parts[len(x.parts)-1].fields) <= 3 {
		x.readData(network, at)
	}
}

func yesNo(b bool) string { return choose(b, "yes", "no") }

func (x *explainer) ndpOptions(at int, b []byte) {
	for o, rest, ok := wire.NextNDPOption(b); ok; o, rest, ok = wire.NextNDPOption(rest) {
		value, meaning := counted(len(o), "octet"), ""
		switch mac, link := o.LinkAddress(); {
		case link:
			value, meaning = mac.String(), "the MAC address"
		case o.MTU() != 0:
			value, meaning = fmt.Sprint(o.MTU()), "octets, of the link"
		case o.Type() == wire.Nonce:
			value, meaning = fmt.Sprintf("%x", o.Nonce()), "tells its sender's own question from another's (RFC 7527, 4.1)"
		}
		if p, is := o.PrefixInfo(); is {
			value = p.Prefix.String()
			meaning = fmt.Sprintf("on the link: %s; addresses may be made from it: %s; valid %s, preferred %s",
				yesNo(p.OnLink), yesNo(p.Autonomous), lifetime(p.Valid), lifetime(p.Preferred))
		}
		x.field(at, len(o), o.Type().String(), value, meaning)
		at += len(o)
	}
}

func lifetime(seconds uint32) string {
	if seconds == wire.Forever {
		return "for ever"
	}
	return fmt.Sprintf("for %d s", seconds)
}
