package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hubbub/bench/contestants"
	"hubbub/bench/report"
	"hubbub/bench/workloads"
)

// The measurements are made by processes of this program's own: here it is the
// test.
func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// bench runs the program and returns what it printed.
func bench(t *testing.T, args ...string) string {
	t.Helper()
	var out, progress bytes.Buffer
	if err := run(args, &out, &progress); err != nil {
		t.Fatalf("bench %s: %v", strings.Join(args, " "), err)
	}
	return out.String()
}

func TestEveryWorkloadMeasuresHubbub(t *testing.T) {
	file := filepath.Join(t.TempDir(), "report.json")
	bench(t, "-quick", "-contestants", "hubbub", "-json", file)
	r, err := report.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Missing) > 0 {
		t.Errorf("left out: %q", r.Missing)
	}
	measured := make(map[string]workloads.Sample)
	for _, x := range r.Results {
		measured[x.Workload] = x.Sample
	}
	for _, w := range workloads.All() {
		if w.Big || !w.Has("hubbub") {
			continue
		}
		for _, m := range w.Metrics {
			if v, ok := measured[w.Name][m.Name]; !ok || v < 0 {
				t.Errorf("%s has no %s: %v", w.Name, m.Title, measured[w.Name])
			}
		}
	}
}

func TestEveryContestantMovesBytes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "report.json")
	bench(t, "-quick", "-only", "bulk", "-json", file)
	r, err := report.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range r.Results {
		if x.Sample["rate"] <= 0 {
			t.Errorf("%s moves nothing: %v", x.Contestant, x.Sample)
		}
	}
	for _, c := range contestants.All() {
		if _, ok := r.Spread("bulk", c.Name, "rate"); !ok && !c.Namespace {
			t.Errorf("%s is left out: %q", c.Name, r.Missing)
		}
	}
}

func TestOneMeasurementIsJSON(t *testing.T) {
	var sample workloads.Sample
	text := bench(t, "one", "hubbub", "trip", "-window", "20ms")
	if err := json.Unmarshal([]byte(text), &sample); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	if sample["median"] <= 0 || sample["p99"] < sample["median"] || sample["rate"] <= 0 {
		t.Errorf("that can't be: %v", sample)
	}
}

func TestMistakesAreSentences(t *testing.T) {
	for _, x := range []struct{ args, want string }{
		{"one hubbub", "bench one takes a contestant and a workload, such as: bench one hubbub bulk"},
		{"one nobody bulk", `"nobody" is no contestant: bench -list shows them`},
		{"one hubbub nothing", `"nothing" is no workload: bench -list shows them`},
		{"one ceiling trip", "ceiling takes no part in trip: bench -list shows who does"},
		{"-only ( ", `-only: "(" is no regular expression: error parsing regexp: missing closing ): ` + "`^(?:()$`"},
		{"-only nothing", "no workload has that name with such a contestant: bench -list shows them"},
		{"-rounds 0", "-rounds, -window and -processors must be more than 0"},
		{"fast", `"fast" is no argument of bench: bench -help lists them`},
		{"-from bench_test.go", "bench_test.go isn't a report that bench wrote with -json: invalid character 'p' looking for beginning of value"},
	} {
		var out bytes.Buffer
		err := run(strings.Fields(x.args), &out, &out)
		if err == nil || err.Error() != x.want {
			t.Errorf("bench %s: %v, want %q", x.args, err, x.want)
		}
	}
}

func TestTheListNamesAll(t *testing.T) {
	text := bench(t, "-list")
	for _, w := range workloads.All() {
		for _, name := range append(w.Contestants, w.Name) {
			if !strings.Contains(text, name) {
				t.Errorf("%s is not in the list", name)
			}
		}
		for _, name := range w.Contestants {
			if contestants.Find(name) == nil {
				t.Errorf("%s is to be measured with %s, which nobody knows", name, w.Name)
			}
		}
	}
}
