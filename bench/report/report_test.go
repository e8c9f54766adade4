package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hubbub/bench/workloads"
)

// three returns a report of three rounds of one workload, in which the machine
// was half as fast in the second.
func three() *Report {
	r := &Report{Machine: Machine{Processor: "Z80", Processors: 2, Date: "1 May 2026"}, Settings: Settings{Rounds: 3, Window: 1, Processors: 2}}
	for round, slow := range []float64{1, 0.5, 1.1} {
		for name, rate := range map[string]float64{"hubbub": 8, "hubbub-1500": 4, "gvisor-1500": 0.3, "linux": 2, "ceiling": 24} {
			r.Results = append(r.Results, Result{
				Round: round, Workload: "bulk", Contestant: name,
				Sample: workloads.Sample{"rate": rate * slow, "cpu": 0.25 / slow},
			})
		}
	}
	return r
}

func TestTheMedianStandsBetweenTheLeastAndTheGreatest(t *testing.T) {
	for _, x := range []struct {
		values []float64
		want   Spread
	}{
		{[]float64{3}, Spread{3, 3, 3}},
		{[]float64{5, 1, 3}, Spread{3, 1, 5}},
		{[]float64{4, 1, 3, 2}, Spread{2.5, 1, 4}},
	} {
		if got, ok := spread(x.values); !ok || got != x.want {
			t.Errorf("of %v: %v, want %v", x.values, got, x.want)
		}
	}
	if _, ok := spread(nil); ok {
		t.Error("nothing has a median")
	}
}

// A round in which the machine is slow is slow for both: the ratio stays.
func TestRatiosAreOfOneRound(t *testing.T) {
	r := three()
	if got, ok := r.Ratio("bulk", "hubbub", "rate", "linux"); !ok || got != (Spread{4, 4, 4}) {
		t.Errorf("the ratio is %v, want 4 in each round", got)
	}
	r.Results = r.Results[1:] // somebody's first round failed
	for _, other := range []string{"linux", "gvisor-1500", "ceiling"} {
		if _, ok := r.Ratio("bulk", "hubbub", "rate", other); !ok {
			t.Errorf("there is no ratio to %s any more", other)
		}
	}
	if _, ok := r.Ratio("bulk", "hubbub", "rate", "pipe"); ok {
		t.Error("there is a ratio to who wasn't measured")
	}
}

func TestNumbersForPeople(t *testing.T) {
	for _, x := range []struct {
		v      float64
		digits int
		want   string
	}{
		{0, 3, "0.000"},
		{0.04567, 3, "0.046"},
		{6.7123, 3, "6.712"},
		{67.123, 3, "67.12"},
		{671.23, 3, "671.2"},
		{6712.3, 3, "6,712"},
		{1234567, 0, "1,234,567"},
		{999, 0, "999"},
		{-1234, 0, "-1,234"},
	} {
		if got := number(x.v, x.digits); got != x.want {
			t.Errorf("number(%v, %d) is %q, want %q", x.v, x.digits, got, x.want)
		}
	}
}

func TestTheTable(t *testing.T) {
	var b bytes.Buffer
	three().Text(&b)
	want := `1 May 2026: 2 processors (Z80), 0 GB of memory, , ; load before the run: .
Rounds: 3, each contestant once in each, in a process of its own; 1 s are measured; GOMAXPROCS=2. Medians, with the least and the greatest in brackets.

Bulk, 1 connection
                                           rate, GB/s          processor, s/GB   allocations, per 1448 B
  hubbub                       8.000 (4.000 to 8.800)   0.250 (0.227 to 0.500)                         –
  hubbub, frame by frame       4.000 (2.000 to 4.400)   0.250 (0.227 to 0.500)                         –
  gVisor at its best, 1500     0.300 (0.150 to 0.330)   0.250 (0.227 to 0.500)                         –
  Linux                        2.000 (1.000 to 2.200)   0.250 (0.227 to 0.500)                         –
  the ceiling                24.00 (12.00 to 26.40)   0.250 (0.227 to 0.500)                         –
`
	lines, wanted := strings.Split(b.String(), "\n"), strings.Split(want, "\n")
	for i, line := range wanted[:len(wanted)-1] {
		if got := strings.Join(strings.Fields(lines[i]), " "); got != strings.Join(strings.Fields(line), " ") {
			t.Errorf("line %d is %q, want %q", i+1, lines[i], line)
		}
	}
	width := 0
	for _, line := range lines[4:9] {
		if n := len([]rune(line)); width != 0 && n != width {
			t.Errorf("%q has %d columns, not %d", line, n, width)
		} else {
			width = n
		}
	}
}

