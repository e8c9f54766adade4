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
// by hand in docs/rfc-deviations.md, which the document includes.
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
	want, err := document(root)
	if err != nil {
		return err
	}
	name := filepath.Join(root, "docs", "rfc.md")
	if !check {
		return os.WriteFile(name, want, 0o644)
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

// document is the text of docs/rfc.md for the module at root.
func document(root string) ([]byte, error) {
	files, err := gosource.Walk(root)
	if err != nil {
		return nil, err
	}
	table, err := os.ReadFile(filepath.Join(root, "docs", "requirements.tsv"))
	if err != nil {
		return nil, err
	}
	requirements, err := parseRequirements(string(table))
	if err != nil {
		return nil, err
	}
	deviations, err := os.ReadFile(filepath.Join(root, "docs", "rfc-deviations.md"))
	if err != nil {
		return nil, err
	}
	found := index{}
	for _, f := range files {
		if f.Dir() != "internal/rfcdoc" { // this tool's examples aren't citations
			found.collect(f)
		}
	}
	if err := found.verify(requirements); err != nil {
		return nil, err
	}
	return render(found, requirements, string(deviations)), nil
}
