package tcp

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"hubbub/clock"
	"hubbub/internal/pkt"
	"hubbub/wire"
)

const ms = time.Millisecond

// The numbers of a test's connection. In the tests themselves sequence
// numbers are relative: the SYN is 0, the first octet 1. Both begin so that
// they soon wrap around.
const (
	testISS Seq = 0xffff_ff00
	testIRS Seq = 0xffff_fe00
)

// began is when tests begin.
const began = clock.Time(10 * time.Second)

// An end is one connection under test; the test is its peer. Every segment
// it sends has to be expected before anything else happens.
//
//	e := establishedEnd(t)
//	peer, want := e.peer(), e.want()
//	peer.sends("A 1:101 ack 1")
//	e.after(40 * ms)
//	want.segment("A 1 ack 101", ReasonDelayedACK)
//	want.nothing()
type end struct {
	t    *testing.T
	env  *Env
	c    *Conn
	now  clock.Time
	sent []sentSegment
	gave []pkt.View // what was handed in, with a reference to look after it

	tsOn  bool   // the peer uses timestamps
	tsVal uint32 // the peer's clock
}

// sentSegment is a segment that came out, its payload copied.
type sentSegment struct {
	Segment
	text string
	at   clock.Time
}

type (
	peerOf struct{ *end }
	wantOf struct{ *end }
)

func (e *end) peer() peerOf { return peerOf{e} }
func (e *end) want() wantOf { return wantOf{e} }

// plain is a config without options and with buffers that stay as they are, so
// that windows, sizes and bursts are as written.
func plain(c *Config) {
	c.WindowScaling, c.Timestamps, c.SACK = false, false, false
	c.AdvWinScale, c.ModerateReceive, c.SendBuffer = 0, false, 256<<10
	c.MinBurst = 0
	c.ReceiveBuffer, c.MaxReceiveBuffer, c.MaxReceiveOption = 256<<10, 6<<20, 0
}

// sacked is a config with selective acknowledgments.
func sacked(c *Config) { c.SACK = true }

// unlimited is a config that answers every invalid segment.
func unlimited(c *Config) { c.InvalidACKInterval = 0 }

// slowAck is a config without quick ACKs.
func slowAck(c *Config) { c.QuickACKs = 0 }

func newEnd(t *testing.T, adjust ...func(*Config)) *end {
	t.Helper()
	sharesNothing(t)
	config := DefaultConfig()
	config.CongestionControl = "reno" // whose windows are easily foreseen
	plain(&config)
	slowAck(&config)
	for _, f := range adjust {
		f(&config)
	}
	e := &end{t: t, env: NewEnv(config), now: began, tsOn: config.Timestamps, tsVal: 1000}
	t.Cleanup(func() {
		if len(e.sent) > 0 && !t.Failed() {
			t.Errorf("at the end, unexpected: %v", e.show(e.sent[0]))
		}
		e.checkReferences()
	})
	return e
}

// gives hands in octets whose storage is looked after.
func (e *end) gives(v pkt.View) pkt.View {
	e.gave = append(e.gave, v.Retain())
	return v
}

// checkReferences fails if the connection, once it is over, still holds any of the
// octets that it was given.
func (e *end) checkReferences() {
	if e.c == nil || e.t.Failed() {
		return
	}
	e.c.Abort(e.now)
	for i, v := range e.gave {
		if n := v.References(); n > 1 {
			e.t.Errorf("the connection is over, and %d references to the %d octets given as number %d are left", n-1, v.Len(), i)
		}
		v.Release()
	}
}

func testParams() Params { return Params{ISS: testISS, MSS: 1000} }

// connect begins an active open.
func (e *end) connect(p Params) {
	e.c = Connect(e.env, e.now, p)
	e.drain()
}

// accept begins a passive open with the SYN that the spec describes.
func (e *end) accept(p Params, spec string) {
	seg := e.parse(spec)
	seg.Payload = e.gives(seg.Payload)
	e.c = Accept(e.env, e.now, p, &seg)
	e.drain()
}

// request begins a passive open, and puts it by.
func (e *end) request(p Params, spec string) *Request {
	e.t.Helper()
	seg := e.parse(spec)
	r := NewRequest(e.now, &p, &seg)
	e.accept(p, spec)
	e.want().segment("SA 0 ack 1", ReasonOpenReply)
	e.c.Fold(&r)
	return &r
}

