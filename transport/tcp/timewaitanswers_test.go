package tcp

import (
	"testing"
	"time"
)

func TestTimeWaitSpeaksTheConnectionsOptions(t *testing.T) {
	// "the TSopt MUST be sent in every non-<RST> segment for the duration of the
	// connection". RFC 7323, 3.2. (R7323-7) TIME-WAIT is part of it: its ACK has the
	// clock, the last timestamp, and the window of before.
	e, tw := waits(t, modern)
	e.now = e.now.Add(5 * time.Second)
	window := e.c.rcv.window() >> e.c.rcv.shift
	reply, _ := hands(e, &tw, "FA 1 ack 2 ts 1000 0")
	if want := sprintf(`"A 2 ack 2 win %d ts %d 1000" (ACK from TIME-WAIT) at 5s`, window, 15000); reply != want {
		t.Errorf("the answer is %s, want %s", reply, want)
	}
	if window == 0 {
		t.Error("the window is closed, and this shows nothing")
	}

	// A newer timestamp is echoed from then on, an older one is not.
	hands(e, &tw, "FA 1 ack 2 ts 1005 0")
	reply, _ = hands(e, &tw, "FA 1 ack 2 ts 1003 0")
	if want := sprintf(`"A 2 ack 2 win %d ts %d 1005" (ACK from TIME-WAIT) at 5s`, window, 15000); reply != want {
		t.Errorf("the answer is %s, want %s", reply, want)
	}

	// Without the agreement there are none, whatever the peer sends.
	e, tw = waits(t)
	if reply, _ = hands(e, &tw, "FA 1 ack 2 ts 1005 0"); reply != `"A 2 ack 2 win 65534" (ACK from TIME-WAIT) at 0s` {
		t.Errorf("the answer is %s", reply)
	}
	if _, v := hands(e, &tw, "S 1 mss 1000 ts 2000 0"); v != Keep {
		t.Error("a timestamp that was not agreed on makes a SYN new")
	}
}

func TestTimestampOfTimeWaitIsStaleAfter24Days(t *testing.T) {
	// RFC 7323, 5.5 and RFC 6191, 2.
	for idle, want := range map[time.Duration]Verdict{stale: Keep, stale + 1: Reopen} {
		e, tw := waits(t, modern)
		e.now = tw.ts.recentAt.Add(idle)
		if _, v := hands(e, &tw, "S 0 mss 1000 ts 999 0"); v != want {
			t.Errorf("after %v an older timestamp: %v, want %v", idle, v, want)
		}
	}
}

func TestTimeWaitTellsWhatItDoes(t *testing.T) {
	e, tw := waits(t)
	e.env.Watch = true
	hands(e, &tw, "FA 1 ack 2")
	want := Event{Kind: EventTimerSet, Timer: TimerLifetime, At: tw.Expires()}
	if got := facts(e.env); len(got) != 1 || got[0] != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := tw.Remaining(tw.Expires()); got != 0 {
		t.Errorf("at the end %v remain", got)
	}
	before := e.env.Discards[DiscardRateLimited]
	hands(e, &tw, "A 0 ack 2")
	hands(e, &tw, "A 0 ack 2")
	if n := e.env.Discards[DiscardRateLimited] - before; n != 1 {
		t.Errorf("%d answers were saved, want 1", n)
	}
	// MAY-2: "larger than the largest sequence number it used".
	if got, want := tw.NextISS(), tw.nxt.Add(65536); got != want {
		t.Errorf("the next ISS is %d after SND.NXT", got-tw.nxt)
	}
}
