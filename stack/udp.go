package stack

import (
	"net/netip"
	"slices"

	"hubbub/clock"
	"hubbub/event"
	"hubbub/internal/fifo"
	"hubbub/internal/pkt"
	"hubbub/wire"
)

// A Datagram is what a socket sent to another in one piece, with the address that
// it was sent to (R1122-43; RFC 1122, 4.1.3.5).
type Datagram struct {
	From, To  netip.AddrPort
	Interface int
	TTL, TOS  uint8
	Payload   pkt.View // with a reference
}

// UDPOptions are what a UDP endpoint's owner may set (R1122-45; RFC 1122, 4.1.4).
type UDPOptions struct {
	ReuseAddr    bool
	ReusePort    bool
	IPv6         bool // left to itself, it binds to an IPv6 address
	V6Only       bool // bound to all IPv6 addresses, it isn't to those of IPv4 (RFC 3493, 5.3)
	Broadcast    bool // it may send to a broadcast address
	Privileged   bool
	TTL          uint8
	TOS          uint8
	DontFragment bool
	Buffer       int // bytes that may wait to be read, zero for the machine's default
}

// UDP is an end of the User Datagram Protocol (RFC 768).
type UDP struct {
	endpoint
	GroupEnd
	Options UDPOptions

	local, remote netip.AddrPort
	bound         bool
	told          bool // it is among the ready
	binding       binding
	held          bindingID // what the port table calls it
	way           *udpPath  // of what was sent last, nil if it never was plain
	queue         fifo.Queue[Datagram]
	waiting       int  // bytes in queue
	most          int  // datagrams in it, since it was empty
	read          bool // since FallsBehind has said so
	arrived       uint64
	err           error
	dropped       uint64
}

func (e *UDP) settled() { e.told = false }

// NewUDP returns an endpoint that is not bound.
func (s *Stack) NewUDP() *UDP {
	return &UDP{endpoint: endpoint{stack: s}, GroupEnd: GroupEnd{machine: s}}
}

// State.

// Local and Remote return the endpoint's addresses, zero if it has none.
func (e *UDP) Local() netip.AddrPort  { return e.local }
func (e *UDP) Remote() netip.AddrPort { return e.remote }

// Pending returns how many datagrams wait to be read.
func (e *UDP) Pending() int { return e.queue.Len() }

// FallsBehind reports whether somebody reads and more waits than half of what there
// is room for: once after each time that something was read.
func (e *UDP) FallsBehind() bool {
	if room := e.room(); !e.read || e.waiting <= room/2 && e.queue.Len() <= room/datagramOverhead/2 {
		return false
	}
	e.read = false
	return true
}

// room returns how many bytes may wait.
func (e *UDP) room() int {
	if e.Options.Buffer == 0 {
		return e.stack.cfg.DatagramBuffer
	}
	return e.Options.Buffer
}

// Arrived returns how many datagrams were ever queued.
func (e *UDP) Arrived() uint64 { return e.arrived }

// NextLen returns the length of the datagram that Receive will return.
func (e *UDP) NextLen() int {
	if e.queue.Len() == 0 {
		return 0
	}
	return e.queue.First().Payload.Len()
}

// HasError reports whether TakeError would return one.
func (e *UDP) HasError() bool { return e.err != nil }

// Commands.

// Bind gives the endpoint a local address. Port 0 asks for any that is free.
func (e *UDP) Bind(addr netip.AddrPort) error {
	s := e.stack
	if e.bound {
		return ErrInvalid
	}
	broadcast := s.isGroup(addr.Addr())
	if err := s.bindable(addr, e.Options.Privileged); err != nil && !(broadcast && err == ErrAddrNotAvail) {
		return err
	}
	b := binding{
		addr: addr.Addr(), datagram: true,
		reuseAddr: e.Options.ReuseAddr, reusePort: e.Options.ReusePort,
		dual: addr.Addr() == netip.IPv6Unspecified() && !e.Options.V6Only,
	}
	port := addr.Port()
	if port == 0 {
		port = s.udpPorts.choose(s.rnd, b)
	}
	if port == 0 || !s.udpPorts.free(port, b) {
		return ErrAddrInUse
	}
	e.local, e.binding, e.bound = netip.AddrPortFrom(addr.Addr(), port), b, true
	e.held = s.udpPorts.add(port, b)
	s.udps[port] = append(s.udps[port], e)
	s.udpLast.to = nil
	return nil
}

