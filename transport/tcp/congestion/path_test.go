package congestion

import (
	"container/heap"
	"testing"
	"time"

	"hubbub/clock"
)

// A path is a network of one bottleneck, which some flows share: a rate, a
// buffer that drops what doesn't fit, and a way that takes a while. Receivers
// acknowledge every packet. It shows what algorithms do, without the rest of
// TCP.
type path struct {
	t      *testing.T
	now    clock.Time
	rate   float64 // octets per second
	buffer int     // octets that wait at most
	mark   int     // packets are marked when more wait; 0 never
	lose   func(n int) bool

	events events
	serial int
	free   clock.Time // when the bottleneck has sent all
	passed int
	flows  []*flow
}

type event struct {
	at     clock.Time
	serial int
	do     func()
}

type events []event

func (e events) Len() int { return len(e) }

func (e events) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].serial < e[j].serial
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	old := *e
	x := old[len(old)-1]
	*e = old[:len(old)-1]
	return x
}

func newPath(t *testing.T, mbit float64, buffer int) *path {
	return &path{t: t, rate: mbit * 1e6 / 8, buffer: buffer}
}

func (p *path) at(t clock.Time, do func()) {
	p.serial++
	heap.Push(&p.events, event{t, p.serial, do})
}

// runs lets d pass.
func (p *path) runs(d time.Duration) {
	end := p.now.Add(d)
	for len(p.events) > 0 && p.events[0].at <= end {
		e := heap.Pop(&p.events).(event)
		p.now = e.at
		e.do()
	}
	p.now = end
}

// A flow is a sender that always has more to send, unless it is told to pause.
type flow struct {
	p        *path
	c        Control
	w        Window
	rtt      time.Duration // without any queue
	packets  []packet      // in flight, in the order of their sending
	next     clock.Time    // pacing
	waking   bool
	total    uint64 // octets that have arrived
	sent     uint64
	lostAll  uint64
	high     int // recovery ends when the packet with this number has arrived
	number   int
	mending  bool
	ended    bool // the program has nothing to send
	limited  uint64
	arrived  clock.Time // DeliveredTime
	first    clock.Time // FirstSendTime
	heard    clock.Time
	phases   []string
	maxQueue time.Duration
	srtt     time.Duration
	cwndWas  bool
	lostNow  int
	counted  uint64
}

type packet struct {
	number               int
	at, first, arrivedAt clock.Time
	prior, lost          uint64
	inFlight             int
	limited              bool
}

func (p *path) flow(name string, rtt time.Duration) *flow {
	number, _ := Number(name)
	f := &flow{p: p, c: New(number), w: Window{Cwnd: 10 * mss, Ssthresh: Unlimited, MSS: mss}, rtt: rtt, srtt: rtt}
	if m, ok := f.c.(Model); ok {
		m.Start(&f.w, p.now, rtt, uint64(len(p.flows)+1))
	}
	p.flows = append(p.flows, f)
	p.at(p.now, f.send)
	p.at(p.now.Add(time.Second), f.timer)
	return f
}

func (f *flow) inFlight() int { return len(f.packets) * mss }

// timer takes all as lost when nothing has arrived for a second.
func (f *flow) timer() {
	if now := f.p.now; len(f.packets) > 0 && now.Sub(f.heard) >= time.Second {
		inFlight := f.inFlight()
		for _, pk := range f.packets {
			f.lose(pk)
		}
		f.packets, f.heard = nil, now
		f.c.TimedOut(&f.w, now, inFlight)
		f.w.Cwnd, f.mending, f.high = mss, true, f.number
		f.send()
	}
	f.p.at(f.p.now.Add(time.Second), f.timer)
}

// send sends what window and pacing allow.
func (f *flow) send() {
	p := f.p
	for !f.ended && f.inFlight()+mss <= f.w.Cwnd {
		if f.w.Pacing > 0 && f.next > p.now {
			if !f.waking {
				f.waking = true
				p.at(f.next, func() { f.waking = false; f.send() })
			}
			return
		}
		if f.w.Pacing > 0 {
			f.next = max(f.next, p.now).Add(time.Duration(float64(mss) / float64(f.w.Pacing) * 1e9))
		}
		f.transmit()
	}
	if f.ended && f.inFlight() < f.w.Cwnd {
		f.limited = max(f.total+uint64(f.inFlight()), 1)
	}
	f.cwndWas = !f.ended
}

