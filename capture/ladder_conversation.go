package capture

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"

	"hubbub/clock"
	"hubbub/event"
	"hubbub/wire"
)

// A conversation is what two ends say to each other: a TCP connection, the
// datagrams between two sockets, a series of pings.
type conversation struct {
	protocol wire.Protocol
	ends     [2]end // the first is who began
	items    []*item
	omitted  int // items left out of the middle
	most     int
	paths    []string // routers on the way
	chosen   bool
	numbers  numbers
}

// An end is one of the two.
type end struct {
	addr  netip.AddrPort
	name  string
	first string // its state at the beginning, empty if none is known
	state string
}

// An item is something that happened at an end: a packet that it sent, a mark
// beside its column, a change of its state.
type item struct {
	id     event.ID
	cause  event.ID
	time   clock.Time
	side   int
	states []string
	text   string  // of a mark
	flight *flight // of a packet
}

// A flight is a packet on its way from one end to the other.
type flight struct {
	item
	conversation *conversation
	label        string
	data         string // the beginning of the payload, quoted
	reason       string
	quoted       bool // an ICMP error about the conversation
	foreign      bool // from neither end
	harm         string
	landings     []*landing
	lost         []loss
}

// A landing is a packet's arrival at the other end.
type landing struct {
	id        event.ID
	time      clock.Time
	states    []string
	discarded string
	piece     string // of a packet that was cut on the way: which piece this is
}

// A loss is where a packet went no further.
type loss struct{ node, reason string }

// maxLandings is how many times one packet may arrive.
const maxLandings = 16

// maxConversations is how many conversations are drawn.
const maxConversations = 1000

// begin makes a new conversation, which replaces one between the same ends. It
// returns nil where there are too many.
func (l *Ladder) begin(key conversationKey, protocol wire.Protocol, from, to netip.AddrPort) *conversation {
	if len(l.all) == maxConversations {
		l.omitted++
		return nil
	}
	c := &conversation{protocol: protocol, most: l.o.Most}
	for side, addr := range []netip.AddrPort{from, to} {
		c.ends[side] = end{addr: addr, name: l.owners[addr.Addr()]}
	}
	l.byKey[key] = c
	l.all = append(l.all, c)
	return c
}

// conversationOf returns the conversation that a packet is part of, and which
// end sent it. Without one it returns nil.
func (l *Ladder) conversationOf(p *Packet) (c *conversation, side int) {
	if p.Has&layerIP == 0 {
		return nil, 0
	}
	if q, ok := p.Quoted(); ok {
		return l.quotedConversation(p, &q)
	}
	fragment := fragmentKey{p.IP.Src, p.IP.Dst, p.IP.Protocol, p.IP.ID}
	src, dst := p.Source(), p.Destination()
	if p.IP.FragOffset != 0 {
		if c = l.pieces[fragment]; c != nil {
			return c, c.sideOfAddr(p.IP.Src)
		}
		return nil, 0
	}
	switch id, echo := p.echoID(); {
	case echo:
		src, dst = netip.AddrPortFrom(p.IP.Src, id), netip.AddrPortFrom(p.IP.Dst, id)
	case p.Has&(LayerTCP|LayerUDP) == 0:
		return nil, 0
	}
	key := keyOf(p.IP.Protocol, src, dst)
	c = l.byKey[key]
	if c == nil || c.isOther(p, src) {
		if c = l.begin(key, p.IP.Protocol, src, dst); c == nil {
			return nil, 0
		}
	}
	if p.Fragment() && len(l.pieces) < maxOrigins {
		l.pieces[fragment] = c
	}
	return c, c.sideOf(src)
}

// quotedConversation returns the conversation that an ICMP error is about. The
// message is drawn as coming from the end that is not its receiver.
func (l *Ladder) quotedConversation(p, q *Packet) (*conversation, int) {
	src, dst := q.Source(), q.Destination()
	if _, _, ok := q.Ports(); !ok && len(q.Payload) >= 4 {
		// Eight octets of the header are quoted at least: the ports are there.
		src = netip.AddrPortFrom(src.Addr(), binary.BigEndian.Uint16(q.Payload))
		dst = netip.AddrPortFrom(dst.Addr(), binary.BigEndian.Uint16(q.Payload[2:]))
	}
	if id, echo := q.echoID(); echo {
		src, dst = netip.AddrPortFrom(src.Addr(), id), netip.AddrPortFrom(dst.Addr(), id)
	}
	c := l.byKey[keyOf(q.IP.Protocol, src, dst)]
	if c == nil {
		return nil, 0
	}
	return c, 1 - c.sideOfAddr(p.IP.Dst)
}

