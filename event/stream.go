package event

import (
	"hubbub/clock"
)

// An ID names an event of one world: 1 for the first. Zero is no event.
type ID uint64

// An Event is something that happened.
type Event struct {
	ID    ID
	Cause ID // the event that brought this one about, or zero
	Time  clock.Time
	Node  string // the host, router, switch, hub or cable where it happened
	Body  Body
}

// A Body says what happened. The types of this package that implement it are
// the only ones.
type Body interface {
	isBody()
	String() string
}

// A Stream numbers events and hands them to its listeners, in order. It is
// plain data: the world's lock guards it. The zero Stream has no listeners.
type Stream struct {
	last      ID
	cause     ID
	listeners []func(*Event)
}

// Listen adds a listener. It is called under the world's lock for every event
// from then on, and must neither block nor call into the world. The Event and
// all it refers to may be kept, but not changed.
func (s *Stream) Listen(f func(*Event)) { s.listeners = append(s.listeners, f) }

// On reports whether anybody listens. Nobody need prepare an event otherwise.
func (s *Stream) On() bool { return len(s.listeners) > 0 }

// Cause returns the event that is being handled: whatever is published now
// was brought about by it.
func (s *Stream) Cause() ID { return s.cause }

// Upcoming returns the ID that the next event will have, zero if nobody
// listens.
func (s *Stream) Upcoming() ID {
	if !s.On() {
		return 0
	}
	return s.last + 1
}

// Because makes id the current cause and returns the one before, to be put
// back when the handling of id is over.
func (s *Stream) Because(id ID) (before ID) {
	before, s.cause = s.cause, id
	return before
}

// Publish tells the listeners that body happened at node because of the
// current cause. It returns the new event's ID, or zero if nobody listens.
func (s *Stream) Publish(now clock.Time, node string, body Body) ID {
	return s.PublishCaused(now, node, s.cause, body)
}

// PublishCaused is [Stream.Publish] with a cause of its own.
func (s *Stream) PublishCaused(now clock.Time, node string, cause ID, body Body) ID {
	if !s.On() {
		return 0
	}
	s.last++
	e := &Event{ID: s.last, Cause: cause, Time: now, Node: node, Body: body}
	for _, listener := range s.listeners {
		listener(e)
	}
	return e.ID
}
