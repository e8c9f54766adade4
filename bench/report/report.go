// Package report makes of results what people and programs read: tables, the
// bars that are to be met, JSON and a plot.
//
// To add a bar: a line in bars.go.
package report

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"hubbub/bench/contestants"
	"hubbub/bench/profiles"
	"hubbub/bench/workloads"
)

// A Report is all that a run found.
type Report struct {
	Machine  Machine  `json:"machine"`
	Settings Settings `json:"settings"`
	Results  []Result `json:"results"`
	// Profiles say what the processors' time of some contestants went into.
	Profiles []Profile `json:"profiles,omitempty"`
	// Missing says what was left out, and why.
	Missing []string `json:"missing,omitempty"`
}

// Settings are how the run was made.
type Settings struct {
	Rounds     int     `json:"rounds"`
	Window     float64 `json:"window_seconds"`
	Processors int     `json:"gomaxprocs"`
}

// A Result is what one process measured.
type Result struct {
	Round      int              `json:"round"`
	Workload   string           `json:"workload"`
	Contestant string           `json:"contestant"`
	Sample     workloads.Sample `json:"sample"`
}

// A Profile is what a contestant's time at a workload went into, in a process more.
type Profile struct {
	Workload   string          `json:"workload"`
	Contestant string          `json:"contestant"`
	Shares     profiles.Shares `json:"shares"`
}

// Load reads a report that was written as JSON.
func Load(file string) (*Report, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	r := new(Report)
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("%s isn't a report that bench wrote with -json: %w", file, err)
	}
	return r, nil
}

// Save writes the report as JSON.
func (r *Report) Save(file string) error {
	text, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}

// values returns a metric's values by round.
func (r *Report) values(workload, contestant, metric string) map[int]float64 {
	values := make(map[int]float64)
	for _, x := range r.Results {
		if x.Workload != workload || x.Contestant != contestant {
			continue
		}
		if v, ok := x.Sample[metric]; ok {
			values[x.Round] = v
		}
	}
	return values
}

// A Spread is the median of several values, the least and the greatest.
type Spread struct{ Median, Min, Max float64 }

// spread returns the Spread of values, and whether there are any.
func spread(values []float64) (Spread, bool) {
	if len(values) == 0 {
		return Spread{}, false
	}
	values = slices.Sorted(slices.Values(values))
	middle := len(values) / 2
	s := Spread{values[middle], values[0], values[len(values)-1]}
	if len(values)%2 == 0 {
		s.Median = (values[middle-1] + values[middle]) / 2
	}
	return s, true
}

// Spread returns what a contestant reached in all rounds.
func (r *Report) Spread(workload, contestant, metric string) (Spread, bool) {
	var values []float64
	for _, v := range r.values(workload, contestant, metric) {
		values = append(values, v)
	}
	return spread(values)
}

// Ratio returns one contestant's figure divided by another's, each pair from
// one round: on a machine with other work that is what counts.
func (r *Report) Ratio(workload, contestant, metric, other string) (Spread, bool) {
	under := r.values(workload, other, metric)
	var ratios []float64
	for round, v := range r.values(workload, contestant, metric) {
		if u, ok := under[round]; ok && u != 0 {
			ratios = append(ratios, v/u)
		}
	}
	return spread(ratios)
}

// workloads returns those that there are results of, in their order.
func (r *Report) workloads() []*workloads.Workload {
	var found []*workloads.Workload
	for _, w := range workloads.All() {
		if slices.ContainsFunc(r.Results, func(x Result) bool { return x.Workload == w.Name }) {
			found = append(found, w)
		}
	}
	return found
}

// contestants returns those that have results of a workload, in their order.
func (r *Report) contestants(w *workloads.Workload) []*contestants.Contestant {
	var found []*contestants.Contestant
	for _, c := range contestants.All() {
		if slices.ContainsFunc(r.Results, func(x Result) bool { return x.Workload == w.Name && x.Contestant == c.Name }) {
			found = append(found, c)
		}
	}
	return found
}
