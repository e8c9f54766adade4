package sim

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hubbub/clock"
	"hubbub/event"
	"hubbub/internal/pkt"
	"hubbub/link"
)

// station is a device that notes what it hears, and sends what it is told.
type station struct {
	heard []string
	out   []*pkt.Packet
	due   clock.Time
	fired []clock.Time
}

func (s *station) HandleFrame(now clock.Time, port int, p *pkt.Packet) {
	s.heard = append(s.heard, fmt.Sprintf("%v %s", now, p.AppendTo(nil)))
	p.Release()
}

func (s *station) HandleTimer(now clock.Time) {
	s.fired = append(s.fired, now)
	s.due = clock.Never
}

func (s *station) PollFrame(clock.Time) (int, *pkt.Packet, bool) {
	if len(s.out) == 0 {
		return 0, nil, false
	}
	p := s.out[0]
	s.out = s.out[1:]
	return 0, p, true
}

func (s *station) NextTimer() clock.Time { return s.due }

// say makes a station send a frame.
func (s *station) say(w *World, n *Node, text string) {
	w.Enter()
	s.out = append(s.out, pkt.FromBytes([]byte(fmt.Sprintf("%-60s", text)), 60))
	w.Leave(n)
}

// pair returns a world with two stations on a cable.
func pair(pace Pace) (w *World, a, b *station, an *Node, c *link.Cable) {
	w = New(pace, 1)
	a, b = &station{}, &station{}
	w.Enter()
	defer w.Unlock()
	an = w.Add("a", a, nil)
	bn := w.Add("b", b, nil)
	an.AddPort("eth0", false)
	bn.AddPort("eth0", false)
	c = link.NewCable(w.Random("out"), w.Random("in"))
	w.Join("cable", c, an, 0, bn, 0)
	return w, a, b, an, c
}

func (s *station) want(t *testing.T, heard ...string) {
	t.Helper()
	got := make([]string, len(s.heard))
	for i, h := range s.heard {
		got[i] = strings.TrimSpace(h)
	}
	if !slices.Equal(got, heard) {
		t.Errorf("heard %q, want %q", got, heard)
	}
}

func TestAFrameArrivesWithinTheCallThatSendsIt(t *testing.T) {
	w, a, b, an, _ := pair(Virtual)
	defer w.Close()
	a.say(w, an, "hello")
	b.want(t, "0.000000 hello")
}

func TestVirtualTimeJumpsToWhatIsDue(t *testing.T) {
	w, a, b, an, c := pair(Virtual)
	defer w.Close()
	c.Line(0).SetDelay(time.Hour)
	a.say(w, an, "hello")
	b.want(t)
	if err := w.RunFor(59 * time.Minute); err != nil {
		t.Fatal(err)
	}
	b.want(t)
	if err := w.RunFor(2 * time.Minute); err != nil {
		t.Fatal(err)
	}
	b.want(t, "3600.000000 hello")
	if now := w.Enter(); now != clock.Time(61*time.Minute) {
		t.Errorf("the clock shows %v, want 3660.000000", now)
	}
	w.Unlock()
}

func TestRealTimeInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, a, b, an, c := pair(Real)
		defer w.Close()
		c.Line(0).SetDelay(time.Hour)
		a.say(w, an, "hello")
		time.Sleep(time.Hour)
		synctest.Wait()
		b.want(t, "3600.000000 hello")
	})
}

func TestScaledAndPausedTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, a, b, an, c := pair(Scaled(0.001))
		defer w.Close()
		c.Line(0).SetDelay(time.Second)
		a.say(w, an, "slow")
		time.Sleep(1000 * time.Second)
		synctest.Wait()
		b.want(t, "1.000000 slow")
		w.SetPace(Paused)
		a.say(w, an, "stands still")
		time.Sleep(time.Hour)
		synctest.Wait()
		b.want(t, "1.000000 slow")
		if !w.Step(AtFrame) {
			t.Fatal("there was nothing to step to")
		}
		b.want(t, "1.000000 slow", "2.000000 stands still")
		if w.Step(AtEvent) {
			t.Error("there was one more event")
		}
		w.SetPace(Real)
		a.say(w, an, "goes on")
		time.Sleep(time.Second)
		synctest.Wait()
		b.want(t, "1.000000 slow", "2.000000 stands still", "3.000000 goes on")
	})
}

