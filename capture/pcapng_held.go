package capture

import (
	"slices"

	"hubbub/clock"
	"hubbub/event"
)

// maxHeld is how many packets a PcapngWriter holds back at most.
const maxHeld = 1 << 16

// maxChanges is how many changes of state may wait for the segment that goes
// with them.
const maxChanges = 256

// A heldPacket is a frame at a port, until all is known about it.
type heldPacket struct {
	id, cause event.ID
	sentAs    event.ID // of a frame that was heard: its FrameSent
	time      clock.Time
	node      string
	port      string
	data      []byte
	fcs       uint32
	comments  []string
	chosen    bool       // by the filters: it will be written
	open      []event.ID // those of its copies that are under way
	latest    clock.Time // when something about it happened last
	aliases   []event.ID // its copies
}

// holding is a queue of packets that can be found by the event's ID.
type holding struct {
	queue   []*heldPacket
	head    int
	byID    map[event.ID]*heldPacket
	changes []stateChange
}

// A stateChange waits for the segment that goes with it: the connection's next
// one, for the neighbour's address may have to be found first. The end of a
// connection has one only if the same cause brought both about.
type stateChange struct {
	cause event.ID
	node  string
	flow  event.Flow
	end   bool
	text  string
}

func (q *holding) len() int { return len(q.queue) - q.head }

func (q *holding) push(h *heldPacket) {
	q.queue = append(q.queue, h)
	q.byID[h.id] = h
}

func (q *holding) first() *heldPacket {
	if q.len() == 0 {
		return nil
	}
	return q.queue[q.head]
}

func (q *holding) pop() *heldPacket {
	h := q.first()
	if h == nil {
		return nil
	}
	q.queue[q.head] = nil
	q.head++
	delete(q.byID, h.id)
	for _, id := range h.aliases {
		delete(q.byID, id)
	}
	if q.head > 1024 && q.head > len(q.queue)/2 {
		q.queue, q.head = append(q.queue[:0], q.queue[q.head:]...), 0
	}
	return h
}

// comment adds a remark to a packet, if it is still held.
func (q *holding) comment(id event.ID, text string) {
	if h := q.byID[id]; h != nil {
		h.comments = append(h.comments, text)
	}
}

// settle notes that a frame was heard or dropped.
func (q *holding) settle(id event.ID, now clock.Time) {
	if h := q.byID[id]; h != nil {
		h.open = slices.DeleteFunc(h.open, func(open event.ID) bool { return open == id })
		h.latest = now
	}
}

// alias makes what concerns a copy of a packet concern the packet.
func (q *holding) alias(id, origin event.ID) *heldPacket {
	h := q.byID[origin]
	if h != nil {
		h.aliases = append(h.aliases, id)
		q.byID[id] = h
	}
	return h
}

// join notes that a copy of a packet is under way.
func (q *holding) join(id, origin event.ID, now clock.Time) {
	if h := q.alias(id, origin); h != nil {
		h.open = append(h.open, id)
		h.latest = now
	}
}

// dropped tells the packet concerned that it went no further: where a frame
// was discarded by who heard it, that is the frame at the hearer's port, else
// the frame as it was sent.
func (q *holding) dropped(e *event.Event, b *event.FrameDropped) {
	if h := q.heardAt(e.Node, b.Frame); h != nil {
		h.add("discarded by " + e.Node + ": " + b.Reason)
		return
	}
	h := q.byID[b.Frame]
	if h == nil {
		return
	}
	if h.id == b.Frame && h.node == e.Node {
		h.add("not sent: " + b.Reason)
	} else {
		h.add("went no further at " + e.Node + ": " + b.Reason)
	}
	q.settle(b.Frame, e.Time)
}

// heardAt returns the latest packet that a node heard of a frame. The frame
// may be named by the FrameSent, or by the FrameHeard itself.
func (q *holding) heardAt(node string, frame event.ID) *heldPacket {
	for i := len(q.queue) - 1; i >= q.head; i-- {
		h := q.queue[i]
		if h.node == node && h.sentAs != 0 && (h.sentAs == frame || h.id == frame) {
			return h
		}
		if h.id <= frame && h.id != frame {
			return nil // the frame was sent after it
		}
	}
	return nil
}

// add adds a remark, but no remark twice.
func (h *heldPacket) add(text string) {
	for _, c := range h.comments {
		if c == text {
			return
		}
	}
	h.comments = append(h.comments, text)
}

// changed gives a change of state to the packet that brought it about: the
// frame that was heard, or a segment that was sent because of the same thing.
func (q *holding) changed(e *event.Event, b *event.TCPState) {
	text := e.Node + ": " + b.From + " -> " + b.To
	if h := q.byID[e.Cause]; h != nil && (h.sentAs != 0 || h.id != e.Cause) {
		h.add(text)
		return
	}
	for i := len(q.queue) - 1; i >= q.head && q.queue[i].time == e.Time; i-- {
		h := q.queue[i]
		if h.sentAs == 0 && h.node == e.Node && h.cause == e.Cause && carries(h.data, b.Flow) {
			h.add(text)
			return
		}
	}
	if len(q.changes) == maxChanges {
		q.changes = append(q.changes[:0], q.changes[1:]...)
	}
	q.changes = append(q.changes, stateChange{e.Cause, e.Node, b.Flow, b.To == "CLOSED", text})
}

// takeChanges gives a segment that is being sent the changes of state that
// wait for it.
func (q *holding) takeChanges(e *event.Event) {
	if len(q.changes) == 0 {
		return
	}
	h := q.byID[e.ID]
	kept := q.changes[:0]
	for _, c := range q.changes {
		if (c.cause == e.Cause || !c.end) && c.node == e.Node && carries(h.data, c.flow) {
			h.add(c.text)
		} else {
			kept = append(kept, c)
		}
	}
	q.changes = kept
}

// carries reports whether a frame is a segment of a connection, as it is sent.
func carries(frame []byte, flow event.Flow) bool {
	p := Decode(frame)
	return p.Has&LayerTCP != 0 && p.Source() == flow.Local && p.Destination() == flow.Remote
}
