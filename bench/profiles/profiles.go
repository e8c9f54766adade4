// Package profiles says what the processors' time of a program went into: which
// of hubbub's layers, copying, waking goroutines, memory, or the kernel.
package profiles

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/google/pprof/profile"
)

// A Part is what time goes into.
type Part struct {
	Name  string // in Shares
	Title string
}

// Parts returns all parts, in the order of tables.
func Parts() []Part {
	return []Part{
		{"copying", "copying"},
		{"sockets", "sockets"},
		{"tcp", "TCP"},
		{"stack", "UDP, IP, Ethernet"},
		{"packets", "packets and headers"},
		{"world", "cables, switches, clock"},
		{"uplink", "uplink"},
		{"scheduler", "waking, waiting, locks"},
		{"memory", "memory"},
		{"kernel", "the kernel"},
		{"program", "the program"},
	}
}

// Shares are the parts of the time, by the parts' names. They add up to 1.
type Shares map[string]float64

// Read returns the shares of a profile that runtime/pprof wrote, none of one without
// a sample.
func Read(file string) (Shares, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p, err := profile.Parse(f)
	if err != nil {
		return nil, fmt.Errorf("%s is no profile: %w", file, err)
	}
	shares, whole := make(Shares), 0.0
	for _, s := range p.Sample {
		took := float64(s.Value[0])
		shares[partOf(functions(s))] += took
		whole += took
	}
	for name := range shares {
		shares[name] /= whole // which isn't zero, as there is a share
	}
	return shares, nil
}

// functions returns the names of what was at work, the innermost first.
func functions(s *profile.Sample) (names []string) {
	for _, at := range s.Location {
		for _, line := range at.Line {
			if line.Function != nil {
				names = append(names, line.Function.Name)
			}
		}
	}
	return names
}

// packages says of which part a function is whose package, or a package around it,
// is called so; the first that fits counts.
var packages = []struct{ path, part string }{
	{"hubbub/bench", "program"},
	{"hubbub/transport/tcp", "tcp"},
	{"hubbub/stack", "stack"},
	{"hubbub/network", "stack"},
	{"hubbub/internal/pkt", "packets"},
	{"hubbub/wire", "packets"},
	{"hubbub/sim", "world"},
	{"hubbub/link", "world"},
	{"hubbub/clock", "world"},
	{"hubbub/event", "world"},
	{"hubbub/internal/timerq", "world"},
	{"hubbub/socket", "sockets"},
	{"hubbub/edge", "uplink"},
	{"hubbub", "sockets"},
}

// What of Go's runtime is a part of its own, whoever has called it.
var (
	allocating = []string{
		"runtime.mallocgc", "runtime.newobject", "runtime.growslice", "runtime.gcBgMarkWorker", "runtime.gcAssistAlloc",
		"runtime.bgsweep", "runtime.bgscavenge", "runtime.gcStart", "runtime.GC", "runtime.wbBufFlush",
	}
	scheduling = []string{
		"runtime.schedule", "runtime.mcall", "runtime.park_m", "runtime.gopark", "runtime.goready", "runtime.chansend", "runtime.chanrecv",
		"runtime.selectgo", "runtime.futex", "runtime.sysmon", "runtime.mstart", "runtime.gogo", "runtime.unlock2", "runtime.lock2",
		"runtime.morestack", "runtime.goexit0", "runtime.newproc", "runtime.resetspinning", "runtime.asyncPreempt2",
		"sync.(*Mutex).lockSlow", "internal/sync.(*Mutex).lockSlow", "internal/sync.(*Mutex).unlockSlow", "sync.(*Cond).Wait",
	}
	calling = []string{"syscall.", "internal/runtime/syscall", "golang.org/x/sys/unix."}
)

// partOf returns what a sample's time went into. What the runtime and the standard
// library do for a package is that package's, but for what is a part of its own.
func partOf(stack []string) string {
	if len(stack) > 0 && stack[0] == "runtime.memmove" {
		return "copying"
	}
	for _, name := range stack {
		switch {
		case strings.HasPrefix(name, "hubbub"):
			return packageOf(name)
		case slices.ContainsFunc(allocating, func(f string) bool { return strings.HasPrefix(name, f) }):
			return "memory"
		case slices.ContainsFunc(scheduling, func(f string) bool { return strings.HasPrefix(name, f) }):
			return "scheduler"
		case slices.ContainsFunc(calling, func(f string) bool { return strings.HasPrefix(name, f) }):
			return "kernel"
		}
	}
	return "program"
}

func packageOf(function string) string {
	for _, p := range packages {
		if rest, ok := strings.CutPrefix(function, p.path); ok && strings.IndexAny(rest, "./") == 0 {
			return p.part
		}
	}
	return "program"
}
