package report

import (
	"math"

	"hubbub/bench/workloads"
)

// A bar is what hubbub is to reach: a figure of its own, or the ratio of its
// figure to another contestant's in the same round.
type bar struct {
	what       string
	contestant string // of hubbub's
	workload   string
	metric     string
	other      string  // the contestant of a ratio, empty for a figure
	target     float64 // at least, of what more is better; else at most
	unit       string
}

var allBars = []bar{
	{"bulk, MTU 1500, beside gVisor at its best", "hubbub-1500", "bulk", "rate", "gvisor-1500", 10, ""},
	{"bulk, MTU 1500, beside Linux at 1500", "hubbub-1500", "bulk", "rate", "linux-1500", 4, ""},
	{"bulk, MTU 1500, beside Linux as it comes", "hubbub-1500", "bulk", "rate", "linux", 1.25, ""},
	{"bulk, offload, beside the ceiling", "hubbub", "bulk", "rate", "ceiling", 0.4, ""},
	{"bulk, offload, beside gVisor at 64 KiB", "hubbub", "bulk", "rate", "gvisor-64k", 3.5, ""},
	{"bulk, offload, beside Linux", "hubbub", "bulk", "rate", "linux", 5, ""},
	{"processor, MTU 1500", "hubbub-1500", "bulk", "cpu", "", 0.5, "s/GB"},
	{"processor, offload", "hubbub", "bulk", "cpu", "", 0.12, "s/GB"},
	{"to the kernel, beside veth", "hubbub-tap", "tap-out", "rate", "veth", 0.6, ""},
	{"to the kernel, beside gVisor on a TUN", "hubbub-tap", "tap-out", "rate", "gvisor-tun", 1, ""},
	{"to the kernel, beside slirp4netns", "hubbub-tap", "tap-out", "rate", "slirp4netns", 1, ""},
	{"from the kernel, beside veth", "hubbub-tap", "tap-in", "rate", "veth", 0.6, ""},
	{"from the kernel, beside gVisor on a TUN", "hubbub-tap", "tap-in", "rate", "gvisor-tun", 1, ""},
	{"from the kernel, beside slirp4netns", "hubbub-tap", "tap-in", "rate", "slirp4netns", 1, ""},
	{"1-byte round trip, beside gVisor", "hubbub", "trip", "median", "gvisor-1500", 1.0 / 10, ""},
	{"1-byte round trip, beside Linux", "hubbub", "trip", "median", "linux", 1.0 / 6, ""},
	{"1-byte round trip, beside net.Pipe", "hubbub", "trip", "median", "pipe", 1.5, ""},
	{"64 connections' round trips, beside gVisor", "hubbub", "trip64", "rate", "gvisor-1500", 10, ""},
	{"64 connections' round trips, beside Linux", "hubbub", "trip64", "rate", "linux", 6, ""},
	{"connect-accept-close, beside gVisor", "hubbub", "connect", "rate", "gvisor-1500", 15, ""},
	{"connect-accept-close, beside Linux", "hubbub", "connect", "rate", "linux", 7, ""},
	{"the same 64 at a time, beside gVisor", "hubbub", "connect64", "rate", "gvisor-1500", 15, ""},
	{"the same 64 at a time, beside Linux", "hubbub", "connect64", "rate", "linux", 7, ""},
	{"an idle pair of connections", "hubbub", "idle", "total", "", 2000, "B"},
	{"goroutines of an idle pair", "hubbub", "idle", "goroutines", "", 0.001, ""},
	{"1,000,000 idle pairs", "hubbub", "idle1M", "all", "", 2.5, "GB"},
	{"a connection in TIME-WAIT", "hubbub", "timewait100k", "total", "", 160, "B"},
	{"a small program, stripped", "hubbub", "size", "size", "", 5, "MB"},
	{"modules outside of the standard library", "hubbub", "size", "modules", "", 0, ""},
	{"allocations per segment", "hubbub-1500", "bulk", "allocations", "", 0.001, ""},
}

// bars returns a row for each bar that there are results for.
func (r *Report) bars() table {
	t := table{{"", "bar", "reached", "met"}}
	for _, b := range allBars {
		s, ok := r.Spread(b.workload, b.contestant, b.metric)
		if b.other != "" {
			s, ok = r.Ratio(b.workload, b.contestant, b.metric, b.other)
		}
		if ok {
			t = append(t, []string{b.what, b.bound(), b.reached(s), b.verdict(s)})
		}
	}
	return t
}

func (b bar) more() bool {
	w := workloads.Find(b.workload)
	return w != nil && w.Metric(b.metric) != nil && w.Metric(b.metric).More
}

// bound is the bar in words.
func (b bar) bound() string {
	words := "at most "
	if b.more() {
		words = "at least "
	}
	return words + number(b.target, digitsOf(b.target)) + b.suffix()
}

func (b bar) reached(s Spread) string { return cell(s, true, digitsOf(s.Median)) + b.suffix() }

func (b bar) suffix() string {
	switch {
	case b.other != "":
		return " ×"
	case b.unit != "":
		return " " + b.unit
	}
	return ""
}

// verdict judges the median.
func (b bar) verdict(s Spread) string {
	if b.more() && s.Median >= b.target || !b.more() && s.Median <= b.target {
		return "met"
	}
	return "not met"
}

// digitsOf returns how many digits behind the point show a number well.
func digitsOf(v float64) int {
	switch {
	case v == math.Trunc(v), v >= 100:
		return 0
	case v >= 10:
		return 1
	case v >= 1:
		return 2
	}
	return 3
}
