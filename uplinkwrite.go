package hubbub

import (
	"hubbub/internal/pkt"
	"hubbub/sim"
)

// What the network sends outside waits in a queue, which one goroutine at a time empties:
// he who has put in the first packet, as soon as he has given up the world's lock, if
// that is done at once; else a goroutine that does nothing else, and may have to wait for the
// outside. Acknowledgments take the short way: to wake somebody for each costs more than to
// write it. Long segments take the other one: they are copied while their sender writes the next.

// delivery belongs to who empties the queue.
type delivery struct {
	errand sim.Errand
	next   *pkt.Packet // has left the queue, and is still to be written
	header [pkt.VirtioHeaderLen]byte
	parts  [4][]byte
	frame  []byte
}

const (
	// shortFrame is the longest packet that its sender writes himself.
	shortFrame = 2 << 10
	// shortTurn is how many packets one who has something else to do writes at most.
	shortTurn = 32
)

// beginWriting makes the queue.
func (u *Uplink) beginWriting(frames int) {
	u.waiting = make(chan *pkt.Packet, max(1, frames))
	u.room.Store(int64(cap(u.waiting)))
	u.kick, u.idle = make(chan struct{}, 1), make(chan struct{}, 1)
	u.delivery.errand.Do = u.writeShort
}

// queue lets a packet that stands for so many frames wait for the outside, if there is
// room for them. It needs the lock.
func (u *Uplink) queue(p *pkt.Packet, frames int) bool {
	if u.room.Load() < int64(frames) {
		return false
	}
	u.room.Add(-int64(frames))
	short := p.Len() <= shortFrame
	u.waiting <- p // where there is room for a frame, the channel has some for it
	switch first := u.owed.Add(1) == 1; {
	case !first:
	case short && u.try != nil:
		u.delivery.errand.After(u.network.world)
	default:
		u.kick <- struct{}{}
	}
	return true
}

// write empties the queue, whenever that is left to it, until the uplink ends.
func (u *Uplink) write() {
	for {
		select {
		case <-u.kick:
			u.writeAll()
		case <-u.quit:
			u.forget()
			return
		}
	}
}

// writeAll empties the queue.
func (u *Uplink) writeAll() {
	for more := true; more; {
		p := u.take()
		u.written(p, u.hand(p))
		more = u.paid()
	}
}

// writeShort empties the queue as far as that takes no time, and leaves the rest to the
// goroutine that writes.
func (u *Uplink) writeShort() {
	for n, more := 0, true; more; n++ {
		p := u.take()
		if n == shortTurn || p.Len() > shortFrame || u.ended() || !u.tried(p) {
			u.delivery.next = p
			u.kick <- struct{}{}
			return
		}
		more = u.paid()
	}
}

// tried gives the outside a packet, if it takes it at once.
func (u *Uplink) tried(p *pkt.Packet) bool {
	done, err := u.try.TryWriteParts(u.delivery.of(p))
	if done || err != nil {
		u.written(p, err)
		return true
	}
	return false
}

// take returns the next packet.
func (u *Uplink) take() *pkt.Packet {
	p := u.delivery.next
	if u.delivery.next = nil; p != nil {
		return p
	}
	p = <-u.waiting
	frames, _, _ := p.Frames()
	u.room.Add(int64(frames))
	return p
}

// paid counts a packet that is dealt with, and reports whether there are more. If not,
// somebody else may be at it already.
func (u *Uplink) paid() (more bool) {
	if u.owed.Add(-1) > 0 {
		return true
	}
	if u.ended() {
		select {
		case u.idle <- struct{}{}:
		default:
		}
	}
	return false
}

// ended reports whether nothing more is to be read or written.
func (u *Uplink) ended() bool {
	select {
	case <-u.quit:
		return true
	default:
		return false
	}
}

// hand gives the outside a packet.
func (u *Uplink) hand(p *pkt.Packet) (err error) {
	d := &u.delivery
	if u.offload != nil {
		_, err = u.offload.WriteParts(d.of(p))
		return err
	}
	d.frame = p.AppendTo(d.frame[:0])
	_, err = u.outside.Write(d.frame)
	return err
}

// of returns a packet as it is, in pieces behind a header.
func (d *delivery) of(p *pkt.Packet) [][]byte {
	p.PutVirtio(d.header[:])
	body := p.Body()
	padding := p.Len() - len(p.Head()) - body.Len()
	d.parts = [...][]byte{d.header[:], p.Head(), body.Bytes(), zeros[:padding]}
	return d.parts[:]
}

// written ends the journey of a packet that the outside has taken, or not.
func (u *Uplink) written(p *pkt.Packet, err error) {
	u.delivery.parts = [len(u.delivery.parts)][]byte{}
	frames, octets, _ := p.Frames()
	if err != nil {
		u.discard(p.AppendTo(nil), uplinkRefused)
	} else {
		u.out.Add(uint64(frames))
		u.outBytes.Add(uint64(octets))
	}
	p.Release()
}

// forget drops what waits. No more is added, because the uplink is closed. Somebody may
// be writing still: his write fails, and leaves the rest to this.
func (u *Uplink) forget() {
	for u.owed.Load() > 0 {
		select {
		case <-u.idle:
		case <-u.kick:
			for more := true; more; {
				u.forgetOne(u.take())
				more = u.paid()
			}
		}
	}
}

func (u *Uplink) forgetOne(p *pkt.Packet) {
	u.network.world.Enter()
	defer u.network.world.Unlock()
	u.drop(p, uplinkClosed)
}
