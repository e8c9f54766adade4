package drill

import (
	"sync"
	"syscall"
	"time"

	"hubbub/clock"
)

// patience is how long netdev_receive waits for a packet, in the world's time.
const patience = 5 * time.Minute

// turns decides which of packetdrill's threads may move the world.
type turns struct {
	mu   sync.Mutex
	cond sync.Cond
	main int64 // the thread that made the machine

	arrived   int64         // calls of other threads that have come in
	waiting   []*systemCall // of other threads, that aren't over
	returning int           // calls that are over, and whose thread hasn't asked for the time
	returned  clock.Time    // when the last of them was over
	released  bool          // one has returned since the clock last moved
}

// A systemCall is a call that runs as a program of the world.
type systemCall struct {
	result int64
	errno  syscall.Errno
	over   bool
	wake   chan struct{}
}

// enter lets a thread into the machine when it is its turn: the main thread
// waits until every other one sleeps in a call, or has asked for the time after
// it.
func (m *Machine) enter(thread, entered int64) {
	t := &m.turns
	t.mu.Lock()
	if thread != t.main {
		t.arrived++
		t.cond.Broadcast()
		return
	}
	for t.arrived < entered || t.returning > 0 {
		t.cond.Wait()
	}
}

func (m *Machine) leave() { m.turns.mu.Unlock() }

// run makes f, which may wait, as a call of the thread that is inside. Called
// by the main thread it moves the clock until f returns.
func (m *Machine) run(a *Args, f func() (int64, syscall.Errno)) (int64, syscall.Errno) {
	t := &m.turns
	c := &systemCall{wake: make(chan struct{}, 1)}
	m.world.Go("call", func() {
		c.result, c.errno = f()
		c.over = true
	})
	_ = m.world.RunFor(0) // a world that has stopped makes the calls fail
	switch {
	case a.Thread == t.main:
		m.settle()
		for limit := m.now().Add(patience); !c.over && m.step(limit); {
			m.settle()
		}
		if !c.over {
			return -1, syscall.EINTR
		}
	case !c.over:
		t.waiting = append(t.waiting, c)
		t.mu.Unlock()
		<-c.wake
		t.mu.Lock()
	default:
		t.returning++
		t.returned = m.now()
	}
	return c.result, c.errno
}

// settle lets calls that are over return, and waits until their thread has
// asked for the time. The main thread is inside.
func (m *Machine) settle() {
	t := &m.turns
	still := t.waiting[:0]
	for _, c := range t.waiting {
		if !c.over {
			still = append(still, c)
			continue
		}
		t.returning++
		t.returned = m.now()
		c.wake <- struct{}{}
	}
	t.waiting = still
	for t.returning > 0 {
		t.cond.Wait()
	}
}

// now returns the world's time.
func (m *Machine) now() clock.Time {
	defer m.world.Unlock()
	return m.world.Enter()
}

// step lets the next thing happen that is due until limit. Without any it
// moves the clock there and reports false.
func (m *Machine) step(limit clock.Time) bool {
	now, next := m.now(), m.world.NextEvent()
	due := next.Due(limit)
	if !due {
		next = limit
	}
	_ = m.world.RunFor(max(0, next.Sub(now)))
	return due
}

// pass moves the clock by d, and lets happen what is due on the way. Where time
// passes by itself, a thread whose call is over has come to use what it got
// before the script goes on; so wait a moment for it.
func (m *Machine) pass(d clock.Duration) {
	if m.turns.released && d > time.Millisecond {
		m.turns.released = false
		time.Sleep(2 * time.Millisecond)
	}
	limit := m.now().Add(d)
	for more := true; more; {
		more = m.step(limit)
		m.settle()
	}
}

// usleep is usleep(3).
func (m *Machine) usleep(a *Args) (int64, syscall.Errno) {
	m.pass(time.Duration(a.N[0]) * time.Microsecond)
	return 0, 0
}

// gettimeofday is gettimeofday(2). The second thread asks once after a call that
// is over, and is told when that was; before a call it waits as the main one
// does.
func (m *Machine) gettimeofday(a *Args) (int64, syscall.Errno) {
	t := &m.turns
	now := t.returned
	if a.Thread != t.main && t.returning > 0 {
		t.returning--
		t.released = true
		t.cond.Broadcast()
	} else {
		m.pass(time.Microsecond)
		now = m.now()
	}
	if tv := at[syscall.Timeval](a, 0); tv != nil {
		*tv = syscall.NsecToTimeval(m.epoch.Add(clock.Duration(now)).UnixNano())
	}
	return 0, 0
}
