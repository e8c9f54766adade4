package main

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strings"
)

// A result is what one cell has shown with one algorithm.
type result struct {
	Path, Algorithm string
	Goodput         int64 // bit/s of what the receiving program has read; the mean of all runs
	Low, High       int64 // of the runs
	Retransmissions int64 // segments sent again; the mean of all runs
	Runs            int
}

// newResult is the result of one run.
func newResult(p path, algorithm string, octets, retransmissions int64) result {
	bps := int64(float64(octets) * 8 / p.lasts().Seconds())
	return result{
		Path: p.name(), Algorithm: algorithm, Goodput: bps, Low: bps, High: bps,
		Retransmissions: retransmissions, Runs: 1,
	}
}

// mean returns what several runs of a cell show together.
func mean(all []result) result {
	m := all[0]
	m.Goodput, m.Retransmissions, m.Runs = 0, 0, 0
	for _, r := range all {
		m.Goodput += r.Goodput
		m.Low, m.High = min(m.Low, r.Low), max(m.High, r.High)
		m.Retransmissions += r.Retransmissions
		m.Runs += r.Runs
	}
	m.Goodput /= int64(len(all))
	m.Retransmissions /= int64(len(all))
	return m
}

// line is a result as the files have it.
func (r result) line() string {
	return fmt.Sprintf("%s\t%s\t%d\t%d\t%d\t%d\t%d", r.Path, r.Algorithm, r.Goodput, r.Low, r.High, r.Retransmissions, r.Runs)
}

// results is what one half of the table has shown.
type results struct {
	Notes []string // how, when and where it was measured
	Lines []result
}

// find returns the result of a cell.
func (r *results) find(path, algorithm string) (result, bool) {
	i := slices.IndexFunc(r.Lines, func(l result) bool { return l.Path == path && l.Algorithm == algorithm })
	if i < 0 {
		return result{}, false
	}
	return r.Lines[i], true
}

// put adds a result, in the place of an older one of its cell.
func (r *results) put(l result) {
	r.Lines = slices.DeleteFunc(r.Lines, func(old result) bool { return old.Path == l.Path && old.Algorithm == l.Algorithm })
	r.Lines = append(r.Lines, l)
}

// sort puts the results into the table's order.
func (r *results) sort() {
	place := make(map[string]int)
	for _, p := range paths() {
		for _, a := range algorithms {
			place[p.name()+a] = len(place)
		}
	}
	slices.SortStableFunc(r.Lines, func(a, b result) int { return place[a.Path+a.Algorithm] - place[b.Path+b.Algorithm] })
}

// text returns the results as a file has them.
func (r *results) text() string {
	var b strings.Builder
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "# %s\n", n)
	}
	fmt.Fprintln(&b, "path\talgorithm\tgoodput\tlow\thigh\tretransmissions\truns")
	for _, l := range r.Lines {
		fmt.Fprintln(&b, l.line())
	}
	return b.String()
}

// load reads a file of results. One that doesn't exist has none.
func load(name string) (*results, error) {
	f, err := os.Open(name)
	if os.IsNotExist(err) {
		return new(results), nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := new(results)
	s := bufio.NewScanner(f)
	for n := 1; s.Scan(); n++ {
		if err := r.parse(s.Text()); err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", name, n, err)
		}
	}
	return r, s.Err()
}

// parse takes a line of a file.
func (r *results) parse(line string) error {
	if note, ok := strings.CutPrefix(line, "# "); ok {
		r.Notes = append(r.Notes, note)
		return nil
	}
	if line == "" || strings.HasPrefix(line, "path\t") {
		return nil
	}
	var l result
	if _, err := fmt.Sscanf(line, "%s %s %d %d %d %d %d", &l.Path, &l.Algorithm, &l.Goodput, &l.Low, &l.High, &l.Retransmissions, &l.Runs); err != nil {
		return fmt.Errorf("%q should be a path, an algorithm and five numbers: %w", line, err)
	}
	r.Lines = append(r.Lines, l)
	return nil
}

// save writes the file.
func (r *results) save(name string) error {
	r.sort()
	return os.WriteFile(name, []byte(r.text()), 0o644)
}