// Connect fixes where datagrams go to and come from. The zero AddrPort undoes
// it.
func (e *UDP) Connect(remote netip.AddrPort) error {
	s := e.stack
	s.udpLast.to = nil
	if !remote.IsValid() {
		e.remote = remote
		if e.bound {
			e.local = netip.AddrPortFrom(e.binding.addr, e.local.Port())
		}
		return nil
	}
	remote = s.meant(remote, e.local.Addr())
	v, err := s.pathTo(remote.Addr(), e.sourceWanted())
	switch {
	case err != nil:
		return err
	case v.iface.isBroadcast(remote.Addr()) && !e.Options.Broadcast:
		return ErrAccess
	}
	if err := e.ensureBound(); err != nil {
		return err
	}
	if e.local.Addr().IsUnspecified() {
		e.local = netip.AddrPortFrom(v.source, e.local.Port())
	}
	e.remote = remote
	return nil
}

func (e *UDP) ensureBound() error {
	if e.bound {
		return nil
	}
	return e.Bind(netip.AddrPortFrom(unspecified(e.Options.IPv6), 0))
}

func (e *UDP) sourceWanted() netip.Addr {
	if e.bound && !e.local.Addr().IsUnspecified() && !e.stack.isGroup(e.local.Addr()) {
		return e.local.Addr()
	}
	return netip.Addr{}
}

// isGroup reports whether addr is a broadcast or multicast address, which can
// be listened at but not sent from.
func (s *Stack) isGroup(addr netip.Addr) bool { return addr.IsMulticast() || s.isBroadcast(addr) }

// meant returns where a packet to remote goes: as on Linux, the unspecified
// address is this machine. A link-local address without a zone is on the link of
// the source, or on the only one that has IPv6.
func (s *Stack) meant(remote netip.AddrPort, source netip.Addr) netip.AddrPort {
	if isLocal(remote.Addr()) && remote.Addr().Zone() == "" {
		return netip.AddrPortFrom(remote.Addr().WithZone(s.zoneOf(source)), remote.Port())
	}
	switch remote.Addr() {
	case netip.IPv4Unspecified():
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), remote.Port())
	case netip.IPv6Unspecified():
		return netip.AddrPortFrom(netip.IPv6Loopback(), remote.Port())
	}
	return remote
}

// MaxDatagram is the longest payload of a datagram over IPv4: 65,535 less the
// headers of IPv4 and UDP.
const MaxDatagram = 65535 - 20 - wire.UDPHeaderLen

// Send sends a datagram to a destination, or, if that is the zero AddrPort,
// to where the endpoint is connected. It takes over the payload's reference.
func (e *UDP) Send(now clock.Time, payload pkt.View, to netip.AddrPort) error {
	return e.SendWith(now, payload, to, nil)
}

// SendWith is Send for a datagram of which the program says more than where it
// goes; nil is nothing.
func (e *UDP) SendWith(now clock.Time, payload pkt.View, to netip.AddrPort, a *Ancillary) error {
	err := e.send(now, payload, to, a)
	if err != nil {
		payload.Release()
	}
	return err
}

func (e *UDP) send(now clock.Time, payload pkt.View, to netip.AddrPort, a *Ancillary) error {
	s := e.stack
	if !to.IsValid() {
		to = e.remote
	}
	switch {
	case !to.IsValid():
		return ErrDestination
	case to.Port() == 0:
		return ErrInvalid
	case payload.Len() > MaxDatagram:
		return ErrMessageSize
	}
	if a == nil && e.sendSame(now, payload, to) {
		return nil
	}
	if err := e.ensureBound(); err != nil {
		return err
	}
	said := to
	to = s.meant(to, e.local.Addr())
	dst, source := e.towardGroup(to.Addr(), e.sourceWanted())
	v, dst, err := s.pathWith(dst, source, a)
	to = netip.AddrPortFrom(dst, to.Port())
	o := e.Options
	switch {
	case err != nil:
		return err
	case v.iface.isBroadcast(to.Addr()) && !e.Options.Broadcast:
		return ErrAccess
	case e.Options.DontFragment && payload.Len()+wire.UDPHeaderLen+overhead(to.Addr()) > s.mtuTo(now, to.Addr(), &v):
		return ErrMessageSize
	}
	from := netip.AddrPortFrom(v.source, e.local.Port())
	s.tellRoute(now, to.Addr(), &v)
	if to.Addr().IsMulticast() {
		o.TTL = e.groupTTL(&v)
	}
	o.TTL, o.TOS = a.apply(o.TTL, o.TOS)
	if a == nil {
		e.rememberPath(said, from, to, &v)
	}
	s.sendUDP(now, &v, from, to, payload, &o)
	return nil
}

