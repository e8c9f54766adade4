package tcp

import (
	"time"

	"hubbub/clock"
)

// timestamps is the state of the timestamps option (RFC 7323, 3).
type timestamps struct {
	offset   uint32     // of this connection's clock (RFC 7323, 7.1)
	recent   uint32     // TS.Recent: what to echo
	recentAt clock.Time // when TS.Recent was stored
}

// tick is the timestamp clock's period, which must be from 1 ms to 1 s
// (R7323-16; RFC 7323, 5.4).
const tick = time.Millisecond

// stale is the age at which TS.Recent says nothing any more: after about
// 24.8 days the clock's sign changes (R7323-15; RFC 7323, 5.5).
const stale = 24 * 24 * time.Hour

// now returns the connection's timestamp clock.
func (t *timestamps) now(now clock.Time) uint32 { return uint32(int64(now)/int64(tick)) + t.offset }

// remember stores the peer's timestamp, to be echoed.
func (t *timestamps) remember(now clock.Time, value uint32) { t.recent, t.recentAt = value, now }

// elapsed returns how long ago the echoed timestamp was sent, and false if it
// is not one that we can have sent.
func (t *timestamps) elapsed(now clock.Time, echo uint32) (time.Duration, bool) {
	ticks := int32(t.now(now) - echo)
	return time.Duration(ticks) * tick, ticks >= 0 && echo != 0
}

// tooOld is the test of PAWS, protection against wrapped sequence numbers
// (RFC 7323, 5.3).
func (t *timestamps) tooOld(now clock.Time, value uint32) bool {
	return int32(value-t.recent) < 0 && now.Sub(t.recentAt) <= stale
}
