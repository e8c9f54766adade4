package capture

import (
	"fmt"
)

// A doll is a part of a frame that has another inside it: a header, what is
// inside, and what may follow.
type doll struct {
	title string
	head  int // octets of the header
	n     int // octets of all
	tails []tail
	text  string // of the innermost: what it holds
}

type tail struct {
	name string
	n    int
}

// drawing holds the characters that boxes and lines are drawn with.
type drawing struct {
	horizontal, vertical                             string
	topLeft, topRight, bottomLeft, bottomRight       string
	arrowLeft, arrowRight, dots, check, cross, quote string
}

var (
	unicodeDrawing = drawing{"─", "│", "┌", "┐", "└", "┘", "◀", "▶", "⋮", "✓", "✗", "»"}
	asciiDrawing   = drawing{"-", "|", "+", "+", "+", "+", "<", ">", ":", "ok:", "FAILED:", ">"}
)

func drawingFor(ascii bool) *drawing {
	if ascii {
		return &asciiDrawing
	}
	return &unicodeDrawing
}

// printDolls draws the frame as nested boxes.
func (x *explainer) printDolls() {
	d := drawingFor(x.o.ASCII)
	var inner []string
	for i := len(x.dolls) - 1; i >= 0; i-- {
		inner = d.box(&x.dolls[i], inner, x.o.Width)
	}
	for _, l := range inner {
		x.line("%s", l)
	}
}

// box draws a doll around what is inside it.
func (d *drawing) box(b *doll, inner []string, most int) []string {
	body := inner
	if inner == nil {
		body = []string{b.text}
		switch {
		case b.text == "" && b.n == b.head:
			body[0] = "(no data)"
		case b.text == "":
			body[0] = counted(b.n-b.head, "octet")
		}
	}
	if b.head > 0 {
		body = beside(column("header", b.head), body)
	}
	for _, t := range b.tails {
		body = beside(body, column(t.name, t.n))
	}
	title := fmt.Sprintf("%s%s %s, %s ", d.topLeft, d.horizontal, b.title, counted(b.n, "octet"))
	w := max(linesWidth(body)+2, textWidth(title)-1)
	lines := []string{title + repeated(d.horizontal, w+1-textWidth(title)) + d.topRight}
	for _, l := range body {
		lines = append(lines, d.vertical+" "+pad(l, w-2)+" "+d.vertical)
	}
	lines = append(lines, d.bottomLeft+repeated(d.horizontal, w)+d.bottomRight)
	return lines
}

func column(name string, n int) []string { return []string{name, fmt.Sprint(n)} }

// beside puts two blocks of lines side by side, both in the middle.
func beside(a, b []string) []string {
	height := max(len(a), len(b))
	aw, bw := linesWidth(a), linesWidth(b)
	lines := make([]string, height)
	for i := range lines {
		lines[i] = pad(lineOf(a, i, height), aw) + " " + pad(lineOf(b, i, height), bw)
	}
	return lines
}

// lineOf returns line i of a block that stands in the middle of height lines.
func lineOf(b []string, i, height int) string {
	i -= (height - len(b)) / 2
	if i < 0 || i >= len(b) {
		return ""
	}
	return b[i]
}

func linesWidth(lines []string) int {
	w := 0
	for _, l := range lines {
		w = max(w, textWidth(l))
	}
	return w
}

func repeated(s string, n int) string {
	b := make([]byte, 0, max(n, 0)*len(s))
	for range n {
		b = append(b, s...)
	}
	return string(b)
}
