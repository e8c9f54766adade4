// Bench measures hubbub beside what a program would use instead of it: gVisor's
// netstack, Linux's loopback interface and net.Pipe; and beside what is
// physically possible.
//
//	bench                     # everything, five rounds
//	bench -quick              # all of it once, each for a moment
//	bench -only 'bulk|trip'   # some workloads
//	bench -list               # what there is
//	bench one hubbub bulk     # one measurement, as JSON
//
// Each measurement is a process of its own: the program starts itself again.
// Within a round the contestants take turns, and ratios are of one round,
// because machines are never quiet.
//
// Package contestants holds what is measured, workloads with what, report what
// is made of the results.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"time"

	"hubbub/bench/report"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "bench:", err)
		}
		os.Exit(1)
	}
}

// options are what the command line says.
type options struct {
	rounds     int
	window     time.Duration
	processors int
	quick      bool
	count      int // of connections and hosts at most, 0 for the workloads' own numbers
	big        bool
	only       *regexp.Regexp
	contestant *regexp.Regexp
	json       string
	svg        string
	docs       string
	from       string
	list       bool
}

func run(args []string, out, progress io.Writer) error {
	if len(args) > 0 && args[0] == "one" {
		return one(args[1:], out)
	}
	o, err := parse(args, progress)
	if err != nil {
		return err
	}
	if o.list {
		list(out)
		return nil
	}
	var r *report.Report
	if o.from != "" {
		r, err = report.Load(o.from)
	} else {
		r, err = measure(o, progress)
	}
	if err != nil {
		return err
	}
	return publish(r, o, out)
}

func parse(args []string, usage io.Writer) (options, error) {
	o := options{}
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(usage)
	f.IntVar(&o.rounds, "rounds", 5, "how often everything is measured")
	f.DurationVar(&o.window, "window", 2*time.Second, "how long each measurement lasts")
	f.IntVar(&o.processors, "processors", min(2, runtime.NumCPU()), "GOMAXPROCS of each process")
	f.BoolVar(&o.quick, "quick", false, "one round, 50 ms each, 200 connections or hosts at most: to see that everything works")
	f.BoolVar(&o.big, "big", false, "also what takes gigabytes: 100,000 and 1,000,000 connections")
	only := f.String("only", "", "the workloads whose names match this regular expression")
	who := f.String("contestants", "", "the contestants whose names match this regular expression")
	f.StringVar(&o.json, "json", "", "write the results to this file as JSON")
	f.StringVar(&o.svg, "svg", "", "draw the results into this file")
	f.StringVar(&o.docs, "docs", "", "write the tables into this page, between its markers")
	f.StringVar(&o.from, "from", "", "measure nothing: take the results from this file, which -json wrote")
	f.BoolVar(&o.list, "list", false, "list the workloads and the contestants")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("%q is no argument of bench: bench -help lists them", f.Arg(0))
	}
	if o.quick {
		o.hurry(f)
	}
	if o.rounds < 1 || o.window <= 0 || o.processors < 1 {
		return o, errors.New("-rounds, -window and -processors must be more than 0")
	}
	var err1, err2 error
	o.only, err1 = pattern("-only", *only)
	o.contestant, err2 = pattern("-contestants", *who)
	return o, errors.Join(err1, err2)
}

// hurry sets what the command line doesn't.
func (o *options) hurry(f *flag.FlagSet) {
	set := make(map[string]bool)
	f.Visit(func(x *flag.Flag) { set[x.Name] = true })
	if !set["rounds"] {
		o.rounds = 1
	}
	if !set["window"] {
		o.window = 50 * time.Millisecond
	}
	o.count = 200
}

// pattern reads a regular expression that must match a whole name.
func pattern(option, text string) (*regexp.Regexp, error) {
	if text == "" {
		text = ".*"
	}
	p, err := regexp.Compile("^(?:" + text + ")$")
	if err != nil {
		return nil, fmt.Errorf("%s: %q is no regular expression: %w", option, text, err)
	}
	return p, nil
}

// publish writes the results to wherever they are wanted.
func publish(r *report.Report, o options, out io.Writer) error {
	r.Text(out)
	var errs []error
	if o.json != "" {
		errs = append(errs, r.Save(o.json))
	}
	if o.svg != "" {
		errs = append(errs, draw(r, o.svg))
	}
	if o.docs != "" {
		errs = append(errs, r.WriteInto(o.docs))
	}
	return errors.Join(errs...)
}

func draw(r *report.Report, file string) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	return errors.Join(r.Plot(f), f.Close())
}
