package tcp

import (
	"testing"
	"time"
)

// A halfOpen is a connection in SYN-RECEIVED as its listener has it.
type halfOpen struct {
	*end
	l *Listener
	r *Request
}

// requestEnd has answered a SYN for a listener.
func requestEnd(t *testing.T, l *Listener, e *end, spec string) halfOpen {
	t.Helper()
	seg := e.parse(spec)
	if got := l.HandleSYN(&seg); got != Admit {
		t.Fatalf("the SYN: %v", got)
	}
	return halfOpen{e, l, e.request(testParams(), spec)}
}

// decides expects what the listener says about a segment.
func (h halfOpen) decides(spec string, want Admission) {
	h.t.Helper()
	seg := h.parse(spec)
	defer seg.drop()
	if got := h.l.HandleACK(h.r, &seg); got != want {
		h.t.Fatalf("%q: %v, want %v", spec, got, want)
	}
}

// timesOut lets the request's timer come due, which it expects so long after the
// SYN. What is sent is then to be expected.
func (h halfOpen) timesOut(at time.Duration) {
	h.t.Helper()
	if h.r.Due() != began.Add(at) {
		h.t.Fatalf("the timer is due %v after the SYN, want %v", h.r.Due().Sub(began), at)
	}
	h.now = h.r.Due()
	h.c = h.l.HandleTimer(h.now, h.r, testParams())
	h.drain()
	h.c.Fold(h.r)
}

// tcp(7), TCP_DEFER_ACCEPT: "Allow a listener to be awakened only when data
// arrives on the socket. Takes an integer value (seconds), this can bound the
// maximum number of attempts TCP will make to complete the connection." Seconds
// are turned into time-outs of the SYN-ACK: 1, 2, 4 s and so on, 120 s at most.
func TestSecondsOfDeferAcceptAreTimeouts(t *testing.T) {
	env := NewEnv(DefaultConfig())
	for _, c := range []struct {
		asked time.Duration
		n     uint8
		last  time.Duration
	}{
		{0, 0, 0},
		{1, 1, time.Second},
		{time.Second, 1, time.Second},
		{time.Second + 1, 2, 3 * time.Second},
		{3 * time.Second, 2, 3 * time.Second},
		{7 * time.Second, 3, 7 * time.Second},
		{127 * time.Second, 7, 127 * time.Second},
		{128 * time.Second, 8, 247 * time.Second}, // not 255: no time-out is longer than 120 s
		{248 * time.Second, 9, 367 * time.Second},
		{1000 * time.Hour, maxRetries, 127*time.Second + 248*120*time.Second},
	} {
		if n := env.Deferrals(c.asked); n != c.n || env.Deferral(n) != c.last {
			t.Errorf("%v are %d time-outs, %v; want %d, %v", c.asked, n, env.Deferral(n), c.n, c.last)
		}
	}
}

// tcp(7), TCP_DEFER_ACCEPT: as on Linux, a bare ACK is dropped, and isn't asked for
// again until the time is over; the ACK of that SYN-ACK counts.
func TestABareACKWaitsForData(t *testing.T) {
	e := newEnd(t)
	l := NewListener(e.env, 5)
	l.SetDeferAccept(3 * time.Second) // two time-outs
	h := requestEnd(t, l, e, "S 0 mss 1000")
	h.decides("A 1 ack 1", DropDeferred)
	h.timesOut(time.Second)
	h.want().nothing() // the handshake is complete, as far as the peer knows
	h.timesOut(3 * time.Second)
	h.want().segment("SA 0 ack 1", ReasonOpenRetry)
	h.decides("A 1 ack 1", Admit)
	if n := l.Drops(DropDeferred); n != 1 {
		t.Errorf("%d were dropped", n)
	}
	if l.young != 0 || l.HalfOpen() != 1 {
		t.Errorf("%d half open, %d of them young", l.HalfOpen(), l.young)
	}
}

