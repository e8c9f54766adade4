package socket

import (
	"maps"

	"hubbub/clock"
	"hubbub/stack"
)

// more is what only some sockets have: a socket that uses none of it holds a
// pointer.
type more struct {
	choices
	kept       map[place]int  // options that are kept for whoever asks
	timeout    clock.Duration // of a call that waits, zero for none
	sendBuffer int            // as it was set, where nothing depends on it
	watched    *watching
	errors     *errorQueue // nil if there was never anything to be told
}

// choices are what a listener's connections have from it.
type choices struct {
	lingerSet                    bool
	linger                       clock.Duration
	receiveTimeout, sendTimeout  clock.Duration
	lowWater                     int              // octets that make a stream readable, zero for one
	stamping                     uint32           // what SO_TIMESTAMPING asks for
	tellUnread                   bool             // RecvMsg tells how much is left (TCP_INQ)
	tellTOS, tellTTL, tellTo     bool             // RecvMsg tells about a datagram's header
	tellClass, tellHops, tellTo6 bool             // the same of IPv6
	sticky                       *stack.Ancillary // of all datagrams that are sent (IPV6_PKTINFO); nil: nothing
}

// nothingMore is what sockets without have. It is never written to.
var nothingMore more

// more returns the socket's rarely used side, to be read.
func (s *Socket) more() *more {
	if s.rare == nil {
		return &nothingMore
	}
	return s.rare
}

// change returns the socket's rarely used side, to be changed.
func (s *Socket) change() *more {
	if s.rare == nil {
		s.rare = new(more)
	}
	return s.rare
}

// inherit takes over what a listener's connections have from it.
func (s *Socket) inherit(from *Socket) {
	if m := from.more(); m.choices != (choices{}) || len(m.kept) > 0 {
		s.rare = &more{choices: m.choices, kept: maps.Clone(m.kept)}
	}
}

// setTimeout sets how long a call waits, zero for as long as it takes.
func (s *Socket) setTimeout(d clock.Duration) {
	if s.more().timeout != d {
		s.change().timeout = d
	}
}

// keep notes an option's value for whoever asks.
func (s *Socket) keep(at place, v int) error {
	m := s.change()
	if m.kept == nil {
		m.kept = make(map[place]int)
	}
	m.kept[at] = v
	return nil
}