// isOther reports whether a SYN opens a new connection between the same ends.
func (c *conversation) isOther(p *Packet, src netip.AddrPort) bool {
	if p.Has&LayerTCP == 0 || p.TCP.Flags&(wire.SYN|wire.ACK) != wire.SYN {
		return false
	}
	side := c.sideOf(src)
	return c.numbers.known[side] && c.numbers.first[side] != p.TCP.Seq
}

func (c *conversation) sideOf(addr netip.AddrPort) int {
	if addr == c.ends[0].addr {
		return 0
	}
	return 1
}

func (c *conversation) sideOfAddr(addr netip.Addr) int {
	if addr == c.ends[0].addr.Addr() {
		return 0
	}
	return 1
}

// began reports whether anything was sent.
func (c *conversation) began() bool {
	return slices.ContainsFunc(c.items, func(i *item) bool { return i.flight != nil })
}

// over reports whether both ends of a connection have closed.
func (c *conversation) over() bool {
	return c.ends[0].state == "CLOSED" && c.ends[1].state == "CLOSED"
}

// via notes a router on the way.
func (c *conversation) via(node string) {
	if !slices.Contains(c.paths, node) && len(c.paths) < 8 {
		c.paths = append(c.paths, node)
	}
}

// add adds an item. Of a long conversation only the beginning and the end are
// kept.
func (c *conversation) add(i *item, e *event.Event, side int) {
	i.id, i.time, i.side = e.ID, e.Time, side
	c.items = append(c.items, i)
	if half := c.most / 2; len(c.items) > 2*c.most && half > 0 {
		n := len(c.items) - c.most
		c.omitted += n
		c.items = slices.Delete(c.items, half, half+n)
	}
}

func (c *conversation) mark(e *event.Event, side int, text string) {
	c.add(&item{text: text}, e, side)
}

// state notes a change of state that no arrival brought about: it goes with
// the segment that was sent, or will be, for the same cause, or else stands by
// itself.
func (c *conversation) state(e *event.Event, side int, b *event.TCPState) {
	for _, i := range slices.Backward(c.items) {
		if i.time != e.Time {
			break
		}
		if i.side == side && i.flight != nil && i.cause == e.Cause {
			i.states = append(i.states, b.To)
			return
		}
	}
	c.add(&item{states: []string{b.To}, text: b.Why, cause: e.Cause}, e, side)
}

// takeStates gives a segment the changes of state that had the same cause.
func (c *conversation) takeStates(e *event.Event, f *flight) {
	n := len(c.items)
	for n > 0 && c.items[n-1].time == e.Time {
		n--
	}
	now := slices.DeleteFunc(c.items[n:], func(i *item) bool {
		same := i.flight == nil && i.states != nil && i.side == f.side && i.cause == e.Cause
		if same {
			f.states = append(f.states, i.states...)
		}
		return same
	})
	c.items = c.items[:n+len(now)]
}

// foundNoWay reports whether a node that heard a packet is one that should
// have handed it on: neither end, and no bystander.
func (f *flight) foundNoWay(node string) bool { return slices.Contains(f.conversation.paths, node) }

// numbers turns sequence numbers into such that count from the SYN's.
type numbers struct {
	known  [2]bool
	first  [2]uint32
	last   [2]uint32 // the highest that was sent, relative
	scale  [2]uint8
	closed [2]bool // the window that the side told last was zero
	opened [2]bool // the side has sent a SYN-ACK
}

