package lab

import (
	"bytes"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// A kind says what a node of a file is.
type kind uint8

const (
	scalar kind = iota
	mapping
	list
	nothing // a key without a value
)

func (k kind) String() string {
	return [...]string{"a single value", "a mapping of keys to values", "a list", "nothing"}[k]
}

// A node is a value in a file, as it was written: a scalar's text has not been
// taken for a number or anything else.
type node struct {
	kind    kind
	at      Position
	text    string // of a scalar
	quoted  bool   // the scalar stood in quotes or in a block
	entries []entry
	items   []*node
}

type entry struct {
	key   *node
	value *node
}

// The bounds of a file. No lab comes near them.
const (
	maxFile  = 1 << 18 // bytes
	maxLines = 10_000
	maxKeys  = 20_000
	maxDepth = 16 // values within values
)

// parseTree reads a file's YAML. It returns nil if there are problems, which r
// knows then.
func parseTree(r *reporter, source []byte) *node {
	if !acceptable(r, source) {
		return nil
	}
	file, err := parser.ParseBytes(source, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		r.notYAML(err)
		return nil
	}
	root := r.document(file)
	if len(r.problems) > 0 {
		return nil
	}
	return root
}

// acceptable reports whether a file is text that is safe to be parsed.
func acceptable(r *reporter, source []byte) bool {
	before := len(r.problems)
	switch {
	case len(source) > maxFile:
		r.problem(Position{}, "the file has %d bytes; a lab file has at most %d", len(source), maxFile)
	case bytes.Count(source, []byte("\n")) > maxLines:
		r.problem(Position{}, "the file has more than %d lines: that is more than a lab has use for", maxLines)
	case bytes.Count(source, []byte(":")) > maxKeys:
		r.problem(Position{}, "the file has more than %d keys: that is more than a lab has use for", maxKeys)
	case !utf8.Valid(source):
		r.problem(Position{}, "the file is not text in UTF-8: a lab file is written in YAML")
	case bytes.IndexByte(source, 0) >= 0:
		r.problem(Position{}, "the file is not text: a lab file is written in YAML")
	case len(bytes.TrimSpace(source)) == 0:
		r.problem(Position{}, "the file is empty: a lab has at least one LAN, such as lans: {room1: {subnet: 172.16.10.0/24}}")
	default:
		r.checkDepth()
	}
	return len(r.problems) == before
}

// checkDepth refuses what the parser would have to follow too deep: brackets
// and dashes within one another. Those in quotes and comments are counted too,
// which no reasonable file notices.
func (r *reporter) checkDepth() {
	depth := 0
	for i, line := range r.lines {
		lead := strings.TrimLeft(line, " -?:\t")
		if dashes := strings.Count(line[:len(line)-len(lead)], "- "); dashes > maxDepth ||
			strings.Count(line[:len(line)-len(lead)], "? ") > 1 {
			r.problem(Position{i + 1, 1}, "lists within lists, more than %d deep: a lab has no use for them", maxDepth)
			return
		}
		for j, c := range []rune(line) {
			switch c {
			case '[', '{':
				depth++
			case ']', '}':
				depth = max(0, depth-1)
			}
			if depth > 4*maxDepth {
				r.problem(Position{i + 1, j + 1}, "brackets within brackets, more than %d deep: is one not closed?", 4*maxDepth)
				return
			}
		}
	}
}

// notYAML tells what the parser didn't understand.
func (r *reporter) notYAML(err error) {
	var syntax *yaml.SyntaxError
	if !errors.As(err, &syntax) || syntax.Token == nil {
		r.problem(Position{}, "this is not YAML: %s", firstLine(err.Error()))
		return
	}
	at := place(syntax.Token)
	r.problem(at, "this is not YAML: %s", explain(syntax.Message))
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

// explain says the parser's complaints in the words of somebody who writes a
// lab.
func explain(message string) string {
	for _, known := range [...]struct{ has, say string }{
		{"mapping value is not allowed", "there is a second \": \" here, or the indentation is wrong; put the value in double quotes, or indent it like its neighbours"},
		{"sequence end token", "the bracket [ is never closed with ]"},
		{"mapping end token", "the brace { is never closed with }"},
		{"could not find end character of double-quoted", "the double quote \" is never closed"},
		{"could not find end character of single-quoted", "the single quote ' is never closed"},
		{"must be specified", "a comma is missing here, or the brace { or bracket [ before it is never closed"},
		{"found character '\t'", "a line is indented with a tab; use spaces"},
		{"tab character", "a line is indented with a tab; use spaces"},
		{"found a tab", "a line is indented with a tab; use spaces"},
		{"unexpected key name", "a key, such as lans:, was expected here"},
	} {
		if strings.Contains(message, known.has) {
			return known.say
		}
	}
	return firstLine(message)
}

func place(t *token.Token) Position {
	if t == nil || t.Position == nil {
		return Position{1, 1}
	}
	return Position{t.Position.Line, max(1, t.Position.Column)}
}

// document returns the one document of a file.
func (r *reporter) document(file *ast.File) *node {
	var body ast.Node
	for _, d := range file.Docs {
		switch {
		case d.Body == nil:
		case body != nil:
			r.problem(place(d.Body.GetToken()), "a second YAML document begins here: a lab file has one")
			return nil
		default:
			body = d.Body
		}
	}
	if body == nil {
		r.problem(Position{}, "the file has comments alone: a lab has at least one LAN, such as lans: {room1: {subnet: 172.16.10.0/24}}")
		return nil
	}
	return r.convert(body, 0)
}

// convert makes a node of the parser's.
func (r *reporter) convert(from ast.Node, depth int) *node {
	at := place(from.GetToken())
	if depth > maxDepth {
		r.problem(at, "values within values, more than %d deep: a lab has no use for them", maxDepth)
		return &node{kind: nothing, at: at}
	}
	switch from := from.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode, *ast.MergeKeyNode:
		r.problem(at, "%s is not used in a lab file: write the value out", construct(from))
		return &node{kind: nothing, at: at}
	case *ast.MappingNode:
		return r.convertMapping(at, from.Values, depth)
	case *ast.MappingValueNode:
		return r.convertMapping(at, []*ast.MappingValueNode{from}, depth)
	case *ast.SequenceNode:
		n := &node{kind: list, at: at}
		for _, v := range from.Values {
			n.items = append(n.items, r.convert(v, depth+1))
		}
		return n
	case *ast.LiteralNode:
		return &node{at: at, text: strings.TrimRight(from.Value.Value, "\n"), quoted: true}
	case *ast.NullNode:
		return r.convertNull(at, from)
	case *ast.StringNode:
		t := from.GetToken().Type
		return &node{at: at, text: from.Value, quoted: t == token.DoubleQuoteType || t == token.SingleQuoteType}
	case ast.ScalarNode:
		return &node{at: at, text: from.GetToken().Value}
	}
	r.problem(at, "%s is not used in a lab file: write the value out", construct(from))
	return &node{kind: nothing, at: at}
}

func (r *reporter) convertNull(at Position, from *ast.NullNode) *node {
	if from.GetToken().Type == token.ImplicitNullType {
		return &node{kind: nothing, at: at}
	}
	return &node{at: at, text: from.GetToken().Value}
}

func construct(n ast.Node) string {
	switch n.Type() {
	case ast.AnchorType:
		return "an anchor (&)"
	case ast.AliasType:
		return "an alias (*)"
	case ast.TagType:
		return "a tag (!)"
	case ast.MergeKeyType:
		return "a merge (<<)"
	}
	return "this construct of YAML"
}

func (r *reporter) convertMapping(at Position, values []*ast.MappingValueNode, depth int) *node {
	n := &node{kind: mapping, at: at}
	for _, v := range values {
		key := r.convert(v.Key, depth+1)
		if key.kind != scalar {
			r.problem(key.at, "a key must be a word")
			continue
		}
		n.entries = append(n.entries, entry{key, r.convert(v.Value, depth+1)})
	}
	if len(n.entries) > 0 && values[0].GetToken() == nil {
		n.at = n.entries[0].key.at
	}
	return n
}
