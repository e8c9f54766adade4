package main

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
)

// reportLine is a mutant in a report, with its key.
var reportLine = regexp.MustCompile(`(?m)^\S+:\d+: (.*) \[[^\]]*\]$`)

// report prints the survivors, then the score: without the mutants that nobody
// can tell from the original, and, of all mutants, with them. It is an error if fewer
// per cent than the least died.
func report(w io.Writer, p *sourcePackage, j *judge, mutants []*mutant, excused int, stale []string, least float64) error {
	dead := 0
	for _, m := range mutants {
		if m.fate == killed {
			dead++
		}
		if m.fate != killed || j.o.verbose {
			fmt.Fprintf(w, "%s/%s:%d: %s [%s]\n", p.path, m.file, m.line, m.key(), m.end())
		}
	}
	if len(j.broken) > 0 {
		fmt.Fprintf(w, "These tests fail without a mutant, and were left out: %s\n", strings.Join(j.broken, ", "))
	}
	if len(j.slow) > 0 {
		fmt.Fprintf(w, "These tests take longer than %v, and were left out: %s\n", j.o.slow, strings.Join(j.slow, ", "))
	}
	for _, key := range stale {
		fmt.Fprintf(w, "%s: %s doesn't have this mutant any more, take the line away or correct it: %s\n", equivalentName, p.path, key)
	}
	score := percent(dead, len(mutants))
	fmt.Fprintf(w, "%s: %d of %d mutants died (%.1f %%), judged by %d tests in %v of processor time\n",
		p.path, dead, len(mutants), score, len(j.tests), time.Duration(j.spent.Load()).Round(time.Second))
	if excused > 0 {
		fmt.Fprintf(w, "%s: %d more are equivalent, by %s; with them %d of %d died (%.1f %%)\n",
			p.path, excused, equivalentName, dead, len(mutants)+excused, percent(dead, len(mutants)+excused))
	}
	if score < least {
		return fmt.Errorf("the tests of %s let %.1f %% of the mutants die; %.1f %% are asked for", p.path, score, least)
	}
	return nil
}

func percent(dead, all int) float64 {
	if all == 0 {
		return 100
	}
	return 100 * float64(dead) / float64(all)
}

// end says what became of a mutant.
func (m *mutant) end() string {
	switch m.fate {
	case killed:
		return "killed: " + m.killer
	case unreached:
		return "no test comes here"
	}
	return "survived"
}