// drain takes out all segments, and checks what must always hold.
func (e *end) drain() {
	e.t.Helper()
	for range 10000 {
		// What was in it before is nothing to PollSegment.
		s := Segment{
			Seq: 1, Ack: 2, Flags: 0xffff, Window: 3, Urgent: 4, Reason: ReasonAbort, Retransmission: true,
			Options: wire.TCPOptions{MSS: 5, SACKPermitted: true, HasWindowScale: true, Timestamps: true},
		}
		if !e.c.PollSegment(e.now, &s) {
			checkInvariants(e.t, e.c)
			return
		}
		out := sentSegment{Segment: s, text: string(s.Payload.Bytes()), at: e.now}
		s.drop()
		if s.Reason == ReasonNone {
			e.t.Errorf("a segment without a reason: %v", e.show(out))
		}
		e.sent = append(e.sent, out)
	}
	e.t.Fatal("PollSegment never ends")
}

// after lets d pass.
func (e *end) after(d time.Duration) {
	e.t.Helper()
	e.pass(e.now.Add(d))
}

func (e *end) pass(to clock.Time) {
	e.t.Helper()
	if len(e.sent) > 0 {
		e.t.Fatalf("before time passes, unexpected: %v", e.show(e.sent[0]))
	}
	for e.c.NextTimer().Due(to) {
		next := max(e.now, e.c.NextTimer())
		if len(e.sent) > 0 && next > e.now {
			e.now = to
			return // the test looks at what came out first
		}
		e.now = next
		e.c.HandleTimer(e.now)
		e.drain()
	}
	e.now = to
}

// sends lets the peer send the segments.
func (p peerOf) sends(specs ...string) {
	p.t.Helper()
	for _, spec := range specs {
		seg := p.parse(spec)
		seg.Payload = p.gives(seg.Payload)
		p.c.HandleSegment(p.now, &seg)
	}
	p.drain()
}

// segment expects the next segment that came out to be as described, and to
// be sent for that reason.
func (w wantOf) segment(spec string, why Reason) sentSegment {
	w.t.Helper()
	if len(w.sent) == 0 {
		w.t.Fatalf("want %q (%v), got nothing", spec, why)
	}
	got := w.sent[0]
	w.sent = w.sent[1:]
	want, given := w.parseSpec(spec, testISS, testIRS)
	defer want.drop()
	if diff := differs(got.Segment, want, given); diff != "" || len(got.text) != want.Payload.Len() {
		w.t.Fatalf("want %q, got %v %s", spec, w.show(got), diff)
	}
	if got.Reason != why {
		w.t.Fatalf("%v is sent because %q, want %q", w.show(got), got.Reason, why)
	}
	return got
}

// nothing expects that nothing came out.
func (w wantOf) nothing() {
	w.t.Helper()
	if len(w.sent) > 0 {
		w.t.Fatalf("want nothing, got %v", w.show(w.sent[0]))
	}
}

// state expects the connection to be in a state.
func (w wantOf) state(s State) {
	w.t.Helper()
	if w.c.State() != s {
		w.t.Fatalf("state %v, want %v", w.c.State(), s)
	}
}

// discarded expects that n segments were discarded for that reason.
func (w wantOf) discarded(why Discard, n uint32) {
	w.t.Helper()
	if got := w.c.Info().Discards[why]; got != n {
		w.t.Fatalf("%d discarded because %q, want %d", got, why, n)
	}
}

// writes lets the program write n octets, whose values come from their places.
func (e *end) writes(n int) {
	e.t.Helper()
	start := e.c.dataStart().Add(e.c.snd.queue.Len())
	if err := e.c.Write(e.now, e.gives(pkt.CopyView(octets(int(start-testISS), n)))); err != nil {
		e.t.Fatalf("write: %v", err)
	}
	e.drain()
}

// reads lets the program read n octets, and checks them.
func (e *end) reads(n int) {
	e.t.Helper()
	for n > 0 {
		at := int(e.c.readAt() - testIRS)
		v := e.c.Read(e.now, n)
		if v.Len() == 0 {
			e.t.Fatalf("%d more octets to read, and there is nothing", n)
		}
		if string(v.Bytes()) != string(octets(at, v.Len())) {
			e.t.Fatalf("wrong octets at %d", at)
		}
		n -= v.Len()
		v.Release()
	}
	e.drain()
}

