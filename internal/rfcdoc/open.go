package main

import (
	"errors"
	"fmt"
	"strings"
)

// openRow is a line of docs/requirements-open.tsv: a requirement that is not
// met, or not as the RFC has it, and why.
type openRow struct {
	id     string
	kind   string
	reason string
}

const (
	openName = "requirements-open.tsv"
	openHead = "id\tkind\treason"

	// The kinds. What deviates may be cited: the code says where it does
	// otherwise, and a test shows it.
	kindMissing  = "missing"  // isn't built
	kindOther    = "other"    // binds others: programs, or who runs the host
	kindDeviates = "deviates" // is done otherwise
)

// parseOpen reads the table, which the known requirements decide about.
func parseOpen(table string, known []requirementRow) (map[string]openRow, error) {
	ids := map[string]bool{}
	for _, r := range known {
		ids[r.id] = true
	}
	lines := strings.Split(strings.TrimSuffix(table, "\n"), "\n")
	if lines[0] != openHead {
		return nil, fmt.Errorf("docs/%s:1: the first line must name the columns: %q", openName, openHead)
	}
	open := map[string]openRow{}
	for i, line := range lines[1:] {
		row, err := parseOpenRow(line)
		switch {
		case err != nil:
		case !ids[row.id]:
			err = fmt.Errorf("docs/requirements.tsv doesn't have %s", row.id)
		case open[row.id].id != "":
			err = fmt.Errorf("the id %s is there twice", row.id)
		}
		if err != nil {
			return nil, fmt.Errorf("docs/%s:%d: %w", openName, i+2, err)
		}
		open[row.id] = row
	}
	return open, nil
}

func parseOpenRow(line string) (openRow, error) {
	fields := strings.Split(line, "\t")
	if len(fields) != 3 || strings.TrimSpace(fields[2]) == "" {
		return openRow{}, errors.New("a line has 3 fields with a tab between: the id, the kind, the reason")
	}
	if kind := fields[1]; kind != kindMissing && kind != kindOther && kind != kindDeviates {
		return openRow{}, fmt.Errorf("the kind is %q; it is %q, %q or %q", kind, kindMissing, kindOther, kindDeviates)
	}
	return openRow{fields[0], fields[1], fields[2]}, nil
}

// account finds requirements that nobody accounts for: neither met, by code
// and a test that cite them, nor explained; and those that are met by now and
// still explained.
func account(x index, rows []requirementRow, open map[string]openRow) error {
	var wrong []string
	for _, r := range rows {
		cited, row := citedBy(x, r), open[r.id]
		switch {
		case row.id == "" && cited != "met":
			wrong = append(wrong, fmt.Sprintf("%s (RFC %d, %s: %s) is %s: cite it where it is met, in code and in its test, or say in docs/%s why not", r.id, r.rfc, r.section, r.text, cited, openName))
		case row.kind != "" && row.kind != kindDeviates && cited == "met":
			wrong = append(wrong, fmt.Sprintf("%s is met, by what code and tests cite, and docs/%s says that it is not: take the line away", r.id, openName))
		}
	}
	return errors.Join(toErrors(wrong)...)
}

func toErrors(lines []string) (errs []error) {
	for _, line := range lines {
		errs = append(errs, errors.New(line))
	}
	return errs
}
