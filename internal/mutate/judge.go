package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// judge runs the tests on the mutants.
type judge struct {
	p       *sourcePackage
	o       options
	work    string // directory of its files
	binary  string
	tests   []test
	reached map[int][]int // by mutant: the tests that reach it, by index, quick ones first
	initial map[int]bool  // mutants that are reached before any test
	broken  []string      // tests that fail without any mutant
	slow    []string      // tests that would take longer than they may
	spent   atomic.Int64  // processor time of all runs, in nanoseconds

	lock    sync.Mutex
	killers map[string]int // by function: the test that last killed a mutant there
}

type test struct {
	name string
	took time.Duration // of the processor
	ids  []int         // mutants that it reaches
}

// build compiles the package's tests with all mutants in them.
func (p *sourcePackage) build(o options) (*judge, error) {
	if o.workers == 0 {
		o.workers = runtime.NumCPU()
	}
	j := &judge{p: p, o: o, reached: map[int][]int{}, initial: map[int]bool{}, killers: map[string]int{}}
	var err error
	if j.work, err = os.MkdirTemp("", "mutate"); err != nil {
		return nil, err
	}
	j.binary = filepath.Join(j.work, "tests")
	overlay, err := j.overlay()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", j.binary, "./"+p.path)
	cmd.Dir = p.root
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("the package with its mutants doesn't compile (a TestMain of its own can't be); the texts are in %s: %w\n%s", j.work, err, out)
	}
	return j, nil
}

func (j *judge) close() { _ = os.RemoveAll(j.work) }

// overlay writes the package's files anew, beside it, and tells the compiler.
func (j *judge) overlay() (string, error) {
	replace := map[string]string{}
	last := 0
	write := func(name, text string) error {
		replace[filepath.Join(j.p.dir, name)] = filepath.Join(j.work, name)
		return os.WriteFile(filepath.Join(j.work, name), []byte(text), 0o600)
	}
	for _, f := range j.p.files {
		last += strings.Count(f.mutated, "mutant") // more than there can be
		if err := write(f.name, f.mutated); err != nil {
			return "", err
		}
	}
	err := errors.Join(write(runtimeName, fmt.Sprintf(runtimeSource, j.p.name, last+1)), write(serverName, fmt.Sprintf(serverSource, j.p.name)))
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	name := filepath.Join(j.work, "overlay.json")
	return name, os.WriteFile(name, text, 0o600)
}

// reach runs each test alone, without a mutant, and notes what it reaches.
func (j *judge) reach() error {
	names, err := j.list()
	if err != nil {
		return err
	}
	w := worker{j: j}
	defer w.rest()
	for _, name := range names {
		if err := w.need(0); err != nil {
			return err
		}
		j.initial = w.s.initial
		t, passed, slow := w.s.reaches(name, j.o.slow)
		w.look()
		switch {
		case slow:
			j.slow = append(j.slow, name)
		case !passed:
			j.broken = append(j.broken, name)
		default:
			j.tests = append(j.tests, t)
		}
	}
	slices.SortStableFunc(j.tests, func(a, b test) int { return int(a.took - b.took) })
	for i, t := range j.tests {
		for _, id := range t.ids {
			j.reached[id] = append(j.reached[id], i)
		}
	}
	return nil
}

// list returns the names of the tests.
func (j *judge) list() (names []string, err error) {
	cmd := exec.Command(j.binary, "-test.list", "^(Test|Fuzz|Example)")
	cmd.Dir = j.p.dir
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("the tests of %s can't be listed: %w", j.p.path, err)
	}
	return strings.Fields(string(out)), nil
}

// worker is one of those that judge at the same time.
type worker struct {
	j *judge
	s *server // nil: none runs
}

// need sees to it that there is a server, and, if the mutant is reached before
// the first test, that it is one in which the mutant has been in force all along.
func (w *worker) need(id int) (err error) {
	if id != 0 {
		w.rest()
	}
	if w.s == nil {
		w.s, err = w.j.start(id)
	}
	return err
}

// look lets go of a server that has ended.
func (w *worker) look() {
	if !w.s.ready() {
		w.rest()
	}
}

// rest ends the server, and counts the time that it kept a processor busy.
func (w *worker) rest() {
	if w.s == nil {
		return
	}
	_ = w.s.orders.Close()
	_ = w.s.cmd.Process.Kill()
	_ = w.s.cmd.Wait()
	_ = w.s.file.Close()
	used := w.s.cmd.ProcessState
	w.j.spent.Add(int64(used.UserTime() + used.SystemTime()))
	w.s = nil
}

// judge decides the fate of mutants, and tells how far it is, and which live.
func (j *judge) judge(mutants []*mutant) error {
	const often = 100
	var done, dead atomic.Int64
	next := make(chan *mutant)
	failed := make([]error, j.o.workers)
	var all sync.WaitGroup
	for i := range j.o.workers {
		all.Go(func() {
			w := worker{j: j}
			defer w.rest()
			for m := range next {
				failed[i] = errors.Join(failed[i], w.try(m))
				if m.fate == killed {
					dead.Add(1)
				} else {
					fmt.Fprintln(os.Stderr, m.key()) // the report may be long in coming
				}
				if n := done.Add(1); n%often == 0 {
					fmt.Fprintf(os.Stderr, "%d of %d mutants are judged, %d died\n", n, len(mutants), dead.Load())
				}
			}
		})
	}
	for _, m := range mutants {
		next <- m
	}
	close(next)
	all.Wait()
	return errors.Join(failed...)
}

// try lets a mutant meet the tests that reach it until one fails.
func (w *worker) try(m *mutant) error {
	tests := w.j.order(m)
	if len(tests) == 0 {
		m.fate = unreached
		return nil
	}
	id := 0
	if w.j.initial[m.id] {
		id = m.id
	}
	if err := w.need(id); err != nil {
		if id != 0 {
			m.fate, m.killer = killed, "start" // with it, not even that works
			return nil
		}
		return err
	}
	m.fate = survived
	if m.killer = w.s.judges(m.id, tests); m.killer != "" {
		m.fate = killed
		w.j.remember(m)
	}
	w.look()
	if id != 0 {
		w.rest()
	}
	return nil
}

// order returns the tests that reach a mutant: first the one that killed the last
// in the same function, then the quick ones. One that is reached before any test
// meets all.
func (j *judge) order(m *mutant) (tests []test) {
	j.lock.Lock()
	first, known := j.killers[m.file+m.function]
	j.lock.Unlock()
	if j.initial[m.id] {
		return j.tests
	}
	for _, i := range j.reached[m.id] {
		if known && i == first {
			tests = append([]test{j.tests[i]}, tests...)
		} else {
			tests = append(tests, j.tests[i])
		}
	}
	return tests
}

// remember notes which test killed a mutant.
func (j *judge) remember(m *mutant) {
	for i := range j.tests {
		if j.tests[i].name == m.killer {
			j.lock.Lock()
			j.killers[m.file+m.function] = i
			j.lock.Unlock()
		}
	}
}
