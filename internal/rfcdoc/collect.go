package main

import (
	"cmp"
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"hubbub/internal/gosource"
)

// subject is what a place in the source speaks of: a section of an RFC (empty
// for the whole RFC), or a requirement.
type subject struct {
	rfc         int
	section     string
	requirement string
}

// place is where: a file, and the function, type or variable in it.
type place struct {
	file, name string
	test       bool
}

// index knows the places of each subject.
type index map[subject]map[place]bool

const section = `(?:[Aa]ppendix [A-Z](?:\.\d+)*|[A-Z](?:\.\d+)+|page \d+|\d{1,2}(?:\.\d{1,2})*)\b`

var (
	citation    = regexp.MustCompile(`RFC (\d{1,5})\b(?:, (` + section + `(?:(?:,| and|, and| or) ` + section + `)*))?`)
	sections    = regexp.MustCompile(section)
	requirement = regexp.MustCompile(`\b(?:(?:MUST|SHLD|MAY|REC)-\d+|R\d{3,5}-\d+)\b`)
)

// collect adds a file's citations.
func (x index) collect(f gosource.File) {
	for _, comment := range f.Syntax.Comments {
		text, at := comment.Text(), placeOf(f, comment.Pos())
		x.citations(text, at)
		for _, id := range requirement.FindAllString(text, -1) {
			x.add(subject{requirement: id}, at)
		}
	}
	ast.Inspect(f.Syntax, func(n ast.Node) bool {
		if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			text, _ := strconv.Unquote(literal.Value)
			x.citations(text, placeOf(f, literal.Pos()))
		}
		return true
	})
}

func (x index) citations(text string, at place) {
	text = strings.Join(strings.Fields(text), " ")
	for _, m := range citation.FindAllStringSubmatch(text, -1) {
		rfc, _ := strconv.Atoi(m[1])
		if m[2] == "" {
			x.add(subject{rfc: rfc}, at)
		}
		for _, s := range sections.FindAllString(m[2], -1) {
			x.add(subject{rfc: rfc, section: tidy(s)}, at)
		}
	}
}

// tidy gives an appendix one spelling: "appendix A.3".
func tidy(section string) string {
	if section[0] >= 'A' && section[0] <= 'Z' {
		return "appendix " + strings.TrimPrefix(section, "Appendix ")
	}
	return section
}

func (x index) add(s subject, at place) {
	if x[s] == nil {
		x[s] = map[place]bool{}
	}
	x[s][at] = true
}

// places are a subject's, in code or in tests, sorted.
func (x index) places(s subject, test bool) (places []place) {
	for p := range x[s] {
		if p.test == test {
			places = append(places, p)
		}
	}
	slices.SortFunc(places, func(a, b place) int {
		return cmp.Or(strings.Compare(a.file, b.file), strings.Compare(a.name, b.name))
	})
	return places
}

// verify finds citations that can't be right.
func (x index) verify(known []requirementRow) error {
	var wrong []string
	for s := range x {
		where := append(x.places(s, false), x.places(s, true)...)[0]
		has := func(r requirementRow) bool { return r.id == s.requirement }
		switch {
		case s.rfc != 0 && titles[s.rfc] == "":
			wrong = append(wrong, fmt.Sprintf("%s cites RFC %d, which has no title in internal/rfcdoc/titles.go: add it there, or correct the number", where, s.rfc))
		case s.requirement != "" && !slices.ContainsFunc(known, has):
			wrong = append(wrong, fmt.Sprintf("%s cites the requirement %s, which docs/requirements.tsv doesn't have", where, s.requirement))
		}
	}
	slices.Sort(wrong)
	if wrong = slices.Compact(wrong); len(wrong) > 0 {
		return errors.New(strings.Join(wrong, "\n"))
	}
	return nil
}

func (p place) String() string { return p.file + " (" + p.name + ")" }

// placeOf names the declaration around a position, its comments included; the
// package where there is none.
func placeOf(f gosource.File, pos token.Pos) place {
	at := place{file: f.Path, name: "package", test: f.Test()}
	for _, decl := range f.Syntax.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if within(pos, d, d.Doc, nil) {
				at.name = functionName(d)
			}
		case *ast.GenDecl:
			nameSpec(&at, d, pos)
		}
	}
	return at
}

// nameSpec names the constant, variable or type at a position; for a position
// in the declaration's head, the first of them.
func nameSpec(at *place, d *ast.GenDecl, pos token.Pos) {
	inside := within(pos, d, d.Doc, nil)
	for i, spec := range d.Specs {
		name, doc, tail := describe(spec)
		if name != "" && (within(pos, spec, doc, tail) || inside && i == 0) {
			at.name = name
		}
	}
}

func describe(spec ast.Spec) (name string, doc, tail *ast.CommentGroup) {
	switch s := spec.(type) {
	case *ast.TypeSpec:
		return s.Name.Name, s.Doc, s.Comment
	case *ast.ValueSpec:
		return s.Names[0].Name, s.Doc, s.Comment
	}
	return "", nil, nil
}

func within(pos token.Pos, n ast.Node, doc, tail *ast.CommentGroup) bool {
	from, to := n.Pos(), n.End()
	if doc != nil {
		from = doc.Pos()
	}
	if tail != nil {
		to = tail.End()
	}
	return from <= pos && pos <= to
}

// functionName is "Conn.Write" for a method and "Dial" for a function.
func functionName(d *ast.FuncDecl) string {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return d.Name.Name
	}
	receiver := d.Recv.List[0].Type
	if star, ok := receiver.(*ast.StarExpr); ok {
		receiver = star.X
	}
	if generic, ok := receiver.(*ast.IndexExpr); ok {
		receiver = generic.X
	}
	if name, ok := receiver.(*ast.Ident); ok {
		return name.Name + "." + d.Name.Name
	}
	return d.Name.Name
}
