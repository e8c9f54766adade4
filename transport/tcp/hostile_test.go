package tcp

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"hubbub/clock"
	"hubbub/internal/pkt"
	"hubbub/transport/tcp/congestion"
	"hubbub/wire"
)

// hostileSegments is how many segments TestHostileSegments sends: what
// HOSTILE_SEGMENTS says; `make nightly` says ten million.
func hostileSegments(t *testing.T) int {
	if value := os.Getenv("HOSTILE_SEGMENTS"); value != "" {
		n, err := strconv.Atoi(value)
		if err != nil {
			t.Fatalf("HOSTILE_SEGMENTS: %q is no number of segments", value)
		}
		return n
	}
	return 10_000
}

// Random segments in every state, under every setting, leave the control block in
// order: that is checked after each of them.
func TestHostileSegments(t *testing.T) {
	most, sent, began, seed := hostileSegments(t), 0, time.Now(), uint64(0)
	defer func() {
		t.Logf("%d segments in %v, the last with seed %d", sent, time.Since(began).Round(time.Millisecond), seed)
	}()
	for sent < most && !t.Failed() {
		seed++
		a := newAttack(t, hostileBytes(seed, 600))
		a.wild(rand.New(rand.NewPCG(seed, 11)))
		a.run()
		for _, v := range a.gave {
			v.Release() // as newEnd's clean-up would, that is only run at the end
		}
		a.gave = nil
		sent += a.segments
		sent += attackRest(t, seed)
	}
}

// wild changes the host's settings while the connection is open, as a program
// that sets sysctls may.
func (a *attack) wild(rng *rand.Rand) {
	c := &a.env.Config
	flip := func() bool { return rng.IntN(2) == 0 }
	c.DSACK, c.RACK, c.StaticReorderWindow, c.NoDupThresh, c.LossProbe = flip(), flip(), flip(), flip(), flip()
	c.FRTO, c.RTORestart, c.SlowStartAfterIdle, c.ProtectTimeWait, c.ModerateReceive = flip(), flip(), flip(), flip(), flip()
	c.ValidateWindow = rng.IntN(8) == 0 // and then nothing goes the plain way
	c.MTUProbing, c.BaseMSS, c.MTUProbeFloor = rng.IntN(3), 48+rng.IntN(900), 48+rng.IntN(900)
	c.Retries1, c.Retries2, c.OrphanRetries = rng.IntN(5), rng.IntN(16), rng.IntN(8)
	c.InvalidACKInterval = time.Duration(rng.IntN(2)) * 500 * ms
	c.ChallengeACKs, c.QuickACKs, c.InitialWindow = rng.IntN(1000), rng.IntN(20), 1+rng.IntN(20)
	c.AdvWinScale = rng.IntN(5) - 2
	if flip() {
		c.MemoryPages = [3]int{1, 2, 3}
	}
	names := congestion.Names()
	_ = a.c.SetCongestionControl(names[rng.IntN(len(names))])
}

// checkAll checks the rest of the control block, beside what checkInvariants
// does.
func checkAll(t testing.TB, c *Conn) {
	t.Helper()
	fail := func(what string) {
		t.Helper()
		t.Fatalf("%s: in %v, %+v %+v, %+v", what, c.state, c.snd, c.rcv, c.cc)
	}
	storage := c.snd.queue.Storage() + c.rcv.queue.Storage()
	if g := c.rcv.gaps; g != nil {
		storage += g.storage
	}
	switch {
	case int(c.charged) != storage:
		fail("the account of memory is wrong")
	case c.snd.shift > maxShift || c.rcv.shift > maxShift:
		fail("a window is shifted too far")
	case c.snd.mss <= 0 && c.state >= StateEstablished:
		fail("segments can't hold anything")
	case c.cc.Ssthresh < 0 || c.rtt.srtt < 0 || c.rtt.rttvar < 0:
		fail("something is negative")
	case c.loss.phase >= PhaseRecovery && c.loss.history == nil:
		fail("a recovery without a history")
	case c.state == StateClosed && (c.loss.board != nil || c.loss.history != nil || c.rcv.gaps.size() > 0):
		fail("something is kept after the end")
	case c.persist.active && !c.timers.running(TimerPersist):
		fail("a window is waited for without a timer")
	case c.snd.finSent && !c.snd.finQueued:
		fail("a FIN was sent that nobody wanted")
	}
	if h := c.loss.history; h != nil && h.search != nil && h.search.size > 0 {
		if m := h.search; m.end().LessEq(c.snd.una) || c.snd.nxt.Less(m.end()) {
			fail("a probe that isn't in flight")
		}
	}
	for which := range numSlots {
		if at := c.timers.slots[which]; at < clock.Never {
			fail("a timer before the beginning of time")
		}
	}
}

