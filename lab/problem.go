package lab

import (
	"fmt"
	"sort"
	"strings"
	"unicode"
)

// A Position is a place in a lab file: line and column count from 1, columns
// in characters. The zero Position is the file as a whole.
type Position struct {
	Line, Column int
}

// A Problem is one thing that is wrong with a lab file.
type Problem struct {
	File    string
	At      Position
	What    string // a sentence: what is wrong, and what would be right
	Excerpt string // the line, and below it a caret; empty for the file as a whole
}

// Error returns the place, the sentence and the excerpt.
func (p *Problem) Error() string {
	place := p.File
	if p.At.Line > 0 {
		place = fmt.Sprintf("%s:%d:%d", p.File, p.At.Line, p.At.Column)
	}
	if p.Excerpt == "" {
		return place + ": " + p.What
	}
	return place + ": " + p.What + "\n" + p.Excerpt
}

// Problems are all that is wrong with a lab file, in the order of their
// places.
type Problems []*Problem

// maxShown bounds the problems that one error text tells of.
const maxShown = 20

// Error returns all problems, one below the other; beyond twenty it says how
// many more there are.
func (ps Problems) Error() string {
	var b strings.Builder
	for i, p := range ps {
		if i > 0 {
			b.WriteString("\n")
		}
		if i == maxShown {
			fmt.Fprintf(&b, "... and %d more problems", len(ps)-maxShown)
			break
		}
		b.WriteString(p.Error())
	}
	return b.String()
}

// maxProblems bounds the problems that are collected.
const maxProblems = 200

// reporter collects the problems of one file.
type reporter struct {
	file     string
	lines    []string
	problems Problems
}

func newReporter(file string, source []byte) *reporter {
	return &reporter{file: file, lines: strings.Split(string(source), "\n")}
}

// problem notes a problem at a place. A place is told of once.
func (r *reporter) problem(at Position, format string, args ...any) {
	if len(r.problems) >= maxProblems {
		return
	}
	for _, p := range r.problems {
		if p.At == at && at.Line > 0 {
			return
		}
	}
	what := clip(fmt.Sprintf(format, args...))
	r.problems = append(r.problems, &Problem{File: r.file, At: at, What: what, Excerpt: r.excerpt(at)})
}

// clip keeps a sentence that quotes a long word from filling the screen.
func clip(sentence string) string {
	s := []rune(sentence)
	const most, head = 500, 300
	if len(s) <= most {
		return sentence
	}
	return string(s[:head]) + " … " + string(s[len(s)-(most-head):])
}

// err returns the problems in the order of their places, nil if there is none.
func (r *reporter) err() error {
	if len(r.problems) == 0 {
		return nil
	}
	sort.SliceStable(r.problems, func(i, j int) bool {
		a, b := r.problems[i].At, r.problems[j].At
		return a.Line < b.Line || a.Line == b.Line && a.Column < b.Column
	})
	return r.problems
}

// excerptWidth bounds the characters of a line that an excerpt shows.
const excerptWidth = 100

// excerpt returns the line of a place, and a caret below the place.
func (r *reporter) excerpt(at Position) string {
	if r == nil || at.Line < 1 || at.Line > len(r.lines) || at.Column < 1 {
		return ""
	}
	line := []rune(strings.TrimRight(r.lines[at.Line-1], "\r"))
	column := min(at.Column-1, len(line))
	before, after := "", ""
	if from := column - excerptWidth/2; len(line) > excerptWidth && from > 0 {
		before, line, column = "…", line[from:], excerptWidth/2
	}
	if len(line) > excerptWidth {
		after, line = "…", line[:excerptWidth]
	}
	var shown, below strings.Builder
	for i, c := range line {
		c, space := printable(c)
		shown.WriteRune(c)
		if i < column {
			below.WriteString(space)
		}
	}
	number := fmt.Sprintf("%5d", at.Line)
	return fmt.Sprintf("%s | %s%s%s\n%s | %s%s^",
		number, before, shown.String(), after,
		strings.Repeat(" ", len(number)), strings.Repeat(" ", len([]rune(before))), below.String())
}

// printable returns what is shown for a character of a line, and a space that
// is as wide.
func printable(c rune) (shown rune, space string) {
	switch {
	case c == '\t':
		return ' ', " "
	case !unicode.IsPrint(c):
		return '�', " "
	case wide(c):
		return c, "\u3000"
	}
	return c, " "
}

// wide reports whether a terminal gives a character two columns, as it does
// to those of Chinese, Japanese and Korean.
func wide(c rune) bool {
	return c >= 0x1100 && (c <= 0x115f || c >= 0x2e80 && c <= 0xa4cf ||
		c >= 0xac00 && c <= 0xd7a3 || c >= 0xf900 && c <= 0xfaff ||
		c >= 0xfe30 && c <= 0xfe6f || c >= 0xff00 && c <= 0xff60 || c >= 0x20000)
}
