package link

import (
	"math/rand/v2"

	"hubbub/clock"
	"hubbub/internal/pkt"
	"hubbub/wire"
)

// A Line is one direction of a [Cable]. Its setters change one thing each and
// leave all others as they are. The cause that the setters of faults take is
// the event that brought the fault about; it is told with every frame that
// falls victim to it.
//
// A frame that enters passes, in this order: a cut, the limits of its length,
// the queue and the serialisation, the rules, loss, corruption, duplication,
// then the delay with what is added to it. A frame that is lost has taken its
// time on the line.
type Line struct {
	cable *Cable
	side  int
	rnd   *rand.Rand

	mtu    int
	delay  clock.Duration
	out    transmitter
	faults faults
	faulty bool // any fault but a cut is set

	flight flight
	last   clock.Time // when the last frame arrives that keeps its place
	stats  Stats      // without the frames that Pass let pass

	passed, passedBytes uint64
}

// Stats count what a Line did, in frames unless they say otherwise. At any
// time Sent + Duplicated = Delivered + Drops + frames in flight.
type Stats struct {
	Sent, SentBytes           uint64 // what entered; bytes without the frame check sequence
	Delivered, DeliveredBytes uint64 // what left
	Corrupted                 uint64 // frames with an inverted bit
	Duplicated                uint64 // copies that were made
	Marked                    uint64 // packets marked "congestion experienced"
	Delayed                   uint64 // frames held by a reordering or a rule, that others may overtake
	Drops                     Drops
}

func (l *Line) init(c *Cable, side int, rnd *rand.Rand) {
	l.cable, l.side, l.rnd = c, side, rnd
	l.mtu = wire.MaxPayload
	l.out.frames = defaultQueue
}

// Stats returns the counters.
func (l *Line) Stats() Stats {
	s := l.stats
	s.Sent += l.passed
	s.Delivered += l.passed
	s.SentBytes += l.passedBytes
	s.DeliveredBytes += l.passedBytes
	return s
}

// Free reports whether the line is empty and does nothing to frames, and would let one of n
// octets pass at once.
func (l *Line) Free(n int) bool {
	return !l.faulty && l.delay == 0 && l.out.rate == 0 && l.flight.n == 0 && !l.faults.cut &&
		n >= minFrame && n <= l.mtu+wire.EthernetHeaderLen
}

// Count counts frames that have passed while the line was free, and their octets.
func (l *Line) Count(frames, octets int) {
	l.passed += uint64(frames)
	l.passedBytes += uint64(octets)
}

// InFlight returns how many frames are on the line or wait for it.
func (l *Line) InFlight() int { return l.flight.n }

// handle takes a frame that enters the line.
func (l *Line) handle(now clock.Time, p *pkt.Packet) {
	l.stats.Sent++
	l.stats.SentBytes += uint64(p.Len())
	if why := l.refuses(p, p.Len()); why != 0 {
		l.drop(why, l.faults.cutCause, "", p)
		return
	}
	begins, sent, ok := l.out.send(now, p.Len())
	if !ok {
		l.drop(QueueFull, 0, "", p)
		return
	}
	if begins > now {
		if l.out.congested() {
			l.mark(p, l.out.markCause)
		}
		l.tellHeld(p, begins.Sub(now), 0, "waits until the line is free")
	}
	if l.faulty {
		l.impair(sent, p)
		return
	}
	l.launch(sent.Add(l.delay), p, true)
}

// refuses returns why a frame of n octets can't enter the line, zero if it can.
func (l *Line) refuses(p *pkt.Packet, n int) Reason {
	switch {
	case l.faults.cut:
		return CableCut
	case n < minFrame:
		return Runt
	case n > l.mtu+wire.EthernetHeaderLen && (n > l.mtu+wire.EthernetHeaderLen+wire.VLANTagLen || !tagged(p)):
		return Giant
	case l.flight.n >= maxInFlight:
		return CableFull
	}
	return 0
}

// launch puts a frame on its way. One that keeps its place arrives after all
// that were launched before and keep theirs.
func (l *Line) launch(at clock.Time, p *pkt.Packet, keepsPlace bool) {
	if keepsPlace {
		at = max(at, l.last)
		l.last = at
	}
	l.cable.seq++
	l.flight.insert(traveller{at, l.cable.seq, p})
}

// Cut drops what is on the line, and all that enters it until it is mended.
// The frames' facts have the cause of the cut.
func (l *Line) Cut(_ clock.Time, cause uint64) {
	l.faults.cut, l.faults.cutCause = true, cause
	for l.flight.n > 0 {
		l.drop(CableCut, cause, "was on the cable when it was cut", l.flight.pop())
	}
	l.out.reset()
	l.last = 0
}

// Mend ends a cut. It changes nothing else.
func (l *Line) Mend() { l.faults.cut, l.faults.cutCause = false, 0 }

// drop ends a frame's journey.
func (l *Line) drop(why Reason, cause uint64, text string, p *pkt.Packet) {
	l.stats.Drops[why]++
	l.tell(Fact{Kind: Dropped, Reason: why.String(), ID: p.ID, Cause: cause, Text: text})
	p.Release()
}

func (l *Line) tellHeld(p *pkt.Packet, d clock.Duration, cause uint64, why string) {
	l.tell(Fact{Kind: Held, ID: p.ID, For: d, Cause: cause, Text: why})
}

func (l *Line) tell(f Fact) {
	if l.cable.Watch {
		f.Port = l.side
		l.cable.facts.Push(f)
	}
}
