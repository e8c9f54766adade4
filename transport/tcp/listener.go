package tcp

import (
	"time"

	"hubbub/clock"
)

// A Listener is the queue policy of a port in LISTEN: how many connections
// may be half open, and how many may wait for the program to accept them. The
// connections themselves are in their host's table, found by address.
//
// The rules are Linux's. Of the connections whose handshake is complete, one
// more than the backlog may wait; then SYNs are dropped, and the ends of
// handshakes, too. Of half-open ones there may be one more than the backlog,
// and no more than Config.SynBacklog. What comes beyond that is answered with
// a SYN cookie, or dropped if Config.SynCookies is 0; in that case the last
// quarter of SynBacklog stays empty.
type Listener struct {
	env      *Env
	backlog  int
	halfOpen int
	queued   uint64     // ever
	young    int        // of the half-open ones, whose SYN-ACK was sent but once
	flooded  clock.Time // when a SYN cookie was last sent
	queue    []*Conn    // established, oldest first
	head     int
	deferred uint8 // TCP_DEFER_ACCEPT, in SYN-ACKs

	early, mostEarly int          // connections that are open before their handshakes are over
	resets           []clock.Time // until when those of them count that were reset, the oldest first
	drops            [numAdmissions]uint64
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
	// SendCookie: the SYN is answered with a cookie, and forgotten.
	SendCookie
	// ResetOverflow: the accept queue is full, and the peer is told by a reset.
	ResetOverflow
	// DropDeferred: the end of the handshake waits for data
	// (TCP_DEFER_ACCEPT).
	DropDeferred
	numAdmissions
)

var admissionWords = [numAdmissions]string{
	"admitted", "the accept queue is full", "too many connections are half open", "not a SYN",
	"answered with a SYN cookie", "the accept queue is full, and the peer is told", "the handshake ends when data comes",
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

// Queued returns how many connections were ever queued.
func (l *Listener) Queued() uint64 { return l.queued }

// HalfOpen returns how many connections are in SYN-RECEIVED.
func (l *Listener) HalfOpen() int { return l.halfOpen }

// Full reports whether the accept queue is full.
func (l *Listener) Full() bool { return l.Len() > l.backlog }

// Drops returns how many segments were dropped for a reason.
func (l *Listener) Drops(why Admission) uint64 { return l.drops[why] }

// HandleSYN decides about a segment that came to the listener. If it is
// admitted, the caller makes a Conn of it with [Accept]; it counts as half
// open until Forget. If it is to be answered with a cookie, [CookieReply] has
// the answer.
func (l *Listener) HandleSYN(seg *Segment) Admission {
	switch {
	case seg.Flags&(syn|ack|rst) != syn:
		return l.drop(DropNotSYN)
	case l.env.SynCookies == 0 && l.synQueueFull():
		return l.drop(DropSynQueue)
	case l.Full():
		return l.drop(DropAcceptQueue)
	case l.env.SynCookies > 1 || l.synQueueFull():
		return l.drop(SendCookie)
	}
	l.halfOpen++
	l.young++
	return Admit
}

// synQueueFull reports whether no more connections may be half open
// (R4987-1; RFC 4987, 3.2).
func (l *Listener) synQueueFull() bool {
	most := l.env.SynBacklog
	if l.env.SynCookies == 0 {
		most -= most >> 2
	}
	return l.halfOpen > l.backlog || l.halfOpen >= most
}

// HandleACK decides whether a segment may go to a half-open connection of this
// listener. The end of a handshake is dropped while the accept queue is full:
// the SYN-ACK will be repeated, and the peer's ACK may find room then. Where
// Config.AbortOnOverflow is set, the peer is told by a reset.
func (l *Listener) HandleACK(r *Request, seg *Segment) Admission {
	switch {
	case seg.Flags&(ack|rst|syn) != ack || seg.Ack != r.iss.Add(1):
	case l.deferred > r.retries && seg.Len() == 0:
		r.acked = true
		return l.drop(DropDeferred)
	case !l.Full():
	case l.env.AbortOnOverflow:
		return l.drop(ResetOverflow)
	default:
		r.acked = true
		l.env.discard(DiscardBacklogFull)
		return l.drop(DropAcceptQueue)
	}
	return Admit
}

func (l *Listener) drop(why Admission) Admission {
	l.drops[why]++
	return why
}

// HandleTimer lets the time-out of a half-open connection happen, and returns
// the connection that it stands for: the caller does with it as after
// [Request.Unfold].
func (l *Listener) HandleTimer(now clock.Time, r *Request, p Params) *Conn {
	c := r.Unfold(l.env, p)
	c.synRetries = l.patience(r)
	resend := !r.acked || r.retries+1 >= l.deferred
	c.HandleTimer(now)
	if c.synDue && !resend {
		c.synDue = false
		c.armRetransmit(now)
	}
	if r.Young() && c.retries > 0 {
		l.young--
	}
	return c
}

// patience returns how often the SYN-ACK of a request is repeated. While the
// SYN queue is more than half full, of those that have waited the oldest are
// given up early, so that new ones find room, as in Linux (RFC 4987, 3.3). One
// whose ACK came is kept as long as the program wants to wait for its data.
func (l *Listener) patience(r *Request) uint8 {
	most := uint8(min(l.env.SynAckRetries, maxRetries))
	if r.tries > 0 {
		most = r.tries
	}
	if 2*l.halfOpen > max(8, l.backlog) {
		for young := 2 * l.young; most > 2 && l.halfOpen >= young; young *= 2 {
			most--
		}
	}
	if r.acked {
		most = max(most, l.deferred)
	}
	return most
}

// SetDeferAccept lets the end of a handshake count only with data, for so long:
// a bare ACK is dropped, and the SYN-ACK isn't repeated until just before the
// time is over; the ACK of that one counts (TCP_DEFER_ACCEPT, as Linux has it).
// The time is measured in SYN-ACKs, so that it is 1, 3, 7 seconds and so on,
// whichever is no less than d.
func (l *Listener) SetDeferAccept(d time.Duration) { l.deferred = l.env.Deferrals(d) }

// Deferrals returns how many time-outs of a SYN-ACK last no less than d.
func (e *Env) Deferrals(d time.Duration) uint8 {
	n := uint8(0)
	for n < maxRetries && e.Deferral(n) < d {
		n++
	}
	return n
}

// Deferral returns how long n time-outs of a SYN-ACK last.
func (e *Env) Deferral(n uint8) (d time.Duration) {
	for wait := e.InitialRTO; n > 0; n-- {
		d += wait
		wait = min(2*wait, e.MaxRTO)
	}
	return d
}

// Push queues a connection whose handshake is complete.
func (l *Listener) Push(c *Conn) {
	l.queued++
	c.unclaimed = true
	l.queue = append(l.queue, c)
}

// Forget takes out a half-open connection: its handshake is complete, or has
// failed.
func (l *Listener) Forget(r *Request) {
	l.halfOpen--
	if r.Young() {
		l.young--
	}
}

// Pop takes the connection that has waited longest, or nil.
func (l *Listener) Pop() *Conn {
	if l.Len() == 0 {
		return nil
	}
	c := l.queue[l.head]
	c.unclaimed = false
	l.queue[l.head] = nil
	l.head++
	if l.head >= 32 && l.head > len(l.queue)/2 {
		n := copy(l.queue, l.queue[l.head:])
		clear(l.queue[n:])
		l.queue, l.head = l.queue[:n], 0
	}
	return c
}

// Backlog returns how many connections may wait to be accepted, less one.
func (l *Listener) Backlog() int { return l.backlog }

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
