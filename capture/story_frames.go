package capture

import (
	"fmt"
	"slices"
	"strings"

	"hubbub/event"
	"hubbub/wire"
)

// sent tells of a frame that leaves a port.
func (s *Story) sent(e *event.Event, b *event.FrameSent) {
	origin := s.origins.handleSent(e, b)
	if origin != e.ID {
		s.copied(e, b, origin)
		return
	}
	s.settle()
	p := Decode(b.Data)
	if !s.o.Filter.Match(&p) || s.crowded(e, &p) {
		return
	}
	text, name := s.describe(&p)
	s.know(origin, e.Node+"'s "+name)
	reason := interesting(b.Reason)
	if p.Has&LayerARP != 0 || p.Has&LayerICMPv6 != 0 && p.IP.TTL == wire.NDPHopLimit {
		reason = fmt.Sprintf("%s, %v to %v", b.Reason, p.Ethernet.Src, p.Ethernet.Dst)
	}
	rfc := ""
	if s.o.Detail >= Depths {
		rfc = b.RFC
	}
	s.say(e, 0, text, reason, rfc)
	if s.o.Detail >= EveryLayer {
		s.explain(b)
	}
}

// copied tells of a packet that is passed on.
func (s *Story) copied(e *event.Event, b *event.FrameSent, origin event.ID) {
	if s.frames[origin] == "" {
		return
	}
	if b.Reason != "" {
		s.settle()
		s.forwarded(e, b, origin)
		return
	}
	if p := s.pending; p != nil && p.ports != nil && p.event.Cause == e.Cause && p.event.Node == e.Node {
		p.ports = append(p.ports, b.Port)
		return
	}
	s.settle()
	flood := len(b.Data) > 0 && b.Data[0]&1 != 0
	s.pending = &pendingLine{event: e, ports: []string{b.Port}, origin: origin, flood: flood}
}

// forwarded tells of a packet that a router hands on.
func (s *Story) forwarded(e *event.Event, b *event.FrameSent, origin event.ID) {
	p := Decode(b.Data)
	it := s.it(origin)
	s.say(e, 1, fmt.Sprintf("hands %s on by %s: from MAC %v to MAC %v, time to live %d",
		it, b.Port, p.Ethernet.Src, p.Ethernet.Dst, p.IP.TTL), s.rfc(b.RFC))
	if s.o.Detail >= EveryLayer {
		s.explain(b)
	}
}

func (s *Story) rfc(rfc string) string {
	if s.o.Detail < Depths {
		return ""
	}
	return rfc
}

// describe says what a machine does by sending a packet, and what to call the
// packet afterwards.
func (s *Story) describe(p *Packet) (text, name string) {
	switch {
	case p.Has&LayerARP != 0:
		return s.describeARP(p)
	case p.Has&LayerICMP != 0 && p.ICMP.IsError():
		return fmt.Sprintf("tells %s: %s", s.name(p.IP.Dst), p.icmpText()), "ICMP message"
	case p.Has&LayerICMP != 0:
		return fmt.Sprintf("to %s: ICMP %s", s.name(p.IP.Dst), p.icmpText()), "ICMP " + p.ICMP.Text()
	case p.Has&LayerICMPv6 != 0:
		return s.describeICMPv6(p)
	case p.Has&layerIP == 0:
		return p.Summary(), "frame"
	}
	src, dst := p.Source(), p.Destination()
	name = "datagram"
	key := keyOf(p.IP.Protocol, src, dst)
	c := s.flows[key]
	if c == nil || c.isOther(p, src) {
		if len(s.flows) >= maxOrigins {
			clear(s.flows)
		}
		c = &conversation{ends: [2]end{{addr: src}, {addr: dst}}}
		s.flows[key] = c
	}
	label := c.label(p, c.sideOf(src), false)
	switch {
	case p.Fragment():
		name = "fragment"
	case p.Has&LayerTCP != 0 && len(p.Payload) > 0:
		name = counted(len(p.Payload), "byte")
	case p.Has&LayerTCP != 0:
		name = flagText(p.TCP.Flags)
	}
	port := ""
	if src.Port() != 0 {
		port = fmt.Sprintf(":%d ", src.Port())
	}
	label = withData(label, quoted(p), textWidth(label)+40)
	return fmt.Sprintf("%s%s%s %s  %s", port, s.d.horizontal, ">", s.socket(dst), label), name
}

