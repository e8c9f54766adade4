package socket

import (
	"context"
	"errors"
	"slices"
	"syscall"

	"hubbub/clock"
	"hubbub/sim"
)

// The events of epoll(7) are the conditions of poll(2), and these.
const (
	EPOLLEXCLUSIVE = 1 << 28 // of several sets, one that waits is woken
	EPOLLWAKEUP    = 1 << 29 // no machine here sleeps
	EPOLLONESHOT   = 1 << 30 // told once, until Modify
	EPOLLET        = 1 << 31 // told when something changes, not while it holds
)

const epollPrivate = EPOLLEXCLUSIVE | EPOLLWAKEUP | EPOLLONESHOT | EPOLLET

// An EpollEvent is what Wait tells of a socket: what holds, and what Add was
// given to know it by.
type EpollEvent struct {
	Events uint32
	Data   uint64
}

// An Epoll is a set of sockets whose changes can be waited for: epoll(7). Its
// methods may be called from several goroutines at once.
type Epoll struct {
	host   *Host
	items  map[*Socket]*epollItem
	ready  []*epollItem // in the order in which they are told
	list   sim.WaitList
	closed bool
}

// epollItem is a socket in an Epoll.
type epollItem struct {
	watch
	epoll  *Epoll
	socket *Socket
	EpollEvent
	queued bool // among the ready
}

// NewEpoll returns an empty set.
func (h *Host) NewEpoll() *Epoll { return &Epoll{host: h, items: make(map[*Socket]*epollItem)} }

// enter locks the world.
func (e *Epoll) enter() error {
	e.host.world.Enter()
	err := e.host.world.Err()
	if e.closed {
		err = syscall.EBADF
	}
	if err != nil {
		e.host.world.Unlock()
	}
	return err
}

// exclusive are the events that may be waited for with EPOLLEXCLUSIVE.
const exclusive = POLLIN | POLLOUT | POLLERR | POLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE

// Add puts a socket into the set. The errors are EEXIST if it is there, EBADF
// if it is closed, EINVAL for events that don't go together.
func (e *Epoll) Add(s *Socket, events uint32, data uint64) error {
	if err := e.enter(); err != nil {
		return failed("epoll_ctl", err)
	}
	defer e.host.world.Leave(e.host.node)
	return failed("epoll_ctl", e.add(s, events, data))
}

func (e *Epoll) add(s *Socket, events uint32, data uint64) error {
	switch {
	case s.closed:
		return syscall.EBADF
	case e.items[s] != nil:
		return syscall.EEXIST
	case events&EPOLLEXCLUSIVE != 0 && events&^uint32(exclusive) != 0:
		return syscall.EINVAL
	}
	i := &epollItem{epoll: e, socket: s, EpollEvent: EpollEvent{events, data}}
	i.by, i.all = i, events&EPOLLEXCLUSIVE == 0
	e.items[s] = i
	s.watch(&i.watch)
	i.look()
	return nil
}

// Modify changes what is waited for on a socket of the set. The errors are
// ENOENT if it isn't there, and EINVAL where EPOLLEXCLUSIVE is involved.
func (e *Epoll) Modify(s *Socket, events uint32, data uint64) error {
	if err := e.enter(); err != nil {
		return failed("epoll_ctl", err)
	}
	defer e.host.world.Leave(e.host.node)
	i := e.items[s]
	switch {
	case i == nil:
		return failed("epoll_ctl", syscall.ENOENT)
	case (events|i.Events)&EPOLLEXCLUSIVE != 0:
		return failed("epoll_ctl", syscall.EINVAL)
	}
	i.EpollEvent = EpollEvent{events, data}
	i.look()
	return nil
}

// Delete takes a socket out of the set. The error is ENOENT if it isn't there.
func (e *Epoll) Delete(s *Socket) error {
	if err := e.enter(); err != nil {
		return failed("epoll_ctl", err)
	}
	defer e.host.world.Unlock()
	if e.items[s] == nil {
		return failed("epoll_ctl", syscall.ENOENT)
	}
	e.drop(e.items[s])
	return nil
}

