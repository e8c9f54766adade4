package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
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
	broken  []string      // tests that fail without any mutant
	spent   atomic.Int64  // processor time of all runs, in nanoseconds
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
	j := &judge{p: p, o: o, reached: map[int][]int{}}
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
		return nil, fmt.Errorf("the package with its mutants doesn't compile; the texts are in %s: %w\n%s", j.work, err, out)
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
	if err := write(runtimeName, fmt.Sprintf(runtimeSource, j.p.name, last+1)); err != nil {
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
	out, err := j.command(context.Background(), 0, patience, "", "-test.list", "^(Test|Fuzz|Example)").Output()
	if err != nil {
		return err
	}
	names := strings.Fields(string(out))
	tests := make([]test, len(names))
	passed := make([]bool, len(names))
	j.parallel(len(names), func(i int) { tests[i], passed[i] = j.alone(names[i]) })
	for i := range tests {
		if passed[i] {
			j.tests = append(j.tests, tests[i])
		} else {
			j.broken = append(j.broken, names[i])
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

// patience is how long a test may take by the clock.
const patience = 5 * time.Minute

// alone runs one test without a mutant, and reports whether it passed.
func (j *judge) alone(name string) (test, bool) {
	file := filepath.Join(j.work, "reached."+name)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if j.command(ctx, 0, patience, file, "-test.run", pattern(name)).Run() != nil {
		return test{}, false
	}
	again := j.command(ctx, 0, patience, "", "-test.run", pattern(name)) // without taking notes
	if again.Run() != nil {
		return test{}, false
	}
	t := test{name: name, took: j.took(again)}
	text, _ := os.ReadFile(file)
	for _, word := range strings.Fields(string(text)) {
		id, _ := strconv.Atoi(word)
		t.ids = append(t.ids, id)
	}
	return t, true
}

// took counts and returns how long a command that is over kept a processor busy.
func (j *judge) took(cmd *exec.Cmd) time.Duration {
	took := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	j.spent.Add(int64(took))
	return took
}

func pattern(names ...string) string {
	for i, name := range names {
		names[i] = regexp.QuoteMeta(name)
	}
	return "^(" + strings.Join(names, "|") + ")$"
}

// command is a run of the tests with a mutant in force. Its memory and its
// processor time are bounded: a mutant may well ask for all there is. How long it
// may take by the clock says nothing on a machine that has other work.
func (j *judge) command(ctx context.Context, id int, limit time.Duration, reached string, args ...string) *exec.Cmd {
	shell := fmt.Sprintf(`ulimit -v %d; ulimit -t %d; exec "$0" "$@"`, 4<<20, int(limit.Seconds())+1)
	cmd := exec.CommandContext(ctx, "sh", append([]string{"-c", shell, j.binary}, args...)...)
	cmd.Dir = j.p.dir
	cmd.Env = append(os.Environ(), "MUTANT="+strconv.Itoa(id), "MUTANT_REACHED="+reached)
	return cmd
}

// parallel calls f with 0 to n-1, some at once.
func (j *judge) parallel(n int, f func(int)) {
	next := make(chan int)
	var all sync.WaitGroup
	for range j.o.workers {
		all.Go(func() {
			for i := range next {
				f(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	all.Wait()
}

// judge decides the fate of mutants, and tells from time to time how far it is.
func (j *judge) judge(mutants []*mutant) {
	const often = 100
	var done, dead atomic.Int64
	j.parallel(len(mutants), func(i int) {
		j.try(mutants[i])
		if mutants[i].fate == killed {
			dead.Add(1)
		}
		if n := done.Add(1); n%often == 0 {
			fmt.Fprintf(os.Stderr, "%d of %d mutants are judged, %d died\n", n, len(mutants), dead.Load())
		}
	})
}

// together is how long a group of tests takes that are run at once: some
// process starts are saved, and a mutant that dies early costs little.
const together = 200 * time.Millisecond

// try lets a mutant meet the tests that reach it, in groups, until one fails.
func (j *judge) try(m *mutant) {
	tests := j.reached[m.id]
	if len(tests) == 0 {
		m.fate = unreached
		return
	}
	m.fate = survived
	for len(tests) > 0 {
		var names []string
		var took time.Duration
		for len(tests) > 0 && (len(names) == 0 || took+j.tests[tests[0]].took < together) {
			names, took = append(names, j.tests[tests[0]].name), took+j.tests[tests[0]].took
			tests = tests[1:]
		}
		if by := j.failing(m.id, names, took); by != "" {
			m.fate, m.killer = killed, by
			return
		}
	}
}

var failLine = regexp.MustCompile(`(?m)^--- FAIL: (\S+)`)

// failing runs tests with a mutant and names the one that failed, or how they
// ended otherwise; it returns nothing if they passed.
func (j *judge) failing(id int, names []string, took time.Duration) string {
	limit := 10*took + time.Second
	ctx, cancel := context.WithTimeout(context.Background(), patience+100*took)
	defer cancel()
	cmd := j.command(ctx, id, limit, "", "-test.failfast", "-test.run", pattern(names...))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	used := j.took(cmd)
	switch match := failLine.FindStringSubmatch(out.String()); {
	case err == nil:
		return ""
	case match != nil:
		return match[1]
	case ctx.Err() != nil || used >= limit:
		return "time"
	}
	return "crash"
}
