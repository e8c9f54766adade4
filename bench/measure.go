package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"hubbub/bench/contestants"
	"hubbub/bench/profiles"
	"hubbub/bench/report"
	"hubbub/bench/workloads"
)

// A turn is one contestant's at one workload.
type turn struct {
	contestant *contestants.Contestant
	workload   *workloads.Workload
}

// turns returns what is to be measured in each round.
func turns(o options) []turn {
	var all []turn
	for _, w := range workloads.All() {
		if !o.only.MatchString(w.Name) || w.Big && !o.big {
			continue
		}
		for _, name := range w.Contestants {
			if o.contestant.MatchString(name) {
				all = append(all, turn{contestants.Find(name), w})
			}
		}
	}
	return all
}

// measure runs all rounds.
func measure(o options, progress io.Writer) (*report.Report, error) {
	all := turns(o)
	if len(all) == 0 {
		return nil, errors.New("no workload has that name with such a contestant: bench -list shows them")
	}
	r := &report.Report{
		Machine:  report.ThisMachine(),
		Settings: report.Settings{Rounds: o.rounds, Window: o.window.Seconds(), Processors: o.processors},
	}
	profiled := profiledOf(all)
	p := newProgress(progress, len(all)*o.rounds+len(profiled))
	defer p.end()
	barred := make(map[turn]bool)
	for round := range o.rounds {
		for _, t := range rotated(all, round) {
			if barred[t] || t.workload.Once && round > 0 {
				p.skip()
				continue
			}
			p.next(fmt.Sprint("round ", round+1), t)
			sample, err := child(o, t, "")
			if err != nil {
				barred[t] = true
				r.Missing = append(r.Missing, err.Error())
				continue
			}
			r.Results = append(r.Results, report.Result{
				Round: round, Workload: t.workload.Name, Contestant: t.contestant.Name, Sample: sample,
			})
		}
	}
	for _, t := range profiled {
		if barred[t] {
			p.skip()
			continue
		}
		p.next("profile", t)
		shares, err := profileOf(o, t)
		if err != nil {
			r.Missing = append(r.Missing, err.Error())
			continue
		}
		r.Profiles = append(r.Profiles, report.Profile{Workload: t.workload.Name, Contestant: t.contestant.Name, Shares: shares})
	}
	return r, nil
}

// profiledOf returns those of which it is told what their time goes into.
func profiledOf(all []turn) []turn {
	return slices.DeleteFunc(slices.Clone(all), func(t turn) bool {
		return !slices.Contains(t.workload.Profiled, t.contestant.Name)
	})
}

// leastProfile is how long it takes to have some hundred samples of a profile, which
// has a hundred a second for each processor.
const leastProfile = 3 * time.Second

// profileOf measures once more, with a profile.
func profileOf(o options, t turn) (profiles.Shares, error) {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if !o.quick {
		o.window = max(o.window, leastProfile)
	}
	file := filepath.Join(dir, "cpu.prof")
	if _, err := child(o, t, file); err != nil {
		return nil, err
	}
	return profiles.Read(file)
}

// rotated lets another contestant of each workload begin in each round.
func rotated(all []turn, round int) []turn {
	var result []turn
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].workload == all[0].workload {
			n++
		}
		by := round % n
		result = append(append(result, all[by:n]...), all[:by]...)
		all = all[n:]
	}
	return result
}

// patience is how long a measurement may take beside its window.
const patience = 3 * time.Minute

// child makes one measurement in a process of its own, which writes a profile into a
// file if that has a name.
func child(o options, t turn, file string) (workloads.Sample, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	limit := patience + 3*o.window
	if t.workload.Big {
		limit *= 5
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, self, "one", t.contestant.Name, t.workload.Name, "-window", o.window.String(), "-count", strconv.Itoa(o.count),
		"-cpuprofile", file)
	cmd.Env = append(os.Environ(), "GOMAXPROCS="+strconv.Itoa(o.processors), childVariable+"=1")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if t.contestant.Namespace {
		isolate(cmd)
	}
	if err := cmd.Run(); err != nil {
		return nil, explain(limit, ctx.Err() != nil, t, err, stderr.String())
	}
	var sample workloads.Sample
	if err := json.Unmarshal(stdout.Bytes(), &sample); err != nil {
		return nil, fmt.Errorf("%s, %s: the process printed no result, but %q", t.contestant.Name, t.workload.Name, stdout.String())
	}
	return sample, nil
}

// childVariable tells a test's binary that it is to be bench.
const childVariable = "HUBBUB_BENCH_CHILD"

// isolate gives the process a network namespace of its own; without root,
// also a namespace of users, in which it is root.
func isolate(cmd *exec.Cmd) {
	cmd.Env = append(cmd.Env, contestants.NamespaceVariable+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if os.Geteuid() == 0 {
		return
	}
	cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
	cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
	cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
}

// explain makes a sentence of why a measurement failed.
func explain(limit time.Duration, late bool, t turn, err error, stderr string) error {
	who := t.contestant.Name + ", " + t.workload.Name
	var exit *exec.ExitError
	switch {
	case late:
		return fmt.Errorf("%s: the measurement didn't end within %v", who, limit)
	case errors.As(err, &exit) && stderr != "":
		lines := strings.Split(strings.TrimSpace(stderr), "\n")
		return errors.New(strings.TrimPrefix(lines[0], "bench: "))
	case t.contestant.Namespace && errors.Is(err, syscall.EPERM):
		return fmt.Errorf("%s: a network namespace takes root here, or user namespaces for everybody", who)
	}
	return fmt.Errorf("%s: %w", who, err)
}