func (f *flow) transmit() {
	p := f.p
	if len(f.packets) == 0 {
		f.first, f.arrived = p.now, p.now
	}
	f.number++
	f.sent += mss
	pk := packet{
		number: f.number, at: p.now, first: f.first, arrivedAt: f.arrived, prior: f.total, lost: f.lostAll,
		inFlight: f.inFlight() + mss, limited: f.limited > 0,
	}
	f.packets = append(f.packets, pk)
	p.passed++
	waits := max(0, p.free.Sub(p.now))
	if int(waits.Seconds()*p.rate) > p.buffer || p.lose != nil && p.lose(p.passed) {
		return // dropped: those after it tell
	}
	f.maxQueue = max(f.maxQueue, waits)
	marked := p.mark > 0 && int(waits.Seconds()*p.rate) > p.mark
	p.free = max(p.free, p.now).Add(time.Duration(mss / p.rate * 1e9))
	p.at(p.free.Add(f.rtt), func() { f.acked(pk.number, marked) })
}

// acked takes in that a packet has arrived: what was sent three packets before
// it and has not is lost.
func (f *flow) acked(number int, marked bool) {
	now := f.p.now
	f.heard = now
	before := f.inFlight()
	s := Sample{Acked: mss, Delivered: mss, InFlight: before, Limited: f.cwndWas, RTT: -1, Selective: true}
	if number > f.high {
		f.mending = false
	}
	kept := f.packets[:0]
	var lost []packet
	for _, pk := range f.packets {
		switch {
		case pk.number == number:
			f.total += mss
			f.arrived, f.first = now, pk.at
			s.RTT = now.Sub(pk.at)
			s.Rate = Rate{
				Known: true, AppLimited: pk.limited, Delivered: int(f.total - pk.prior), Lost: int(f.lostAll - pk.lost),
				InFlight: pk.inFlight, Interval: max(pk.at.Sub(pk.first), now.Sub(pk.arrivedAt)), Prior: pk.prior,
			}
		case pk.number <= number-3:
			lost = append(lost, pk)
		default:
			kept = append(kept, pk)
		}
	}
	f.packets = kept
	for _, pk := range lost {
		f.lose(pk)
	}
	if (len(lost) > 0 || marked) && !f.mending {
		f.mending, f.high = true, f.number
		f.c.Lost(&f.w, now, before, len(lost) == 0)
		if !f.w.Modelled {
			f.w.Cwnd = f.w.Ssthresh
		}
	}
	if f.limited > 0 && f.total > f.limited {
		f.limited = 0
	}
	s.Sent, s.Acknowledged, s.Total, s.Left = f.sent, f.total+f.lostAll, f.total, f.inFlight()
	s.Mending, f.w.Recovering = f.mending, f.mending && f.w.Cwnd > mss
	f.c.Acked(&f.w, now, &s)
	if f.w.AppLimited {
		f.w.AppLimited = false
		f.limited = max(f.total+uint64(f.inFlight()), 1)
	}
	f.note()
	f.send()
}

func (f *flow) lose(pk packet) {
	f.lostAll += mss
	f.lostNow++
	if m, ok := f.c.(Model); ok {
		m.LostSegment(&f.w, f.p.now, &LostSegment{
			Size: mss, Start: uint32(pk.number), End: uint32(pk.number + 1), Total: f.total, Selective: true,
			Rate: Rate{AppLimited: pk.limited, Lost: int(f.lostAll - pk.lost), InFlight: pk.inFlight},
		})
	}
}

// note remembers which states the control went through.
func (f *flow) note() {
	if m, ok := f.c.(Model); ok {
		if n := len(f.phases); n == 0 || f.phases[n-1] != m.Phase() {
			f.phases = append(f.phases, m.Phase())
		}
	}
}

// rate returns how fast data has arrived since it was asked last, in Mbit/s.
func (f *flow) rate(over time.Duration) float64 {
	n := f.total - f.counted
	f.counted = f.total
	return float64(n) * 8 / 1e6 / over.Seconds()
}
