package sim

import (
	"fmt"
	"slices"
	"strings"

	"hubbub/internal/pkt"
)

// A delivery is a frame that has arrived at a port.
type delivery struct {
	node   *Node
	port   int
	packet *pkt.Packet
}

// inbox holds the deliveries of the present instant, first in, first out.
type inbox struct {
	ring  []delivery // its length is a power of two
	first int
	count int
}

func (b *inbox) push(d delivery) {
	if b.count == len(b.ring) {
		b.grow()
	}
	b.ring[(b.first+b.count)&(len(b.ring)-1)] = d
	b.count++
}

func (b *inbox) pop() (delivery, bool) {
	if b.count == 0 {
		return delivery{}, false
	}
	d := b.ring[b.first]
	b.ring[b.first] = delivery{}
	b.first = (b.first + 1) & (len(b.ring) - 1)
	b.count--
	return d, true
}

// nextIsFor reports whether the next delivery is one to n.
func (b *inbox) nextIsFor(n *Node) bool { return b.count > 0 && b.ring[b.first].node == n }

func (b *inbox) grow() {
	ring := make([]delivery, max(64, 2*len(b.ring)))
	n := copy(ring, b.ring[b.first:])
	copy(ring[n:], b.ring[:b.first])
	b.ring, b.first = ring, 0
}

func (b *inbox) clear() {
	for {
		d, ok := b.pop()
		if !ok {
			return
		}
		d.packet.Release()
	}
}

// stormLimit is how many frames may arrive in one instant, without a program
// or a timer having had its turn, before the world is stopped.
const stormLimit = 1 << 20

// stormNames is how many deliveries past the limit are kept, to name the loop.
const stormNames = 64

// stormWatch notices frames that go round in a loop of switches joined by
// cables without delay: they would keep the world at one instant for ever.
type stormWatch struct {
	frames int
	trail  []string
}

func (s *stormWatch) reset() { s.frames = 0 }

// note keeps the name of the port at which one of the last frames below the
// limit has arrived, and returns the error when that is reached.
func (s *stormWatch) note(d delivery) error {
	s.trail = append(s.trail, d.node.Name+"/"+d.node.ports[d.port].name)
	if s.frames < stormLimit {
		return nil
	}
	slices.Sort(s.trail)
	return &StormError{Ports: slices.Compact(s.trail)}
}

// A StormError says that frames went round in a loop within one instant: a
// broadcast storm. Cables with a delay, or no loop, would be right.
type StormError struct {
	Ports []string // the ports that the frames came by, sorted
}

func (e *StormError) Error() string {
	return fmt.Sprintf("broadcast storm: over %d frames in one instant, going round by %s; "+
		"take a cable out of the loop, or give its cables a delay", stormLimit, strings.Join(e.Ports, ", "))
}
