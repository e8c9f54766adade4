package main

import (
	"fmt"
	"strconv"
	"strings"
)

// requirementRow is a line of docs/requirements.tsv.
type requirementRow struct {
	id      string
	rfc     int
	section string
	text    string // the requirement in our own words
	applies string // Y, API, opt, R, app or low; the document explains them
}

const requirementHead = "id\trfc\tsection\trequirement\tapplies"

func parseRequirements(table string) (rows []requirementRow, err error) {
	lines := strings.Split(strings.TrimSuffix(table, "\n"), "\n")
	if lines[0] != requirementHead {
		return nil, fmt.Errorf("docs/requirements.tsv:1: the first line must name the columns: %q", requirementHead)
	}
	seen := map[string]bool{}
	for i, line := range lines[1:] {
		row, err := parseRequirement(line)
		if err == nil && seen[row.id] {
			err = fmt.Errorf("the id %s is there twice", row.id)
		}
		if err != nil {
			return nil, fmt.Errorf("docs/requirements.tsv:%d: %w", i+2, err)
		}
		seen[row.id] = true
		rows = append(rows, row)
	}
	return rows, nil
}

func parseRequirement(line string) (requirementRow, error) {
	fields := strings.Split(line, "\t")
	if len(fields) != 5 {
		return requirementRow{}, fmt.Errorf("a line has 5 fields with a tab between, this one has %d", len(fields))
	}
	rfc, err := strconv.Atoi(fields[1])
	if err != nil || titles[rfc] == "" {
		return requirementRow{}, fmt.Errorf("%q is not the number of an RFC in internal/rfcdoc/titles.go", fields[1])
	}
	if requirement.FindString(fields[0]) != fields[0] || fields[0] == "" {
		return requirementRow{}, fmt.Errorf("%q is not an id such as MUST-13 or R5961-1", fields[0])
	}
	return requirementRow{fields[0], rfc, fields[2], fields[3], fields[4]}, nil
}