func TestFastForwardJumpsToTheNextTimer(t *testing.T) {
	w, a, _, an, _ := pair(Paused)
	defer w.Close()
	w.Enter()
	a.due = clock.Time(2 * time.Hour)
	w.Leave(an)
	if !w.FastForward() || w.FastForward() {
		t.Error("there is exactly one timer")
	}
	if len(a.fired) != 1 || a.fired[0] != clock.Time(2*time.Hour) {
		t.Errorf("the timer fired at %v, want two hours", a.fired)
	}
}

func TestAWorldIsVirtualForEver(t *testing.T) {
	w := New(Virtual, 1)
	if err := w.SetPace(Real); !errors.Is(err, ErrVirtualPace) {
		t.Errorf("%v, want ErrVirtualPace", err)
	}
}

func TestAMachineThatIsOffHearsNothing(t *testing.T) {
	w, a, b, an, _ := pair(Virtual)
	defer w.Close()
	w.Enter()
	w.nodes[1].SetPower(false)
	w.Unlock()
	a.say(w, an, "hello")
	b.want(t)
}

func TestProgramsTakeTurns(t *testing.T) {
	w := New(Virtual, 1)
	defer w.Close()
	var order []string
	for _, name := range []string{"a", "b", "c"} {
		w.Go(name, func() {
			for i := range 3 {
				order = append(order, fmt.Sprint(name, i))
				w.Sleep(time.Second)
			}
		})
	}
	if err := w.Run(); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(order, " "); got != "a0 b0 c0 a1 b1 c1 a2 b2 c2" {
		t.Errorf("the order is %s", got)
	}
}

func TestAProgramStartedByAProgramRuns(t *testing.T) {
	w := New(Virtual, 1)
	defer w.Close()
	var order []string
	w.Go("parent", func() {
		w.Go("child", func() { order = append(order, "child") })
		order = append(order, "parent")
		w.Sleep(1)
		order = append(order, "parent again")
	})
	w.Run()
	if got := strings.Join(order, ", "); got != "parent, child, parent again" {
		t.Errorf("the order is %s", got)
	}
}

func TestAForeignGoroutineMayNotWait(t *testing.T) {
	w := New(Virtual, 1)
	defer w.Close()
	if err := w.Sleep(time.Second); !errors.Is(err, ErrForeign) {
		t.Errorf("%v, want ErrForeign", err)
	}
	var fromChild error
	w.Go("program", func() {
		done := make(chan struct{})
		go func() {
			fromChild = w.Sleep(time.Second)
			close(done)
		}()
		<-done
	})
	w.Run()
	if !errors.Is(fromChild, ErrForeign) {
		t.Errorf("a goroutine of a program's own: %v, want ErrForeign", fromChild)
	}
}

func TestDeadlockIsTold(t *testing.T) {
	w := New(Virtual, 1)
	defer w.Close()
	var l WaitList
	w.Go("reader", func() {
		w.Enter()
		defer w.Unlock()
		w.Wait(t.Context(), nil, &l, clock.Never)
	})
	var deadlock *DeadlockError
	if err := w.Run(); !errors.As(err, &deadlock) || !slices.Equal(deadlock.Programs, []string{"reader"}) {
		t.Errorf("%v, want a deadlock of reader", err)
	}
}

func TestCloseWakesEverybody(t *testing.T) {
	for _, pace := range []Pace{Real, Virtual} {
		w := New(pace, 1)
		done := make(chan error, 1)
		w.Go("sleeper", func() { done <- w.Sleep(1000 * time.Hour) })
		if pace.IsVirtual() {
			w.RunFor(time.Second)
		}
		w.Close()
		w.Close()
		if err := <-done; !errors.Is(err, ErrClosed) {
			t.Errorf("%v, want ErrClosed", err)
		}
	}
}

func TestAWaitEndsAtItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := New(Real, 1)
		defer w.Close()
		var l WaitList
		now := w.Enter()
		_, err := w.Wait(t.Context(), nil, &l, now.Add(time.Minute))
		if !errors.Is(err, ErrDeadline) || w.Now() != clock.Time(time.Minute) {
			t.Errorf("%v at %v, want ErrDeadline after a minute", err, w.Now())
		}
		if !l.Empty() {
			t.Error("it is still in the list")
		}
		w.Unlock()
	})
}

func TestRandomStreamsDontDisturbEachOther(t *testing.T) {
	first := New(Virtual, 7).Random("nick").Uint64()
	w := New(Virtual, 7)
	w.Random("somebody else").Uint64()
	if again := w.Random("nick").Uint64(); again != first {
		t.Error("another stream changed nick's")
	}
	if other := New(Virtual, 8).Random("nick").Uint64(); other == first {
		t.Error("another seed gives the same numbers")
	}
}

// Two switches joined by two cables without delay: a broadcast goes round for
// ever. The world stops and names the loop.
func TestABroadcastStormStopsTheWorld(t *testing.T) {
	w := New(Virtual, 1)
	defer w.Close()
	a := &station{}
	w.Enter()
	an := w.Add("a", a, nil)
	an.AddPort("eth0", false)
	var hubs [2]*Node
	for i := range hubs {
		hubs[i] = w.Add(fmt.Sprint("hub", i), link.NewHub(3), nil)
		for range 3 {
			hubs[i].AddPort(fmt.Sprint("port", len(hubs[i].ports)), false)
		}
	}
	cable := func(name string, x *Node, xp int, y *Node, yp int) {
		w.Join(name, link.NewCable(w.Random(name), w.Random(name)), x, xp, y, yp)
	}
	cable("first", an, 0, hubs[0], 0)
	cable("second", hubs[0], 1, hubs[1], 1)
	cable("third", hubs[0], 2, hubs[1], 2)
	w.Unlock()
	a.say(w, an, "help")
	w.Enter()
	defer w.Unlock()
	var storm *StormError
	if !errors.As(w.Err(), &storm) {
		t.Fatalf("%v, want a storm", w.Err())
	}
	if got := strings.Join(storm.Ports, " "); !strings.Contains(got, "hub0/port1") || !strings.Contains(got, "hub1/port2") {
		t.Errorf("the loop is named %s", got)
	}
}

func TestEveryFrameHasItsCause(t *testing.T) {
	w, a, _, an, _ := pair(Virtual)
	defer w.Close()
	var events []*event.Event
	w.Enter()
	w.Stream.Listen(func(e *event.Event) { events = append(events, e) })
	w.Unlock()
	a.say(w, an, "hello")
	if len(events) != 2 {
		t.Fatalf("%d events, want sent and heard", len(events))
	}
	sent, heard := events[0], events[1]
	if _, ok := sent.Body.(event.FrameSent); !ok || sent.Node != "a" {
		t.Errorf("first %v at %s", sent.Body, sent.Node)
	}
	if h, ok := heard.Body.(event.FrameHeard); !ok || heard.Node != "b" || h.Frame != sent.ID || heard.Cause != sent.ID {
		t.Errorf("then %v at %s, caused by %d", heard.Body, heard.Node, heard.Cause)
	}
}

// A program that a test ends by t.Fatal hands its baton back.
func TestAProgramMayExitAnywhere(t *testing.T) {
	w := New(Virtual, 1)
	defer w.Close()
	after := false
	w.Go("fatal", func() { runtime.Goexit() })
	w.Go("next", func() { after = true })
	if err := w.Run(); err != nil || !after {
		t.Errorf("the run ends with %v, the next program ran: %v", err, after)
	}
}