// relative returns a segment's numbers, counted from those of the SYNs, where
// these were seen, or else so that the first seen is 1.
func (n *numbers) relative(p *Packet, side int) (seq, ack uint32) {
	t := &p.TCP
	if t.Flags.Has(wire.SYN) {
		n.known[side], n.first[side], n.scale[side] = true, t.Seq, t.Options.WindowScale
		if !t.Options.HasWindowScale {
			n.scale[side], n.scale[1-side] = 0, 0
		}
	}
	n.base(side, t.Seq)
	seq = t.Seq - n.first[side]
	if t.Flags.Has(wire.ACK) {
		n.base(1-side, t.Ack)
		ack = t.Ack - n.first[1-side]
	}
	return seq, ack
}

func (n *numbers) base(side int, seq uint32) {
	if !n.known[side] {
		n.known[side], n.first[side] = true, seq-1
	}
}

// again reports whether a segment brings nothing that was not sent before.
func (n *numbers) again(p *Packet, side int, seq uint32) bool {
	size := uint32(len(p.Payload))
	if p.TCP.Flags&(wire.SYN|wire.FIN) != 0 {
		size++
	}
	if size == 0 {
		return false
	}
	if p.TCP.Flags.Has(wire.SYN|wire.ACK) && !n.opened[side] {
		n.opened[side], n.last[side] = true, seq+size
		return false // it may repeat a SYN that crossed the peer's
	}
	end := seq + size
	if int32(end-n.last[side]) > 0 {
		n.last[side] = end
		return false
	}
	return true
}

// window says what a segment tells of the window, where that matters: in a
// SYN, when it closes, and when it opens again.
func (n *numbers) window(p *Packet, side int) string {
	t := &p.TCP
	size := int(t.Window) << min(n.scale[side], 14)
	switch {
	case t.Flags.Has(wire.RST):
		return ""
	case t.Flags.Has(wire.SYN):
		text := fmt.Sprintf(" WIN=%d", t.Window)
		if t.Options.MSS != 0 {
			text += fmt.Sprintf(" MSS=%d", t.Options.MSS)
		}
		return text
	case size == 0:
		n.closed[side] = true
		return " WIN=0"
	case n.closed[side]:
		n.closed[side] = false
		return fmt.Sprintf(" WIN=%d", size)
	}
	return ""
}

// label says on one line what a packet is.
func (c *conversation) label(p *Packet, side int, absolute bool) string {
	switch {
	case p.Fragment():
		return fmt.Sprintf("%v %s", p.IP.Protocol, p.fragmentText())
	case p.Has&LayerICMP != 0:
		return "ICMP " + p.icmpText()
	case p.Has&LayerICMPv6 != 0:
		return "ICMPv6 " + p.icmp6Text()
	case p.Has&LayerUDP != 0:
		if text := p.application(); text != "" {
			return text
		}
		return fmt.Sprintf("UDP LEN=%d", len(p.Payload))
	case p.Has&LayerTCP == 0:
		return p.Summary()
	}
	seq, ack := c.numbers.relative(p, side)
	again := c.numbers.again(p, side, seq)
	window := c.numbers.window(p, side)
	base := c.numbers.first[1-side]
	if absolute {
		seq, ack, base = p.TCP.Seq, p.TCP.Ack, 0
	}
	text := p.tcpText(seq, ack) + window + p.sackText(base)
	if p.IP.ECN() == ecnMarked {
		text += " CE"
	}
	if again {
		text = "again: " + text
	}
	return text
}

// ecnMarked is what the network writes over the ECN field of a packet that has
// met congestion: CE (RFC 3168, 5).
const ecnMarked = 3

// quoted returns the beginning of what a program sends, if it is text.
func quoted(p *Packet) string {
	if p.Fragment() || p.Has&(LayerTCP|LayerUDP) == 0 || len(p.Payload) > mostQuoted {
		return ""
	}
	return snippet(p.Payload, mostQuoted)
}

// mostQuoted is how long a payload may be to be quoted beside its packet.
const mostQuoted = 64

// withData adds quoted data to a label, as much as fits into n columns.
func withData(label, data string, n int) string {
	room := n - textWidth(label) - 1
	switch {
	case data == "" || room < 9:
		return label
	case textWidth(data) <= room:
		return label + " " + data
	}
	return label + " " + data[:splitAt(data, room-4)] + `..."`
}
