package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// equivalents are the mutants that nobody can tell from the original, by
// package and key: why.
type equivalents map[string]map[string]string

const equivalentName = "internal/mutate/equivalent.tsv"

// readEquivalent reads the list: a line for each mutant, with the package, the
// mutant as the report names it, and the reason, a tab between them.
func readEquivalent(root string) (equivalents, error) {
	text, err := os.ReadFile(filepath.Join(root, equivalentName))
	if err != nil {
		return nil, err
	}
	return parseEquivalent(string(text))
}

func parseEquivalent(text string) (equivalents, error) {
	known := equivalents{}
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if line == "" {
			continue
		}
		fields := strings.Split(line, "\t")
		if len(fields) != 3 || fields[2] == "" {
			return nil, fmt.Errorf("%s:%d: a line has 3 fields with a tab between: the package, the mutant, the reason", equivalentName, i+1)
		}
		if known[fields[0]] == nil {
			known[fields[0]] = map[string]string{}
		}
		known[fields[0]][fields[1]] = fields[2]
	}
	return known, nil
}

// apply excuses the mutants of a package that are listed. It returns the lines
// that fit no mutant any more, so that the list stays true.
func (known equivalents) apply(path string, all []*mutant) (stale []string) {
	found := map[string]bool{}
	for _, m := range all {
		m.excuse = known[path][m.key()]
		found[m.key()] = true
	}
	for key := range known[path] {
		if !found[key] {
			stale = append(stale, key)
		}
	}
	slices.Sort(stale)
	return stale
}
