package tcp

// A Listener is the queue policy of a port in LISTEN: how many connections
// may be half open, and how many may wait for the program to accept them. The
// connections themselves are in their host's table, found by address.
type Listener struct {
	env      *Env
	backlog  int
	halfOpen int
	queue    []*Conn // established, oldest first
	head     int
	drops    [numAdmissions]uint64
}

// An Admission is what a listener decides about a segment.
type Admission uint8

const (
	// Admit: go on.
	Admit Admission = iota
	// DropAcceptQueue: the accept queue is full.
	DropAcceptQueue
	// DropSynQueue: too many connections are half open (RFC 4987, 3.2).
	DropSynQueue
	// DropNotSYN: the segment is not one that a listener takes; what is to be
	// answered, [ListenReply] says.
	DropNotSYN
	numAdmissions
)

var admissionWords = [numAdmissions]string{
	"admitted", "the accept queue is full", "too many connections are half open", "not a SYN",
}

// String returns a few words such as "the accept queue is full".
func (a Admission) String() string { return admissionWords[a] }

// NewListener returns a listener whose accept queue holds backlog+1
// connections, as Linux's does; a backlog under 0 counts as 0, and one above
// Config.MaxBacklog as that.
func NewListener(env *Env, backlog int) *Listener {
	l := &Listener{env: env}
	l.SetBacklog(backlog)
	return l
}

// Len returns how many connections wait to be accepted.
func (l *Listener) Len() int { return len(l.queue) - l.head }

// HalfOpen returns how many connections are in SYN-RECEIVED.
func (l *Listener) HalfOpen() int { return l.halfOpen }

// Full reports whether the accept queue is full.
func (l *Listener) Full() bool { return l.Len() > l.backlog }

// Drops returns how many segments were dropped for a reason.
func (l *Listener) Drops(why Admission) uint64 { return l.drops[why] }

// HandleSYN decides about a segment that came to the listener. If it is
// admitted, the caller makes a Conn of it with [Accept]; it counts as half
// open until Push or Forget.
func (l *Listener) HandleSYN(seg *Segment) Admission {
	switch {
	case seg.Flags&(syn|ack|rst) != syn:
		return l.drop(DropNotSYN)
	case l.Full():
		return l.drop(DropAcceptQueue)
	case l.halfOpen >= l.env.SynBacklog:
		return l.drop(DropSynQueue)
	}
	l.halfOpen++
	return Admit
}

// HandleACK decides whether a segment may go to c, which came from this
// listener and is in SYN-RECEIVED. The end of a handshake is dropped while
// the accept queue is full: the SYN-ACK will be repeated, and the peer's ACK
// may find room then.
func (l *Listener) HandleACK(c *Conn, seg *Segment) Admission {
	if c.state == StateSynReceived && l.Full() && seg.Flags.Has(ack) && !seg.Flags.Has(rst) {
		c.discard(DiscardBacklogFull)
		return l.drop(DropAcceptQueue)
	}
	return Admit
}

func (l *Listener) drop(why Admission) Admission {
	l.drops[why]++
	return why
}

// Push queues a connection whose handshake is complete.
func (l *Listener) Push(c *Conn) {
	l.halfOpen--
	if l.head == len(l.queue) {
		l.queue, l.head = l.queue[:0], 0
	}
	l.queue = append(l.queue, c)
}

// Forget takes out a half-open connection that ended before its handshake
// was complete.
func (l *Listener) Forget() { l.halfOpen-- }

// Pop takes the connection that has waited longest, or nil.
func (l *Listener) Pop() *Conn {
	if l.Len() == 0 {
		return nil
	}
	c := l.queue[l.head]
	l.queue[l.head] = nil
	l.head++
	if l.head >= 32 && l.head > len(l.queue)/2 {
		n := copy(l.queue, l.queue[l.head:])
		clear(l.queue[n:])
		l.queue, l.head = l.queue[:n], 0
	}
	return c
}

// SetBacklog changes the length of the accept queue. What waits there stays.
func (l *Listener) SetBacklog(backlog int) { l.backlog = min(max(0, backlog), l.env.MaxBacklog) }

// ListenReply returns the reset that answers a segment which is not a SYN and
// came to a listener: "An incoming RST should be ignored", "Any acknowledgment
// is bad if it arrives on a connection still in the LISTEN state. An
// acceptable reset segment should be formed for any arriving ACK-bearing
// segment" (RFC 9293, 3.10.7.2).
func ListenReply(seg *Segment) (Segment, bool) {
	if seg.Flags.Has(rst) || !seg.Flags.Has(ack) {
		return Segment{}, false
	}
	return resetFor(seg, ReasonClosedPort), true
}
