package capture

import (
	"encoding/binary"

	"hubbub/event"
	"hubbub/wire"
)

// maxOrigins is how many frames' origins are remembered at most.
const maxOrigins = 1 << 16

// origins finds out which frames are the same packet on its way: what a hub or
// switch repeats, what a router hands on, are copies of the frame that the
// packet's sender put on its cable, its origin.
type origins struct {
	sent    map[event.ID]event.ID // a FrameSent's origin
	heard   map[event.ID]event.ID // a FrameHeard's origin
	waiting map[atNode]event.ID   // what a node heard, and may hand on later
	whole   map[atNode][]piece    // the same, where it may be cut
	order   []remembered          // a ring
	next    int

	owners    map[wire.MAC]string // who sends from an address of its own
	listeners map[string]bool     // nodes that have heard something: no cables
	repeaters map[string]bool     // hubs and switches
}

// An identity is what a packet keeps when a router hands it on.
type identity struct {
	packet   uint64 // of the packet that it is, or is a part of
	content  uint64 // of its bytes
	from, to int    // which octets of the packet it has
	part     bool   // it hasn't all of them
}

type atNode struct {
	node string
	hash uint64 // of a packet or of its content
}

// A piece is a packet, or a part of one, that a router may cut.
type piece struct {
	origin   event.ID
	from, to int
}

// maxPieces is how many parts of one packet are remembered.
const maxPieces = 64

type remembered struct {
	sent, heard event.ID
	at, whole   atNode
}

func newOrigins() *origins {
	return &origins{
		sent: make(map[event.ID]event.ID), heard: make(map[event.ID]event.ID), waiting: make(map[atNode]event.ID),
		whole:  make(map[atNode][]piece),
		owners: make(map[wire.MAC]string), listeners: make(map[string]bool), repeaters: make(map[string]bool),
	}
}

// of returns the origin of a frame that was sent or heard, or zero if it has
// been forgotten.
func (o *origins) of(id event.ID) event.ID {
	if origin, ok := o.sent[id]; ok {
		return origin
	}
	return o.heard[id]
}

// handleSent returns the origin of a frame that is being sent: itself, if it
// is not a copy.
func (o *origins) handleSent(e *event.Event, b *event.FrameSent) event.ID {
	o.meet(e.Node, b)
	origin := e.ID
	if cause, heard := o.heard[e.Cause]; heard && b.Reason == "" {
		origin = cause
	} else if from := o.handedOn(e.Node, identify(b.Data)); from != 0 {
		origin = from
	}
	o.sent[e.ID] = origin
	o.remember(remembered{sent: e.ID})
	return origin
}

// handedOn returns the origin of a packet that a node sends because it heard
// it, or a larger part of it. It returns zero for any other.
func (o *origins) handedOn(node string, id identity) event.ID {
	if id.content == 0 {
		return 0
	}
	if origin, ok := o.waiting[atNode{node, id.content}]; ok || !id.part {
		return origin
	}
	for _, p := range o.whole[atNode{node, id.packet}] {
		if p.from <= id.from && id.to <= p.to {
			return p.origin
		}
	}
	return 0
}

// handleHeard returns the origin of a frame that is being heard.
func (o *origins) handleHeard(e *event.Event, b *event.FrameHeard) event.ID {
	o.listeners[e.Node] = true
	origin, ok := o.sent[b.Frame]
	if !ok {
		origin = b.Frame
	}
	id := identify(b.Data)
	r := remembered{heard: e.ID}
	if id.content != 0 {
		r.at = atNode{e.Node, id.content}
		o.waiting[r.at] = origin
		r.whole = atNode{e.Node, id.packet}
		if pieces := o.whole[r.whole]; len(pieces) < maxPieces {
			o.whole[r.whole] = append(pieces, piece{origin, id.from, id.to})
		}
	}
	o.heard[e.ID] = origin
	o.remember(r)
	return origin
}

// meet learns what kind of node sends a frame, and the address of a machine.
func (o *origins) meet(node string, b *event.FrameSent) {
	switch {
	case b.Reason == "":
		o.repeaters[node] = true
	case len(b.Data) >= wire.EthernetHeaderLen && len(o.owners) < maxOrigins:
		o.owners[wire.MAC(b.Data[6:12])] = node
	}
}

// bystander reports whether a node is a machine that only overhears a frame:
// one that was sent to another machine's address.
func (o *origins) bystander(node string, frame []byte) bool {
	if len(frame) < wire.EthernetHeaderLen || !o.listeners[node] || o.repeaters[node] {
		return false
	}
	owner, known := o.owners[wire.MAC(frame[:6])]
	return known && owner != node
}

// remember takes note of what to forget when there is too much.
func (o *origins) remember(r remembered) {
	if len(o.order) < maxOrigins {
		o.order = append(o.order, r)
		return
	}
	old := o.order[o.next]
	delete(o.sent, old.sent)
	delete(o.heard, old.heard)
	delete(o.waiting, old.at)
	delete(o.whole, old.whole)
	o.order[o.next] = r
	o.next = (o.next + 1) % maxOrigins
}

// identify returns what identifies a packet of IP, zero for any other frame.
// Neither the time to live nor the header's checksum are part of it.
func identify(frame []byte) identity {
	eth, ip, err := wire.ParseEthernet(frame)
	if err == nil && eth.Type == wire.EtherTypeIPv6 {
		return identify6(ip)
	}
	if err != nil || eth.Type != wire.EtherTypeIPv4 || len(ip) < wire.IPv4HeaderLen {
		return identity{}
	}
	h := newHash().add(ip[4:6]).add(ip[9:10]).add(ip[12:20])
	total, head := int(binary.BigEndian.Uint16(ip[2:])), int(ip[0]&15)*4
	n := min(max(total, wire.IPv4HeaderLen), len(ip))
	flags := binary.BigEndian.Uint16(ip[6:])
	from := int(flags&0x1fff) * 8
	return identity{
		packet: uint64(h), content: uint64(h.add(ip[6:8]).add(ip[wire.IPv4HeaderLen:n])) | 1,
		from: from, to: from + total - head, part: flags&0x3fff != 0,
	}
}

// identify6 identifies a packet of IPv6, which has no number: two that are alike
// are taken for one.
func identify6(b []byte) identity {
	h, rest, err := wire.ParseIPv6Header(b)
	if err != nil {
		return identity{}
	}
	rest = rest[:min(len(rest), h.PayloadLen)]
	x, payload, err := wire.ParseIPv6Extensions(h.NextHeader, rest)
	if err != nil {
		return identity{}
	}
	content := newHash().add(b[8:40]).add(rest)
	packet := content
	if x.Fragmented {
		id := binary.BigEndian.AppendUint32(nil, x.Fragment.ID)
		packet = newHash().add(b[8:40]).add(id)
	}
	from := x.Fragment.Offset
	return identity{
		packet: uint64(packet), content: uint64(content) | 1,
		from: from, to: from + len(payload), part: x.Fragmented && !x.Fragment.IsAtomic(),
	}
}

// A hash is FNV-1a of 64 bits.
type hash uint64

func newHash() hash { return 14695981039346656037 }

func (h hash) add(b []byte) hash {
	for _, c := range b {
		h = (h ^ hash(c)) * 1099511628211
	}
	return h
}
