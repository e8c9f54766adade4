package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
)

// A task is one measurement of a cell.
type task struct {
	path      path
	algorithm string
	seed      uint64
}

// errHarness says that a cell can't be measured here.
var errHarness = errors.New("beyond what the harness can do")

// A runner does a task.
type runner func(p path, algorithm string, seed uint64) (result, error)

// tasks returns the measurements of the cells: as many runs of each as are
// asked for, more where chance decides, and one where it has no part.
func tasks(cells []path, algorithms []string, runs int) (all []task) {
	for _, p := range cells {
		for _, a := range algorithms {
			for seed := range p.runs(a, runs) {
				all = append(all, task{p, a, uint64(seed) + 1})
			}
		}
	}
	return all
}

// measure does the tasks, so many at a time, and says how it gets on. It leaves
// out what is beyond the harness.
func measure(all []task, atOnce int, progress io.Writer, run runner) ([]result, error) {
	done := make([]result, len(all))
	var failed error
	var mutex sync.Mutex
	var workers sync.WaitGroup
	next, finished, began := 0, 0, time.Now()
	take := func() int {
		mutex.Lock()
		defer mutex.Unlock()
		if next == len(all) || failed != nil {
			return -1
		}
		next++
		return next - 1
	}
	for range min(atOnce, len(all)) {
		workers.Go(func() {
			for i := take(); i >= 0; i = take() {
				t := all[i]
				r, err := run(t.path, t.algorithm, t.seed)
				mutex.Lock()
				done[i] = r
				finished++
				if err != nil && failed == nil && !errors.Is(err, errHarness) {
					failed = err
				}
				text := fmt.Sprintf("%s %s: %.4g Mbit/s", t.path.name(), t.algorithm, float64(r.Goodput)/1e6)
				if err != nil {
					done[i], text = result{}, err.Error()
				}
				fmt.Fprintf(progress, "%d/%d %v %s\n", finished, len(all), time.Since(began).Round(time.Second), text)
				mutex.Unlock()
			}
		})
	}
	workers.Wait()
	return means(all, done), failed
}

// means takes the runs of each cell together that could be measured. They
// stand side by side.
func means(all []task, done []result) (cells []result) {
	for from := 0; from < len(all); {
		to := from + 1
		for to < len(all) && all[to].seed > 1 {
			to++
		}
		measured := slices.DeleteFunc(slices.Clone(done[from:to]), func(r result) bool { return r.Runs == 0 })
		if len(measured) > 0 {
			cells = append(cells, mean(measured))
		}
		from = to
	}
	return cells
}
