package event

import (
	"fmt"
	"net/netip"

	"hubbub/clock"
)

// Flow names a connection from the point of view of the node it belongs to.
// Remote is zero for a listener.
type Flow struct {
	Local, Remote netip.AddrPort
}

// TCPState is a connection that went from one state of RFC 9293, 3.3.2 to
// another.
type TCPState struct {
	Flow     Flow
	From, To string // such as "SYN-SENT", "ESTABLISHED"
	Why      string
}

// TimerSet is a timer that was started or moved; TimerStopped is one that is
// not needed any more; TimerFired is one that has expired. What a TimerFired
// causes has the TimerSet as its cause's cause.
type TimerSet struct {
	Flow  Flow
	Timer string // such as "retransmission", "keepalive", "2MSL"
	At    clock.Time
}

// TimerStopped is a timer that is not needed any more.
type TimerStopped struct {
	Flow  Flow
	Timer string
}

// TimerFired is a timer that has expired.
type TimerFired struct {
	Flow  Flow
	Timer string
}

// Congestion is a change of the window that the network is thought to bear.
type Congestion struct {
	Flow           Flow
	Cwnd, Ssthresh int // bytes
	Phase          string
	Why            string
}

// Advice is what a connection lets others know: that its path may be broken
// (RFC 9293, 3.8.3), that urgent data pends (RFC 9293, 3.8.5).
type Advice struct {
	Flow Flow
	What string
}

// Overflow is something that was turned away because a queue was full: a
// connection because of the backlog, a datagram because of the receive buffer.
type Overflow struct {
	Local netip.AddrPort
	What  string
}

func (TCPState) isBody()     {}
func (TimerSet) isBody()     {}
func (TimerStopped) isBody() {}
func (TimerFired) isBody()   {}
func (Congestion) isBody()   {}
func (Advice) isBody()       {}
func (Overflow) isBody()     {}

func (f Flow) String() string {
	if !f.Remote.IsValid() {
		return f.Local.String()
	}
	return f.Local.String() + " - " + f.Remote.String()
}

func (e TCPState) String() string {
	return fmt.Sprintf("%v: %s -> %s: %s", e.Flow, e.From, e.To, e.Why)
}

func (e TimerSet) String() string {
	return fmt.Sprintf("%v: %s timer set to %v", e.Flow, e.Timer, e.At)
}

func (e TimerStopped) String() string { return fmt.Sprintf("%v: %s timer stopped", e.Flow, e.Timer) }

func (e TimerFired) String() string { return fmt.Sprintf("%v: %s timer expired", e.Flow, e.Timer) }

func (e Congestion) String() string {
	return fmt.Sprintf("%v: %s: cwnd %d, ssthresh %d: %s", e.Flow, e.Phase, e.Cwnd, e.Ssthresh, e.Why)
}

func (e Advice) String() string { return fmt.Sprintf("%v: %s", e.Flow, e.What) }

func (e Overflow) String() string { return fmt.Sprintf("%v: %s", e.Local, e.What) }