func TestBarsAreMetOrNot(t *testing.T) {
	var b bytes.Buffer
	three().Text(&b)
	for _, want := range []string{
		"bulk, MTU 1500, beside gVisor at its best at least 10 × 13.3 × met",
		"bulk, MTU 1500, beside Linux as it comes at least 1.25 × 2 × met",
		"bulk, offload, beside the ceiling at least 0.400 × 0.333 × not met",
		"bulk, offload, beside Linux at least 5 × 4 × not met",
		"processor, MTU 1500 at most 0.500 s/GB 0.250 (0.227 to 0.500) s/GB met",
		"processor, offload at most 0.120 s/GB 0.250 (0.227 to 0.500) s/GB not met",
	} {
		if got := strings.Join(strings.Fields(b.String()), " "); !strings.Contains(got, want) {
			t.Errorf("there is no %q in:\n%s", want, b.String())
		}
	}
}

func TestEveryBarHasAWorkload(t *testing.T) {
	for _, b := range allBars {
		w := workloads.Find(b.workload)
		if w == nil || w.Metric(b.metric) == nil || !w.Has(b.contestant) || b.other != "" && !w.Has(b.other) {
			t.Errorf("the bar %q names what isn't measured", b.what)
		}
	}
}

func TestThePlotIsWellFormed(t *testing.T) {
	var b bytes.Buffer
	if err := three().Plot(&b); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	d := xml.NewDecoder(&b)
	points := 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "circle" {
			points++
		}
	}
	if points != 5 || !strings.Contains(text, "prefers-color-scheme: dark") || strings.Contains(text, "NaN") {
		t.Errorf("%d points, want 5, and colours for both schemes:\n%s", points, text)
	}
}

func TestTheTablesGoBetweenTheMarksOfAPage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(file, []byte("before\n"+pageBegin+"old\n"+pageEnd+"\nafter\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for range 2 { // and again in the same place
		if err := three().WriteInto(file); err != nil {
			t.Fatal(err)
		}
		text, _ := os.ReadFile(file)
		got := string(text)
		if !strings.HasPrefix(got, "before\n"+pageBegin) || !strings.HasSuffix(got, pageEnd+"\nafter\n") ||
			strings.Contains(got, "old") || strings.Count(got, "### Bulk, 1 connection") != 1 {
			t.Errorf("the page is\n%s", got)
		}
	}
}

func TestAPageWithoutMarks(t *testing.T) {
	file := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(file, []byte("nothing\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	err := three().WriteInto(file)
	if err == nil || !strings.Contains(err.Error(), `has no place for the tables: it needs a line "<!-- bench: begin -->"`) {
		t.Errorf("the error is %v", err)
	}
	if text, _ := os.ReadFile(file); string(text) != "nothing\n" {
		t.Errorf("the page was changed to %q", text)
	}
}

func TestAReportSurvivesItsFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "report.json")
	r := three()
	if err := r.Save(file); err != nil {
		t.Fatal(err)
	}
	got, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	var a, b bytes.Buffer
	r.Markdown(&a)
	got.Markdown(&b)
	if a.String() != b.String() {
		t.Errorf("the report was\n%s\nand is\n%s", &a, &b)
	}
}
