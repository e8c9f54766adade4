package tcp

import (
	"time"

	"hubbub/clock"
)

// mtuSearch is the search for longer segments that the path lets through
// (RFC 4821, 7). Search_low and eff_pmtu are sendSpace.shortened: what is known
// to arrive, and what is sent. All sizes are of payload, in octets.
type mtuSearch struct {
	high  int32      // one less than what was lost; 0 for the most that both ends allow
	size  int32      // of the probe in flight; 0 for none
	start Seq        // its first number
	since clock.Time // when the search began
	until clock.Time // no probe before
}

// end returns the number that follows the probe.
func (m *mtuSearch) end() Seq { return m.start.Add(int(m.size)) }

// beginSearch lets a connection begin with segments that pass nearly
// everywhere, if the host is set so, and look for longer ones at once: "For
// initial conditions when there is no information about the path, eff_pmtu may be
// greater than search_low" (RFC 4821, 7.1); it isn't, as on Linux.
func (c *Conn) beginSearch() {
	if c.env.MTUProbing > 1 && c.snd.shortened == 0 {
		c.snd.shortened = uint16(min(c.env.BaseMSS, 0xffff))
		c.setMSS()
	}
}

// search returns the state of the search, nil where none goes on: all segments
// are as long as both ends allow.
func (c *Conn) search(now clock.Time) *mtuSearch {
	if c.snd.shortened == 0 || c.env.MTUProbing == 0 {
		return nil
	}
	h := c.past()
	if h.search == nil {
		h.search = &mtuSearch{since: now}
	}
	return h.search
}

// mostMSS returns the longest payload that both ends allow: "The initial value
// for search_high SHOULD be the largest possible packet that might be supported
// by the flow." (RFC 4821, 7.2)
func (c *Conn) mostMSS() int {
	mss := max(int32(min(c.snd.peerMSS, c.snd.limitMSS)), int32(c.env.MinSendMSS))
	if c.stamped {
		mss -= timestampLen
	}
	return int(mss)
}

// pathProbe builds a probe: a segment of new octets that is longer than others
// are (RFC 4821, 7.5).
func (c *Conn) pathProbe(now clock.Time, out *Segment) bool {
	m := c.search(now)
	if m == nil || c.unsent() == 0 || c.rare.records != nil {
		return false
	}
	size := c.probeSize(now, m)
	if size == 0 || !c.mayProbePath(now, m, size) {
		return false
	}
	c.resume(now)
	if c.mustWait(now) || c.cc.Cwnd-c.pipe() < size {
		return false
	}
	c.fill(out, c.snd.nxt, size, false)
	out.Reason = ReasonMTUProbe
	m.start, m.size = out.Seq, int32(size)
	c.sentNew(now, out)
	return true
}

// probeSize returns what to try next, halfway between what arrives and what
// doesn't, or 0 if they are too near each other.
//
// "Each Packetization Layer MUST determine when probing has converged ... When
// probing has converged, a timer SHOULD be set. When the timer expires,
// search_high should be reset to its initial value (described above) so that
// probing can resume. ... The value for this timer MUST NOT be less than 5
// minutes and is recommended to be 10 minutes" (RFC 4821, 7.3).
func (c *Conn) probeSize(now clock.Time, m *mtuSearch) int {
	low, high := int(c.snd.mss), c.mostMSS()
	if m.high > 0 {
		high = min(high, int(m.high))
	}
	if high-low < max(1, c.env.MTUProbeThreshold) {
		if now.Sub(m.since) >= c.env.MTUProbeInterval {
			m.high, m.since = 0, now
		}
		return 0
	}
	return (low + high + 1) / 2
}

// probeWindow is how many segments the congestion window holds at least when a
// probe is sent, as on Linux.
const probeWindow = 11

// mayProbePath: "Before sending a probe, the flow MUST meet at least the
// following conditions: It has no outstanding probes or losses. If the last probe
// failed or was inconclusive, then the probe timeout has expired ... The
// available window is greater than the probe size. ... enough data is available to
// send the probe." "the sender SHOULD have enough data queued and sufficient
// receiver window to send the probe plus at least Tcprexmtthresh [RFC2760]
// additional segments" (RFC 4821, 7.4).
func (c *Conn) mayProbePath(now clock.Time, m *mtuSearch, size int) bool {
	mss := int(c.snd.mss)
	needed := size + (c.dupThresh()+1)*mss
	return m.size == 0 && m.until <= now && c.loss.phase == PhaseOpen && c.cc.Cwnd >= probeWindow*mss &&
		c.rcv.gaps == nil && c.rare.urgent == nil && !c.persist.active &&
		c.unsent() >= needed && int(c.snd.wnd)-c.flight() >= needed
}

// probeArrived: "When the probe is delivered, it is an indication that the Path
// MTU is at least as large as the probe size. Set search_low to the probe size. If
// the probe size is larger than the eff_pmtu, raise eff_pmtu to the probe size."
// (RFC 4821, 7.6.1)
func (c *Conn) probeArrived() {
	m := c.loss.history.search
	if m == nil || m.size == 0 || c.snd.una.Less(m.end()) {
		return
	}
	c.snd.shortened = uint16(m.size)
	m.size = 0
	c.setMSS()
	c.cc.Cwnd = max(c.cc.Cwnd, int(c.snd.mss))
	c.tellCongestion("a longer segment has arrived: all may be as long")
}

// probeFailed reports whether what is lost is a probe alone, and if so sends its
// octets again in shorter segments: "When only the probe is lost, it is treated
// as an indication that the Path MTU is smaller than the probe size. In this case
// alone, the loss SHOULD NOT be interpreted as congestion signal. ... set
// search_high to the probe size minus one" (RFC 4821, 7.6.2). Where more is lost,
// the probe says nothing (RFC 4821, 7.6.4).
func (c *Conn) probeFailed(now clock.Time) bool {
	m, b := c.loss.history.search, c.loss.board
	if m == nil || m.size == 0 || c.loss.phase > PhaseDisorder {
		return false
	}
	if first := b.at(0); first.seq != m.start || first.end != m.end() || !first.waits() || b.lost.segments != 1 {
		return false
	}
	m.high, m.size = m.size-1, 0
	c.restProbing(now, m, 1)
	c.repair(ReasonMTUProbeLost, int(c.snd.mss))
	return true
}

// restProbing: "after a probe failure event and suppressed congestion control,
// PLPMTUD MUST NOT probe again until an interval that is larger than the expected
// interval between congestion control events. ... The simplest estimate of the
// interval to the next congestion event is the same number of round trips as the
// current congestion window in packets." (RFC 4821, 7.6.2)
func (c *Conn) restProbing(now clock.Time, m *mtuSearch, times int) {
	m.until = now.Add(time.Duration(times*(c.cc.Cwnd/int(c.snd.mss)+1)) * c.rtt.srtt)
}

// probeInconclusive gives a probe up whose octets, or others, are sent again:
// its acknowledgment would not say which arrived (RFC 4821, 7.6.4). After a
// time-out the next one waits: "A time interval that is five times the
// non-timeout failure case (Section 7.6.2) is RECOMMENDED." (RFC 4821, 7.6.3)
func (c *Conn) probeInconclusive(now clock.Time, timeout bool) {
	h := c.loss.history
	if h == nil || h.search == nil || h.search.size == 0 {
		return
	}
	h.search.size = 0
	if timeout {
		c.restProbing(now, h.search, 5)
	}
}
