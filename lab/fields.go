package lab

import (
	"slices"
	"strings"
)

// A reader reads a file's sections into a Config.
type reader struct {
	*reporter
	config Config
	claims []claim
	taken  map[string]Position // names of machines and LANs
	asked  []nameServer        // that the LANs name
}

// A field is a key that a mapping may have.
type field struct {
	key  string
	read func(key, value *node)
}

// fields reads a mapping whose keys are known, each at most once.
func (r *reader) fields(n *node, what string, fields []field) {
	if !r.isMapping(n, what) {
		return
	}
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.key
	}
	for _, e := range r.unique(n) {
		i := slices.Index(names, e.key.text)
		if i < 0 {
			r.problem(e.key.at, "%q is not a key of %s: %s", e.key.text, what, didYouMean(e.key.text, names))
			continue
		}
		fields[i].read(e.key, e.value)
	}
}

// unique returns a mapping's entries without those whose key was there
// before, of which it tells.
func (r *reader) unique(n *node) []entry {
	seen := make(map[string]Position, len(n.entries))
	var first []entry
	for _, e := range n.entries {
		if at, again := seen[e.key.text]; again {
			r.problem(e.key.at, "the key %q is here for the second time; it was in line %d already: keep one of them",
				e.key.text, at.Line)
			continue
		}
		seen[e.key.text] = e.key.at
		first = append(first, e)
	}
	return first
}

func (r *reader) isMapping(n *node, what string) bool {
	if n.kind == mapping {
		return true
	}
	r.problem(n.at, "%s must be a mapping of keys to values, not %s", what, describe(n))
	return false
}

func describe(n *node) string {
	if n.kind == scalar {
		text := n.text
		if len(text) > 40 {
			text = text[:strings.LastIndexByte(text[:40], ' ')+1] + "..."
		}
		return "the value \"" + text + "\""
	}
	return n.kind.String()
}

// value returns a single value, or tells that the key must have one.
func (r *reader) value(key, value *node, wanted string) (string, bool) {
	if value.kind == scalar && value.text != "" {
		return value.text, true
	}
	at := value.at
	if value.kind == nothing {
		at = key.at
	}
	if value.kind == scalar {
		r.problem(at, "%s must be %s; it is empty", key.text, wanted)
	} else {
		r.problem(at, "%s must be %s, not %s", key.text, wanted, value.kind)
	}
	return "", false
}

// into returns the reading of a key's single value by parse into where. The
// errors of parse continue the sentence that the key begins.
func into[T any](r *reader, where *T, wanted string, parse func(string) (T, error)) func(key, value *node) {
	return func(key, value *node) {
		text, ok := r.value(key, value, wanted)
		if !ok {
			return
		}
		v, err := parse(text)
		if err != nil {
			r.problem(value.at, "%s: %v", key.text, err)
			return
		}
		*where = v
	}
}

func parseText(s string) (string, error) { return s, nil }

// name reports whether a name is good for a machine or a LAN, and nobody
// else's.
func (r *reader) name(key *node, what string) bool {
	name := key.text
	switch first, again := r.taken[name]; {
	case again:
		r.problem(key.at, "the name %q is taken: it is in line %d already; every host, router and LAN has one of its own",
			name, first.Line)
		return false
	case !goodName(name):
		r.problem(key.at, "%q is no name for a %s: it must be letters, digits and dashes, such as room-1", name, what)
		return false
	case slices.Contains(reservedNames, name):
		r.problem(key.at, "%q has a meaning of its own in a lab: give the %s another name", name, what)
		return false
	}
	r.taken[name] = key.at
	return true
}

var reservedNames = []string{"localhost", "everyone", "none"}

// goodName reports whether a name has letters of any script, digits, dashes
// and dots alone, begins with a letter, and is no longer than a label of DNS.
func goodName(s string) bool {
	for i, c := range s {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c > 127 && printableLetter(c)
		if !letter && (i == 0 || !(c >= '0' && c <= '9') && c != '-' && c != '.' && c != '_') {
			return false
		}
	}
	return s != "" && len(s) <= 63
}
