package main

import (
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// A metronome wakes the program up at each beat while somebody needs it. A Go
// program that has nothing to do waits for its timers in epoll_wait, whose time
// is in whole milliseconds: a delay of half a millisecond would be one of up to
// 1.5. Whenever the program wakes up it looks at its timers.
type metronome struct {
	mutex sync.Mutex
	users int
	file  *os.File
}

// beat is how exact real time is while the metronome goes.
const beat = 100 * time.Microsecond

// exact is the metronome of all cells with short delays.
var exact metronome

// start makes it go.
func (m *metronome) start() error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.users++
	if m.users > 1 {
		return nil
	}
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return err
	}
	m.file = os.NewFile(uintptr(fd), "metronome")
	every := unix.NsecToTimespec(int64(beat))
	if err := unix.TimerfdSettime(fd, 0, &unix.ItimerSpec{Interval: every, Value: every}, nil); err != nil {
		return err
	}
	go wakeUp(m.file)
	return nil
}

// wakeUp waits for beats until there are none any more.
func wakeUp(f *os.File) {
	var beats [8]byte
	for {
		if _, err := f.Read(beats[:]); err != nil {
			return
		}
	}
}

// stop ends one user's need.
func (m *metronome) stop() error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if m.users--; m.users > 0 || m.file == nil {
		return nil
	}
	return m.file.Close()
}
