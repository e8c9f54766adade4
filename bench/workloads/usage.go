package workloads

import (
	"runtime"
	"syscall"
	"time"
)

// usage is what the process has used until now.
type usage struct {
	at      time.Time
	cpu     time.Duration // of all its threads, in user and kernel mode
	mallocs uint64
}

func used() usage {
	var r syscall.Rusage
	// It can't fail for the process itself.
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return usage{
		at: time.Now(), mallocs: m.Mallocs,
		cpu: time.Duration(r.Utime.Nano() + r.Stime.Nano()),
	}
}

// since returns the seconds, the seconds of a processor and the allocations
// since an earlier moment.
func (u usage) since(before usage) (seconds, cpu, mallocs float64) {
	return u.at.Sub(before.at).Seconds(), (u.cpu - before.cpu).Seconds(), float64(u.mallocs - before.mallocs)
}
