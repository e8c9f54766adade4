package capture

import (
	"fmt"
	"io"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"hubbub/event"
	"hubbub/wire"
)

// LadderOptions say how a [Ladder] draws. The zero value is every conversation
// in 100 columns.
type LadderOptions struct {
	Names    map[netip.Addr]string // of hosts
	Filter   *Filter               // conversations with a packet or event that it chooses; nil is all
	Width    int                   // columns, at least 80; 0 for 100
	ASCII    bool                  // draw with ASCII characters only
	Color    bool                  // use the terminal's colours
	Absolute bool                  // sequence numbers as they are, not counted from the SYN's
	NoCalls  bool                  // leave out the programs' socket calls
	Most     int                   // how many lines' things to draw of a conversation; 0 for 1000
}

// A Ladder draws every conversation of a stream as a ladder: the two ends as
// columns, time going down, an arrow for every segment, datagram or ping from
// one to the other. Beside the arrows, at either end, stand the end's time and
// the states of its connection; on the arrows the flags, numbers counted from
// the SYN's, and why the segment was sent. What is lost on the way ends in an
// X, with the reason.
//
// Time goes down at each end by itself: an arrow is drawn in one line wherever
// that keeps the order of what happened at both ends, and in two, with the
// same #number, where arrows cross.
//
// Nothing is written before Close. Of a long conversation the middle is left
// out; of very many, all but the first 1000.
type Ladder struct {
	w       io.Writer
	o       LadderOptions
	origins *origins
	owners  map[netip.Addr]string // which node has an address
	all     []*conversation
	byKey   map[conversationKey]*conversation
	flights map[event.ID]*flight // by origin
	heard   map[event.ID]*landing
	recent  []event.ID // origins, to forget
	pieces  map[fragmentKey]*conversation
	calls   callBook
	omitted int // packets and states of conversations that are one too many
}

// A conversationKey names a conversation, in a fixed order of its ends.
type conversationKey struct {
	protocol wire.Protocol
	a, b     netip.AddrPort
}

func keyOf(protocol wire.Protocol, a, b netip.AddrPort) conversationKey {
	if a.Compare(b) > 0 {
		a, b = b, a
	}
	return conversationKey{protocol, a, b}
}

type fragmentKey struct {
	src, dst netip.Addr
	protocol wire.Protocol
	id       uint16
}

// NewLadder returns a Ladder that will write to w.
func NewLadder(w io.Writer, o LadderOptions) *Ladder {
	if o.Width == 0 {
		o.Width = 100
	}
	o.Width = max(o.Width, 80)
	if o.Most == 0 {
		o.Most = 1000
	}
	l := &Ladder{
		w: w, o: o, origins: newOrigins(), owners: make(map[netip.Addr]string),
		byKey: make(map[conversationKey]*conversation), flights: make(map[event.ID]*flight),
		heard: make(map[event.ID]*landing), pieces: make(map[fragmentKey]*conversation),
		calls: newCallBook(),
	}
	for addr, name := range o.Names {
		l.owners[addr] = name
	}
	return l
}

// Handle takes the next event.
func (l *Ladder) Handle(e *event.Event) {
	switch b := e.Body.(type) {
	case event.FrameSent:
		l.sent(e, &b)
	case event.FrameHeard:
		l.arrived(e, &b)
	case event.FrameDropped:
		l.dropped(e, &b)
	case event.Harmed:
		if f := l.flights[l.origins.of(b.Frame)]; f != nil {
			f.harm = b.What
		}
	case event.TCPState:
		l.changed(e, &b)
	case event.SocketCall:
		l.called(e, &b)
	case event.Fault:
		l.fault(e, &b)
	}
}

// maxUnanswered is how many connections of strangers to one port are drawn that
// went no further than their SYN: of a flood.
const maxUnanswered = 2

