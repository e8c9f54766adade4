package main

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

const head = "# Which RFC is obeyed where\n\n" +
	"This page is made by `make rfc` from the citations in comments and strings (`RFC 9293, 3.10.7.4`) and\n" +
	"from the requirements' ids (`MUST-13`, `R5961-1`) in comments: don't edit it. A place is a file and a\n" +
	"function, type or variable in it. The last chapter, on deviations, is `docs/rfc-deviations.md`; the\n" +
	"requirements' wording, which is ours, is in `docs/requirements.tsv`, and the RFC decides.\n"

const legend = "Each requirement of `docs/requirements.tsv` is accounted for in its RFC's chapter, and `make rfc-check`\n" +
	"fails where one is not. It is **met** if the code and a test cite it. If not, `docs/requirements-open.tsv`\n" +
	"says why: it **deviates**, being done otherwise; it is **missing**; or it binds **others**, such as\n" +
	"programs. It applies always (Y), through the programming interface alone (API), only if the optional\n" +
	"feature is there (opt), when forwarding (R), to applications (app), or it is little used today (low).\n"

// render writes the whole document.
func render(x index, rows []requirementRow, open map[string]openRow, deviations string) []byte {
	var b bytes.Buffer
	b.WriteString(head)
	rfcs := cited(x, rows)
	summary(&b, x, rfcs)
	accounts(&b, x, rows, open)
	for _, rfc := range rfcs {
		fmt.Fprintf(&b, "\n## RFC %d: %s\n", rfc, titles[rfc])
		requirementTable(&b, x, rowsOf(rows, rfc), open)
		sectionTable(&b, x, rfc)
	}
	_, text, _ := strings.Cut(deviations, "\n")
	fmt.Fprintf(&b, "\n## Deviations and what is missing\n\n%s\n", strings.TrimSpace(text))
	return b.Bytes()
}

// cited are the RFCs that have a citation or a requirement.
func cited(x index, rows []requirementRow) []int {
	rfcs := map[int]bool{}
	for s := range x {
		if s.rfc != 0 {
			rfcs[s.rfc] = true
		}
	}
	for _, r := range rows {
		rfcs[r.rfc] = true
	}
	return slices.Sorted(maps.Keys(rfcs))
}

func rowsOf(rows []requirementRow, rfc int) (some []requirementRow) {
	for _, r := range rows {
		if r.rfc == rfc {
			some = append(some, r)
		}
	}
	return some
}

func summary(b *bytes.Buffer, x index, rfcs []int) {
	b.WriteString("\n## Summary\n\nPlaces are functions, types and variables that cite the RFC.\n\n")
	b.WriteString("| RFC | Title | Places in code | Places in tests |\n|---|---|--:|--:|\n")
	for _, rfc := range rfcs {
		code, tests := map[place]bool{}, map[place]bool{}
		for s := range x {
			if s.rfc == rfc {
				addAll(code, x.places(s, false))
				addAll(tests, x.places(s, true))
			}
		}
		fmt.Fprintf(b, "| %d | %s | %d | %d |\n", rfc, titles[rfc], len(code), len(tests))
	}
}

// statuses are what a requirement can be, in the order of the columns.
var statuses = []string{"met", kindDeviates, kindMissing, kindOther, "open"}

// accounts counts the requirements of each RFC by status.
func accounts(b *bytes.Buffer, x index, rows []requirementRow, open map[string]openRow) {
	b.WriteString("\n## Requirements\n\n" + legend)
	b.WriteString("\n| RFC | Requirements | Met | Deviates | Missing | Others' | Not accounted for |\n|---|--:|--:|--:|--:|--:|--:|\n")
	rfcs := map[int][]requirementRow{}
	for _, r := range rows {
		rfcs[r.rfc] = append(rfcs[r.rfc], r)
	}
	for _, rfc := range slices.Sorted(maps.Keys(rfcs)) {
		countRow(b, fmt.Sprint(rfc), x, rfcs[rfc], open)
	}
	countRow(b, "All", x, rows, open)
}

