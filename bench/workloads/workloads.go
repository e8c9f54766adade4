// Package workloads holds what the contestants are measured with. A workload
// runs once in a process of its own and returns a [Sample].
//
// To add one: a function that takes a [Task], and a line in [All] with its
// contestants and its metrics.
package workloads

import (
	"slices"
	"time"

	"hubbub/bench/contestants"
)

// A Task is one measurement.
type Task struct {
	Contestant *contestants.Contestant
	Window     time.Duration // of measuring, after a fifth as much of warming up
	Count      int           // of what the workload has many, 0 for its own number
}

// network makes the contestant's network.
func (t Task) network() (contestants.Network, error) {
	return t.Contestant.New(contestants.Shape{})
}

// many is how many connections or hosts there are where the workload has so
// many.
func (t Task) many(n int) int {
	if t.Count > 0 && n > t.Count {
		return t.Count
	}
	return n
}

func (t Task) warmUp() time.Duration { return t.Window / 5 }

// A Sample is what one measurement found, by the names of its metrics.
type Sample map[string]float64

// A Metric is one figure of a workload.
type Metric struct {
	Name   string // in a Sample
	Title  string
	Unit   string
	More   bool // more of it is better
	Digits int  // behind the point, in tables
}

// A Workload is something to be done by several contestants.
type Workload struct {
	Name        string
	Title       string
	Contestants []string
	Metrics     []Metric
	Run         func(Task) (Sample, error)
	// Profiled are the contestants of which it is told what their time went into.
	Profiled []string
	// Big says that it takes much memory and time: it is run if it is asked for.
	Big bool
	// Once says that it is the same each time: one round is enough.
	Once bool
}

// Metric returns the workload's metric of that name, nil if there is none.
func (w *Workload) Metric(name string) *Metric {
	for i := range w.Metrics {
		if w.Metrics[i].Name == name {
			return &w.Metrics[i]
		}
	}
	return nil
}

// Has reports whether a contestant takes part.
func (w *Workload) Has(contestant string) bool { return slices.Contains(w.Contestants, contestant) }

// Who takes part in what.
var (
	streams = []string{
		"hubbub", "hubbub-1500", "hubbub-9000", "gvisor-1500", "gvisor-stock", "gvisor-9000", "gvisor-64k",
		"linux", "linux-1500", "linux-9000", "pipe", "ceiling",
	}
	connections = []string{"hubbub", "hubbub-1500", "gvisor-1500", "gvisor-stock", "gvisor-64k", "linux", "linux-1500", "pipe"}
	lasting     = []string{"hubbub", "gvisor-1500", "gvisor-64k", "linux", "pipe"}
	datagrams   = []string{"hubbub", "gvisor-1500", "gvisor-stock", "gvisor-64k", "linux", "linux-1500"}
	routers     = []string{"hubbub", "gvisor-1500", "gvisor-stock", "linux-1500"}
	hubbubAlone = []string{"hubbub"}
	edges       = []string{"hubbub-tap", "hubbub-frames", "veth", "gvisor-tun", "slirp4netns"}
)

// All returns the workloads, in the order of the tables.
func All() []*Workload {
	return slices.Concat(bulks(), trips(), connects(), idles(), packets(), worlds(), sizes())
}

// Find returns the workload of that name, nil if there is none.
func Find(name string) *Workload {
	for _, w := range All() {
		if w.Name == name {
			return w
		}
	}
	return nil
}
