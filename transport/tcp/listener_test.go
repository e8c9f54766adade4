package tcp

import "testing"

func TestBacklog(t *testing.T) {
	e := newEnd(t)
	l := NewListener(e.env, 1)
	conns := make([]*Conn, 3)
	handshake := func() *Request {
		t.Helper()
		seg := e.parse("S 0 mss 1000")
		if got := l.HandleSYN(&seg); got != Admit {
			t.Fatalf("a SYN: %v", got)
		}
		return e.request(testParams(), "S 0 mss 1000")
	}
	finish := func(i int, r *Request) Admission {
		seg := e.parse("A 1 ack 1")
		got := l.HandleACK(r, &seg)
		if got == Admit {
			conns[i] = r.Unfold(e.env, testParams())
			conns[i].HandleSegment(e.now, &seg)
			l.Forget(r)
			l.Push(conns[i])
		}
		return got
	}
	requests := []*Request{handshake(), handshake()}
	// As in Linux, one more than the backlog may be half open, and one more
	// may wait to be accepted.
	seg := e.parse("S 0 mss 1000")
	if got := l.HandleSYN(&seg); got != SendCookie || l.HalfOpen() != 2 {
		t.Errorf("one more SYN: %v, %d half open", got, l.HalfOpen())
	}
	if got := finish(0, requests[0]); got != Admit {
		t.Fatalf("the first: %v", got)
	}
	requests = append(requests, handshake())
	for i, want := range []Admission{Admit, DropAcceptQueue} {
		if got := finish(i+1, requests[i+1]); got != want {
			t.Errorf("connection %d: %v, want %v", i+1, got, want)
		}
	}
	if got := e.env.Discards[DiscardBacklogFull]; got != 1 {
		t.Errorf("%d ends of handshakes discarded", got)
	}
	if l.Queued() != 2 {
		t.Errorf("%d have come into the accept queue", l.Queued())
	}
	if l.Len() != 2 || !l.Full() || l.HalfOpen() != 1 || l.Drops(DropAcceptQueue) != 1 {
		t.Errorf("%d queued, %d half open, %d dropped", l.Len(), l.HalfOpen(), l.Drops(DropAcceptQueue))
	}
	seg = e.parse("S 0 mss 1000")
	if got := l.HandleSYN(&seg); got != DropAcceptQueue {
		t.Errorf("a SYN when the accept queue is full: %v", got)
	}
	// The third repeats its SYN-ACK; by then there is room.
	e.now = requests[2].Due()
	e.c = l.HandleTimer(e.now, requests[2], testParams())
	e.drain()
	e.want().segment("SA 0 ack 1", ReasonOpenRetry)
	e.c.Fold(requests[2])
	if l.Pop() != conns[0] {
		t.Error("not the oldest first")
	}
	if got := finish(2, requests[2]); got != Admit {
		t.Errorf("after an accept: %v", got)
	}
	if l.Queued() != 3 {
		t.Errorf("%d have come into the accept queue", l.Queued())
	}
	if l.Pop() != conns[1] || l.Pop() != conns[2] || l.Pop() != nil || l.HalfOpen() != 0 {
		t.Error("wrong order")
	}
}

// RFC 4987, 3.2: a larger SYN queue alone "is not a good solution"; what it may
// hold is bounded, by the backlog and by the host. Without cookies the last
// quarter of the host's limit stays empty, as in Linux. (R4987-1)
func TestHalfOpenConnectionsAreBounded(t *testing.T) {
	for _, c := range []struct {
		host, backlog, cookies int
		fit                    int
		then                   Admission
	}{
		{3, 10, 1, 3, SendCookie},
		{3, 10, 0, 3, DropSynQueue},
		{8, 10, 0, 6, DropSynQueue},
		{8, 10, 1, 8, SendCookie},
		{100, 4, 1, 5, SendCookie},
		{100, 4, 0, 5, DropSynQueue},
		{100, 0, 0, 1, DropSynQueue},
		{0, 10, 1, 0, SendCookie},
		{100, 10, 2, 0, SendCookie},
	} {
		e := newEnd(t, func(o *Config) { o.SynBacklog, o.SynCookies = c.host, c.cookies })
		l := NewListener(e.env, c.backlog)
		for i := range c.fit + 3 {
			seg := e.parse("S 0 mss 1000")
			want := Admit
			if i >= c.fit {
				want = c.then
			}
			if got := l.HandleSYN(&seg); got != want {
				t.Errorf("%+v, SYN %d: %v", c, i, got)
			}
		}
		if l.Drops(c.then) != 3 || l.HalfOpen() != c.fit {
			t.Errorf("%+v: %d dropped, %d half open", c, l.Drops(c.then), l.HalfOpen())
		}
		if c.fit > 0 {
			l.Forget(&Request{})
			seg := e.parse("S 0 mss 1000")
			if got := l.HandleSYN(&seg); got != Admit {
				t.Errorf("%+v, after one ended: %v", c, got)
			}
		}
	}
}

func TestListenerQueueStaysSmall(t *testing.T) {
	l := NewListener(NewEnv(DefaultConfig()), 1<<20)
	c := new(Conn)
	for range 3 {
		l.Push(c)
	}
	for range 10_000 {
		l.Push(c)
		l.Pop()
	}
	if l.Len() != 3 || cap(l.queue) > 200 {
		t.Errorf("%d queued in room for %d", l.Len(), cap(l.queue))
	}
	if l.backlog != 4096 {
		t.Errorf("the backlog is %d", l.backlog)
	}
	l.SetBacklog(-5)
	if l.backlog != 0 {
		t.Errorf("the backlog is %d", l.backlog)
	}
}

func TestOnlyTheEndOfAHandshakeWaitsForRoom(t *testing.T) {
	e := newEnd(t)
	r := e.request(testParams(), "S 0 mss 1000")
	l := NewListener(e.env, 0)
	l.Push(new(Conn))
	for spec, want := range map[string]Admission{
		"R 1": Admit, "S 0": Admit, "- 1": Admit, "A 1 ack 2": Admit, "RA 1 ack 1": Admit, "SA 1 ack 1": Admit,
		"A 1 ack 1": DropAcceptQueue, "FA 1 ack 1": DropAcceptQueue, "PA 1:5 ack 1": DropAcceptQueue,
	} {
		seg := e.parse(spec)
		if got := l.HandleACK(r, &seg); got != want {
			t.Errorf("%q while the accept queue is full: %v, want %v", spec, got, want)
		}
		seg.drop()
	}
	e.env.AbortOnOverflow = true
	seg := e.parse("A 1 ack 1")
	if got := l.HandleACK(r, &seg); got != ResetOverflow {
		t.Errorf("where the host resets: %v", got)
	}
}
