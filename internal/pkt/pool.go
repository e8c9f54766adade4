package pkt

import "sync"

// packets are those that belong to no Pool.
var packets = sync.Pool{New: func() any { return new(Packet) }}

// A Pool keeps the packets that were made with it and are released, to be made
// again: without what it takes to be safe for all, which costs as much as a packet's headers.
// It, its packets and their clones are for those who hold the same lock; what
// goes elsewhere must [Packet.Emigrate]. The zero Pool is empty, and nil stands for all.
type Pool struct {
	free []*Packet
}

// poolMost is how many packets a Pool keeps: more than 64 KiB of payload are cut into
// for Ethernet.
const poolMost = 64

// New returns an empty Packet with room for all headers.
func (l *Pool) New() *Packet {
	p := l.get()
	p.start, p.home = HeadRoom, l
	return p
}

// Emigrate lets any goroutine read and release the packet.
func (p *Packet) Emigrate() {
	p.home = nil
	if p.body.c != nil {
		p.body.c.own(0)
	}
}

// get returns a packet that is empty but for its head.
func (l *Pool) get() *Packet {
	if l == nil || len(l.free) == 0 {
		return packets.Get().(*Packet)
	}
	last := len(l.free) - 1
	p := l.free[last]
	l.free[last], l.free = nil, l.free[:last]
	return p
}

func (l *Pool) put(p *Packet) {
	if l == nil || len(l.free) == poolMost {
		p.home = nil
		packets.Put(p)
		return
	}
	l.free = append(l.free, p)
}