func (s *Story) describeICMPv6(p *Packet) (text, name string) {
	whom, kind := s.name(p.IP.Dst), p.ICMPv6.Type
	switch {
	case kind == wire.NeighborSolicitation, kind == wire.ICMPv6RouterSolicitation:
		_, text, _ := strings.Cut(p.icmp6Text(), ": ")
		return fmt.Sprintf("asks %s: %s", whom, text), p.ICMPv6.Type.String()
	case kind == wire.NeighborAdvertisement, kind == wire.ICMPv6RouterAdvertisement, kind == wire.ICMPv6Redirect, kind == wire.MulticastListenerReportV2:
		_, text, _ := strings.Cut(p.icmp6Text(), ": ")
		return fmt.Sprintf("tells %s: %s", whom, text), p.ICMPv6.Type.String()
	case kind.IsError():
		return fmt.Sprintf("tells %s: %s", whom, p.icmp6Text()), "ICMPv6 message"
	}
	return fmt.Sprintf("to %s: ICMPv6 %s", whom, p.icmp6Text()), "ICMPv6 " + p.ICMPv6.Text()
}

func (s *Story) describeARP(p *Packet) (text, name string) {
	a := &p.ARP
	whom := "everybody"
	if !p.Ethernet.Dst.IsBroadcast() {
		whom = s.name(a.TargetIP)
	}
	switch {
	case a.Op == wire.ARPRequest && a.SenderIP == a.TargetIP:
		return fmt.Sprintf("tells %s: %v is at %v", whom, a.SenderIP, a.SenderMAC), "announcement"
	case a.Op == wire.ARPRequest && a.SenderIP.IsUnspecified():
		return fmt.Sprintf("asks %s: does anybody use %v?", whom, a.TargetIP), "ARP probe"
	case a.Op == wire.ARPRequest:
		return fmt.Sprintf("asks %s: who has %v? Tell %v", whom, a.TargetIP, a.SenderIP), "ARP request"
	case a.Op == wire.ARPReply:
		return fmt.Sprintf("answers %s: %v is at %v", whom, a.SenderIP, a.SenderMAC), "ARP reply"
	}
	return p.Summary(), "ARP packet"
}

// explain prints a frame layer by layer, indented.
func (s *Story) explain(b *event.FrameSent) {
	var text strings.Builder
	frame := wire.AppendFCS(slices.Clone(b.Data), b.FCS)
	_ = Explain(&text, frame, ExplainOptions{Names: s.o.Names, FCS: FCSThere, Width: s.o.Width - 4, ASCII: s.o.ASCII})
	s.write("")
	for l := range strings.Lines(text.String()) {
		s.write("    " + strings.TrimRight(l, "\n"))
	}
	s.write("")
}

// heard notes that a frame was heard, to be told with what comes of it.
func (s *Story) heard(e *event.Event, b *event.FrameHeard) {
	origin := s.origins.handleHeard(e, b)
	s.settle()
	if s.frames[origin] != "" {
		s.pending = &pendingLine{event: e, heard: b, origin: origin}
	}
}

// dropped tells of a frame that goes no further.
func (s *Story) dropped(e *event.Event, b *event.FrameDropped) {
	if p := s.pending; p != nil && p.heard != nil && p.event.Node == e.Node && p.concerns(e, b) {
		s.pending = nil
		s.discarded = p.event.ID
		s.discard(e, p, b.Reason)
		return
	}
	if e.Cause == s.discarded && s.discarded != 0 {
		return // it was told
	}
	s.settle()
	reason := clean(b.Reason)
	origin := s.origins.of(b.Frame)
	switch {
	case b.Frame == 0:
		p := DecodePacket(b.Data)
		if s.o.Filter.Match(&p) {
			s.say(e, 0, fmt.Sprintf("gives up %s: %s", p.Summary(), reason))
		}
	case s.frames[origin] == "":
	case s.origins.listeners[e.Node]:
		s.say(e, 1, fmt.Sprintf("discards %s: %s", s.it(origin), reason))
	default:
		s.say(e, 1, s.paint(red, fmt.Sprintf("%s goes no further: %s", s.it(origin), reason)))
	}
}

