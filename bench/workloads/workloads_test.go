package workloads

import (
	"errors"
	"math"
	"testing"
	"time"
)

// Each duration is counted where the middle is no further from it than one part
// in 256.
func TestAHistogramIsExactToOnePartIn256(t *testing.T) {
	for d := time.Duration(1); d < 100*time.Second; d += d/97 + 1 {
		var h histogram
		h.add(d)
		if got := h.quantile(0.5); math.Abs(got-float64(d)) > float64(d)/256 {
			t.Errorf("%d ns became %v", d, got)
		}
	}
}

func TestQuantiles(t *testing.T) {
	var h, other histogram
	for d := range time.Duration(100) {
		if d%2 == 0 {
			h.add(d + 1)
		} else {
			other.add(d + 1)
		}
	}
	h.merge(&other)
	for q, want := range map[float64]float64{0: 1, 0.5: 50, 0.99: 99, 1: 100} {
		if got := h.quantile(q); got != want {
			t.Errorf("the quantile %v of 1 to 100 is %v, want %v", q, got, want)
		}
	}
	if got := new(histogram).quantile(0.5); got != 0 {
		t.Errorf("the median of nothing is %v", got)
	}
}

// What was read is compared with what the stream has there: a byte changed, a
// buffer lost, doubled or exchanged is noticed.
func TestWrongBytesAreNoticed(t *testing.T) {
	for _, offset := range []int64{0, 1, bufferSize, 3*bufferSize - 5, 1 << 40} {
		right := make([]byte, bufferSize)
		for i := range right {
			right[i] = payload[(offset+int64(i))%int64(len(payload))]
		}
		if err := errors.Join(checkAll(offset, right), checkEnds(offset, right)); err != nil {
			t.Errorf("at %d: %v", offset, err)
		}
		if checkAll(offset+bufferSize, right) == nil || checkEnds(offset+bufferSize, right) == nil {
			t.Errorf("at %d: a lost buffer isn't noticed", offset)
		}
		right[bufferSize/2] ^= 1
		if checkAll(offset, right) == nil {
			t.Errorf("at %d: a changed bit isn't noticed", offset)
		}
	}
}

func TestNamesAreUnique(t *testing.T) {
	known := make(map[string]bool)
	for _, w := range All() {
		if known[w.Name] || Find(w.Name) == nil || len(w.Metrics) == 0 || len(w.Contestants) == 0 {
			t.Errorf("workload %q is there twice, or isn't complete", w.Name)
		}
		known[w.Name] = true
	}
}
