package capture

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Text in columns: terminals show some characters two columns wide, and names
// and payloads may hold any.

// wide holds the ranges of characters that are two columns wide (Unicode
// Standard Annex 11, East Asian Width, in round figures).
var wide = [...][2]rune{
	{0x1100, 0x115f},
	{0x2e80, 0x303e},
	{0x3041, 0x33ff},
	{0x3400, 0x4dbf},
	{0x4e00, 0x9fff},
	{0xa000, 0xa4cf},
	{0xa960, 0xa97f},
	{0xac00, 0xd7a3},
	{0xf900, 0xfaff},
	{0xfe30, 0xfe6f},
	{0xff01, 0xff60},
	{0xffe0, 0xffe6},
	{0x1f300, 0x1f64f},
	{0x1f680, 0x1f6ff},
	{0x1f900, 0x1f9ff},
	{0x20000, 0x3fffd},
}

// runeWidth returns how many columns a character takes.
func runeWidth(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	}
	for _, w := range wide {
		if r >= w[0] && r <= w[1] {
			return 2
		}
	}
	return 1
}

// textWidth returns how many columns a text takes. What sets a terminal's
// colours takes none.
func textWidth(s string) int {
	n, colour := 0, false
	for _, r := range s {
		switch {
		case r == '\x1b':
			colour = true
		case colour:
			colour = r != 'm'
		default:
			n += runeWidth(r)
		}
	}
	return n
}

// pad fills a text with blanks up to n columns.
func pad(s string, n int) string { return s + blanks(n-textWidth(s)) }

// padLeft puts blanks before a text, up to n columns.
func padLeft(s string, n int) string { return blanks(n-textWidth(s)) + s }

// centre puts a text in the middle of n columns.
func centre(s string, n int) string { return pad(blanks((n-textWidth(s))/2)+s, n) }

func blanks(n int) string { return strings.Repeat(" ", max(n, 0)) }

// wrap breaks a text into lines of at most n columns, between words where it
// can. It returns at least one line.
func wrap(s string, n int) []string {
	n = max(n, 8)
	var lines []string
	line := ""
	for _, word := range strings.Fields(s) {
		for textWidth(word) > n {
			if line != "" {
				lines = append(lines, line)
				line = ""
			}
			at := splitAt(word, n)
			lines = append(lines, word[:at])
			word = word[at:]
		}
		switch {
		case line == "":
			line = word
		case textWidth(line)+1+textWidth(word) <= n:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	if line != "" || lines == nil {
		lines = append(lines, line)
	}
	return lines
}

// splitAt returns the index at which a text reaches n columns.
func splitAt(s string, n int) int {
	w := 0
	for i, r := range s {
		w += runeWidth(r)
		if w > n && i > 0 {
			return i
		}
	}
	return len(s)
}

// clean makes a text from elsewhere safe to print: what would move the cursor
// becomes a dot.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return '.'
		}
		return r
	}, s)
}

// printable reports whether bytes are text that may be shown as such.
func printable(b []byte) bool {
	if !utf8.Valid(b) {
		return false
	}
	for _, r := range string(b) {
		if r != '\n' && r != '\r' && r != '\t' && !unicode.IsPrint(r) {
			return false
		}
	}
	return len(b) > 0
}

// snippet returns the beginning of a payload as quoted text of at most n
// columns, or nothing if it isn't text.
func snippet(b []byte, n int) string {
	head := b[:min(len(b), 4*n)]
	for len(head) > 0 && !utf8.Valid(head) && len(b)-len(head) > 0 && len(b)-len(head) < utf8.UTFMax {
		head = head[:len(head)-1]
	}
	if !printable(head) {
		return ""
	}
	text := fmt.Sprintf("%q", head)
	text = text[1 : len(text)-1]
	if textWidth(text) <= n && len(head) == len(b) {
		return `"` + text + `"`
	}
	at := splitAt(text, n-3)
	if strings.HasSuffix(text[:at], `\`) {
		at--
	}
	return `"` + text[:at] + `..."`
}

// counted writes a number of things.
func counted(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

// spanText writes a length of time in the units that people use, with about
// three digits.
func spanText(d time.Duration) string {
	for _, u := range []struct {
		name string
		unit time.Duration
	}{{"s", time.Second}, {"ms", time.Millisecond}, {"µs", time.Microsecond}} {
		if d.Round(u.unit/1000) < u.unit && u.name != "µs" {
			continue
		}
		if rounded := d.Round(time.Second); rounded >= time.Minute {
			break
		}
		return fmt.Sprintf("%.3g %s", float64(d)/float64(u.unit), u.name)
	}
	d = d.Round(time.Second)
	if d >= time.Hour {
		return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%d min %d s", d/time.Minute, d%time.Minute/time.Second)
}
