// Command mutate tells how much the tests of a package notice. It makes many
// copies of the package's code, each with one small mistake (a mutant), runs the
// tests on each, and counts how many mutants die: how many make a test fail.
//
//	go run ./internal/mutate ./transport/tcp                    all mutants of a package
//	go run ./internal/mutate -sample 200 -seed 7 ./transport/tcp some of them
//	go run ./internal/mutate -files ack.go,rtt.go ./transport/tcp those of some files
//	go run ./internal/mutate -again report ./transport/tcp       those that lived, by an earlier report
//
// The mistakes: a comparison off by one or turned round, and/or exchanged, a
// condition negated, arithmetic with the wrong sign, min for max, a constant one
// larger, a statement left out.
//
// The copies are one program (mutant schemata): each place asks whether its
// mutant is the one in force, which an environment variable says. So the package
// is compiled once, and one process judges many mutants. A first round finds which
// tests reach which mutants, and how long each test takes; then each mutant meets
// the tests that reach it until one fails: first the one that killed the last
// mutant of the same function, then the quick ones. A test that keeps the processor
// busy ten times as long as it should, or takes all memory, has failed.
//
// A mutant that changes nothing which can be observed is no gap in the tests.
// equivalent.tsv lists those, with the reason; the score is printed with and
// without them.
//
// To add a kind of mistake: a case in [rewriter.rewrite], and what it needs at
// run time in runtime.go.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"
)

// options are what the command line says.
type options struct {
	files   string
	again   string
	sample  int
	seed    uint64
	workers int
	slow    time.Duration
	verbose bool
}

func main() {
	var o options
	flag.StringVar(&o.files, "files", "", "only mutants of these files, such as ack.go,rtt.go")
	flag.StringVar(&o.again, "again", "", "only mutants that are in this file, which an earlier run has printed")
	flag.IntVar(&o.sample, "sample", 0, "so many mutants, drawn by chance; 0 for all")
	flag.Uint64Var(&o.seed, "seed", 1, "what the chance begins with: the same seed draws the same mutants")
	flag.IntVar(&o.workers, "workers", 0, "how many mutants run at once; 0 for one per processor")
	flag.DurationVar(&o.slow, "slow", time.Second, "leave tests out that take longer of the processor, of whom the score can only get better; 0 for none")
	flag.BoolVar(&o.verbose, "v", false, "print the mutants that died, too, and by which test")
	least := flag.Float64("least", 0, "fail if fewer per cent of the mutants die")
	flag.Parse()
	if flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "mutate: name a package, such as ./transport/tcp")
		os.Exit(2)
	}
	var failed []error
	for _, pattern := range flag.Args() {
		failed = append(failed, run(pattern, o, *least))
	}
	if err := errors.Join(failed...); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

// run judges the tests of one package.
func run(pattern string, o options, least float64) error {
	p, err := load(pattern)
	if err != nil {
		return err
	}
	mutants := p.mutate()
	known, err := readEquivalent(p.root)
	if err != nil {
		return err
	}
	stale := known.apply(p.path, mutants)
	again, err := reported(o.again)
	if err != nil {
		return err
	}
	chosen := choose(mutants, fileSet(o.files), again, o.sample, o.seed)
	j, err := p.build(o)
	if err != nil {
		return err
	}
	defer j.close()
	if err := j.reach(); err != nil {
		return err
	}
	if err := j.judge(chosen); err != nil {
		return err
	}
	return report(os.Stdout, p, j, chosen, excused(mutants, o), stale, least)
}

// excused are how many equivalent mutants the files have; 0 where only some of the
// others are judged.
func excused(mutants []*mutant, o options) (n int) {
	if o.sample > 0 || o.again != "" {
		return 0
	}
	files := fileSet(o.files)
	for _, m := range mutants {
		if m.excuse != "" && (files == nil || files[m.file]) {
			n++
		}
	}
	return n
}

// reported are the keys of the mutants in a report, nil if no report is named.
func reported(name string) (map[string]bool, error) {
	if name == "" {
		return nil, nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	keys := map[string]bool{}
	for _, m := range reportLine.FindAllStringSubmatch(string(text), -1) {
		keys[m[1]] = true
	}
	return keys, nil
}

func fileSet(names string) map[string]bool {
	if names == "" {
		return nil
	}
	set := map[string]bool{}
	for _, name := range strings.Split(names, ",") {
		set[name] = true
	}
	return set
}
