package lab

import (
	"fmt"
	"strings"

	"hubbub/internal/suggest"
)

// didYouMean returns a sentence that names the one of known which is nearest
// to word, or all of them if none is near.
func didYouMean(word string, known []string) string {
	if near := suggest.Nearest(word, known); near != "" {
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
