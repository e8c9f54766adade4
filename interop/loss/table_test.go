package main

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestResultsAreReadAsTheyWereWritten(t *testing.T) {
	r := &results{Notes: []string{"first", "second"}}
	r.put(result{"10M/1ms/loss1", "cubic", 5, 4, 6, 7, 3})
	r.put(result{"10M/20µs/none", "reno", 1, 1, 1, 0, 1})
	r.put(result{"10M/1ms/loss1", "cubic", 50, 40, 60, 70, 5}) // in the place of the first
	file := filepath.Join(t.TempDir(), "results.tsv")
	if err := r.save(file); err != nil {
		t.Fatal(err)
	}
	again, err := load(file)
	if err != nil {
		t.Fatal(err)
	}
	want := "# first\n# second\n" +
		"path\talgorithm\tgoodput\tlow\thigh\tretransmissions\truns\n" +
		"10M/20µs/none\treno\t1\t1\t1\t0\t1\n" +
		"10M/1ms/loss1\tcubic\t50\t40\t60\t70\t5\n"
	if got := again.text(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestAFileThatIsNoResultsIsRefused(t *testing.T) {
	r := new(results)
	err := r.parse("10M/1ms/loss1 cubic fast")
	if want := `"10M/1ms/loss1 cubic fast" should be a path, an algorithm and five numbers`; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestSeveralRunsShowTheirMean(t *testing.T) {
	got := mean([]result{{"p", "reno", 10, 10, 10, 1, 1}, {"p", "reno", 40, 40, 40, 3, 1}, {"p", "reno", 16, 16, 16, 2, 1}})
	if want := (result{"p", "reno", 22, 10, 40, 2, 3}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// halves has three cells of cubic: hubbub is ahead, equal, behind; and one that
// the harness limits.
func halves() table {
	hubbub, linux := new(results), new(results)
	for i, h := range []int64{30, 20, 10, 5} {
		name := path{10_000_000, rtts[2], harms[i]}.name()
		hubbub.put(result{name, "cubic", h * 1e6, 0, 0, 0, 1})
		linux.put(result{name, "cubic", []int64{20, 20, 20, 70}[i] * 1e6, 0, 0, 0, 1})
	}
	linux.put(result{ceilingName, "cubic", 100e6, 0, 0, 0, 1})
	return table{hubbub, linux}
}

func TestTheScoreCountsTheCellsThatCanBeCompared(t *testing.T) {
	want := "Hubbub's cubic reaches at least the goodput of Linux's in 2 of the 3 cells that can be compared; " +
		"it is behind in 10M/50ms/loss1 (0.50 of Linux's)."
	if got := halves().score().String(); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

func TestATableRowHasBothHalvesAndTheirRatio(t *testing.T) {
	for i, want := range []string{
		" – | 30.0 | – | – | 20.0 | – | 1.50 |",
		" – | 20.0 | – | – | 20.0 | – | 1.00 |",
		" – | 10.0 | – | – | 20.0 | – | 0.50 |",
		" – | 5.00 | – | – | – | – |  |",
	} {
		if got := halves().row(path{10_000_000, rtts[2], harms[i]}); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestATextTakesItsPlaceInTheDocument(t *testing.T) {
	got, err := fairPlace.insert("before\n"+fairPlace.begins()+"\nold\n"+fairPlace.ends()+"\nafter\n", "new\n")
	want := "before\n<!-- What follows is made by `make fairness`. -->\n\nnew\n\n<!-- What `make fairness` makes ends here. -->\nafter\n"
	if err != nil || got != want {
		t.Errorf("the document is\n%s\n%v, want\n%s", got, err, want)
	}
	if _, err := fairPlace.insert("no place", "new"); err == nil {
		t.Error("a document without a place for the text is accepted")
	}
}

func TestTheTableHasARowForEachCell(t *testing.T) {
	text := halves().markdown()
	for _, row := range []string{
		"\n### 10 Mbit/s\n", "\n### 1 Gbit/s\n",
		"\n| 50 ms | no harm | – | 30.0 | – | – | 20.0 | – | 1.50 |\n",
		"\n|  | 1 % loss | – | 10.0 | – | – | 20.0 | – | 0.50 |\n",
	} {
		if !strings.Contains(text, row) {
			t.Errorf("there is no %q in\n%s", row, text)
		}
	}
	if rows := strings.Count(text, "\n| "); rows != 2+len(paths()) {
		t.Errorf("%d rows, want two heads and %d cells", rows, len(paths()))
	}
}
