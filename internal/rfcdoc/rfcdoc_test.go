package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hubbub/internal/gosource"
)

// collected are the citations of one source, as lines "subject @ place".
func collected(t *testing.T, path, source string) []string {
	t.Helper()
	f, err := gosource.Parse(path, []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	x := index{}
	x.collect(f)
	var lines []string
	for s, places := range x {
		for p := range places {
			what := s.requirement
			if s.rfc != 0 {
				what = fmt.Sprintf("%d:%s", s.rfc, s.section)
			}
			lines = append(lines, what+" @ "+p.name)
		}
	}
	slices.Sort(lines)
	return lines
}

func TestACitationIsFoundInEveryForm(t *testing.T) {
	for _, c := range []struct {
		comment string
		want    []string
	}{
		{"RFC 9293, 3.10.7.4.", []string{"9293:3.10.7.4"}},
		{"(RFC 6298, 5).", []string{"6298:5"}},
		{"RFC 826", []string{"826:"}},
		{"RFC 1122: \"A host MUST ...\"", []string{"1122:"}},
		{"RFC 792, page 14", []string{"792:page 14"}},
		{"RFC 7323, appendix A and RFC 9293, A.3", []string{"7323:appendix A", "9293:appendix A.3"}},
		{"RFC 7323, Appendix B.2", []string{"7323:appendix B.2"}},
		{"RFC 7323, 2.2 and 3.2; RFC 2018, 2", []string{"2018:2", "7323:2.2", "7323:3.2"}},
		{"RFC 1122, 4.2.2.13, 4.2.3.6 and 4.2.3.1", []string{"1122:4.2.2.13", "1122:4.2.3.1", "1122:4.2.3.6"}},
		{"broken over\n// a line: RFC\n// 9293,\n// 3.5", []string{"9293:3.5"}},
		{"RFC 9293, 3.6.1, SHLD-3", []string{"9293:3.6.1", "SHLD-3"}},
		{"RFC 791, 2nd edition", []string{"791:"}},
		{"(MUST-13) as R5961-1 asks, R1 and R2 apart", []string{"MUST-13", "R5961-1"}},
		{"no citation: RFCs, RFC, MUST, 9293, 3.5", nil},
	} {
		got := collected(t, "a.go", "package a\n\n// "+c.comment+"\nvar x int\n")
		for i := range got {
			got[i] = strings.TrimSuffix(got[i], " @ x")
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%q: found %q, want %q", c.comment, got, c.want)
		}
	}
}

func TestAPlaceIsTheDeclarationAroundIt(t *testing.T) {
	source := `// Package a is here (RFC 1).
package a

import _ "fmt" // RFC 2

// RFC 3
const (
	one = 1
	// RFC 4
	two = 2 // RFC 5
)

// T is RFC 6.
type T struct {
	field int // RFC 7
}

// M is RFC 8.
func (t *T) M() {
	// RFC 9
}

func (g G[K]) M() {} // after the end: RFC 10

func F() {
	call("RFC 11")
}

var table = []string{
	"RFC 12",
}

// RFC 13
`
	want := []string{
		"1: @ package", "2: @ package", "3: @ one", "4: @ two", "5: @ two", "6: @ T", "7: @ T",
		"8: @ T.M", "9: @ T.M", "10: @ package", "11: @ F", "12: @ table", "13: @ package",
	}
	slices.Sort(want)
	if got := collected(t, "a.go", source); !slices.Equal(got, want) {
		t.Errorf("found %q\nwant %q", got, want)
	}
}

func TestGenericReceiversHaveAName(t *testing.T) {
	want := []string{"9293:3.5 @ G.M"}
	if got := collected(t, "a.go", "package a\n\n// RFC 9293, 3.5\nfunc (g *G[K]) M() {}\n"); !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
}

func TestRequirementsAreParsed(t *testing.T) {
	rows, err := parseRequirements(requirementHead + "\nMUST-13\t9293\t3.6.1\twait 2 MSL\tY\n")
	want := requirementRow{"MUST-13", 9293, "3.6.1", "wait 2 MSL", "Y"}
	if err != nil || len(rows) != 1 || rows[0] != want {
		t.Errorf("parsed %v, %v; want %v", rows, err, want)
	}
	for table, words := range map[string]string{
		"id\n":                                         "requirements.tsv:1: the first line must name the columns",
		"MUST-1\t9293\t3.1\n":                          "requirements.tsv:2: a line has 5 fields",
		"MUST-1\tnine\t3.1\tx\tY\n":                    `requirements.tsv:2: "nine" is not the number of an RFC`,
		"MUST-1\t99999\t3.1\tx\tY\n":                   `requirements.tsv:2: "99999" is not the number of an RFC`,
		"WISH-1\t9293\t3.1\tx\tY\n":                    `requirements.tsv:2: "WISH-1" is not an id`,
		"\t9293\t3.1\tx\tY\n":                          `requirements.tsv:2: "" is not an id`,
		strings.Repeat("MUST-1\t9293\t3.1\tx\tY\n", 2): "requirements.tsv:3: the id MUST-1 is there twice",
	} {
		if table != "id\n" {
			table = requirementHead + "\n" + table
		}
		if _, err := parseRequirements(table); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("table %q: error %v, want one that says %q", table, err, words)
		}
	}
}

