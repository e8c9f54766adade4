package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"time"

	"hubbub/bench/contestants"
	"hubbub/bench/workloads"
)

// one makes one measurement in this process, and prints it as JSON.
func one(args []string, out io.Writer) error {
	f := flag.NewFlagSet("bench one", flag.ContinueOnError)
	window := f.Duration("window", 2*time.Second, "how long to measure")
	count := f.Int("count", 0, "how many connections or hosts at most, 0 for the workload's own number")
	cpu := f.String("cpuprofile", "", "write a profile of the processors' time to this file, for go tool pprof")
	memory := f.String("memprofile", "", "write a profile of all allocations to this file")
	var names []string
	for len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		names, args = append(names, args[0]), args[1:]
	}
	if err := f.Parse(args); err != nil {
		return err
	}
	if len(names) != 2 {
		return errors.New("bench one takes a contestant and a workload, such as: bench one hubbub bulk")
	}
	c, w := contestants.Find(names[0]), workloads.Find(names[1])
	switch {
	case c == nil:
		return fmt.Errorf("%q is no contestant: bench -list shows them", names[0])
	case w == nil:
		return fmt.Errorf("%q is no workload: bench -list shows them", names[1])
	case !w.Has(c.Name):
		return fmt.Errorf("%s takes no part in %s: bench -list shows who does", c.Name, w.Name)
	}
	finish, err := profile(*cpu, *memory)
	if err != nil {
		return err
	}
	sample, err := w.Run(workloads.Task{Contestant: c, Window: *window, Count: *count})
	if err != nil {
		return fmt.Errorf("%s, %s: %w", c.Name, w.Name, err)
	}
	return errors.Join(finish(), json.NewEncoder(out).Encode(sample))
}

// profile begins the profiles that have files. What it returns ends them.
func profile(cpu, memory string) (finish func() error, err error) {
	var ends []func() error
	if cpu != "" {
		f, err := os.Create(cpu)
		if err != nil {
			return nil, err
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			return nil, err
		}
		ends = append(ends, func() error {
			pprof.StopCPUProfile()
			return f.Close()
		})
	}
	if memory != "" {
		f, err := os.Create(memory)
		if err != nil {
			return nil, err
		}
		runtime.MemProfileRate = 1 // each allocation
		ends = append(ends, func() error {
			runtime.GC() // the profile is up to date only behind one
			return errors.Join(pprof.Lookup("allocs").WriteTo(f, 0), f.Close())
		})
	}
	return func() (err error) {
		for _, end := range ends {
			err = errors.Join(err, end())
		}
		return err
	}, nil
}

// list shows what there is.
func list(out io.Writer) {
	fmt.Fprintln(out, "Contestants:")
	for _, c := range contestants.All() {
		fmt.Fprintf(out, "  %-13s %s: %s\n", c.Name, c.Title, c.About)
	}
	fmt.Fprintln(out, "\nWorkloads:")
	for _, w := range workloads.All() {
		fmt.Fprintf(out, "  %-13s %s\n%16s%s\n", w.Name, w.Title, "", strings.Join(w.Contestants, ", "))
	}
}
