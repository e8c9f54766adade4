package examples_test

import (
	"bytes"
	"context"
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

// run runs an example and returns its ladder and its capture file.
func run(t *testing.T, file string, seed uint64) (ladder, pcapng string) {
	t.Helper()
	c, err := lab.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	var drawn, captured bytes.Buffer
	draw := capture.NewLadder(&drawn, capture.LadderOptions{Names: c.AddressNames()})
	write := capture.NewPcapngWriter(&captured, capture.PcapngOptions{Names: c.AddressNames()})
	result, err := lab.Run(context.Background(), c, lab.Options{
		Seed: seed, Watch: []func(*event.Event){draw.Handle, write.Handle},
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
	if err := draw.Close(); err != nil {
		t.Fatal(err)
	}
	if err := write.Close(); err != nil {
		t.Fatal(err)
	}
	return drawn.String(), captured.String()
}

// Every example holds its expectations, and draws the ladder that it is known
// for.
func TestExamples(t *testing.T) {
	for _, file := range names(t) {
		t.Run(file, func(t *testing.T) {
			ladder, _ := run(t, file, 0)
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
			_, first := run(t, file, 0)
			runtime.GOMAXPROCS(8)
			_, second := run(t, file, 0)
			if first != second {
				t.Error("two runs with the same seed differ")
			}
		})
	}
	_, first := run(t, "echo-simple.yaml", 1)
	_, other := run(t, "echo-simple.yaml", 2)
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
