package link

import (
	"fmt"
	"time"

	"hubbub/clock"
)

// defaultQueue is how many frames may wait for a line, as for a Linux
// interface (txqueuelen).
const defaultQueue = 1000

// maxDelay bounds what a frame can be delayed by one setting.
const maxDelay = time.Hour

// Settings are all that is set on a Line.
type Settings struct {
	Rate        int64          // bit/s; 0: no limit
	Delay       clock.Duration // from sending a bit to receiving it
	QueueFrames int            // how many frames may wait for the line; 0: any number
	QueueBytes  int            // how many bytes may wait for the line; 0: any number
	Mark        int            // packets that find so many frames waiting are marked; 0: none
	MTU         int            // octets of payload, Ethernet header and VLAN tag not counted

	Loss          float64        // probability that a frame is lost
	Burst         Burst          // losses in bursts
	Corruption    float64        // probability that one bit of a frame is inverted
	Duplication   float64        // probability that a frame arrives twice
	Reordering    float64        // probability that a frame is held for ReorderDelay
	ReorderDelay  clock.Duration // how long it is held
	Jitter        clock.Duration // a frame takes up to this much longer
	JitterReorder bool           // frames may overtake one another because of jitter
	Rules         []Rule
	Cut           bool
}

// Settings returns all that is set.
func (l *Line) Settings() Settings {
	f := &l.faults
	s := Settings{
		Rate: l.out.rate, Delay: l.delay, QueueFrames: l.out.frames, QueueBytes: l.out.bytes, Mark: l.out.mark, MTU: l.mtu,
		Loss: f.loss, Burst: f.burst, Corruption: f.corruption, Duplication: f.duplication,
		Reordering: f.reordering, ReorderDelay: f.reorderDelay,
		Jitter: f.jitter, JitterReorder: f.jitterReorder, Cut: f.cut,
	}
	for _, r := range f.rules {
		s.Rules = append(s.Rules, r.Rule)
	}
	return s
}

// SetRate limits the line to that many bit/s; 0 is no limit. Preamble, frame
// check sequence and the gap between frames take their time too. Frames that
// wait already leave as they were to.
func (l *Line) SetRate(bitsPerSecond int64) error {
	if bitsPerSecond < 0 {
		return fmt.Errorf("a rate of %d bit/s: it must be positive, or 0 for no limit", bitsPerSecond)
	}
	l.out.rate, l.out.frac = bitsPerSecond, 0
	return nil
}

// SetDelay sets how long a bit is under way, up to an hour.
func (l *Line) SetDelay(d clock.Duration) error {
	if err := checkDelay("a delay", d); err != nil {
		return err
	}
	l.delay = d
	return nil
}

// SetQueue bounds the frames and the bytes that wait while the line is busy
// with others; 0 is no bound. It takes effect where a rate is set: a frame
// that finds the queue full is dropped. A new line has 1000 frames and any
// number of bytes.
func (l *Line) SetQueue(frames, bytes int) error {
	if frames < 0 || bytes < 0 {
		return fmt.Errorf("a queue of %d frames and %d bytes: they must be positive, or 0 for no bound", frames, bytes)
	}
	l.out.frames, l.out.bytes = frames, bytes
	return nil
}

// SetMTU sets the greatest payload of a frame in octets (68 to 65,536).
// Longer frames are dropped as giants.
func (l *Line) SetMTU(octets int) error {
	if octets < 68 || octets > 1<<16 {
		return fmt.Errorf("an MTU of %d octets: it must be between 68 and 65536", octets)
	}
	l.mtu = octets
	return nil
}

// SetLoss sets the probability (0 to 1) with which a frame is lost.
func (l *Line) SetLoss(p float64, cause uint64) error {
	return l.setProbability("loss", p, &l.faults.loss, &l.faults.lossCause, cause)
}

// SetCorruption sets the probability with which one bit of a frame is
// inverted: any one, those of the frame check sequence included.
func (l *Line) SetCorruption(p float64, cause uint64) error {
	return l.setProbability("corruption", p, &l.faults.corruption, &l.faults.corruptionCause, cause)
}

// SetDuplication sets the probability with which a frame arrives twice.
func (l *Line) SetDuplication(p float64, cause uint64) error {
	return l.setProbability("duplication", p, &l.faults.duplication, &l.faults.duplicationCause, cause)
}

// SetReordering sets the probability with which a frame is held for extra (up
// to an hour), so that those behind may overtake it.
func (l *Line) SetReordering(p float64, extra clock.Duration, cause uint64) error {
	if err := checkDelay("an extra delay", extra); err != nil {
		return err
	}
	err := l.setProbability("reordering", p, &l.faults.reordering, &l.faults.reorderingCause, cause)
	if err == nil {
		l.faults.reorderDelay = extra
	}
	return err
}

// SetBurst sets losses in bursts, beginning in the good state; the zero Burst
// unsets them.
func (l *Line) SetBurst(b Burst, cause uint64) error {
	for _, p := range [...]float64{b.ToBad, b.ToGood, b.LossGood, b.LossBad} {
		if err := checkProbability("burst loss", p); err != nil {
			return err
		}
	}
	l.faults.burst, l.faults.bad, l.faults.burstCause = b, false, cause
	l.faulty = l.faults.any()
	return nil
}

// SetJitter makes each frame take up to longest (up to an hour) longer, every
// value being equally probable. Frames overtake one another because of it
// only if reorder is set; otherwise each waits for the one before.
func (l *Line) SetJitter(longest clock.Duration, reorder bool, cause uint64) error {
	if err := checkDelay("a jitter", longest); err != nil {
		return err
	}
	l.faults.jitter, l.faults.jitterReorder, l.faults.jitterCause = longest, reorder, cause
	l.faulty = l.faults.any()
	return nil
}

func (l *Line) setProbability(name string, p float64, value *float64, by *uint64, cause uint64) error {
	if err := checkProbability(name, p); err != nil {
		return err
	}
	*value, *by = p, cause
	l.faulty = l.faults.any()
	return nil
}

func checkProbability(name string, p float64) error {
	if !(p >= 0 && p <= 1) {
		return fmt.Errorf("a probability of %s of %v: it must be between 0 and 1", name, p)
	}
	return nil
}

func checkDelay(name string, d clock.Duration) error {
	if d < 0 || d > maxDelay {
		return fmt.Errorf("%s of %v: it must be between 0 and %v", name, d, maxDelay)
	}
	return nil
}
