package tcp

import "hubbub/clock"

// An EventKind says which fields of an [Event] mean something.
type EventKind uint8

const (
	// EventState is a change of state: From, To, Why.
	EventState EventKind = iota + 1
	// EventTimerSet is a timer that was set, or moved: Timer, At.
	EventTimerSet
	// EventTimerStopped is a timer that was stopped: Timer.
	EventTimerStopped
	// EventTimerFired is a timer that came due: Timer, At, and Cause, the
	// event that was being handled when it was set.
	EventTimerFired
	// EventCongestion is a change in the congestion window's rules: Cwnd,
	// Ssthresh, Phase, Why.
	EventCongestion
	// EventDiscard is a segment, or a part of one, that was thrown away:
	// Discard.
	EventDiscard
	// EventAdvice is the message to the layers below that the path may be
	// broken: R1 retransmissions went unanswered (RFC 9293, 3.8.3).
	EventAdvice
	// EventUrgent tells that urgent data pends (RFC 9293, 3.8.5).
	EventUrgent
)

// An Event is a fact about a connection, recorded where [Env.Watch] is set.
type Event struct {
	Kind     EventKind
	From, To State
	Timer    Timer
	Phase    Phase
	Discard  Discard
	Cwnd     int // octets
	Ssthresh int // octets
	At       clock.Time
	Cause    uint64
	Why      string // constant words
}

// maxFacts bounds what is kept if nobody fetches it.
const maxFacts = 1024

// note records a fact.
func (e *Env) note(f Event) {
	if !e.Watch || len(e.facts) >= maxFacts {
		return
	}
	e.facts = append(e.facts, f)
}

// PollEvent returns the next fact that a machine of this host recorded. It is
// drained after each call of a machine, before the next machine is called.
func (e *Env) PollEvent() (Event, bool) {
	if e.read >= len(e.facts) {
		e.facts, e.read = e.facts[:0], 0
		return Event{}, false
	}
	e.read++
	return e.facts[e.read-1], true
}

// A Discard is the reason why a segment, or a part of it, was thrown away.
type Discard uint8

const (
	DiscardNone          Discard = iota
	DiscardClosed                // the connection is closed
	DiscardNoACK                 // no ACK bit where every segment has it
	DiscardBadReset              // a reset that doesn't belong to the handshake
	DiscardResetOutside          // a reset outside the window
	DiscardResetBeside           // a reset in the window, not at its left edge
	DiscardSYN                   // a SYN inside a connection
	DiscardHandshakeACK          // acknowledges a SYN that was not sent
	DiscardHandshake             // neither SYN nor RST while waiting for a SYN
	DiscardDuplicate             // wholly received before
	DiscardBeyondWindow          // outside the receive window, on the right
	DiscardUnsentACK             // acknowledges what was not sent, or was long ago
	DiscardOldTimestamp          // older than what has arrived, by its timestamp
	DiscardNoTimestamp           // timestamps were agreed on, and it has none
	DiscardGapFull               // no room among the out-of-order segments
	DiscardAfterFIN              // text or FIN after the peer's FIN
	DiscardUrgentIgnored         // urgent pointer after the peer's FIN
	DiscardRateLimited           // would be answered, if answers weren't limited
	DiscardICMPForeign           // an ICMP error about a segment that isn't in flight
	DiscardBacklogFull           // a handshake's end while the accept queue is full
	DiscardTimeWaitReset         // a reset in TIME-WAIT (RFC 1337, 3)
	DiscardTimeWait              // anything else that TIME-WAIT has no use for
	DiscardBadSACK               // a SACK block of what was not sent
	DiscardMemory                // the host has no memory left for it
	DiscardPruned                // what was held after a gap, for want of memory
	numDiscards
)

var discardWords = [numDiscards]string{
	"", "the connection is closed", "no ACK bit", "a reset that doesn't answer our SYN",
	"a reset outside the window", "a reset beside the expected sequence number",
	"a SYN inside a connection", "acknowledges a SYN that was not sent",
	"neither SYN nor RST during the handshake", "a duplicate of what was received before",
	"beyond the receive window", "acknowledges what was not sent, or was long ago",
	"an old duplicate by its timestamp", "the agreed timestamp is missing",
	"no room among out-of-order segments",
	"data after the peer's FIN", "urgent pointer after the peer's FIN",
	"answers to invalid segments are limited", "an ICMP error about nothing in flight",
	"the accept queue is full", "a reset in TIME-WAIT", "the connection is in TIME-WAIT",
	"a SACK block of what was not sent",
	"the host has no memory left for it", "what was held after a gap, for want of memory",
}

// String returns a few words such as "beyond the receive window".
func (d Discard) String() string { return discardWords[d] }

// discard counts what is thrown away, and tells it.
func (c *Conn) discard(why Discard) {
	if c.rare.discards == nil {
		c.own().discards = new([numDiscards]uint32)
	}
	c.rare.discards[why]++
	c.env.discard(why)
}

// discard counts for the host, and tells it.
func (e *Env) discard(why Discard) {
	e.Discards[why]++
	e.note(Event{Kind: EventDiscard, Discard: why})
}