func countRow(b *bytes.Buffer, name string, x index, rows []requirementRow, open map[string]openRow) {
	count := map[string]int{}
	for _, r := range rows {
		count[status(x, r, open)]++
	}
	fmt.Fprintf(b, "| %s | %d |", name, len(rows))
	for _, s := range statuses {
		fmt.Fprintf(b, " %d |", count[s])
	}
	b.WriteString("\n")
}

func addAll(set map[place]bool, places []place) {
	for _, p := range places {
		set[p] = true
	}
}

// status is one of statuses.
func status(x index, r requirementRow, open map[string]openRow) string {
	switch row := open[r.id]; {
	case row.id != "":
		return row.kind
	case citedBy(x, r) == "met":
		return "met"
	}
	return "open"
}

// citedBy says whether code and tests cite a requirement.
func citedBy(x index, r requirementRow) string {
	s := subject{requirement: r.id}
	code, test := len(x.places(s, false)) > 0, len(x.places(s, true)) > 0
	switch {
	case code && test:
		return "met"
	case code:
		return "cited by code alone"
	case test:
		return "cited by a test alone"
	}
	return "cited nowhere"
}

// requirementTable gives the place in code and the test of each requirement,
// or the reason why it is not met.
func requirementTable(b *bytes.Buffer, x index, rows []requirementRow, open map[string]openRow) {
	if len(rows) == 0 {
		return
	}
	b.WriteString("\n| Requirement | Section | What it asks | Applies | Status | Code | Tests |\n|---|---|---|---|---|---|---|\n")
	for _, r := range rows {
		s := subject{requirement: r.id}
		told := status(x, r, open)
		if reason := open[r.id].reason; reason != "" {
			told += ": " + reason
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s | %s |\n", r.id, r.section, cell(r.text), cell(r.applies), cell(told), list(x.places(s, false)), list(x.places(s, true)))
	}
}

func sectionTable(b *bytes.Buffer, x index, rfc int) {
	var subjects []subject
	for s := range x {
		if s.rfc == rfc {
			subjects = append(subjects, s)
		}
	}
	if len(subjects) == 0 {
		return
	}
	slices.SortFunc(subjects, func(a, b subject) int { return compareSections(a.section, b.section) })
	b.WriteString("\n| Section | Code | Tests |\n|---|---|---|\n")
	for _, s := range subjects {
		fmt.Fprintf(b, "| %s | %s | %s |\n", cmp.Or(s.section, "(the whole)"), list(x.places(s, false)), list(x.places(s, true)))
	}
}

// list writes places, each file once: "a.go: f, g<br>b.go: h".
func list(places []place) string {
	var b strings.Builder
	for i, p := range places {
		switch {
		case i > 0 && places[i-1].file == p.file:
			b.WriteString(", ")
		case i > 0:
			b.WriteString("<br>")
			fallthrough
		default:
			b.WriteString("`" + p.file + "`: ")
		}
		b.WriteString(p.name)
	}
	return b.String()
}

// cell makes a text fit for a table.
func cell(text string) string { return strings.ReplaceAll(text, "|", "\\|") }

// compareSections orders sections as a table of contents does: by numbers, then
// pages, then appendices.
func compareSections(a, b string) int {
	if c := cmp.Compare(kind(a), kind(b)); c != 0 {
		return c
	}
	return slices.CompareFunc(strings.FieldsFunc(a, separator), strings.FieldsFunc(b, separator), func(a, b string) int {
		m, errA := strconv.Atoi(a)
		n, errB := strconv.Atoi(b)
		if errA != nil || errB != nil {
			return strings.Compare(a, b)
		}
		return cmp.Compare(m, n)
	})
}

func separator(r rune) bool { return r == '.' || r == ' ' }

func kind(section string) int {
	switch {
	case section == "":
		return 0
	case strings.HasPrefix(section, "page"):
		return 2
	case strings.HasPrefix(section, "appendix"):
		return 3
	}
	return 1
}
