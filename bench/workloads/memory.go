package workloads

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
)

// footprint is what the process takes of the machine.
type footprint struct {
	heap       float64 // what Go's objects and stacks take
	total      float64 // memory of the process, and of the kernel if that is part of the contestant
	goroutines float64
}

// measureMemory collects garbage and looks at what remains.
func measureMemory(kernel bool) (footprint, error) {
	runtime.GC()
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	f := footprint{heap: float64(m.HeapAlloc + m.StackInuse), goroutines: float64(runtime.NumGoroutine())}
	var pages, resident int
	text, err := os.ReadFile("/proc/self/statm")
	if err == nil {
		_, err = fmt.Sscan(string(text), &pages, &resident)
	}
	if err != nil {
		return f, fmt.Errorf("how much memory the process has: %w", err)
	}
	f.total = float64(resident * os.Getpagesize())
	if kernel {
		slab, err := kernelMemory()
		if err != nil {
			return f, err
		}
		f.total += slab
	}
	return f, nil
}

// kernelMemory returns how much the kernel has in small objects, sockets among
// them: everybody's.
func kernelMemory() (float64, error) {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, fmt.Errorf("how much memory the kernel has: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		var kilobytes float64
		if n, _ := fmt.Sscanf(line, "Slab: %f kB", &kilobytes); n == 1 {
			return 1024 * kilobytes, nil
		}
	}
	return 0, fmt.Errorf("how much memory the kernel has: /proc/meminfo has no line Slab")
}

// since returns what has been added per piece.
func (f footprint) since(before footprint, pieces int) Sample {
	n := float64(pieces)
	return Sample{
		"heap":       (f.heap - before.heap) / n,
		"total":      (f.total - before.total) / n,
		"all":        (f.total - before.total) / 1e9,
		"goroutines": (f.goroutines - before.goroutines) / n,
	}
}
