package sim

import (
	"context"
	"errors"
	"time"

	"hubbub/clock"
)

// A backlog is what somebody in the world has to read and doesn't keep up with.
type backlog struct {
	grows   bool
	senders WaitList // who let him catch up
	useless int      // how many are not to wait, as it has not helped
}

// Lag says that a reader has fallen behind, CaughtUp that he has read all there is.
// They are hints for [World.LeaveSent], to which it is no matter who he is. They
// need the lock.
func (w *World) Lag() { w.backlog.grows = true }

// CaughtUp takes back what Lag has said.
func (w *World) CaughtUp() {
	w.backlog.grows = false
	w.backlog.senders.WakeAll()
}

// LeaveSent is Leave for a caller who has sent what nothing but a full buffer holds
// back: it waits until a reader who has fallen behind has caught up. Two who lock
// the world by turns, many times each, lose less time than two who want it at once.
//
// It waits for five milliseconds outside at most. After it has waited for nothing,
// the next calls do not wait; nor do any in worlds that are virtual or paused.
func (w *World) LeaveSent(n *Node) {
	w.complete(n)
	switch b := &w.backlog; {
	case !b.grows || w.pace.virtual || w.pace.speed == 0:
	case b.useless > 0:
		b.useless--
	default:
		limit := w.now.Add(max(1, clock.Duration(float64(longBacklog)*w.pace.speed)))
		if _, err := w.Wait(context.Background(), nil, &b.senders, limit); errors.Is(err, ErrDeadline) {
			b.grows, b.useless = false, waitsSkipped
		}
	}
	w.Unlock()
}

// A reader whom the processors let run empties a buffer in less than this.
const longBacklog = 5 * time.Millisecond

// waitsSkipped is how many senders don't wait after one has waited for nothing.
const waitsSkipped = 1000