// module writes a small module and returns its root.
func module(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		name = filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func small() map[string]string {
	return map[string]string{
		"go.mod":                     "module x\n",
		"docs/rfc-deviations.md":     "# Deviations\n\nNone | known.\n",
		"docs/requirements-open.tsv": openHead + "\nMUST-2\tmissing\tit isn't | built\nMUST-3\tother\tprograms do it\n",
		"docs/requirements.tsv": requirementHead + "\nMUST-1\t9293\t3.1\tunsigned|window\tY\nMUST-2\t9293\t3.1\tchecksum\tY\n" +
			"MUST-3\t9293\t3.1\tverify\tAPI\nMUST-4\t9293\t3.1\toptions\topt\n",
		"tcp/a.go":      "package tcp\n\n// F: RFC 9293, 3.10 (MUST-1, MUST-2).\nfunc F() {}\n\n// G: RFC 9293, 3.9\nfunc G() {}\n",
		"tcp/b.go":      "package tcp\n\n// H: RFC 9293, 3.9\nfunc H() {}\n",
		"tcp/a_test.go": "package tcp\n\n// RFC 9293, 3.9: MUST-1, MUST-3\nfunc TestF(t *testing.T) {}\n",
		"arp/arp.go":    "// Package arp is RFC 826.\npackage arp\n",
	}
}

func TestDocument(t *testing.T) {
	p, err := read(module(t, small()))
	if err != nil {
		t.Fatal(err)
	}
	got := render(p.found, p.requirements, p.open, p.deviations)
	want := strings.Join([]string{
		"| RFC | Title | Places in code | Places in tests |",
		"|---|---|--:|--:|",
		"| 826 | An Ethernet Address Resolution Protocol | 1 | 0 |",
		"| 9293 | Transmission Control Protocol (TCP) | 3 | 1 |",
		"",
		"## Requirements",
		"",
		legend,
		"| RFC | Requirements | Met | Deviates | Missing | Others' | Not accounted for |",
		"|---|--:|--:|--:|--:|--:|--:|",
		"| 9293 | 4 | 1 | 0 | 1 | 1 | 1 |",
		"| All | 4 | 1 | 0 | 1 | 1 | 1 |",
		"",
		"## RFC 826: An Ethernet Address Resolution Protocol",
		"",
		"| Section | Code | Tests |",
		"|---|---|---|",
		"| (the whole) | `arp/arp.go`: package |  |",
		"",
		"## RFC 9293: Transmission Control Protocol (TCP)",
		"",
		"| Requirement | Section | What it asks | Applies | Status | Code | Tests |",
		"|---|---|---|---|---|---|---|",
		"| MUST-1 | 3.1 | unsigned\\|window | Y | met | `tcp/a.go`: F | `tcp/a_test.go`: TestF |",
		"| MUST-2 | 3.1 | checksum | Y | missing: it isn't \\| built | `tcp/a.go`: F |  |",
		"| MUST-3 | 3.1 | verify | API | other: programs do it |  | `tcp/a_test.go`: TestF |",
		"| MUST-4 | 3.1 | options | opt | open |  |  |",
		"",
		"| Section | Code | Tests |",
		"|---|---|---|",
		"| 3.9 | `tcp/a.go`: G<br>`tcp/b.go`: H | `tcp/a_test.go`: TestF |",
		"| 3.10 | `tcp/a.go`: F |  |",
		"",
		"## Deviations and what is missing",
		"",
		"None | known.",
		"",
	}, "\n")
	if _, body, _ := strings.Cut(string(got), "cite the RFC.\n\n"); body != want {
		t.Errorf("document:\n%s\nwant:\n%s", body, want)
	}
}

func TestWhatCannotBeRightIsTold(t *testing.T) {
	files := small()
	files["tcp/a.go"] = "package tcp\n\n// F: RFC 92933, 3.10 and MUST-99\nfunc F() {}\n"
	_, err := read(module(t, files))
	if err == nil {
		t.Fatal("a document was made of wrong citations")
	}
	for _, words := range []string{
		"tcp/a.go (F) cites RFC 92933, which has no title",
		"tcp/a.go (F) cites the requirement MUST-99, which docs/requirements.tsv doesn't have",
	} {
		if !strings.Contains(err.Error(), words) {
			t.Errorf("%q doesn't say %q", err, words)
		}
	}
	for _, missing := range []string{"docs/requirements.tsv", "docs/requirements-open.tsv", "docs/rfc-deviations.md"} {
		files := small()
		delete(files, missing)
		if _, err := read(module(t, files)); err == nil || !strings.Contains(err.Error(), filepath.Base(missing)) {
			t.Errorf("without %s: error %v", missing, err)
		}
	}
}

func TestCheckTellsAStaleDocument(t *testing.T) {
	files := small()
	files["docs/requirements-open.tsv"] += "MUST-4\tmissing\tnobody asks for it\n"
	root := module(t, files)
	t.Chdir(root)
	if err := run(true); err == nil || !strings.Contains(err.Error(), "rfc.md") {
		t.Errorf("no document: %v", err)
	}
	if err := run(false); err != nil {
		t.Fatal(err)
	}
	if err := run(true); err != nil {
		t.Errorf("a fresh document: %v", err)
	}
	if err := os.WriteFile(filepath.Join(root, "tcp", "c.go"), []byte("package tcp\n\n// RFC 9293, 3.4\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := run(true); err == nil || !strings.Contains(err.Error(), "run `make rfc`") {
		t.Errorf("a stale document: %v", err)
	}
}

func TestCheckTellsWhatNobodyAccountsFor(t *testing.T) {
	for _, c := range []struct{ open, want string }{
		{"MUST-2\tmissing\twhy\nMUST-3\tmissing\twhy\n", "MUST-4 (RFC 9293, 3.1: options) is cited nowhere"},
		{"MUST-2\tmissing\twhy\nMUST-4\tmissing\twhy\n", "MUST-3 (RFC 9293, 3.1: verify) is cited by a test alone"},
		{"MUST-3\tmissing\twhy\nMUST-4\tmissing\twhy\n", "MUST-2 (RFC 9293, 3.1: checksum) is cited by code alone"},
		{"MUST-1\tmissing\twhy\nMUST-2\tother\twhy\n", "MUST-1 is met"},
		{"MUST-1\tdeviates\twhy\nMUST-2\tother\twhy\nMUST-3\tother\twhy\nMUST-4\tother\twhy\n", ""},
	} {
		files := small()
		files["docs/requirements-open.tsv"] = openHead + "\n" + c.open
		p, err := read(module(t, files))
		if err != nil {
			t.Fatal(err)
		}
		err = account(p.found, p.requirements, p.open)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%q: %v, want %q", c.open, err, c.want)
		}
	}
}

func TestReasonsAreParsed(t *testing.T) {
	known := []requirementRow{{id: "MUST-1"}}
	for table, words := range map[string]string{
		"id\n":                                                 "open.tsv:1: the first line must name the columns",
		openHead + "\nMUST-1\tmissing\n":                       "open.tsv:2: a line has 3 fields",
		openHead + "\nMUST-1\tmissing\t \n":                    "open.tsv:2: a line has 3 fields",
		openHead + "\nMUST-1\tlater\twhy\n":                    `open.tsv:2: the kind is "later"`,
		openHead + "\nMUST-9\tmissing\twhy\n":                  "open.tsv:2: docs/requirements.tsv doesn't have MUST-9",
		openHead + strings.Repeat("\nMUST-1\tmissing\twhy", 2): "open.tsv:3: the id MUST-1 is there twice",
	} {
		if _, err := parseOpen(table, known); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("table %q: error %v, want one that says %q", table, err, words)
		}
	}
}

func TestSectionsAreInTheOrderOfTheContents(t *testing.T) {
	want := []string{"", "2", "3.1", "3.9", "3.10", "3.10.7.4", "page 3", "page 14", "appendix A", "appendix A.3", "appendix B"}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, compareSections)
	if !slices.Equal(got, want) {
		t.Errorf("order %q, want %q", got, want)
	}
}
