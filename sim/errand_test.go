package sim

import (
	"slices"
	"testing"
)

// An errand is run once, by who had the lock, and no sooner than he has given it up: he
// may take it again, and want the same errand to be run another time.
func TestErrandsAreRunWithoutTheLock(t *testing.T) {
	w := New(Paused, 1)
	defer w.Close()
	var done []string
	again := true
	var first, second Errand
	first.Do = func() {
		w.Enter()
		done = append(done, "first")
		if again {
			again = false
			first.After(w)
		}
		w.Unlock()
	}
	second.Do = func() { done = append(done, "second") }
	w.Enter()
	first.After(w)
	second.After(w)
	if len(done) > 0 {
		t.Errorf("%v under the lock", done)
	}
	w.Unlock()
	w.Enter()
	w.Unlock()
	if want := []string{"second", "first", "first"}; !slices.Equal(done, want) {
		t.Errorf("%v, want %v", done, want)
	}
}