func (e *Epoll) drop(i *epollItem) {
	i.socket.unwatch(i)
	delete(e.items, i.socket)
	if i.queued {
		e.ready = slices.DeleteFunc(e.ready, func(o *epollItem) bool { return o == i })
	}
}

// Close gives up the set, and wakes those who wait with EBADF.
func (e *Epoll) Close() error {
	if err := e.enter(); err != nil {
		return failed("close", err)
	}
	defer e.host.world.Leave(e.host.node)
	for _, i := range e.items {
		i.socket.unwatch(i)
	}
	e.items, e.ready, e.closed = nil, nil, true
	e.list.WakeAll()
	return nil
}

// forsake takes a socket that is closed out of all sets, and lets those who
// poll it look.
func (s *Socket) forsake() {
	for l := s.more().watched; l != nil && l.first != nil; {
		w := l.first
		l.first = w.next
		w.by.changed(s, POLLNVAL)
		if i, ok := w.by.(*epollItem); ok {
			i.epoll.drop(i)
		}
	}
	if s.rare != nil {
		s.rare.watched = nil
	}
}

// look queues the item if something that is waited for holds.
func (i *epollItem) look() {
	if i.holding() != 0 {
		i.queue()
	}
}

// holding returns what holds of what is waited for; nothing while the item
// rests after EPOLLONESHOT.
func (i *epollItem) holding() uint32 {
	wanted := i.Events &^ epollPrivate
	if wanted == 0 && i.Events&EPOLLONESHOT != 0 {
		return 0
	}
	return uint32(i.socket.conditions()) & (wanted | POLLERR | POLLHUP)
}

func (i *epollItem) queue() {
	if !i.queued {
		i.queued = true
		i.epoll.ready = append(i.epoll.ready, i)
	}
	i.epoll.list.WakeAll()
}

// changed queues the item if the change is one that is waited for.
func (i *epollItem) changed(_ *Socket, edge int) bool {
	wanted := i.Events &^ epollPrivate
	resting := wanted == 0 && i.Events&EPOLLONESHOT != 0
	if resting || uint32(edge)&(wanted|POLLERR|POLLHUP) == 0 {
		return false
	}
	waited := !i.epoll.list.Empty()
	i.queue()
	return waited
}

// Wait waits until there is something to tell about a socket of the set, fills
// in events and returns how many: epoll_wait(2). A negative time-out is none,
// zero doesn't wait. EINVAL says that there is no room for an event.
func (e *Epoll) Wait(events []EpollEvent, timeout clock.Duration) (int, error) {
	if len(events) == 0 {
		return 0, failed("epoll_wait", syscall.EINVAL)
	}
	if err := e.enter(); err != nil {
		return 0, failed("epoll_wait", err)
	}
	defer e.host.world.Leave(e.host.node)
	until := clock.Never
	if timeout > 0 {
		until = e.host.world.Now().Add(timeout)
	}
	for {
		if n := e.take(events); n > 0 || timeout == 0 {
			return n, nil
		}
		_, err := e.host.world.Wait(context.Background(), e.host.node, &e.list, until)
		switch {
		case errors.Is(err, errDeadline):
			return e.take(events), nil
		case err != nil:
			return 0, failed("epoll_wait", err)
		case e.closed:
			return 0, failed("epoll_wait", syscall.EBADF)
		}
	}
}

// take tells what the ready have to tell. Those that go on holding are told
// again, after the others.
func (e *Epoll) take(events []EpollEvent) (n int) {
	ready := e.ready
	e.ready = nil
	for len(ready) > 0 && n < len(events) {
		i := ready[0]
		ready = ready[1:]
		i.queued = false
		holds := i.holding()
		if holds == 0 {
			continue
		}
		events[n] = EpollEvent{holds, i.Data}
		n++
		switch {
		case i.Events&EPOLLONESHOT != 0:
			i.Events &= epollPrivate
		case i.Events&EPOLLET == 0:
			i.queued = true
			e.ready = append(e.ready, i)
		}
	}
	e.ready = append(ready, e.ready...)
	return n
}