// randomSegment makes any segment whose numbers are near those given.
func randomSegment(rng *rand.Rand, seq, ackNumber Seq) Segment {
	s := Segment{
		Seq: seq.Add(rng.IntN(7) - 3), Ack: ackNumber.Add(rng.IntN(7) - 3),
		Flags: wire.TCPFlags(rng.IntN(0x200)), Window: uint16(rng.Uint32()), Urgent: uint16(rng.Uint32()), ECN: uint8(rng.IntN(4)),
	}
	if rng.IntN(3) > 0 {
		s.Flags = [...]wire.TCPFlags{syn, ack, syn | ack, fin | ack, rst, rst | ack}[rng.IntN(6)]
	}
	if rng.IntN(2) == 0 {
		s.Payload = pkt.CopyView(octets(0, rng.IntN(100)))
	}
	options := make([]byte, rng.IntN(41))
	for i := range options {
		options[i] = byte(rng.Uint32())
	}
	if len(options) > 0 {
		options[0] = [...]byte{2, 3, 4, 5, 8, 34, 254, 1}[rng.IntN(8)]
	}
	s.Options = wire.ParseTCPOptions(options)
	if rng.IntN(2) == 0 {
		s.Options.Timestamps, s.Options.TSVal, s.Options.TSEcr = true, uint32(rng.IntN(1000)), uint32(rng.IntN(1000))
	}
	return s
}

// attackRest attacks a listener, the requests that it makes, its cookies, and a
// connection in TIME-WAIT. It returns how many segments that were.
func attackRest(t *testing.T, seed uint64) int {
	rng := rand.New(rand.NewPCG(seed, 13))
	config := DefaultConfig()
	config.SynCookies, config.SynBacklog = rng.IntN(3), rng.IntN(10)
	config.Timestamps, config.SACK, config.WindowScaling = rng.IntN(2) == 0, rng.IntN(2) == 0, rng.IntN(2) == 0
	config.ProtectTimeWait, config.AbortOnOverflow = rng.IntN(2) == 0, rng.IntN(2) == 0
	env := NewEnv(config)
	l, k, now := NewListener(env, rng.IntN(5)), cookieKey(), began
	l.SetDeferAccept(time.Duration(rng.IntN(2)) * time.Second)
	tw := TimeWait{nxt: testISS, rcvNxt: testIRS, expires: now.Add(time.Minute), stamped: config.Timestamps, ts: timestamps{recent: 500}}
	var half []*Request
	const segments = 100
	for range segments {
		now = now.Add(time.Duration(rng.IntN(1000)) * ms)
		p := testParams()
		seg := randomSegment(rng, testIRS, testISS)
		if tw.HandleSegment(now, env, &seg); tw.Expires().Sub(now) > 2*env.MSL {
			t.Fatalf("TIME-WAIT lasts %v", tw.Expires().Sub(now))
		}
		if l.MayHaveCookie(now, &seg) {
			if c, ok := FromCookie(env, now, &k, p, &seg); ok {
				c.HandleSegment(now, &seg)
				c.Abort(now)
			}
		}
		half = attackListener(t, rng, env, l, &k, now, &seg, half)
		seg.drop()
		if l.HalfOpen() != len(half) || l.young < 0 || l.young > l.halfOpen || l.halfOpen > l.backlog+1 {
			t.Fatalf("%d half open, %d of them young; there are %d", l.halfOpen, l.young, len(half))
		}
	}
	return segments
}

// attackListener lets a segment come to a listener, and to one of its requests.
func attackListener(
	t *testing.T, rng *rand.Rand, env *Env, l *Listener, k *CookieKey, now clock.Time, seg *Segment, half []*Request,
) []*Request {
	p := testParams()
	var out Segment
	if len(half) > 0 && rng.IntN(2) == 0 {
		i := rng.IntN(len(half))
		r := half[i]
		seg.Seq, seg.Ack = r.irs.Add(rng.IntN(3)), r.iss.Add(rng.IntN(3))
		var c *Conn
		switch {
		case rng.IntN(4) == 0:
			c = l.HandleTimer(max(now, r.Due()), r, p)
		case l.HandleACK(r, seg) == Admit:
			c = r.Unfold(env, p)
			c.HandleSegment(now, seg)
		default:
			return half
		}
		for c.PollSegment(now, &out) {
			out.drop()
		}
		checkInvariants(t, c)
		checkAll(t, c)
		if c.State() == StateSynReceived {
			c.Fold(r)
			return half
		}
		l.Forget(r)
		c.Abort(now)
		return append(half[:i], half[i+1:]...)
	}
	switch l.HandleSYN(seg) {
	case Admit:
		r := NewRequest(now, &p, seg)
		c := Accept(env, now, p, seg)
		for c.PollSegment(now, &out) {
			out.drop()
		}
		checkInvariants(t, c)
		c.Fold(&r)
		return append(half, &r)
	case SendCookie:
		l.CookieReply(now, k, p, seg)
	}
	return half
}