func (s *Stack) sendUDP(now clock.Time, v *path, from, to netip.AddrPort, payload pkt.View, o *UDPOptions) {
	p := s.packUDP(from, to, payload)
	p.Reason, p.RFC = "datagram", "RFC 768"
	s.send(now, p, v, &envelope{
		label: s.flowLabel(wire.ProtocolUDP, from, to),
		src:   from.Addr(), dst: to.Addr(), protocol: wire.ProtocolUDP, tos: o.TOS, ttl: o.TTL, whole: o.DontFragment,
	})
}

// packUDP puts the UDP header before a payload, whose reference it takes over.
func (s *Stack) packUDP(from, to netip.AddrPort, payload pkt.View) *pkt.Packet {
	h := wire.UDP{SrcPort: from.Port(), DstPort: to.Port(), Length: wire.UDPHeaderLen + payload.Len()}
	p := s.packets.New()
	head := h.AppendTo(p.Prepend(wire.UDPHeaderLen)[:0])
	// RFC 1122, 4.1.3.4 (R1122-41): a host MUST by default generate UDP
	// checksums.
	sum := wire.UDPChecksum(from.Addr(), to.Addr(), head, payload.Bytes())
	head[6], head[7] = byte(sum>>8), byte(sum)
	p.Vouch()
	p.SetBody(payload)
	return p
}

// Receive takes the datagram that has waited longest.
func (e *UDP) Receive() (Datagram, bool) {
	d, ok := e.queue.Pop()
	e.read = true
	if e.queue.Len() == 0 {
		// Bursts come in a row: room for as long a one as the last is kept.
		e.queue.Trim(max(keepDatagrams, 2*e.most))
		e.most = 0
	}
	e.waiting -= d.Payload.Len()
	return d, ok
}

// Peek returns the datagram that Receive would take, without its reference.
func (e *UDP) Peek() (Datagram, bool) {
	if e.queue.Len() == 0 {
		return Datagram{}, false
	}
	return *e.queue.First(), true
}

// TakeError returns and clears what ICMP said about a datagram that was sent
// (RFC 1122, 4.1.3.3).
func (e *UDP) TakeError() error {
	err := e.err
	e.err = nil
	return err
}

// Close gives the endpoint up, and what waits in it.
func (e *UDP) Close() {
	e.owner = nil
	e.queue.All(func(d *Datagram) { d.Payload.Release() })
	e.queue = fifo.Queue[Datagram]{}
	if !e.bound {
		return
	}
	e.bound = false
	s, port := e.stack, e.local.Port()
	s.udpLast.to, e.way = nil, nil
	s.udpPorts.remove(port, e.held)
	s.udps[port] = slices.DeleteFunc(s.udps[port], func(o *UDP) bool { return o == e })
	if len(s.udps[port]) == 0 {
		delete(s.udps, port)
	}
}

// handleUDP takes a datagram for this machine.
func (s *Stack) handleUDP(now clock.Time, at arrival, h *header, p *pkt.Packet) {
	head := h.transport(p)
	u, _, err := wire.ParseUDPHeader(head)
	if err != nil || u.Length > h.payload() {
		s.discard(now, at.iface, p, discardBadTransportHeader)
		return
	}
	payload := p.Payload(h.len+wire.UDPHeaderLen, u.Length-wire.UDPHeaderLen)
	if u.Checksum == 0 && h.dst.Is6() {
		payload.Release()
		// RFC 8200, 8.1 (R8200-14): "IPv6 receivers must discard UDP packets
		// containing a zero checksum".
		s.discard(now, at.iface, p, discardNoChecksum)
		return
	}
	if u.Checksum != 0 && !p.Vouched() && !h.checksumOK(head[:wire.UDPHeaderLen], payload) {
		payload.Release()
		// RFC 1122, 4.1.3.4 (R1122-42): if a UDP datagram is received with a checksum
		// that is non-zero and invalid, UDP MUST silently discard it.
		s.discard(now, at.iface, p, discardBadChecksum)
		return
	}
	d := Datagram{
		From: netip.AddrPortFrom(h.src, u.SrcPort), To: netip.AddrPortFrom(h.dst, u.DstPort),
		Interface: at.iface.Index, TTL: h.ttl, TOS: h.tos, Payload: payload,
	}
	if h.dst.Is6() && (u.DstPort == wire.DHCP6ClientPort || u.DstPort == wire.DHCP6ServerPort) && s.handleDHCP(now, at, p, &d) {
		return
	}
	s.receive(now, at, h, p, d)
}

