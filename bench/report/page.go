package report

import (
	"fmt"
	"os"
	"strings"
)

// The marks between which a page has the tables.
const (
	pageBegin = "<!-- bench: begin -->\n"
	pageEnd   = "<!-- bench: end -->"
)

// WriteInto puts the tables into a page, between its marks.
func (r *Report) WriteInto(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, ok1 := strings.Cut(string(text), pageBegin)
	_, after, ok2 := strings.Cut(rest, pageEnd)
	if !ok1 || !ok2 {
		return fmt.Errorf("%s has no place for the tables: it needs a line %q, and behind it a line %q",
			file, strings.TrimSpace(pageBegin), pageEnd)
	}
	var tables strings.Builder
	r.Markdown(&tables)
	return os.WriteFile(file, []byte(before+pageBegin+"\n"+tables.String()+"\n"+pageEnd+after), 0o644)
}
