package tcp

import (
	"testing"

	"hubbub/internal/pkt"
)

// What a program writes is kept in pieces, as on Linux: of whole segments, as many as leave
// together at most, but no more than half of the largest window that the peer ever had, if
// that was more than 536 octets.
func TestThePiecesOfWhatIsWritten(t *testing.T) {
	for _, c := range []struct{ window, mss, piece int }{
		{0, 1000, 65_000},
		{536, 100, 65_200},
		{537, 100, 200},
		{1000, 100, 500},
		{1000, 1000, 1000},
		{1000, 400, 400},
		{64_000, 1000, 32_000},
		{200_000, 1000, 65_000},
		{200_000, 1019, 63 * 1019},
		{200_000, 1, 65_215},
	} {
		e := establishedEnd(t)
		e.c.snd.maxWnd, e.c.snd.mss = uint32(c.window), int32(c.mss)
		if got := e.c.piece(); got != c.piece {
			t.Errorf("%+v: pieces of %d octets", c, got)
		}
	}
}

// tcp(7), TCP_NOTSENT_LOWAT, of a stream in pieces of 500 octets, of which nothing may be
// sent: while less than the mark is unsent a piece may be begun, and one that was begun
// may be filled. select(2): "ready for writing" is when less than half of the mark is unsent.
func TestHowMuchMayBeWrittenAboveTheMark(t *testing.T) {
	for _, c := range []struct {
		buffer, mark, unsent int
		space                int
		ready                bool
	}{
		{10_000, 1000, 0, 500, true},
		{10_000, 1000, 1, 499, true},
		{10_000, 1000, 400, 100, true},
		{10_000, 1000, 499, 1, true},
		{10_000, 1000, 500, 500, false},
		{10_000, 1000, 1000, 0, false},
		{10_000, 1000, 1001, 499, false},
		{1200, 1200, 500, 700, true}, // a mark that is the buffer's size is none
		{1200, 1200, 700, 500, true},
		{1200, 1200, 800, 400, true},
		{1200, 1200, 801, 399, false},
	} {
		e := establishedEnd(t)
		e.peer().sends("A 1 ack 1 win 0")
		e.does(func(c *Conn) { c.SetNoDelay(true) })
		e.c.snd.maxWnd, e.c.snd.mss = 1000, 100
		e.does(func(conn *Conn) { conn.SetSendBuffer(c.buffer); conn.SetNotSentLowat(c.mark) })
		if c.unsent > 0 {
			e.c.sending(c.unsent).Append(pkt.CopyView(octets(1, c.unsent)))
		}
		if got := e.c.WriteSpace(); got != c.space || (e.c.Ready()&ReadyWrite != 0) != c.ready {
			t.Errorf("%+v: room for %d, ready: %q", c, got, e.c.Ready())
		}
	}
	// Nothing is unsent, and the buffer is full of what isn't acknowledged.
	e := establishedEnd(t)
	e.writes(1000)
	e.sent = nil
	for space, ready := range map[int]bool{0: false, 1: true} {
		e.c.SetSendBuffer(1000 + space)
		e.c.SetNotSentLowat(500)
		if got := e.c.Ready()&ReadyWrite != 0; got != ready {
			t.Errorf("with room for %d octets: ready %v", space, got)
		}
	}
}

// Octets that are written one by one share a piece of memory, from the second on; what a
// write that failed gives is nothing.
func TestLittleWritesShareMemory(t *testing.T) {
	e := establishedEnd(t)
	e.peer().sends("A 1 ack 1 win 0")
	for range 3 {
		if err := e.c.Write(e.now, pkt.CopyView([]byte("x"))); err != nil {
			t.Fatal(err)
		}
	}
	if used, _ := e.env.Memory(); used != 3+pkt.Overhead {
		t.Errorf("three octets take %d", used)
	}
	e = closedEnd(t)
	if n, err := e.c.WriteBytes(e.now, []byte("x")); n != 0 || err != ErrWriteClosed {
		t.Errorf("wrote %d, %v", n, err)
	}
}
