package tcp

import (
	"errors"
	"testing"

	"hubbub/internal/pkt"
)

// windowEnd has a receive buffer of so many octets, all of it for the window, with
// that scale, so much unread, and a promise of so much more.
func windowEnd(t *testing.T, limit int, shift uint8, unread, window int) *Conn {
	t.Helper()
	c := establishedEnd(t).c
	c.rcv.limit, c.rcv.shift = int32(limit), shift
	c.rcv.queue = c.env.takeQueue()
	for n := unread; n > 0; n -= min(n, 0x8000) {
		c.rcv.queue.Append(pkt.CopyView(make([]byte, min(n, 0x8000))))
	}
	c.rcv.edge = c.rcv.nxt.Add(window)
	return c
}

// RFC 9293, 3.8.6.2.2: "keep RCV.NXT+RCV.WND fixed until the reduction satisfies:
// RCV.BUFF - RCV.USER - RCV.WND >= min( Fr * RCV.BUFF, Eff.snd.MSS )", with
// Fr = 1/2. (MUST-39)
func TestWhatIsWorthAWindowUpdate(t *testing.T) {
	for _, c := range []struct {
		buffer, unread, window, mss int
		worth                       bool
	}{
		{100, 0, 50, 1000, true}, // half of the buffer
		{100, 0, 51, 1000, false},
		{100, 0, 60, 1000, false},
		{100, 0, 90, 10, true}, // a segment
		{100, 0, 91, 10, false},
		{100, 40, 10, 1000, true},
		{100, 41, 10, 1000, false},
		{1, 0, 1, 1000, false}, // no gain at all
		{1, 0, 0, 1000, true},
		{3, 0, 2, 1000, true},
	} {
		conn := windowEnd(t, c.buffer, 0, c.unread, c.window)
		conn.snd.mss = int32(c.mss)
		if got := conn.worthwhile(conn.open() - conn.rcv.window()); got != c.worth {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

// RFC 7323, 2.3: the window field counts in units of 2^shift octets, and has 16 bits.
// While the host is short of memory there is room for four segments, or one unit.
func TestTheRoomOfABuffer(t *testing.T) {
	for _, c := range []struct {
		buffer   int
		shift    uint8
		unread   int
		pressure bool
		want     int
	}{
		{5000, 0, 0, false, 5000},
		{5000, 0, 4999, false, 1},
		{5000, 0, 5001, false, 0}, // a segment has gone beyond the window
		{5000, 7, 0, false, 39 << 7},
		{5000, 7, 9, false, 38 << 7},
		{100_000, 0, 0, false, 0xffff},
		{200_000, 1, 0, false, 0xffff << 1},
		{5000, 0, 0, true, 4000},
		{3000, 0, 0, true, 3000},
		{20_000, 13, 0, true, 1 << 13},
		{20_000, 13, 0, false, 2 << 13},
	} {
		conn := windowEnd(t, c.buffer, c.shift, c.unread, 0)
		conn.rcv.mss = 1000
		conn.env.memory.pressure = c.pressure
		if got := conn.open(); got != c.want {
			t.Errorf("%+v: room for %d", c, got)
		}
	}
}

// "A TCP receiver SHOULD NOT shrink the window, i.e., move the right window edge to the
// left (SHLD-14)" (RFC 9293, 3.8.6): what was promised, and is no whole number of units,
// is rounded up, as long as that is no more than a sixteenth beyond what there is room
// for. (R7323-5)
func TestAPromiseBetweenUnitsIsRoundedUp(t *testing.T) {
	const buffer = 256 << 7 // the most is 272 units
	for _, c := range []struct{ window, field int }{
		{256 << 7, 256},
		{256<<7 + 1, 257},
		{271 << 7, 271},
		{271<<7 + 1, 272},
		{272<<7 - 1, 272},
		{272 << 7, 272},
		{272<<7 + 1, 272},
	} {
		conn := windowEnd(t, buffer, 7, 0, c.window)
		if got := conn.advertise(); int(got) != c.field || conn.rcv.window() < c.window {
			t.Errorf("of %d octets %d units are told, want %d; the window is then %d", c.window, got, c.field, conn.rcv.window())
		}
	}
	// Sixteen bits hold no more, whatever was promised.
	if got := windowEnd(t, 0xffff, 0, 0, 70_000).advertise(); got != 0xffff {
		t.Errorf("of 70000 octets without a scale %d are told", got)
	}
}

// A window of one octet is a window, and one segment may go beyond it, if nothing is
// unread; one of none is none, even if the program has read since.
func TestHowFarASegmentGoesBeyondTheWindow(t *testing.T) {
	for _, c := range []struct {
		name         string
		filled, read int
		text         string
		end          int // RCV.NXT after
	}{
		{"one octet is free", 999, 999, "A 1000:1100 ack 1", 1100},
		{"nothing is free", 1000, 1000, "A 1001:1101 ack 1", 1001},
		{"an octet is unread", 998, 997, "A 999:1100 ack 1", 1001},
	} {
		e := establishedEnd(t, func(c *Config) { c.ReceiveBuffer = 1000 })
		e.peer().sends(sprintf("A 1:%d ack 1", c.filled+1))
		e.sent = nil
		e.c.Read(e.now, c.read).Release() // and before the update leaves
		seg := e.parse(c.text)
		e.c.HandleSegment(e.now, &seg)
		if got := int(e.c.rcv.nxt - testIRS); got != c.end {
			t.Errorf("%s: RCV.NXT is %d, want %d", c.name, got, c.end)
		}
		e.drain()
		e.sent = nil
	}
}

// What comes after a gap may go beyond the window as far as the buffer has room for
// all that is held; and so may what fills the gap.
func TestWhatIsHeldBeyondTheWindowFitsTheBuffer(t *testing.T) {
	for _, c := range []struct {
		first, text string
		held, end   int
	}{
		{"", "A 101:1101 ack 1", 1000, 1},
		{"", "A 101:1102 ack 1", 900, 1}, // cut off at the window's end
		{"A 801:901 ack 1", "A 1:901 ack 1", 0, 901},
		{"A 801:901 ack 1", "A 1:1002 ack 1", 0, 1001},
		{"A 801:901 ack 1", "A 901:1802 ack 1", 200, 1},
		{"A 801:901 ack 1", "A 901:1801 ack 1", 1000, 1},
	} {
		e := establishedEnd(t, func(c *Config) { c.ReceiveBuffer = 1000 })
		if c.first != "" {
			e.peer().sends(c.first)
		}
		e.peer().sends(c.text)
		e.sent = nil
		if i := e.c.Info(); i.OutOfOrder != c.held || int(i.ReceiveNext-testIRS) != c.end {
			t.Errorf("%+v: %d are held, RCV.NXT is %d", c, i.OutOfOrder, int(i.ReceiveNext-testIRS))
		}
	}
}

// The window's edge follows what was held beyond it.
func TestTheEdgeFollowsWhatWasHeld(t *testing.T) {
	e := establishedEnd(t, func(c *Config) { c.ReceiveBuffer = 1000 })
	e.peer().sends("A 101:1101 ack 1")
	e.want().segment("A 1 ack 1 win 1000", ReasonDuplicateACK)
	e.peer().sends("A 1:101 ack 1")
	e.want().segment("A 1 ack 1101 win 0", ReasonGapFilled)
	e.reads(1100)
	e.want().segment("A 1 ack 1101 win 1000", ReasonWindowUpdate)
}

// In CLOSE-WAIT a reset is what a writer is told by another error number: nobody reads
// what is written. In CLOSING, as everywhere, it is a reset.
func TestWhatAResetIsCalled(t *testing.T) {
	for closing, want := range map[bool]error{false: ErrResetClosing, true: ErrReset} {
		e := establishedEnd(t)
		e.writes(10)
		e.want().segment("PA 1:11 ack 1", ReasonData)
		if closing {
			e.does(func(c *Conn) { _ = c.CloseWrite(e.now) })
			e.want().segment("FA 11 ack 1", ReasonFIN)
		}
		e.peer().sends("FA 1 ack 1")
		if closing {
			e.want().segment("A 12 ack 2", ReasonFINACK)
			e.want().state(StateClosing)
		}
		e.peer().sends("R 2")
		if err := e.c.Err(); err != want || !errors.Is(err, ErrReset) {
			t.Errorf("closing is %v: %v", closing, err)
		}
	}
}
