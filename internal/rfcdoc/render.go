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

const legend = "A requirement is **met** if the code and a test cite it. **Code only** and **test only** say which of\n" +
	"the two does, and **not yet** that neither does: it isn't built, or nobody has said where. It applies\n" +
	"always (Y), through the programming interface alone (API), only if the optional feature is there (opt),\n" +
	"when forwarding (R), to applications, so that there is nothing to check (app), or it is little used\n" +
	"today (low).\n"

// render writes the whole document.
func render(x index, rows []requirementRow, deviations string) []byte {
	var b bytes.Buffer
	b.WriteString(head)
	rfcs := cited(x, rows)
	summary(&b, x, rows, rfcs)
	for _, rfc := range rfcs {
		fmt.Fprintf(&b, "\n## RFC %d: %s\n", rfc, titles[rfc])
		requirementTable(&b, x, rowsOf(rows, rfc))
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

func summary(b *bytes.Buffer, x index, rows []requirementRow, rfcs []int) {
	b.WriteString("\n## Summary\n\nPlaces are functions, types and variables that cite the RFC.\n\n")
	b.WriteString("| RFC | Title | Places in code | Places in tests | Requirements met |\n|---|---|--:|--:|--:|\n")
	for _, rfc := range rfcs {
		code, tests := map[place]bool{}, map[place]bool{}
		for s := range x {
			if s.rfc == rfc {
				addAll(code, x.places(s, false))
				addAll(tests, x.places(s, true))
			}
		}
		fmt.Fprintf(b, "| %d | %s | %d | %d | %s |\n", rfc, titles[rfc], len(code), len(tests), met(x, rowsOf(rows, rfc)))
	}
	b.WriteString("\n" + legend)
}

func addAll(set map[place]bool, places []place) {
	for _, p := range places {
		set[p] = true
	}
}

// met says how many of the requirements are met: "3 of 5".
func met(x index, rows []requirementRow) string {
	n := 0
	for _, r := range rows {
		if status(x, r) == "met" {
			n++
		}
	}
	if len(rows) == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %d", n, len(rows))
}

func status(x index, r requirementRow) string {
	s := subject{requirement: r.id}
	code, test := len(x.places(s, false)) > 0, len(x.places(s, true)) > 0
	switch {
	case code && test:
		return "met"
	case code:
		return "code only"
	case test:
		return "test only"
	}
	return "not yet"
}

func requirementTable(b *bytes.Buffer, x index, rows []requirementRow) {
	if len(rows) == 0 {
		return
	}
	b.WriteString("\n| Requirement | Section | What it asks | Applies | Status | Code | Tests |\n|---|---|---|---|---|---|---|\n")
	for _, r := range rows {
		s := subject{requirement: r.id}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s | %s |\n", r.id, r.section, cell(r.text), cell(r.applies), status(x, r), list(x.places(s, false)), list(x.places(s, true)))
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
