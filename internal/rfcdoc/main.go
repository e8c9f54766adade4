// Command rfcdoc writes docs/rfc.md: for every RFC that the code and its tests
// cite, which section is obeyed where and tested where, which requirement is
// met, and where we deviate.
//
//	go run ./internal/rfcdoc          writes docs/rfc.md
//	go run ./internal/rfcdoc -check   fails if docs/rfc.md isn't up to date
//
// A citation is an RFC's number and a section, in a comment or a string:
//
//	RFC 9293, 3.10.7.4
//	RFC 7323, 2.2 and 3.2
//	RFC 7323, appendix A
//	RFC 792, page 14
//	RFC 826
//
// A requirement is cited by its id in docs/requirements.tsv, such as MUST-13 or
// R5961-1, in a comment. Places are named by file and function, not by line, so
// that the document changes only when what it says does. Deviations are written
// by hand in docs/rfc-deviations.md, which the document includes. A requirement
// that code and a test don't both cite has a line in docs/requirements-open.tsv
// that says why: -check fails if one has neither.
//
// To cite another RFC: add its title to titles.go. To add a requirement: a line
// in docs/requirements.tsv.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"hubbub/internal/gosource"
)

func main() {
	check := flag.Bool("check", false, "fail if docs/rfc.md isn't up to date; write nothing")
	flag.Parse()
	if err := run(*check); err != nil {
		fmt.Fprintln(os.Stderr, "rfcdoc:", err)
		os.Exit(1)
	}
}

func run(check bool) error {
	root, err := gosource.Root()
	if err != nil {
		return err
	}
	p, err := read(root)
	if err != nil {
		return err
	}
	want := render(p.found, p.requirements, p.open, p.deviations)
	name := filepath.Join(root, "docs", "rfc.md")
	if !check {
		return os.WriteFile(name, want, 0o644)
	}
	if err := account(p.found, p.requirements, p.open); err != nil {
		return err
	}
	got, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return errors.New("docs/rfc.md doesn't say what the citations in code and tests say: run `make rfc` and commit it")
	}
	return nil
}

// parts are what the document is made of.
type parts struct {
	found        index
	requirements []requirementRow
	open         map[string]openRow
	deviations   string
}

// read collects the parts from the module at root.
func read(root string) (p parts, err error) {
	files, err := gosource.Walk(root)
	if err != nil {
		return p, err
	}
	var texts [3]string
	for i, name := range []string{"requirements.tsv", openName, "rfc-deviations.md"} {
		text, err := os.ReadFile(filepath.Join(root, "docs", name))
		if err != nil {
			return p, err
		}
		texts[i] = string(text)
	}
	p.deviations = texts[2]
	if p.requirements, err = parseRequirements(texts[0]); err != nil {
		return p, err
	}
	if p.open, err = parseOpen(texts[1], p.requirements); err != nil {
		return p, err
	}
	p.found = index{}
	for _, f := range files {
		if f.Dir() != "internal/rfcdoc" { // this tool's examples aren't citations
			p.found.collect(f)
		}
	}
	return p, p.found.verify(p.requirements)
}
