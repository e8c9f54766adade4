package examples_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hubbub/capture"
	"hubbub/event"
	"hubbub/lab"
)

var update = flag.Bool("update", false, "write the golden ladders anew")

func names(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*.yaml")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d examples, %v", len(files), err)
	}
	return files
}

// tale is what an example leaves behind.
type tale struct {
	ladder string
	every  string // a capture file with every frame at every port
	once   string // a capture file with every packet once
}

func runFor(t *testing.T, file string) tale { return runWith(t, file, 0) }

// runWith runs an example with a seed; 0 is its own.
func runWith(t *testing.T, file string, seed uint64) tale {
	t.Helper()
	c, err := lab.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	names := c.AddressNames()
	var ladder, every, once bytes.Buffer
	draw := capture.NewLadder(&ladder, capture.LadderOptions{Names: names})
	writeEvery := capture.NewPcapngWriter(&every, capture.PcapngOptions{Names: names})
	writeOnce := capture.NewPcapngWriter(&once, capture.PcapngOptions{Names: names, Once: true})
	result, err := lab.Run(context.Background(), c, lab.Options{
		Seed: seed, Names: names, Watch: []func(*event.Event){draw.Handle, writeEvery.Handle, writeOnce.Handle},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range result.Failures {
		t.Errorf("%s", f.String())
	}
	if result.Held == 0 {
		t.Error("the example expects nothing")
	}
	if err := errors.Join(draw.Close(), writeEvery.Close(), writeOnce.Close()); err != nil {
		t.Fatal(err)
	}
	return tale{ladder.String(), every.String(), once.String()}
}

// Every example holds its expectations, and draws the ladder that it is known
// for.
func TestExamples(t *testing.T) {
	for _, file := range names(t) {
		t.Run(file, func(t *testing.T) {
			ladder := runFor(t, file).ladder
			golden := filepath.Join("testdata", strings.TrimSuffix(file, ".yaml")+".ladder")
			if *update {
				if err := os.WriteFile(golden, []byte(ladder), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), ladder); diff != "" {
				t.Errorf("another ladder (-want +got):\n%s", diff)
			}
		})
	}
}

// The same file with the same seed writes the same capture file byte for byte,
// on however many processors; another seed makes other ports and numbers.
func TestSameSeedSameBytes(t *testing.T) {
	for _, file := range names(t) {
		t.Run(file, func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
			first := runFor(t, file).every
			runtime.GOMAXPROCS(8)
			second := runFor(t, file).every
			if first != second {
				t.Error("two runs with the same seed differ")
			}
		})
	}
	first := runWith(t, "echo-simple.yaml", 1).every
	other := runWith(t, "echo-simple.yaml", 2).every
	if first == other {
		t.Error("another seed changes nothing")
	}
}

// Every example begins with what it shows and what to look for.
func TestExamplesExplainThemselves(t *testing.T) {
	for _, file := range names(t) {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		comment, _, _ := strings.Cut(string(source), "\nlans:")
		if !strings.HasPrefix(comment, "# ") || strings.Count(comment, "\n#") < 4 {
			t.Errorf("%s doesn't begin with a comment that says what it shows and what to look for", file)
		}
	}
}