// concerns reports whether a drop is of the frame that was just heard.
func (p *pendingLine) concerns(e *event.Event, b *event.FrameDropped) bool {
	return e.Cause == p.event.ID || b.Frame == p.heard.Frame || b.Frame == p.event.ID
}

// discard tells that a machine hears and discards a frame. Those that only
// overhear it are told of together.
func (s *Story) discard(e *event.Event, p *pendingLine, reason string) {
	if !s.origins.bystander(e.Node, p.heard.Data) || p.heard.Data[0]&1 != 0 {
		s.say(p.event, 1, fmt.Sprintf("hears %s and discards it: %s", s.it(p.origin), clean(reason)))
		return
	}
	for i := range s.overheard {
		if o := &s.overheard[i]; o.origin == p.origin && o.reason == reason {
			o.nodes = append(o.nodes, e.Node)
			return
		}
	}
	s.overheard = append(s.overheard, overhearing{p.origin, reason, []string{e.Node}})
	s.overheardAt = e.Time
}

// tellOverheard tells who has overheard and discarded what.
func (s *Story) tellOverheard() {
	if len(s.overheard) == 0 {
		return
	}
	s.settle()
	for _, o := range s.overheard {
		if len(o.nodes) == 1 {
			s.sayAt(s.overheardAt, o.nodes[0], 1, fmt.Sprintf("overhears %s and discards it: %s", s.it(o.origin), clean(o.reason)))
			continue
		}
		last := len(o.nodes) - 1
		who := strings.Join(o.nodes[:last], ", ") + " and " + o.nodes[last]
		s.sayAt(s.overheardAt, "", 1, fmt.Sprintf("%s overhear %s and discard it: %s", clean(who), s.it(o.origin), clean(o.reason)))
	}
	s.overheard = s.overheard[:0]
}

// settle tells the line that waited for more.
func (s *Story) settle() {
	p := s.pending
	s.pending = nil
	switch {
	case p == nil:
	case p.heard != nil && s.origins.repeaters[p.event.Node]:
		// A hub or a switch that hears a frame repeats it: that is told.
	case p.heard != nil:
		s.say(p.event, 1, "hears "+s.it(p.origin))
	default:
		s.tellRepeated(p)
	}
}

// tellRepeated tells that a hub or a switch passes a frame on.
func (s *Story) tellRepeated(p *pendingLine) {
	it := s.it(p.origin)
	where := p.ports[0]
	if n := len(p.ports); n > 1 {
		where = counted(n, "port")
	}
	switch {
	case !s.switches[p.event.Node]:
		s.say(p.event, 1, fmt.Sprintf("repeats %s to %s", it, where))
	case p.flood:
		s.say(p.event, 1, fmt.Sprintf("passes %s to %s: it is for everybody", it, where))
	case len(p.ports) > 1:
		s.say(p.event, 1, fmt.Sprintf("floods %s to %s: it doesn't know where the address is", it, where))
	default:
		s.say(p.event, 1, fmt.Sprintf("passes %s to %s", it, where))
	}
	for _, l := range p.learnt {
		s.aside(p.event, 1, l)
	}
}

// learned tells what a switch has learned, after what it did with the frame.
func (s *Story) learned(e *event.Event, b *event.Learned) {
	s.switches[e.Node] = true
	text := clean(b.String())
	if p := s.pending; p != nil && p.ports != nil && p.event.Node == e.Node && p.event.Time == e.Time {
		p.learnt = append(p.learnt, text)
		return
	}
	s.settle()
	if s.o.Filter == nil {
		s.aside(e, 1, text)
	}
}