// floods reports whether the conversation is a connection that somebody has
// begun, and not gone on with: one SYN, and no reset.
func (c *conversation) floods() bool {
	if c.protocol != wire.ProtocolTCP {
		return false
	}
	said := 0
	for _, i := range c.items {
		switch {
		case i.flight == nil || i.flight.quoted:
		case strings.Contains(i.flight.label, "RST"):
			return false
		case i.side == 0 && !strings.Contains(i.flight.label, "SYN"):
			return false
		case i.side == 0:
			said++
		}
	}
	return said == 1
}

// endName names an end, with its machine if that is known.
func (l *Ladder) endName(addr netip.AddrPort) string {
	if name := l.owners[addr.Addr()]; name != "" {
		return name + " " + addr.String()
	}
	return addr.String()
}

// Close draws the conversations, in the order in which they began. Of a flood it
// draws the first few, and counts the others.
func (l *Ladder) Close() error {
	first := true
	unanswered := map[netip.AddrPort]int{}
	for _, c := range l.all {
		if !c.chosen {
			continue
		}
		if c.floods() {
			if unanswered[c.ends[1].addr]++; unanswered[c.ends[1].addr] > maxUnanswered {
				continue
			}
		}
		text := c.draw(&l.o)
		if !first {
			text = "\n" + text
		}
		first = false
		if _, err := io.WriteString(l.w, text); err != nil {
			return err
		}
	}
	for _, addr := range slices.SortedFunc(maps.Keys(unanswered), netip.AddrPort.Compare) {
		if n := unanswered[addr] - maxUnanswered; n > 0 {
			if _, err := fmt.Fprintf(l.w, "\n%d more began with a SYN to %s and went no further.\n", n, l.endName(addr)); err != nil {
				return err
			}
		}
	}
	if l.omitted > 0 {
		_, err := fmt.Fprintf(l.w, "\nThere are more than %d conversations: the rest is not drawn.\n", maxConversations)
		return err
	}
	return nil
}

// learn notes which node has an address, from the first packet that it sends.
func (l *Ladder) learn(node string, p *Packet) {
	addr := p.Source().Addr()
	if _, known := l.owners[addr]; known || !addr.IsValid() || addr.IsUnspecified() {
		return
	}
	if len(l.owners) < maxOrigins {
		l.owners[addr] = node
	}
}

// sent takes a frame that leaves a port.
func (l *Ladder) sent(e *event.Event, b *event.FrameSent) {
	origin := l.origins.handleSent(e, b)
	if origin != e.ID {
		if f := l.flights[origin]; f != nil && b.Reason != "" {
			f.conversation.via(e.Node)
		}
		return
	}
	p := Decode(b.Data)
	l.learn(e.Node, &p)
	if f := l.launch(e, &p); f != nil {
		f.reason = b.Reason
		f.conversation.takeStates(e, f)
	}
}

// launch begins the flight of a packet that is part of a conversation.
func (l *Ladder) launch(e *event.Event, p *Packet) *flight {
	c, side := l.conversationOf(p)
	if c == nil {
		return nil
	}
	if !c.chosen && l.o.Filter.Match(p) {
		c.chosen = true
	}
	f := &flight{conversation: c, label: c.label(p, side, l.o.Absolute), data: quoted(p), quoted: p.isErrorMessage()}
	c.add(&f.item, e, side)
	f.flight = f
	f.cause = e.Cause
	if quotedBy := c.ends[side].addr.Addr(); f.quoted && quotedBy != p.IP.Src {
		f.label = "ICMP from " + l.nameOf(p.IP.Src) + ": " + p.icmpText()
		f.foreign = true
	}
	l.remember(e.ID, f)
	return f
}

func (l *Ladder) nameOf(addr netip.Addr) string {
	if name := l.owners[addr]; name != "" {
		return name
	}
	return addr.String()
}

// remember makes a flight be found by its origin, and forgets old ones.
func (l *Ladder) remember(id event.ID, f *flight) {
	l.flights[id] = f
	l.recent = append(l.recent, id)
	if len(l.recent) > maxOrigins {
		old := l.flights[l.recent[0]]
		for _, at := range old.landings {
			delete(l.heard, at.id)
		}
		delete(l.flights, l.recent[0])
		l.recent = l.recent[1:]
	}
}