// does runs a command, then drains what it causes.
func (e *end) does(command func(c *Conn)) {
	e.t.Helper()
	command(e.c)
	e.drain()
}

// octets returns the n octets of a test's stream from the relative sequence
// number at on: each says where it belongs.
func octets(at, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte((at+i)*7 + (at+i)>>8)
	}
	return b
}

// parse makes a segment of the peer from a spec.
func (e *end) parse(spec string) Segment {
	e.t.Helper()
	s, _ := e.parseSpec(spec, testIRS, testISS)
	if !strings.Contains(spec, "win") {
		s.Window = 64000
	}
	if e.tsOn && !strings.Contains(spec, "ts") && !s.Flags.Has(rst) {
		s.Options.Timestamps, s.Options.TSVal = true, e.tsVal
		if s.Flags.Has(ack) {
			s.Options.TSEcr = e.c.ts.now(e.now)
		}
	}
	if e.env.SACK && s.Flags.Has(syn) {
		s.Options.SACKPermitted = true
	}
	if e.env.WindowScaling && s.Flags.Has(syn) && !strings.Contains(spec, "ws") {
		s.Options.HasWindowScale, s.Options.WindowScale = true, 2
	}
	return s
}

// parseSpec reads a segment as in "PA 1:101 ack 1 win 500 urg 3 mss 1000 ws 7
// ts 100 200 sack 1:101,301:401": flags, sequence numbers from and up to (which SYN and FIN
// don't count in), and what else matters. Numbers are relative to own for the
// sender's, to other for what it acknowledges. It also returns which fields
// were given.
func (e *end) parseSpec(spec string, own, other Seq) (Segment, map[string]bool) {
	e.t.Helper()
	words := strings.Fields(spec)
	given := map[string]bool{}
	var s Segment
	for _, letter := range words[0] {
		s.Flags |= map[rune]wire.TCPFlags{'S': syn, 'F': fin, 'R': rst, 'P': psh, 'A': ack, 'U': urg, 'E': wire.ECE, 'W': wire.CWR, '-': 0}[letter]
	}
	from, to, ranged := strings.Cut(words[1], ":")
	at := e.number(from)
	s.Seq = own.Add(at)
	if ranged {
		s.Payload = pkt.CopyView(octets(at, e.number(to)-at))
	}
	for i := 2; i < len(words); i++ {
		word := words[i]
		given[word] = true
		i++
		if word == "sack" {
			e.parseSACK(&s.Options, words[i], other)
			continue
		}
		value := e.number(words[i])
		switch word {
		case "ack":
			s.Ack = other.Add(value)
		case "win":
			s.Window = uint16(value)
		case "ecn":
			s.ECN = uint8(value)
		case "urg":
			s.Urgent = uint16(value)
		case "mss":
			s.Options.MSS = uint16(value)
		case "ws":
			s.Options.HasWindowScale, s.Options.WindowScale = true, uint8(value)
		case "ts":
			i++
			s.Options.Timestamps = true
			s.Options.TSVal, s.Options.TSEcr = uint32(value), uint32(e.number(words[i]))
		default:
			e.t.Fatalf("what is %q in %q?", word, spec)
		}
	}
	return s, given
}

// parseSACK reads blocks as in "1:101,301:401".
func (e *end) parseSACK(o *wire.TCPOptions, text string, base Seq) {
	e.t.Helper()
	for block := range strings.SplitSeq(text, ",") {
		left, right, _ := strings.Cut(block, ":")
		o.AddSACK(uint32(base.Add(e.number(left))), uint32(base.Add(e.number(right))))
	}
}

func (e *end) number(word string) int {
	e.t.Helper()
	n, err := strconv.Atoi(word)
	if err != nil {
		e.t.Fatal(err)
	}
	return n
}

