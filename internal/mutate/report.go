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

// report prints the survivors, then the score. It is an error if fewer per
// cent than the least died.
func report(w io.Writer, p *sourcePackage, j *judge, mutants []*mutant, stale []string, least float64) error {
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
	for _, key := range stale {
		fmt.Fprintf(w, "%s: %s doesn't have this mutant any more, take the line away or correct it: %s\n", equivalentName, p.path, key)
	}
	score := 100.0
	if len(mutants) > 0 {
		score = 100 * float64(dead) / float64(len(mutants))
	}
	fmt.Fprintf(w, "%s: %d of %d mutants died (%.1f %%), judged by %d tests in %v of processor time\n",
		p.path, dead, len(mutants), score, len(j.tests), time.Duration(j.spent.Load()).Round(time.Second))
	if score < least {
		return fmt.Errorf("the tests of %s let %.1f %% of the mutants die; %.1f %% are asked for", p.path, score, least)
	}
	return nil
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
