package hubbub

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"hubbub/clock"
	"hubbub/event"
	"hubbub/internal/pkt"
	"hubbub/sim"
	"hubbub/wire"
)

// An Uplink joins a LAN to something outside of the network that takes and
// gives Ethernet frames, such as a TAP interface (package edge). It has a port
// of the LAN's hub or switch, and a cable that can be harmed like any other.
type Uplink struct {
	network *Network
	name    string
	outside io.ReadWriteCloser
	node    *sim.Node
	cable   *Cable

	offload Offloader // the outside, if it is one
	try     Trier     // the same, if it is one

	waiting  chan *pkt.Packet // for the outside
	room     atomic.Int64     // for how many more frames
	owed     atomic.Int64     // how many packets are waiting, or are being written
	delivery delivery
	kick     chan struct{} // delivers, if it is to be the goroutine that writes
	idle     chan struct{} // nothing is owed any more, after the end
	quit     chan struct{}
	ending   sync.Once
	done     sync.WaitGroup

	in, inBytes, out, outBytes atomic.Uint64

	batch []*pkt.Packet // of the goroutine that reads: to be injected

	// The world's lock guards what follows.
	arrived []*pkt.Packet // the rest of the batch, on its way into the LAN
	closed  bool
	err     error
	drops   [uplinkReasons]uint64
}

type uplinkOptions struct {
	link  *Link
	vlan  uint16
	queue int
}

// An UplinkOption says what an uplink is like.
type UplinkOption func(*uplinkOptions)

// UplinkCable says what the uplink's cable is like, instead of the LAN's
// others.
func UplinkCable(l Link) UplinkOption { return func(o *uplinkOptions) { o.link = &l } }

// UplinkVLAN makes the uplink's port of the switch an access port of that
// VLAN.
func UplinkVLAN(id uint16) UplinkOption { return func(o *uplinkOptions) { o.vlan = id } }

// UplinkQueue sets how many frames may wait for the outside to take them; more
// are dropped. Without it that is 4096. frames is at least 1.
func UplinkQueue(frames int) UplinkOption { return func(o *uplinkOptions) { o.queue = frames } }

// uplinkQueue is enough for one connection's greatest window.
const uplinkQueue = 4096

// Uplink plugs something from outside into the LAN. frames gives one whole
// Ethernet frame for each Read and takes one for each Write, without frame
// check sequence; neither is called by two goroutines at a time. The uplink
// owns frames: it closes them when it ends, which must make a Read or Write
// that is under way return. If frames is an
// [Offloader] it is used as one.
//
// A frame from outside is checked for its length alone: longer than an
// Ethernet header and shorter than 64 KiB; shorter ones than Ethernet's least
// are padded. The cable drops those that exceed its MTU. A Write that fails
// loses its frame; a Read that fails ends the uplink, see [Uplink.Err].
//
// A virtual network can't have an uplink, because the world outside doesn't
// wait for it: that is a mistake which [Network.Err] tells.
func (l *LAN) Uplink(name string, frames io.ReadWriteCloser, options ...UplinkOption) *Uplink {
	o := uplinkOptions{queue: uplinkQueue}
	for _, option := range options {
		option(&o)
	}
	n := l.network
	u := &Uplink{network: n, name: name, outside: frames, quit: make(chan struct{})}
	u.beginWriting(o.queue)
	if f, ok := frames.(Offloader); ok && f.Offload() == nil {
		u.offload = f
		u.try, _ = frames.(Trier)
	}
	n.world.Enter()
	err := u.join(l, &o)
	n.world.Leave(nil)
	if err != nil {
		u.end(err)
	}
	return u
}

// join plugs the uplink in and starts its goroutines. It needs the lock.
func (u *Uplink) join(l *LAN, o *uplinkOptions) error {
	n, w := u.network, u.network.world
	n.claim("uplink", u.name)
	u.node = w.Add(u.name, uplinkCard{u}, nil)
	port := portName(u.node.AddPort(portName(0), false))
	link := l.options.link
	if o.link != nil {
		link = *o.link
	}
	u.cable = l.plug(port, u.node, 0, l.addPort(o.vlan, false), link)
	switch {
	case w.IsVirtual():
		return n.fail("uplink %q: a virtual network can't be joined to the outside, whose time is not its own: "+
			"make the network without hubbub.Virtual", u.name)
	case u.outside == nil:
		return n.fail("uplink %q: it leads to nothing: give it something to read frames from and write them to", u.name)
	case w.Closed():
		return sim.ErrClosed
	}
	n.uplinks = append(n.uplinks, u)
	if u.offload != nil {
		u.done.Go(u.readParts)
	} else {
		u.done.Go(u.read)
	}
	u.done.Go(u.write)
	return nil
}

// Name returns the uplink's name.
func (u *Uplink) Name() string { return u.name }

// Cable returns the uplink's cable: [Out] is the way into the LAN, [In] the
// way outside.
func (u *Uplink) Cable() *Cable { return u.cable }

// UplinkStats counts frames and their bytes, without frame check sequence.
type UplinkStats struct {
	In, InBytes   uint64 // given to the LAN
	Out, OutBytes uint64 // taken by the outside
}

// Stats returns how much has passed.
func (u *Uplink) Stats() UplinkStats {
	return UplinkStats{In: u.in.Load(), InBytes: u.inBytes.Load(), Out: u.out.Load(), OutBytes: u.outBytes.Load()}
}

// Discards returns how many frames have gone no further, by reason.
func (u *Uplink) Discards() map[string]uint64 {
	u.network.world.Enter()
	defer u.network.world.Unlock()
	all := make(map[string]uint64)
	for why, n := range u.drops {
		if n > 0 {
			all[uplinkReason(why).String()] = n
		}
	}
	return all
}

