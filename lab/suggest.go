package lab

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// didYouMean returns a sentence that names the one of known which is nearest
// to word, or all of them if none is near.
func didYouMean(word string, known []string) string {
	if near := nearest(word, known); near != "" {
		return "did you mean " + near + "?"
	}
	switch len(known) {
	case 0:
		return "there are none"
	case 1:
		return "there is only " + known[0]
	}
	if more := len(known) - maxNamed; more > 0 {
		return fmt.Sprintf("it can be %s, or one of %d more", strings.Join(known[:maxNamed], ", "), more)
	}
	return "it can be " + oneOf(known)
}

// maxNamed bounds how many possibilities a sentence names.
const maxNamed = 20

// oneOf writes a list of words as people do: a, b or c.
func oneOf(words []string) string { return join(words, "or") }

// allOf writes a list of words as people do: a, b and c.
func allOf(words []string) string { return join(words, "and") }

func join(words []string, last string) string {
	n := len(words)
	if n < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:n-1], ", ") + " " + last + " " + words[n-1]
}

// nearest returns the known word that can be had from word with the fewest
// changes of a letter, if they are few for its length.
func nearest(word string, known []string) string {
	if len(word) > 64 {
		return ""
	}
	best, least := "", 1+max(1, utf8.RuneCountInString(word)/3)
	for _, k := range known {
		if d := distance(plain(word), plain(k)); d < least {
			best, least = k, d
		}
	}
	return best
}

// plain makes words that differ in writing alone the same.
func plain(s string) string {
	return strings.NewReplacer("_", "", "-", "", " ", "").Replace(strings.ToLower(s))
}

// distance returns how many letters must be put in, taken out, changed, or
// exchanged with their neighbour, to make b of a.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	rows := [3][]int{make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)}
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := 1; i <= len(x); i++ {
		above2, above, row := rows[(i-1)%3], rows[i%3], rows[(i+1)%3]
		row[0] = i
		for j := 1; j <= len(y); j++ {
			same := 1
			if x[i-1] == y[j-1] {
				same = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+same)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], above2[j-2]+1)
			}
		}
	}
	return rows[(len(x)+1)%3][len(y)]
}
