package lab

import (
	"os"
	"strings"
	"testing"
)

// The reference has every verb, option, key, kind of frames, mode and error.
func TestReferenceIsComplete(t *testing.T) {
	page, err := os.ReadFile("../docs/lab.md")
	if err != nil {
		t.Fatal(err)
	}
	check := func(what, name string) {
		t.Helper()
		for _, form := range []string{"`" + name + "`", "`" + name + " ", "**`" + name} {
			if strings.Contains(string(page), form) {
				return
			}
		}
		t.Errorf("docs/lab.md doesn't tell of the %s %q", what, name)
	}
	for _, v := range verbs {
		check("verb", v.name)
		for _, p := range v.options {
			if p.name != "to" && p.name != "at" { // they stand in their verbs' forms
				check("option", p.name)
			}
		}
	}
	for _, k := range frameKinds {
		check("kind of frames", k.name)
	}
	for _, list := range [][]string{serverModes, shutdownWays, socketOptions, tcpStates, errorNames, reservedNames} {
		for _, word := range list {
			check("word", word)
		}
	}
	r := &reader{reporter: newReporter("", nil)}
	s := scenarioReader{reader: r}
	var changes []Change
	for _, fields := range [][]field{r.cableFields(&changes, true), s.expectationFields(new(Expectation))} {
		for _, f := range fields {
			if f.key != "cut" && f.key != "mend" { // they are steps of their own in the reference
				check("key", f.key)
			}
		}
	}
}

// Every verb can be done, and nothing else.
func TestEveryVerbIsDone(t *testing.T) {
	for _, v := range verbs {
		if doers[v.name] == nil {
			t.Errorf("nothing does %s", v.name)
		}
	}
	if len(doers) != len(verbs) {
		t.Errorf("%d verbs, but %d things are done", len(verbs), len(doers))
	}
}