// arrived takes a frame that was heard: it has landed if that is at the other
// end of its conversation.
func (l *Ladder) arrived(e *event.Event, b *event.FrameHeard) {
	f := l.flights[l.origins.handleHeard(e, b)]
	if f == nil || len(f.landings) >= maxLandings {
		return
	}
	c := f.conversation
	other := 1 - f.side
	if l.owners[c.ends[other].addr.Addr()] != e.Node {
		return
	}
	at := &landing{id: e.ID, time: e.Time}
	if p := Decode(b.Data); p.Fragment() {
		if text := fmt.Sprintf("%v %s", p.IP.Protocol, p.fragmentText()); text != f.label {
			at.piece = text
		}
	}
	f.landings = append(f.landings, at)
	l.heard[e.ID] = at
}

// dropped takes a frame that went no further, or a packet that never became a
// frame.
func (l *Ladder) dropped(e *event.Event, b *event.FrameDropped) {
	if at := l.heardAs(e, b); at != nil {
		at.discarded = b.Reason
		return
	}
	if f := l.flights[l.origins.of(b.Frame)]; f != nil {
		if !l.origins.listeners[e.Node] || l.origins.repeaters[e.Node] || f.foundNoWay(e.Node) {
			f.lost = append(f.lost, loss{e.Node, b.Reason})
		}
		return
	}
	if b.Frame != 0 || len(b.Data) == 0 {
		return
	}
	p := DecodePacket(b.Data)
	if f := l.launch(e, &p); f != nil {
		f.lost = append(f.lost, loss{e.Node, b.Reason})
		f.conversation.takeStates(e, f)
	}
}

// heardAs returns the landing that a frame was discarded after.
func (l *Ladder) heardAs(e *event.Event, b *event.FrameDropped) *landing {
	if at := l.heard[b.Frame]; at != nil {
		return at
	}
	if at := l.heard[e.Cause]; at != nil && at.time == e.Time {
		return at
	}
	return nil
}

// fault takes a change that somebody made to an end or its cable.
func (l *Ladder) fault(e *event.Event, b *event.Fault) {
	for _, c := range l.all {
		for side := range c.ends {
			node := l.owners[c.ends[side].addr.Addr()]
			if node != "" && !c.over() && (e.Node == node || len(e.Node) > len(node) && e.Node[:len(node)+1] == node+"/") {
				c.mark(e, side, e.Node+": "+b.What)
				break
			}
		}
	}
}

// changed takes a change of a connection's state.
func (l *Ladder) changed(e *event.Event, b *event.TCPState) {
	if !b.Flow.Remote.IsValid() {
		return
	}
	key := keyOf(wire.ProtocolTCP, b.Flow.Local, b.Flow.Remote)
	c := l.byKey[key]
	if c == nil || b.To == "SYN-SENT" && c.ends[c.sideOf(b.Flow.Local)].state != "" {
		if c = l.begin(key, wire.ProtocolTCP, b.Flow.Local, b.Flow.Remote); c == nil {
			return
		}
		if call := l.calls.opening(e.Cause); call != "" && !l.o.NoCalls {
			c.mark(e, 0, call)
		}
	}
	if _, known := l.owners[b.Flow.Local.Addr()]; !known && len(l.owners) < maxOrigins {
		l.owners[b.Flow.Local.Addr()] = e.Node
	}
	if !c.chosen && l.o.Filter.MatchEvent(e) {
		c.chosen = true
	}
	side := c.sideOf(b.Flow.Local)
	l.calls.connected(e, b.Flow)
	if c.ends[side].first == "" {
		c.ends[side].first = b.From
	}
	c.ends[side].state = b.To
	if at := l.heard[e.Cause]; at != nil && at.time == e.Time {
		at.states = append(at.states, b.To)
		return
	}
	c.state(e, side, b)
}