// Err returns why the uplink has ended by itself: the error of the Read that
// failed, which is [io.EOF] if the outside has closed. It is nil while the uplink works,
// and after [Uplink.Close].
func (u *Uplink) Err() error {
	u.network.world.Enter()
	defer u.network.world.Unlock()
	return u.err
}

// Close unplugs the uplink and closes what it leads to. When it returns no
// more frames are read or written. It never fails, and may be called again.
func (u *Uplink) Close() error {
	u.end(nil)
	u.done.Wait()
	return nil
}

// end makes both goroutines stop, because of err if it isn't nil.
func (u *Uplink) end(err error) {
	u.ending.Do(func() {
		u.network.world.Enter()
		u.closed, u.err = true, err
		u.network.world.Unlock()
		close(u.quit)
		if u.outside != nil {
			_ = u.outside.Close()
		}
	})
}

// read takes frames from outside until there are none any more.
func (u *Uplink) read() {
	frame := make([]byte, pkt.HeadRoom+pkt.MaxView+1)
	for {
		n, err := u.outside.Read(frame)
		if n > 0 {
			u.takeFrame(frame[:n])
		}
		if err != nil {
			u.end(fmt.Errorf("uplink %q: %w", u.name, err))
			return
		}
	}
}

// takeFrame gives the LAN a frame from outside.
func (u *Uplink) takeFrame(frame []byte) {
	head := headersLen(frame)
	switch {
	case len(frame) < wire.EthernetHeaderLen:
		u.discard(frame, uplinkShort)
		return
	case len(frame)-head > pkt.MaxView:
		u.discard(frame[:head], uplinkLong)
		return
	}
	p := pkt.FromBytes(frame, head)
	u.arrive(p)
	u.inject()
}

// arrive lets a packet from outside be injected next.
func (u *Uplink) arrive(p *pkt.Packet) {
	p.Reason = "it came from outside"
	p.Pad(wire.MinFrame - wire.FCSLen)
	frames, octets, _ := p.Frames()
	u.in.Add(uint64(frames))
	u.inBytes.Add(uint64(octets))
	u.batch = append(u.batch, p)
}

// inject gives the LAN what has arrived.
func (u *Uplink) inject() {
	if len(u.batch) == 0 {
		return
	}
	w := u.network.world
	w.Enter()
	if u.closed || w.Err() != nil {
		for _, p := range u.batch {
			u.drop(p, uplinkClosed)
		}
		w.Unlock()
	} else {
		u.arrived = u.batch
		w.Leave(u.node)
	}
	u.batch = u.batch[:0]
}

// An uplinkReason says why a frame has gone no further.
type uplinkReason uint8

const (
	uplinkShort uplinkReason = iota
	uplinkLong
	uplinkFCS
	uplinkFull
	uplinkRefused
	uplinkUnfit
	uplinkClosed
	uplinkReasons
)

// String returns the reason as it is shown.
func (r uplinkReason) String() string {
	return [...]string{
		"the frame from outside is shorter than an Ethernet header",
		"the frame from outside is longer than 64 KiB",
		"the frame check sequence is wrong",
		"too many frames wait for the outside",
		"the outside refused the frame",
		"what the outside leaves to be done with the frame can't be done",
		"the uplink is closed",
	}[r]
}

// drop ends a frame's journey. It needs the lock.
func (u *Uplink) drop(p *pkt.Packet, why uplinkReason) {
	u.tell(event.ID(p.ID), why, func() []byte { return p.AppendTo(nil) })
	p.Release()
}

// discard is drop for a frame that is not, or not any more, in the network.
func (u *Uplink) discard(frame []byte, why uplinkReason) {
	u.network.world.Enter()
	defer u.network.world.Unlock()
	u.tell(0, why, func() []byte { return append([]byte(nil), frame...) })
}

// tell counts a frame that was dropped, and says so. It needs the lock.
func (u *Uplink) tell(frame event.ID, why uplinkReason, data func() []byte) {
	u.drops[why]++
	w := u.network.world
	if w.Stream.On() {
		w.Stream.PublishCaused(w.Now(), u.name, frame, event.FrameDropped{
			Port: portName(0), Frame: frame, Data: data(), Reason: why.String(),
		})
	}
}

// uplinkCard is the uplink as the network sees it: a device of one port.
type uplinkCard struct{ u *Uplink }

// HandleFrame takes a frame for the outside.
func (c uplinkCard) HandleFrame(_ clock.Time, _ int, p *pkt.Packet) {
	p.Emigrate()
	switch {
	case c.u.closed:
		c.u.drop(p, uplinkClosed)
		return
	case !p.FCSOK():
		c.u.drop(p, uplinkFCS)
		return
	}
	for part := range p.NoGiants() {
		c.u.queueWhole(part)
	}
}

// queueWhole lets a packet leave as it is if there is room for all that it stands for, else as much of that
// as there is room for.
func (u *Uplink) queueWhole(p *pkt.Packet) {
	if frames, _, _ := p.Frames(); u.queue(p, frames) {
		return
	}
	for part := range p.Parts() {
		if !u.queue(part, 1) {
			u.drop(part, uplinkFull)
		}
	}
}

// PollFrame returns the next frame that has arrived from outside.
func (c uplinkCard) PollFrame(clock.Time) (port int, p *pkt.Packet, ok bool) {
	rest := c.u.arrived
	if len(rest) == 0 {
		return 0, nil, false
	}
	p, rest[0], c.u.arrived = rest[0], nil, rest[1:]
	return 0, p, true
}

// HandleTimer does nothing: an uplink has no timers.
func (c uplinkCard) HandleTimer(clock.Time) {}

// NextTimer returns clock.Never: an uplink has no timers.
func (c uplinkCard) NextTimer() clock.Time { return clock.Never }