// A peer that hasn't answered at all gets the SYN-ACK again after each time-out.
func TestASilentPeerIsAskedAgainAllTheSame(t *testing.T) {
	e := newEnd(t)
	l := NewListener(e.env, 5)
	l.SetDeferAccept(7 * time.Second)
	h := requestEnd(t, l, e, "S 0 mss 1000")
	for _, at := range []time.Duration{1, 3, 7} {
		h.timesOut(at * time.Second)
		h.want().segment("SA 0 ack 1", ReasonOpenRetry)
	}
}

func TestDataEndsADeferredHandshake(t *testing.T) {
	for _, spec := range []string{"A 1:2 ack 1", "PA 1:101 ack 1", "FA 1 ack 1"} {
		e := newEnd(t)
		l := NewListener(e.env, 5)
		l.SetDeferAccept(time.Second)
		h := requestEnd(t, l, e, "S 0 mss 1000")
		h.decides(spec, Admit)
	}
}

// A request whose ACK came is kept as long as the program wants to wait for its
// data, if that is longer than the host would.
func TestDeferAcceptOutlastsTheHostsPatience(t *testing.T) {
	for _, c := range []struct {
		deferred uint8
		acked    bool
		want     uint8
	}{{9, true, 9}, {9, false, 5}, {4, true, 5}} {
		l := NewListener(NewEnv(DefaultConfig()), 100)
		l.deferred = c.deferred
		if got := l.patience(&Request{acked: c.acked}); got != c.want {
			t.Errorf("%+v: a SYN-ACK is repeated %d times", c, got)
		}
	}
}

// While the accept queue is full, the end of the handshake that came is known: the
// SYN-ACK isn't repeated for it before the time that the listener waits for data.
func TestAnACKThatFoundNoRoomIsRemembered(t *testing.T) {
	e := newEnd(t)
	l := NewListener(e.env, 0)
	h := requestEnd(t, l, e, "S 0 mss 1000")
	l.Push(new(Conn))
	l.SetDeferAccept(3 * time.Second)
	h.decides("A 1:11 ack 1", DropAcceptQueue)
	h.timesOut(time.Second)
	h.want().nothing()
	h.timesOut(3 * time.Second)
	h.want().segment("SA 0 ack 1", ReasonOpenRetry)
}

// RFC 4987, 3.3: a listener that is crowded gives up early: here after two
// repetitions, and not five.
func TestACrowdedListenerGivesUpEarly(t *testing.T) {
	e := newEnd(t)
	l := NewListener(e.env, 100)
	h := requestEnd(t, l, e, "S 0 mss 1000")
	l.halfOpen = 60
	for _, at := range []time.Duration{1, 3} {
		h.timesOut(at * time.Second)
		h.want().segment("SA 0 ack 1", ReasonOpenRetry)
	}
	h.timesOut(7 * time.Second)
	h.want().nothing()
	h.want().state(StateClosed)
}

// A request that isn't repeated at all is young to its end, and counted out once.
func TestAYoungRequestIsCountedOutOnce(t *testing.T) {
	e := newEnd(t, func(c *Config) { c.SynAckRetries = 0 })
	l := NewListener(e.env, 5)
	h := requestEnd(t, l, e, "S 0 mss 1000")
	h.timesOut(time.Second)
	h.want().state(StateClosed)
	l.Forget(h.r)
	if l.young != 0 || l.HalfOpen() != 0 {
		t.Errorf("%d half open, %d of them young", l.HalfOpen(), l.young)
	}
}

// However many repetitions are asked for, 255 are counted.
func TestRetriesOfASYNACKAreBounded(t *testing.T) {
	l := NewListener(NewEnv(Config{SynAckRetries: 1000}), 5)
	if got := l.patience(&Request{}); got != 255 {
		t.Errorf("the host's 1000 repetitions are %d", got)
	}
	p := Params{SynRetries: 1000}
	if r := NewRequest(began, &p, &Segment{}); r.tries != 255 || l.patience(&r) != 255 {
		t.Errorf("the program's 1000 repetitions are %d", r.tries)
	}
	if c := Connect(NewEnv(DefaultConfig()), began, p); c.synRetries != 255 {
		t.Errorf("of a SYN they are %d", c.synRetries)
	}
}
