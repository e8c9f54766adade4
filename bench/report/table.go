package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"hubbub/bench/contestants"
	"hubbub/bench/profiles"
	"hubbub/bench/workloads"
)

// A table is rows of cells, the head first. The first column is words, the
// others are numbers.
type table [][]string

// Text writes the report for a terminal.
func (r *Report) Text(w io.Writer) { r.write(w, false) }

// Markdown writes the report for a page.
func (r *Report) Markdown(w io.Writer) { r.write(w, true) }

func (r *Report) write(w io.Writer, markdown bool) {
	end := "\n"
	if markdown {
		end = "\n\n" // else lines would run into one another
	}
	fmt.Fprint(w, r.Machine, end, r.Settings, "\n")
	for _, sentence := range r.Missing {
		fmt.Fprint(w, end[1:], "Left out: ", sentence, "\n")
	}
	for _, x := range r.workloads() {
		heading(w, x.Title, markdown)
		r.table(x).write(w, markdown)
	}
	if len(r.Profiles) > 0 {
		heading(w, "What the processors' time goes into, in percent", markdown)
		r.shares().write(w, markdown)
	}
	if t := r.bars(); len(t) > 1 {
		heading(w, "Bars", markdown)
		t.write(w, markdown)
	}
}

func heading(w io.Writer, title string, markdown bool) {
	if markdown {
		fmt.Fprintf(w, "\n### %s\n\n", title)
		return
	}
	fmt.Fprintf(w, "\n%s\n", title)
}

// String describes the settings in a sentence.
func (s Settings) String() string {
	return fmt.Sprintf("Rounds: %d, each contestant once in each, in a process of its own; %g s are measured; GOMAXPROCS=%d. "+
		"Medians, with the least and the greatest in brackets.", s.Rounds, s.Window, s.Processors)
}

// table has a row for each contestant, a column for each metric.
func (r *Report) table(w *workloads.Workload) table {
	head := []string{""}
	for _, m := range w.Metrics {
		head = append(head, label(m))
	}
	t := table{head}
	for _, c := range r.contestants(w) {
		row := []string{c.Title}
		for _, m := range w.Metrics {
			s, ok := r.Spread(w.Name, c.Name, m.Name)
			row = append(row, cell(s, ok, m.Digits))
		}
		t = append(t, row)
	}
	return t
}

// shares has a row for each profile, a column for each part of the time.
func (r *Report) shares() table {
	parts := profiles.Parts()
	head := []string{""}
	for _, part := range parts {
		head = append(head, part.Title)
	}
	t := table{head}
	for _, p := range r.Profiles {
		row := []string{p.String()}
		for _, part := range parts {
			row = append(row, percent(p.Shares[part.Name]))
		}
		t = append(t, row)
	}
	return t
}

// String names a profile by its workload, and by whose it is.
func (p Profile) String() string {
	return workloads.Find(p.Workload).Title + ": " + contestants.Find(p.Contestant).Title
}

func percent(share float64) string {
	if share < 0.005 {
		return "·"
	}
	return strconv.FormatFloat(100*share, 'f', 0, 64)
}

func label(m workloads.Metric) string {
	if m.Unit == "" {
		return m.Title
	}
	return m.Title + ", " + m.Unit
}

// cell is "6.71 (6.10 to 7.02)", without the brackets where there is nothing
// between.
func cell(s Spread, ok bool, digits int) string {
	if !ok {
		return "–"
	}
	median, least, greatest := number(s.Median, digits), number(s.Min, digits), number(s.Max, digits)
	if least == greatest {
		return median
	}
	return fmt.Sprintf("%s (%s to %s)", median, least, greatest)
}

// number writes a number with thousands apart, and no more than four digits
// that mean something.
func number(v float64, digits int) string {
	for limit := 1000.0; digits > 0 && v >= limit/float64(pow10(digits-1)); digits-- {
	}
	text := strconv.FormatFloat(v, 'f', digits, 64)
	whole, rest, _ := strings.Cut(text, ".")
	for at := len(whole) - 3; at > 0 && whole[at-1] != '-'; at -= 3 {
		whole = whole[:at] + "," + whole[at:]
	}
	if rest == "" {
		return whole
	}
	return whole + "." + rest
}

func pow10(n int) int {
	p := 1
	for range n {
		p *= 10
	}
	return p
}

func (t table) write(w io.Writer, markdown bool) {
	widths := make([]int, len(t[0]))
	for _, row := range t {
		for i, text := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(text))
		}
	}
	for n, row := range t {
		t.line(w, row, widths, markdown)
		if n > 0 || !markdown {
			continue
		}
		marks := make([]string, len(row))
		for i := range row {
			marks[i] = strings.Repeat("-", max(3, widths[i])-1) + ":"
		}
		marks[0] = strings.Repeat("-", max(3, widths[0]))
		t.line(w, marks, widths, true)
	}
}

func (t table) line(w io.Writer, row []string, widths []int, markdown bool) {
	cells := make([]string, len(row))
	for i, text := range row {
		space := strings.Repeat(" ", max(0, widths[i]-utf8.RuneCountInString(text)))
		if cells[i] = space + text; i == 0 {
			cells[i] = text + space
		}
	}
	if markdown {
		fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | "))
		return
	}
	fmt.Fprintln(w, strings.TrimRight("  "+strings.Join(cells, "   "), " "))
}
