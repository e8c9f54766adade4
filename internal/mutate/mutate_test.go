package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// module writes a module and makes it the working directory's. Its package is
// "a"; files are named and then their texts.
func module(t *testing.T, files ...string) {
	t.Helper()
	root := t.TempDir()
	files = append(files, "go.mod", "module m\n\ngo 1.26\n", equivalentName, "")
	for i := 0; i < len(files); i += 2 {
		name := filepath.Join(root, files[i])
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(files[i+1]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(root)
}

func TestMistakesThatAreMade(t *testing.T) {
	cases := []struct {
		code string
		want []string
	}{
		{"func f(a, b int) bool { return a < b }", []string{"a < b -> a <= b", "a < b -> a >= b"}},
		{"func f(a, b *int) bool { return a == b }", []string{"a == b -> a != b"}},
		{"func f(a error) bool { return a != nil }", []string{"a != nil -> a == nil"}},
		{"func f(a, b bool) bool { return a && !b }", []string{"a -> !(a)", "b -> !(b)", "a && !b -> a || !b"}},
		{"func f(a int) int { return a - 3 }", []string{"3 -> 3 + 1", "a - 3 -> a + 3"}},
		{"func f(a []int) int { return min(len(a), cap(a)) }", []string{"min(len(a), cap(a)) -> max(len(a), cap(a))"}},
		{"func f(n uint8) uint32 { return 1 << n }", []string{"1 -> 1 + 1", "1 << n -> 1 >> n"}},
		{"const k = 7\nvar f = k", []string{"k -> k + 1"}},
		{"func f() bool { return true }", []string{"true -> !true"}},
		{"func f(a *int) { *a += 2 }", []string{"2 -> 2 + 1", "*a += 2 -> *a -= 2", "*a += 2 -> (nothing)"}},
		{"func f(a *int) { if *a > 0 { return }\n*a++ }", []string{"0 -> 0 + 1", "*a > 0 -> *a >= 0", "*a > 0 -> *a <= 0", "return -> (nothing)", "*a++ -> (nothing)"}},
		{"func f(a func() bool) { for a() { a() } }", []string{"a() -> !(a())", "a() -> (nothing)"}},
		{"func f(a, b bool) int { switch { case a: panic(1) }\nreturn 5 }", []string{"a -> !(a)", "1 -> 1 + 1", "5 -> 5 + 1"}},
		{"import t \"time\"\nfunc f() t.Duration { return t.Second }", []string{"t.Second -> t.Second + 1"}},
		{"func f(s string, a [3]int) string { _ = a; return s + \"x\" }", nil},
		{"func f(a []int) { a[0], a[0] = 1, 1 }", []string{"0 -> 0 + 1", "0 -> 0 + 1 #2", "1 -> 1 + 1", "1 -> 1 + 1 #2", "a[0], a[0] = 1, 1 -> (nothing)"}},
	}
	files := []string{"a/a_test.go", "package a\n"}
	for i, c := range cases {
		code := strings.Replace(strings.Replace(c.code, "func f(", fmt.Sprintf("func f%d(", i), 1), "var f ", fmt.Sprintf("var f%d ", i), 1)
		files = append(files, fmt.Sprintf("a/a%d.go", i), "package a\n\n"+code+"\n")
	}
	module(t, files...)
	p, err := load("./a")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for _, m := range p.mutate() {
		_, change, _ := strings.Cut(m.key(), ": ")
		got[m.file] = append(got[m.file], change)
	}
	for i, c := range cases {
		changes := got[fmt.Sprintf("a%d.go", i)]
		slices.Sort(changes)
		slices.Sort(c.want)
		if !slices.Equal(changes, c.want) {
			t.Errorf("%s\nhas %q\nwant %q", c.code, changes, c.want)
		}
	}
	j, err := p.build(options{}) // what is written compiles
	if err != nil {
		t.Fatal(err)
	}
	j.close()
}

const abs = `package a

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}

func forever(n int) {
	for i := 0; i < n; i++ {
		n += never
	}
}

const never = 0

func nobody() int { return 1 }
`

const absTest = `package a

import "testing"

func TestAbs(t *testing.T) {
	if abs(-5) != 5 || abs(5) != 5 {
		t.Error("wrong")
	}
	forever(0)
}

func TestThatFails(t *testing.T) { t.Error("always") }
`

// judged runs the whole tool on a package.
func judged(t *testing.T, equivalent string) (string, error) {
	t.Helper()
	module(t, "a/a.go", abs, "a/a_test.go", absTest)
	if err := os.WriteFile(equivalentName, []byte(equivalent), 0o644); err != nil {
		t.Fatal(err)
	}
	p, err := load("./a")
	if err != nil {
		t.Fatal(err)
	}
	mutants := p.mutate()
	known, err := readEquivalent(p.root)
	if err != nil {
		t.Fatal(err)
	}
	stale := known.apply(p.path, mutants)
	chosen := choose(mutants, nil, nil, 0, 1)
	j, err := p.build(options{workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer j.close()
	if err := j.reach(); err != nil {
		t.Fatal(err)
	}
	if err := j.judge(chosen); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err = report(&out, p, j, chosen, excused(mutants, options{}), stale, 50)
	return out.String(), err
}

func TestTheReport(t *testing.T) {
	out, err := judged(t, "a\ta.go abs: n < 0 -> n <= 0\t-0 is 0\na\ta.go abs: n < 1 -> n <= 1\tgone\n")
	for _, want := range []string{
		"a/a.go:4: a.go abs: 0 -> 0 + 1 [survived]\n",
		"a/a.go:18: a.go nobody: 1 -> 1 + 1 [no test comes here]\n",
		"more are equivalent, by internal/mutate/equivalent.tsv; with them ",
		"These tests fail without a mutant, and were left out: TestThatFails\n",
		"doesn't have this mutant any more, take the line away or correct it: a.go abs: n < 1 -> n <= 1\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the report lacks %q:\n%s", want, out)
		}
	}
	for words, what := range map[string]string{
		"n >= 0 [": "the mutant that returns -5 for 5", "i >= n [": "one that never ends", "n <= 0 [": "one that is excused",
	} {
		if strings.Contains(out, words) {
			t.Errorf("%s survives:\n%s", what, out)
		}
	}
	again := reportLine.FindAllStringSubmatch(out, -1)
	if len(again) == 0 || again[0][1] != "a.go abs: 0 -> 0 + 1" {
		t.Errorf("the report can't be read again: %q", again)
	}
	if err == nil || !strings.Contains(err.Error(), "50.0 % are asked for") {
		t.Errorf("a low score is no error: %v", err)
	}
	if _, err := parseEquivalent("a\tno reason\n"); err == nil {
		t.Error("a line without a reason")
	}
}

func TestASampleIsTheSameForTheSameSeed(t *testing.T) {
	all := make([]*mutant, 100)
	for i := range all {
		all[i] = &mutant{id: i, file: []string{"a.go", "b.go"}[i%2]}
	}
	a, b, other := choose(all, nil, nil, 10, 7), choose(all, nil, nil, 10, 7), choose(all, nil, nil, 10, 8)
	if len(a) != 10 || !slices.Equal(a, b) || slices.Equal(a, other) {
		t.Error("seed 7 twice, then seed 8")
	}
	if got := choose(all, fileSet("b.go,c.go"), nil, 0, 7); len(got) != 50 || got[0].file != "b.go" {
		t.Errorf("%d mutants of b.go", len(got))
	}
}
