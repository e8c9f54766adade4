package lab

import (
	"strings"
	"unicode/utf8"
)

// A word is a part of a phrase.
type word struct {
	text   string
	offset int  // of its first character, in characters
	quoted bool // it stood in double quotes
}

// splitWords splits a phrase at its spaces. What stands in double quotes is
// one word; there \" is a quote, \\ a backslash and \n a new line.
func splitWords(phrase string) []word {
	var words []word
	for rest := phrase; ; {
		rest = strings.TrimLeft(rest, " \t\n")
		if rest == "" {
			return words
		}
		w := word{offset: utf8.RuneCountInString(phrase[:len(phrase)-len(rest)])}
		if rest[0] == '"' {
			w.quoted = true
			w.text, rest = quotedWord(rest[1:])
		} else {
			end := strings.IndexAny(rest, " \t\n")
			if end < 0 {
				end = len(rest)
			}
			w.text, rest = rest[:end], rest[end:]
		}
		words = append(words, w)
	}
}

func quotedWord(s string) (text, rest string) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return b.String(), s[i+1:]
		case c == '\\' && i+1 < len(s):
			i++
			if s[i] == 'n' {
				b.WriteByte('\n')
			} else {
				b.WriteByte(s[i])
			}
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), ""
}

// within returns the place of a character of a scalar.
func (n *node) within(offset int) Position {
	at := n.at
	if n.quoted {
		at.Column++
	}
	at.Column += offset
	return at
}
