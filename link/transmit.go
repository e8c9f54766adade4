package link

import (
	"time"

	"hubbub/clock"
	"hubbub/internal/fifo"
	"hubbub/wire"
)

// overhead is what a frame takes on the cable beside its bytes, in octets: 8
// of preamble, 4 of frame check sequence, 12 of gap (IEEE 802.3, 4.2.3.2.2).
const overhead = 8 + wire.FCSLen + 12

// A transmitter is the end of a line that puts one bit after the other on it,
// at a certain rate, and keeps frames waiting meanwhile.
type transmitter struct {
	rate   int64      // bit/s; 0: no limit
	frames int        // how many may wait; 0: any number
	bytes  int        // how many of their bytes; 0: any number
	mark   int        // packets that find so many waiting are marked; 0: none
	idle   clock.Time // when all that it was given has been sent
	frac   int64      // what rounding left out of idle, in 1/rate ns

	waiting      fifo.Queue[departure] // in order of their beginning
	waitingBytes int
	markCause    uint64
}

// A departure is a frame that waits: when its first bit will be sent.
type departure struct {
	begins clock.Time
	bytes  int
}

// send accepts a frame of so many bytes. It returns when its transmission
// begins and when it is over, and false if the queue is full.
func (t *transmitter) send(now clock.Time, bytes int) (begins, ends clock.Time, ok bool) {
	if t.rate == 0 {
		return now, now, true
	}
	t.expire(now)
	begins = now
	if t.idle > now {
		if t.full(bytes) {
			return 0, 0, false
		}
		begins = t.idle
		t.waiting.Push(departure{begins, bytes})
		t.waitingBytes += bytes
	} else {
		t.frac = 0
	}
	t.idle = begins.Add(t.serialise(bytes))
	return begins, t.idle, true
}

// serialise returns how long the bits of a frame take. What rounding leaves
// out is made up for at the next frame, so that a busy line has its exact rate.
func (t *transmitter) serialise(bytes int) clock.Duration {
	bits := int64(bytes+overhead) * 8
	total := bits*int64(time.Second) + t.frac
	t.frac = total % t.rate
	return clock.Duration(total / t.rate)
}

func (t *transmitter) full(bytes int) bool {
	return t.frames > 0 && t.waiting.Len() >= t.frames ||
		t.bytes > 0 && t.waitingBytes+bytes > t.bytes
}

// congested reports whether the frame that was accepted last found so many
// waiting that it is to be marked.
func (t *transmitter) congested() bool { return t.mark > 0 && t.waiting.Len() > t.mark }

// expire forgets the frames that do not wait any more.
func (t *transmitter) expire(now clock.Time) {
	for d := t.waiting.First(); d != nil && d.begins <= now; d = t.waiting.First() {
		t.waitingBytes -= d.bytes
		t.waiting.Pop()
	}
}

// reset forgets all that waits, as when the cable is cut.
func (t *transmitter) reset() {
	t.idle, t.frac = 0, 0
	t.waiting, t.waitingBytes = fifo.Queue[departure]{}, 0
}
