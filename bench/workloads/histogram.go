package workloads

import (
	"math/bits"
	"time"
)

// A histogram counts durations, exact to one part in 256, without allocation.
type histogram struct {
	counts [64 << fine]uint32
	n      uint64
}

const fine = 8 // bits of a duration that are kept behind the highest

func (h *histogram) add(d time.Duration) {
	h.counts[bucket(uint64(d))]++
	h.n++
}

// bucket numbers the durations: those below 256 ns exactly.
func bucket(d uint64) int {
	if d < 1<<fine {
		return int(d)
	}
	shift := bits.Len64(d) - 1 - fine
	return (shift+1)<<fine + int(d>>shift)&(1<<fine-1)
}

// middle returns the duration in the middle of a bucket.
func middle(i int) float64 {
	if i < 1<<fine {
		return float64(i)
	}
	shift := i>>fine - 1
	low := uint64(1<<fine+i&(1<<fine-1)) << shift
	return float64(low) + float64(uint64(1)<<shift)/2
}

func (h *histogram) merge(other *histogram) {
	for i, n := range other.counts {
		h.counts[i] += n
	}
	h.n += other.n
}

// quantile returns the duration, in nanoseconds, that the fraction q of all is
// at most; zero if there are none.
func (h *histogram) quantile(q float64) float64 {
	if h.n == 0 {
		return 0
	}
	wanted := max(1, uint64(q*float64(h.n)+0.5))
	seen := uint64(0)
	for i, n := range h.counts {
		if seen += uint64(n); seen >= wanted {
			return middle(i)
		}
	}
	return 0
}
