package capture

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"hubbub/clock"
	"hubbub/event"
	"hubbub/wire"
)

// A crowd is what calls a port in quick succession from addresses that nobody
// has: a SYN flood. The first few calls are told of; of the others how many
// there were, and nothing that comes of them.
type crowd struct {
	ports map[netip.AddrPort]*callers // by what they call
	muted map[conversationKey]bool
}

// callers are the strangers that call one port.
type callers struct {
	node   string     // from which they call
	last   clock.Time // when one did
	n      int        // in this succession
	untold int
}

const (
	crowdTold  = 3                     // so many are told of
	crowdPause = 10 * time.Millisecond // what is further apart is no crowd
)

func newCrowd() crowd {
	return crowd{ports: make(map[netip.AddrPort]*callers), muted: make(map[conversationKey]bool)}
}

// crowded reports whether a packet that is sent is not to be told of.
func (s *Story) crowded(e *event.Event, p *Packet) bool {
	if s.o.Detail >= Depths {
		return false
	}
	if q, ok := p.Quoted(); ok {
		p = &q
	}
	if p.Has&LayerTCP == 0 {
		return false
	}
	src, dst := p.Source(), p.Destination()
	key := keyOf(p.IP.Protocol, src, dst)
	if s.crowd.muted[key] {
		return true
	}
	if p.TCP.Flags&(wire.SYN|wire.ACK) != wire.SYN || s.o.Names[src.Addr()] != "" {
		return false
	}
	return s.crowd.calls(e, dst, key)
}

// muted reports whether an event is about a connection that is not told of.
func (s *Story) muted(e *event.Event) bool {
	if len(s.crowd.muted) == 0 {
		return false
	}
	var f event.Flow
	switch b := e.Body.(type) {
	case event.TCPState:
		f = b.Flow
	case event.TimerFired:
		f = b.Flow
	case event.Advice:
		f = b.Flow
	default:
		return false
	}
	return s.crowd.muted[keyOf(wire.ProtocolTCP, f.Local, f.Remote)]
}

// calls counts a stranger's call, and reports whether it is one too many.
func (c *crowd) calls(e *event.Event, dst netip.AddrPort, key conversationKey) bool {
	at := c.ports[dst]
	if at == nil {
		if len(c.ports) >= maxOrigins {
			return false
		}
		at = &callers{node: e.Node, last: e.Time}
		c.ports[dst] = at
	}
	if e.Time.Sub(at.last) > crowdPause {
		at.n = 0
	}
	at.last, at.n = e.Time, at.n+1
	if at.n <= crowdTold {
		return false
	}
	if len(c.muted) >= maxOrigins {
		clear(c.muted)
	}
	c.muted[key] = true
	at.untold++
	return true
}

// tellCrowds tells how many were not told of until then.
func (s *Story) tellCrowds(now clock.Time) {
	for _, dst := range slices.SortedFunc(maps.Keys(s.crowd.ports), netip.AddrPort.Compare) {
		at := s.crowd.ports[dst]
		if at.untold == 0 {
			continue
		}
		s.sayAt(now, at.node, 0, fmt.Sprintf("has sent %d more SYNs to %s, each from another address", at.untold, s.socket(dst)))
		at.untold = 0
	}
}
