package congestion

import "time"

// setPacing is SetPacingRateWithGain: "rate = pacing_gain * bw * (100 -
// BBR.PacingMarginPercent) / 100; if (BBR.full_bw_reached || rate >
// C.pacing_rate) C.pacing_rate = rate" (draft-ietf-ccwg-bbr, 5.6.2).
func (b *bbr) setPacing(w *Window, gain float64) {
	rate := whole(gain * b.bw * (1 - bbrPacingMargin))
	if rate > 0 && (b.fullReached || rate > w.Pacing) {
		w.Pacing = rate
	}
}

// Quantum returns how many octets are sent together at a pacing rate: what
// takes a millisecond, 64 kB at most, and two segments at least
// (SetSendQuantum of draft-ietf-ccwg-bbr, 5.6.3).
func Quantum(rate uint64, mss int) int {
	const most = 64 << 10
	return max(int(min(rate/uint64(time.Second/time.Millisecond), most)), 2*mss)
}

// bdp is BDPMultiple: what the path holds, times gain (draft-ietf-ccwg-bbr,
// 5.6.4.2).
func (b *bbr) bdp(bw, gain float64) int {
	if b.minRTT < 0 {
		return b.initialCwnd // no valid RTT samples yet
	}
	return int(min(gain*bw*seconds(b.minRTT), 1<<40))
}

// budget is QuantizationBudget: enough for what is sent, and acknowledged,
// together (draft-ietf-ccwg-bbr, 5.6.4.2).
func (b *bbr) budget(w *Window, inflight int) int {
	inflight = max(inflight, 3*Quantum(w.Pacing, w.mss()), bbrMinPipe*w.mss())
	if b.state == bbrProbeUp {
		inflight += 2 * w.mss()
	}
	return inflight
}

// inflight is Inflight (draft-ietf-ccwg-bbr, 5.6.4.2).
func (b *bbr) inflight(w *Window, bw, gain float64) int { return b.budget(w, b.bdp(bw, gain)) }

// setCwnd is SetCwnd: "When C.cwnd is above the BBR.max_inflight derived from
// BBR's path model, BBR cuts C.cwnd immediately to the BBR.max_inflight. When
// C.cwnd is below BBR.max_inflight, BBR raises C.cwnd gradually and cautiously,
// increasing C.cwnd by no more than the amount of data acknowledged"
// (draft-ietf-ccwg-bbr, 5.6.4.6).
func (b *bbr) setCwnd(w *Window, s *Sample) {
	b.maxInflight = b.budget(w, b.bdp(b.bw, gains[b.state].cwnd)+b.extraAcked())
	switch {
	case b.fullReached:
		w.Cwnd = min(w.Cwnd+s.Delivered, b.maxInflight)
	case w.Cwnd < b.maxInflight || s.Total < uint64(b.initialCwnd):
		w.Cwnd += s.Delivered
	}
	w.Cwnd = max(w.Cwnd, bbrMinPipe*w.mss())
	if b.state == bbrProbeRTT {
		w.Cwnd = min(w.Cwnd, b.probeRTTCwnd(w))
	}
	b.boundCwnd(w)
}

// boundCwnd is BoundCwndForModel (draft-ietf-ccwg-bbr, 5.6.4.7).
func (b *bbr) boundCwnd(w *Window) {
	most := unbounded
	switch {
	case b.state == bbrProbeRTT || b.state == bbrProbeCruise:
		most = b.inflightWithHeadroom(w)
	case b.probing():
		most = b.inflightLong
	}
	most = max(min(most, b.inflightShort), bbrMinPipe*w.mss())
	w.Cwnd = min(w.Cwnd, most)
}

// probeRTTCwnd is ProbeRTTCwnd (draft-ietf-ccwg-bbr, 5.6.4.5).
func (b *bbr) probeRTTCwnd(w *Window) int {
	return max(b.bdp(b.bw, gains[bbrProbeRTT].cwnd), bbrMinPipe*w.mss())
}
