package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"runtime"
)

// Where the results are kept, from the root of the source.
const (
	hubbubFile = "interop/loss/testdata/hubbub.tsv"
	linuxFile  = "interop/loss/testdata/linux.tsv"
	fairFile   = "interop/loss/testdata/fair.tsv"
	document   = "docs/loss.md"
)

// hubbubRuns is how many runs of hubbub's cells are kept, linuxRuns of Linux's.
const (
	hubbubRuns = 3
	linuxRuns  = 3
)

const usage = `usage: go run ./interop/loss [flags] hubbub|linux|table|trace|fair|fair-linux

hubbub measures hubbub's half of the table, in virtual time; linux measures
Linux's half, in real time, as root; both then write docs/loss.md anew, and
table does nothing else. fair lets hubbub's algorithms contend for a link, and
fair-linux hubbub and Linux (as root). trace prints what becomes of the congestion window in
hubbub's cells. Run it in the root of the source.

`

// options are what the command line says.
type options struct {
	only   *regexp.Regexp
	runs   int
	atOnce int
	keep   bool
}

func main() {
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), usage)
		flag.PrintDefaults()
	}
	var o options
	only := flag.String("only", "", "measure only the cells, such as \"10M/50ms/loss1 cubic\", that this regular expression matches")
	flag.IntVar(&o.runs, "runs", 0, "`runs` of each cell in which chance has a part, thrice as many where it decides (default 3)")
	flag.IntVar(&o.atOnce, "parallel", runtime.NumCPU(), "`cells` that are measured at a time")
	dry := flag.Bool("n", false, "print the results, and keep nothing")
	flag.Parse()
	expr, err := regexp.Compile(*only)
	if err == nil {
		o.only, o.keep = expr, !*dry
		err = command(flag.Arg(0), o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// command does what the command line asks for.
func command(name string, o options) error {
	switch name {
	case "hubbub":
		return errors.Join(half(o, hubbubFile, hubbubRuns, algorithms, virtual, nil), tables(o))
	case "linux":
		return errors.Join(half(o, linuxFile, linuxRuns, algorithms, kernel, harness), tables(o))
	case "table":
		return tables(o)
	case "trace":
		return trace(o)
	case "fair":
		return fair(o, false)
	case "fair-linux":
		return fair(o, true)
	}
	flag.Usage()
	return errors.New("what is to be done?")
}

// half measures one half of the table, and keeps what it has shown.
func half(o options, file string, runs int, algorithms []string, run runner, about func() ([]string, result, error)) error {
	var notes []string
	var ceiling result
	if about != nil && o.keep {
		var err error
		if notes, ceiling, err = about(); err != nil {
			return err
		}
	}
	if o.runs > 0 {
		runs = o.runs
	}
	measured, err := measure(o.tasks(algorithms, runs, about != nil), o.atOnce, os.Stderr, run)
	if !o.keep {
		for _, r := range measured {
			fmt.Println(r.line())
		}
		return err
	}
	if err != nil {
		return err
	}
	return keep(file, notes, append(measured, ceiling))
}

// keep puts results into a file, beside what it has. It is read only now: other
// cells may have been measured at the same time.
func keep(file string, notes []string, measured []result) error {
	kept, err := load(file)
	if err != nil {
		return err
	}
	if notes != nil {
		kept.Notes = notes
	}
	for _, r := range measured {
		if r.Runs > 0 {
			kept.put(r)
		}
	}
	return kept.save(file)
}

// tasks returns what is to be measured.
func (o options) tasks(algorithms []string, runs int, linux bool) (all []task) {
	for _, t := range tasks(paths(), algorithms, runs) {
		if o.only.MatchString(t.path.name()+" "+t.algorithm) && (!linux || t.path.canBeReal()) {
			all = append(all, t)
		}
	}
	return all
}

// trace prints what becomes of the congestion window.
func trace(o options) error {
	for _, t := range o.tasks(algorithms, max(1, o.runs), false) {
		w, err := newWorld(t.path, t.algorithm, t.seed)
		if err != nil {
			return err
		}
		w.tell(os.Stdout)
		r, err := w.run()
		w.network.Close()
		if err != nil {
			return err
		}
		fmt.Println(r.line())
	}
	return nil
}

// tables writes the document anew.
func tables(o options) error {
	if !o.keep {
		return nil
	}
	hubbub, err := load(hubbubFile)
	if err != nil {
		return err
	}
	linux, err := load(linuxFile)
	if err != nil {
		return err
	}
	t := table{hubbub, linux}
	fmt.Println(t.score())
	return tablePlace.write(document, t.markdown())
}
