package stack

import (
	"net/netip"
	"slices"

	"hubbub/clock"
	"hubbub/internal/fifo"
	"hubbub/internal/pkt"
	"hubbub/wire"
)

// RawOptions are what a raw endpoint's owner may set.
type RawOptions struct {
	Protocol  wire.Protocol
	TTL, TOS  uint8
	Buffer    int
	Broadcast bool // it may send to a broadcast address
	// IPv6: it is for the packets of IPv6. What it receives begins behind their
	// headers, and the checksum of the ICMPv6 messages that it sends is filled in
	// (RFC 3542, 3 and 3.1).
	IPv6 bool
	// HeaderIncluded: what it sends begins with an IPv4 header, with any source
	// address (raw(7), IP_HDRINCL). The stack fills in length, identification
	// and checksum, and a source and TTL that are zero. It receives nothing.
	HeaderIncluded bool
}

// Raw sends and receives the packets of one IP protocol beside the stack
// (raw(7)): what it receives begins with the IPv4 header, before what it
// sends the stack puts one.
type Raw struct {
	endpoint
	GroupEnd
	Options RawOptions

	local, remote netip.Addr
	queue         fifo.Queue[Datagram]
	waiting       int
	arrived       uint64
	told          bool // it is among the ready
}

func (e *Raw) settled() { e.told = false }

// NewRaw returns an endpoint that hears all packets of a protocol.
func (s *Stack) NewRaw(protocol wire.Protocol) *Raw {
	e := &Raw{endpoint: endpoint{stack: s}, GroupEnd: GroupEnd{machine: s}, Options: RawOptions{Protocol: protocol}}
	s.raws = append(s.raws, e)
	return e
}

// State.

// Local and Remote return the addresses that the endpoint is limited to, zero
// if it isn't.
func (e *Raw) Local() netip.Addr  { return e.local }
func (e *Raw) Remote() netip.Addr { return e.remote }

// Arrived returns how many packets were ever queued.
func (e *Raw) Arrived() uint64 { return e.arrived }

// Pending returns how many packets wait to be read.
func (e *Raw) Pending() int { return e.queue.Len() }

// Commands.

// Bind limits the endpoint to packets for one of the machine's addresses.
func (e *Raw) Bind(addr netip.Addr) error {
	if err := e.stack.bindable(netip.AddrPortFrom(addr, 0), true); err != nil {
		return err
	}
	e.local = addr
	return nil
}

// Connect limits the endpoint to one other machine.
func (e *Raw) Connect(addr netip.Addr) error {
	e.remote = addr
	return nil
}

// Send sends a packet. It takes over the payload's reference.
func (e *Raw) Send(now clock.Time, payload pkt.View, to netip.Addr) error {
	return e.SendWith(now, payload, to, nil)
}

// SendWith is Send for a packet of which the program says more than where it
// goes; nil is nothing.
func (e *Raw) SendWith(now clock.Time, payload pkt.View, to netip.Addr, a *Ancillary) error {
	s := e.stack
	if e.Options.HeaderIncluded {
		return e.sendWhole(now, payload)
	}
	if !to.IsValid() {
		to = e.remote
	}
	to, source := e.towardGroup(s.meant(netip.AddrPortFrom(to, 0), e.local).Addr(), e.local)
	v, to, err := s.pathWith(to, source, a)
	switch {
	case !to.IsValid():
		err = ErrDestination
	case to.Is6() != e.Options.IPv6:
		err = ErrInvalid
	case payload.Len() > 65535-20:
		err = ErrMessageSize
	case err == nil && v.iface.isBroadcast(to) && !e.Options.Broadcast:
		err = ErrAccess
	}
	if err != nil {
		payload.Release()
		return err
	}
	p := pkt.New()
	p.Reason, p.RFC = "sent by a raw socket", "RFC 791"
	head := min(payload.Len(), wire.ICMPv4HeaderLen)
	copy(p.Prepend(head), payload.Bytes())
	p.SetBody(payload.Slice(head, payload.Len()))
	if e.Options.IPv6 && e.Options.Protocol == wire.ProtocolICMPv6 && head == wire.ICMPv6HeaderLen {
		putICMPv6Checksum(p, v.source, to)
	}
	ttl := e.Options.TTL
	if to.IsMulticast() {
		ttl = e.groupTTL(&v)
	}
	ttl, tos := a.apply(ttl, e.Options.TOS)
	s.send(now, p, &v, &envelope{src: v.source, dst: to, protocol: e.Options.Protocol, tos: tos, ttl: ttl})
	return nil
}

