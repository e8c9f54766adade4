package capture

import (
	"bufio"
	"io"
	"net/netip"
	"time"

	"hubbub/clock"
	"hubbub/event"
	"hubbub/wire"
)

// PcapngOptions say what a [PcapngWriter] writes. The zero value is every
// frame at every port.
type PcapngOptions struct {
	// Names are the hosts' names, for the name resolution block.
	Names map[netip.Addr]string
	// Filter chooses frames; nil is all.
	Filter *Filter
	// Port chooses ports by the names of node and port; nil is all.
	Port func(node, port string) bool
	// Once writes each packet once: at the port of the machine that sent it,
	// when it sent it. Without it, a packet is in the file at every port that
	// it passed, which programs that analyse TCP take for retransmissions.
	// The comments then tell also what the packet brought about elsewhere.
	Once bool
	// Comment is a remark about the whole file.
	Comment string
}

// A PcapngWriter writes a capture file as it listens to a stream: one section
// with an interface for every port, named "nick/eth0", and a packet for every
// frame that was sent from it or heard at it, in the order in which that
// happened, with its frame check sequence. A packet's comments tell why it was
// sent, which TCP states it changed, and why it went no further. Times are
// those of the world, in nanoseconds from its beginning: the same stream makes
// the same file, byte for byte.
//
// What becomes of a frame is known only later: a packet is held until its
// frame was heard or dropped, but no longer than until 65,536 others wait.
// Close writes what is held.
//
// A packet that never became a frame, because no route or neighbour was found,
// is not in the file.
type PcapngWriter struct {
	out     *bufio.Writer
	options PcapngOptions
	err     error
	block   block
	ports   map[string]uint32
	held    holding
	origins *origins // if each packet is written once
}

// NewPcapngWriter returns a writer that has written the beginning of the file.
func NewPcapngWriter(w io.Writer, o PcapngOptions) *PcapngWriter {
	p := &PcapngWriter{out: bufio.NewWriter(w), options: o, ports: make(map[string]uint32)}
	p.held.byID = make(map[event.ID]*heldPacket)
	if o.Once {
		p.origins = newOrigins()
	}
	p.writeSection()
	p.writeNames()
	return p
}

// Handle takes the next event.
func (p *PcapngWriter) Handle(e *event.Event) {
	if p.err != nil {
		return
	}
	switch b := e.Body.(type) {
	case event.FrameSent:
		p.sent(e, &b)
	case event.FrameHeard:
		p.heard(e, &b)
	case event.FrameDropped:
		p.dropped(e, &b)
	case event.Harmed:
		p.held.comment(b.Frame, "on the cable: "+b.What)
	case event.Held:
		p.held.comment(b.Frame, "on the cable: "+b.String())
	case event.TCPState:
		p.held.changed(e, &b)
	}
	p.release(e)
}

func (p *PcapngWriter) sent(e *event.Event, b *event.FrameSent) {
	if p.origins != nil {
		if origin := p.origins.handleSent(e, b); origin != e.ID {
			p.held.join(e.ID, origin, e.Time)
			return
		}
	}
	p.add(e, b.Port, b.Data, b.FCS, 0)
	if b.Reason != "" {
		p.held.comment(e.ID, withRFC(b.Reason, b.RFC))
	}
	p.held.takeChanges(e)
}

func (p *PcapngWriter) heard(e *event.Event, b *event.FrameHeard) {
	p.held.settle(b.Frame, e.Time)
	if p.origins != nil {
		p.held.alias(e.ID, p.origins.handleHeard(e, b))
		return
	}
	p.add(e, b.Port, b.Data, b.FCS, b.Frame)
}

// Err returns the first error that writing met.
func (p *PcapngWriter) Err() error { return p.err }

// Close writes what is held back. It does not close the underlying writer.
func (p *PcapngWriter) Close() error {
	for {
		h := p.held.pop()
		if h == nil {
			break
		}
		p.writePacket(h)
	}
	p.keep(p.out.Flush())
	return p.err
}

func (p *PcapngWriter) keep(err error) {
	if p.err == nil {
		p.err = err
	}
}

// add holds a packet. sentAs is the FrameSent of a frame that was heard.
func (p *PcapngWriter) add(e *event.Event, port string, data []byte, fcs uint32, sentAs event.ID) {
	chosen := p.options.Port == nil || p.options.Port(e.Node, port)
	if chosen && p.options.Filter != nil {
		d := Decode(data)
		chosen = p.options.Filter.Match(&d)
	}
	h := &heldPacket{
		id: e.ID, cause: e.Cause, time: e.Time, node: e.Node, port: port, data: data, fcs: fcs,
		sentAs: sentAs, chosen: chosen, latest: e.Time,
	}
	if sentAs == 0 {
		h.open = append(h.open, e.ID)
	}
	p.held.push(h)
}

func (p *PcapngWriter) dropped(e *event.Event, b *event.FrameDropped) {
	if h := p.held.byID[b.Frame]; h != nil && p.origins != nil && p.origins.bystander(e.Node, h.data) {
		return
	}
	p.held.dropped(e, b)
}

// linger is for how long a packet that is written once is held after something
// happened to it: a router may keep it until it knows where to send it.
const linger = clock.Time(5 * time.Second)

// release writes the packets of which everything is known: those before the
// present instant whose frames have been heard or dropped.
func (p *PcapngWriter) release(e *event.Event) {
	until := e.Time
	if p.origins != nil {
		until -= linger
	}
	for {
		h := p.held.first()
		if h == nil || p.held.len() <= maxHeld && (len(h.open) > 0 || h.latest >= until) {
			return
		}
		p.writePacket(p.held.pop())
	}
}

// withRFC adds where a reason is laid down.
func withRFC(reason, rfc string) string {
	if rfc == "" {
		return reason
	}
	return reason + " (" + rfc + ")"
}

// writePacket writes a packet, and its port's description if it is the first
// there.
func (p *PcapngWriter) writePacket(h *heldPacket) {
	if !h.chosen {
		return
	}
	name := h.node + "/" + h.port
	index, ok := p.ports[name]
	if !ok {
		index = uint32(len(p.ports))
		p.ports[name] = index
		p.writeInterface(name, h)
	}
	p.writeEnhanced(index, h)
}

// The bits of a packet's flags word.
const (
	flagInbound    = 1
	flagOutbound   = 2
	flagUnicast    = 1 << 2
	flagMulticast  = 2 << 2
	flagBroadcast  = 3 << 2
	flagFCSLength  = wire.FCSLen << 5
	flagBadFCS     = 1 << 24
	flagTooLong    = 1 << 25
	flagTooShort   = 1 << 26
	maxTaggedFrame = wire.MaxFrame + wire.VLANTagLen
)

func (h *heldPacket) flags() uint32 {
	flags := uint32(flagOutbound | flagFCSLength)
	if h.sentAs != 0 {
		flags = flagInbound | flagFCSLength
	}
	if len(h.data) >= 6 {
		switch dst := wire.MAC(h.data[:6]); {
		case dst.IsBroadcast():
			flags |= flagBroadcast
		case dst.IsGroup():
			flags |= flagMulticast
		default:
			flags |= flagUnicast
		}
	}
	if h.sentAs == 0 {
		return flags
	}
	n := len(h.data) + wire.FCSLen
	switch {
	case n < wire.MinFrame:
		flags |= flagTooShort
	case n > maxTaggedFrame:
		flags |= flagTooLong
	}
	if wire.FCS(h.data) != h.fcs {
		flags |= flagBadFCS
	}
	return flags
}
