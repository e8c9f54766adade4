package tcp

import "testing"

func TestBacklog(t *testing.T) {
	e := newEnd(t)
	l := NewListener(e.env, 1)
	handshake := func() *Conn {
		t.Helper()
		seg := e.parse("S 0 mss 1000")
		if got := l.HandleSYN(&seg); got != Admit {
			t.Fatalf("a SYN: %v", got)
		}
		e.accept(testParams(), "S 0 mss 1000")
		e.want().segment("SA 0 ack 1", ReasonOpenReply)
		return e.c
	}
	finish := func(c *Conn) Admission {
		e.c = c
		seg := e.parse("A 1 ack 1")
		got := l.HandleACK(c, &seg)
		if got == Admit {
			c.HandleSegment(e.now, &seg)
			l.Push(c)
		}
		return got
	}
	conns := []*Conn{handshake(), handshake(), handshake()}
	if l.HalfOpen() != 3 {
		t.Errorf("%d half open", l.HalfOpen())
	}
	// As in Linux, one more than the backlog fits.
	for i, want := range []Admission{Admit, Admit, DropAcceptQueue} {
		if got := finish(conns[i]); got != want {
			t.Errorf("connection %d: %v, want %v", i, got, want)
		}
	}
	if got := conns[2].Info().Discards[DiscardBacklogFull]; got != 1 {
		t.Errorf("%d ends of handshakes discarded", got)
	}
	if l.Len() != 2 || !l.Full() || l.HalfOpen() != 1 || l.Drops(DropAcceptQueue) != 1 {
		t.Errorf("%d queued, %d half open, %d dropped", l.Len(), l.HalfOpen(), l.Drops(DropAcceptQueue))
	}
	seg := e.parse("S 0 mss 1000")
	if got := l.HandleSYN(&seg); got != DropAcceptQueue {
		t.Errorf("a SYN when the accept queue is full: %v", got)
	}
	// The third repeats its SYN-ACK; by then there is room.
	e.c = conns[2]
	e.pass(e.c.NextTimer())
	e.want().segment("SA 0 ack 1", ReasonOpenRetry)
	if l.Pop() != conns[0] {
		t.Error("not the oldest first")
	}
	if got := finish(conns[2]); got != Admit {
		t.Errorf("after an accept: %v", got)
	}
	if l.Pop() != conns[1] || l.Pop() != conns[2] || l.Pop() != nil || l.HalfOpen() != 0 {
		t.Error("wrong order")
	}
}

func TestHalfOpenConnectionsAreBounded(t *testing.T) {
	// RFC 4987, 3.2.
	e := newEnd(t, func(c *Config) { c.SynBacklog = 3 })
	l := NewListener(e.env, 10)
	for i := range 5 {
		seg := e.parse("S 0 mss 1000")
		want := Admit
		if i >= 3 {
			want = DropSynQueue
		}
		if got := l.HandleSYN(&seg); got != want {
			t.Errorf("SYN %d: %v", i, got)
		}
	}
	l.Forget()
	seg := e.parse("S 0 mss 1000")
	if got := l.HandleSYN(&seg); got != Admit {
		t.Errorf("after one ended: %v", got)
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

func TestResetDuringHandshakeIsAdmitted(t *testing.T) {
	e := synReceivedEnd(t)
	l := NewListener(e.env, 0)
	l.halfOpen++
	l.Push(new(Conn))
	seg := e.parse("R 1")
	if got := l.HandleACK(e.c, &seg); got != Admit {
		t.Errorf("a reset while the accept queue is full: %v", got)
	}
}