// receive puts a datagram into the queues of those it is for: everybody with
// its port if it was broadcast, else the one whose addresses fit best.
func (s *Stack) receive(now clock.Time, at arrival, h *header, p *pkt.Packet, d Datagram) {
	defer d.Payload.Release()
	found, full := false, false
	for _, e := range s.udpReceivers(d, h.group) {
		found = true
		s.rememberArrival(e, at, h, p, &d)
		full = !e.enqueue(now, d) || full
	}
	switch {
	case full:
		s.discard(now, at.iface, p, discardReceiveBuffer)
	case found:
		p.Release()
	default:
		// RFC 1122, 4.1.3.1 (R1122-38): if a datagram arrives addressed to a UDP port
		// for which there is no pending LISTEN call, UDP SHOULD send an ICMP
		// Port Unreachable message.
		s.portUnreachable(now, at, p)
		s.discard(now, at.iface, p, discardNoPort)
	}
}

func (s *Stack) udpReceivers(d Datagram, group bool) []*UDP {
	all := s.udps[d.To.Port()]
	if group {
		return slices.DeleteFunc(slices.Clone(all), func(e *UDP) bool { return e.score(d) < 0 || !e.hears(d.To.Addr(), d.From.Addr(), d.Interface) })
	}
	most := 0
	var best []*UDP
	for _, e := range all {
		switch score := e.score(d); {
		case score < 0 || score < most:
		case score > most || best == nil || !e.Options.ReusePort:
			// Of those that fit equally well, the last bound has it.
			most, best = score, s.candidate[:0]
			fallthrough
		default:
			best = append(best, e)
		}
	}
	if len(best) < 2 {
		return best
	}
	// Those with SO_REUSEPORT share by the sender's address, as on Linux.
	i := s.secret.hash(d.To.Addr(), d.From) % uint32(len(best))
	return best[i : i+1]
}

// score says how closely the endpoint's addresses fit a datagram, -1 if they
// don't.
func (e *UDP) score(d Datagram) int {
	score := 0
	if e.local.Addr().IsUnspecified() {
		if e.local.Addr().Is4() != d.To.Addr().Is4() && !e.binding.dual {
			return -1
		}
	} else {
		if e.local.Addr() != d.To.Addr() {
			return -1
		}
		score++
	}
	if e.remote.IsValid() {
		if e.remote != d.From {
			return -1
		}
		score += 2
	}
	return score
}

// enqueue keeps a datagram until it is read. It reports false if there is no
// room.
func (e *UDP) enqueue(now clock.Time, d Datagram) bool {
	limit := e.room()
	// A datagram takes more memory than its bytes: the count is bounded too.
	if e.waiting+d.Payload.Len() > limit || e.queue.Len() >= limit/datagramOverhead+1 {
		e.dropped++
		e.stack.stream.Publish(now, e.stack.cfg.Name, event.Overflow{
			Local: e.local, What: "the receive buffer is full: a datagram is lost",
		})
		return false
	}
	d.Payload.Retain()
	e.waiting += d.Payload.Len()
	e.arrived++
	e.queue.Push(d)
	e.most = max(e.most, e.queue.Len())
	e.stack.tell(&e.endpoint, &e.told, e)
	return true
}

const datagramOverhead = 256

// keepDatagrams is for how many datagrams a socket that has none keeps room, though
// there were fewer.
const keepDatagrams = 16

// udpError keeps what ICMP says about a datagram for its sender, if the
// endpoint is connected, as on Linux; an unconnected one could not tell which
// destination is meant.
func (s *Stack) udpError(local, remote netip.AddrPort, what *verdict) bool {
	for _, e := range s.udps[local.Port()] {
		if e.remote != remote || e.local.Addr() != local.Addr() {
			continue
		}
		// RFC 1122, 4.1.3.3 (R1122-40): "UDP MUST pass to the application layer all ICMP
		// error messages that it receives from the IP layer."
		if what.err != nil {
			e.err = what.err
			s.tell(&e.endpoint, &e.told, e)
		}
		return true
	}
	return len(s.udps[local.Port()]) > 0
}
