package main

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// ceilingName is the name of a result that isn't a cell's: what Linux gets
// through the harness without any harm.
const ceilingName = "ceiling"

// A place is a part of the document that a command writes, between two lines
// that name it.
type place string

const (
	tablePlace place = "loss-table"
	fairPlace  place = "fairness"
)

func (p place) begins() string {
	return fmt.Sprintf("<!-- What follows is made by `make %s`. -->", string(p))
}

func (p place) ends() string {
	return fmt.Sprintf("<!-- What `make %s` makes ends here. -->", string(p))
}

// A table is both halves.
type table struct{ hubbub, linux *results }

// honest returns Linux's result of a cell, unless there is none, or it is
// above half of what the harness can do: then it might be the harness's.
func (t table) honest(path, algorithm string) (result, bool) {
	l, ok := t.linux.find(path, algorithm)
	if ceiling, known := t.linux.find(ceilingName, "cubic"); known && l.Goodput > ceiling.Goodput/2 {
		return result{}, false
	}
	return l, ok
}

// A score counts the cells in which an algorithm of hubbub's can be compared
// with Linux's.
type score struct {
	cells, reached int
	behind         []string // the cells in which Linux got more
}

// score holds hubbub's cubic against Linux's.
func (t table) score() (s score) {
	for _, p := range paths() {
		h, ok := t.hubbub.find(p.name(), "cubic")
		l, measured := t.honest(p.name(), "cubic")
		if !ok || !measured {
			continue
		}
		s.cells++
		if h.Goodput >= l.Goodput {
			s.reached++
			continue
		}
		s.behind = append(s.behind, fmt.Sprintf("%s (%.2f of Linux's)", p.name(), float64(h.Goodput)/float64(l.Goodput)))
	}
	return s
}

// String is the score in a sentence.
func (s score) String() string {
	text := fmt.Sprintf("Hubbub's cubic reaches at least the goodput of Linux's in %d of the %d cells that can be compared", s.reached, s.cells)
	if len(s.behind) == 0 {
		return text + "."
	}
	return text + "; it is behind in " + strings.Join(s.behind, ", ") + "."
}

// markdown returns the table.
func (t table) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", t.score())
	for _, n := range t.linux.Notes {
		fmt.Fprintf(&b, "\nLinux: %s\n", n)
	}
	for _, rate := range rates {
		t.section(&b, rate)
	}
	return b.String()
}

// section writes the cells of a rate.
func (t table) section(b *strings.Builder, rate int64) {
	fmt.Fprintf(b, "\n### %s\n\n", strings.NewReplacer("M", " Mbit/s", "G", " Gbit/s").Replace(rateName(rate)))
	head := "| Round trip | Harm |"
	for _, who := range []string{"hubbub", "Linux"} {
		for _, a := range algorithms {
			head += fmt.Sprintf(" %s %s |", who, a)
		}
	}
	fmt.Fprintf(b, "%s cubic to cubic |\n|---|---|%s---:|\n", head, strings.Repeat("---:|", 2*len(algorithms)))
	for _, rtt := range rtts {
		for i, h := range harms {
			label := ""
			if i == 0 {
				label = rttName(rtt)
			}
			fmt.Fprintf(b, "| %s | %s |%s\n", label, h.text, t.row(path{rate, rtt, h}))
		}
	}
}

// rttName is a time as people write it.
func rttName(d time.Duration) string {
	return strings.NewReplacer("µs", " µs", "ms", " ms").Replace(d.String())
}

// row returns a cell's figures.
func (t table) row(p path) string {
	var b strings.Builder
	for _, a := range algorithms {
		h, ok := t.hubbub.find(p.name(), a)
		fmt.Fprintf(&b, " %s |", figure(h, ok))
	}
	for _, a := range algorithms {
		l, ok := t.honest(p.name(), a)
		fmt.Fprintf(&b, " %s |", figure(l, ok))
	}
	h, ok := t.hubbub.find(p.name(), "cubic")
	l, measured := t.honest(p.name(), "cubic")
	if !ok || !measured {
		return b.String() + "  |"
	}
	return b.String() + fmt.Sprintf(" %.2f |", float64(h.Goodput)/float64(l.Goodput))
}

// figure is a goodput in Mbit/s, with three digits that count.
func figure(r result, ok bool) string {
	mbps := float64(r.Goodput) / 1e6
	switch {
	case !ok:
		return "–"
	case mbps >= 99.95:
		return fmt.Sprintf("%.0f", mbps)
	case mbps >= 9.995:
		return fmt.Sprintf("%.1f", mbps)
	}
	return fmt.Sprintf("%.2f", mbps)
}

// insert puts a text into its place in the document.
func (p place) insert(document, text string) (string, error) {
	before, rest, begins := strings.Cut(document, p.begins())
	_, after, ends := strings.Cut(rest, p.ends())
	if !begins || !ends {
		return "", fmt.Errorf("the document has no place for the text: between a line %q and a line %q", p.begins(), p.ends())
	}
	return before + p.begins() + "\n\n" + text + "\n" + p.ends() + after, nil
}

// write writes a part of the document anew.
func (p place) write(name, text string) error {
	old, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	document, err := p.insert(string(old), text)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return os.WriteFile(name, []byte(document), 0o644)
}