// putICMPv6Checksum fills in the checksum of the message that p is.
func putICMPv6Checksum(p *pkt.Packet, src, dst netip.Addr) {
	p.RFC = "RFC 3542, 3.1"
	b := p.Head()
	b[2], b[3] = 0, 0
	sum := wire.TransportChecksum(src, dst, wire.ProtocolICMPv6, b, p.Body().Bytes())
	b[2], b[3] = byte(sum>>8), byte(sum)
}

// sendWhole sends a packet that its owner has made, header and all.
func (e *Raw) sendWhole(now clock.Time, whole pkt.View) error {
	defer whole.Release()
	s := e.stack
	h, _, err := wire.ParseIPv4Quote(whole.Bytes())
	if err != nil {
		return ErrInvalid
	}
	v, err := s.pathTo(h.Dst, netip.Addr{})
	switch {
	case err != nil:
		return err
	case v.iface.isBroadcast(h.Dst) && !e.Options.Broadcast:
		return ErrAccess
	case whole.Len() > v.iface.MTU:
		return ErrMessageSize
	case h.Src.IsUnspecified():
		h.Src = v.source
	}
	p := pkt.New()
	p.Reason, p.RFC = "sent by a raw socket", "RFC 791"
	body := whole.Slice(h.HeaderLen(), whole.Len()).Retain()
	head := min(body.Len(), wire.MaxTCPHeaderLen)
	copy(p.Prepend(head), body.Bytes())
	p.SetBody(body.Slice(head, body.Len()))
	s.sendIPv4(now, p, &v, &h)
	return nil
}

// Peek returns the packet that Receive would take, without its reference.
func (e *Raw) Peek() (Datagram, bool) {
	if e.queue.Len() == 0 {
		return Datagram{}, false
	}
	return *e.queue.First(), true
}

// Receive takes the packet that has waited longest.
func (e *Raw) Receive() (Datagram, bool) {
	d, ok := e.queue.Pop()
	e.queue.Trim(keepDatagrams)
	e.waiting -= d.Payload.Len()
	return d, ok
}

// Close gives the endpoint up, and what waits in it.
func (e *Raw) Close() {
	e.owner = nil
	e.queue.All(func(d *Datagram) { d.Payload.Release() })
	e.queue = fifo.Queue[Datagram]{}
	s := e.stack
	s.raws = slices.DeleteFunc(s.raws, func(o *Raw) bool { return o == e })
}

// tellRaws gives a copy of a packet to every raw endpoint that wants it.
func (s *Stack) tellRaws(at arrival, h *header, p *pkt.Packet) {
	for _, e := range s.raws {
		if e.Options.HeaderIncluded || e.Options.IPv6 != h.dst.Is6() || e.Options.Protocol != h.protocol || e.local.IsValid() && e.local != h.dst ||
			e.remote.IsValid() && e.remote != h.src || !e.hears(h.dst, h.src, at.iface.Index) {
			continue
		}
		limit := e.Options.Buffer
		if limit == 0 {
			limit = s.cfg.DatagramBuffer
		}
		if e.waiting+h.total > limit || e.queue.Len() >= limit/datagramOverhead+1 {
			s.discards[discardReceiveBuffer]++
			continue
		}
		whole := p.Payload(0, h.total)
		if e.Options.IPv6 {
			whole.Release()
			whole = p.Payload(h.len, h.payload())
		}
		e.waiting += whole.Len()
		e.arrived++
		e.queue.Push(Datagram{
			From: netip.AddrPortFrom(h.src, 0), To: netip.AddrPortFrom(h.dst, 0), TTL: h.ttl, TOS: h.tos,
			Interface: at.iface.Index, Payload: whole,
		})
		s.tell(&e.endpoint, &e.told, e)
	}
}