// differs tells what is wrong with a segment.
func differs(got, want Segment, given map[string]bool) string {
	switch {
	case got.Seq != want.Seq:
		return fmt.Sprintf("(sequence number %d)", uint32(got.Seq))
	case got.Flags != want.Flags:
		return "(flags)"
	case given["ack"] && got.Ack != want.Ack:
		return "(ack)"
	case given["win"] && got.Window != want.Window:
		return "(window)"
	case given["ecn"] && got.ECN != want.ECN:
		return fmt.Sprintf("(ECN field %d)", got.ECN)
	case given["urg"] && got.Urgent != want.Urgent:
		return "(urgent pointer)"
	case got.Flags.Has(syn) && got.Options.MSS != want.Options.MSS && given["mss"]:
		return "(MSS)"
	case given["ws"] && (got.Options.WindowScale != want.Options.WindowScale || !got.Options.HasWindowScale):
		return "(window scale)"
	case given["ts"] && (got.Options.TSVal != want.Options.TSVal || got.Options.TSEcr != want.Options.TSEcr || !got.Options.Timestamps):
		return "(timestamps)"
	case got.Options.NumSACK != want.Options.NumSACK || got.Options.SACK != want.Options.SACK:
		return "(SACK)"
	}
	return ""
}

// show writes a segment the way specs are written.
func (e *end) show(s sentSegment) string {
	letters := ""
	for i, l := range "SFRPAUEW" {
		if s.Flags.Has([...]wire.TCPFlags{syn, fin, rst, psh, ack, urg, wire.ECE, wire.CWR}[i]) {
			letters += string(l)
		}
	}
	text := fmt.Sprintf("%s %d", letters, s.Seq.Sub(testISS))
	if n := len(s.text); n > 0 {
		text += fmt.Sprintf(":%d", s.Seq.Sub(testISS)+n)
	}
	if s.Flags.Has(ack) {
		text += fmt.Sprintf(" ack %d", s.Ack.Sub(testIRS))
	}
	text += fmt.Sprintf(" win %d", s.Window)
	if s.Flags.Has(urg) {
		text += fmt.Sprintf(" urg %d", s.Urgent)
	}
	o := s.Options
	if o.MSS > 0 {
		text += fmt.Sprintf(" mss %d", o.MSS)
	}
	if o.HasWindowScale {
		text += fmt.Sprintf(" ws %d", o.WindowScale)
	}
	if o.Timestamps {
		text += fmt.Sprintf(" ts %d %d", o.TSVal, o.TSEcr)
	}
	for i, block := range o.SACK[:o.NumSACK] {
		text += [...]string{" sack ", ",", ",", ","}[i] + fmt.Sprintf("%d:%d", Seq(block.Left).Sub(testIRS), Seq(block.Right).Sub(testIRS))
	}
	return fmt.Sprintf("%q (%v) at %v", text, s.Reason, s.at.Sub(began))
}

// checkInvariants fails if the control block is not in order.
func checkInvariants(t testing.TB, c *Conn) {
	t.Helper()
	fail := func(what string) { t.Fatalf("%s: %+v %+v in %v", what, c.snd, c.rcv, c.state) }
	switch {
	case c.snd.nxt.Less(c.snd.una):
		fail("SND.NXT before SND.UNA")
	case c.state == StateClosed && (c.NextTimer() != clock.Never || c.synDue || c.probeDue || c.persist != persist{}):
		fail("something is still to come after the end")
	case c.state == StateClosed || c.state == StateTimeWait:
		if c.snd.queue.Len() > 0 {
			fail("a send queue after the end")
		}
	case c.flight() > c.snd.queue.Len()+2:
		fail("more in flight than in the queue")
	case c.state > StateSynSent && c.rcv.edge.Less(c.rcv.nxt):
		fail("the window's edge is before RCV.NXT")
	case c.rcv.queue.Len() > int(c.rcv.limit+c.rcv.limit/8)+0x10000:
		fail("the receive queue is too long")
	case c.cc.Cwnd < 0:
		fail("a negative congestion window")
	case c.state >= StateEstablished && c.cc.Cwnd < int(c.snd.mss):
		fail("a congestion window under one segment")
	// Where pacing holds a retransmission back, it is sent when that timer is due,
	// and sets the other.
	case c.flight() > 0 && !c.timers.running(TimerRetransmit) && !c.timers.running(TimerPersist) && !c.timers.running(TimerPacing) &&
		!(c.state == StateSynSent && c.Early()):
		fail("octets in flight and no timer")
	}
	if what := boardFault(c); what != "" {
		fail(what)
	}
}
