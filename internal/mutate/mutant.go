package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// mutant is one small mistake.
type mutant struct {
	id       int
	file     string // base name
	function string // around it, "Conn.arrive"
	line     int
	was, now string
	nth      int    // which of the same in the same function, from 1
	excuse   string // why it is equivalent; empty if it is not

	fate   fate
	killer string // the test that failed, or "time" or "crash"
}

// fate is what became of a mutant.
type fate uint8

const (
	notTried  fate = iota
	killed         // a test failed
	survived       // all tests passed
	unreached      // no test comes there
)

// key names a mutant independently of lines: it stays the same while the
// function around it changes.
func (m *mutant) key() string {
	key := fmt.Sprintf("%s %s: %s -> %s", m.file, m.function, m.was, m.now)
	if m.nth > 1 {
		key += fmt.Sprintf(" #%d", m.nth)
	}
	return key
}

// choose returns the mutants that are to be judged: those of the named files
// and with the given keys (nil for all) that are not equivalent, or so many of them
// drawn by chance.
func choose(all []*mutant, files, keys map[string]bool, sample int, seed uint64) (chosen []*mutant) {
	for _, m := range all {
		if m.excuse == "" && (files == nil || files[m.file]) && (keys == nil || keys[m.key()]) {
			chosen = append(chosen, m)
		}
	}
	if sample == 0 || sample >= len(chosen) {
		return chosen
	}
	random := rand.New(rand.NewPCG(seed, 0))
	random.Shuffle(len(chosen), func(i, j int) { chosen[i], chosen[j] = chosen[j], chosen[i] })
	chosen = chosen[:sample]
	slices.SortFunc(chosen, func(a, b *mutant) int { return a.id - b.id })
	return chosen
}
