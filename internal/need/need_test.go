package need

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// recorder stands in for a test and keeps how it ended.
type recorder struct {
	testing.TB
	skipped, failed string
}

func (r *recorder) Helper()      {}
func (r *recorder) Name() string { return "TestOfAnother" }

func (r *recorder) Skip(args ...any) {
	r.skipped = args[0].(string)
	runtime.Goexit()
}

func (r *recorder) Fatal(args ...any) {
	r.failed = args[0].(string)
	runtime.Goexit()
}

// watch runs f as a test would run it, to its end or to its Skip or Fatal.
func watch(f func(testing.TB)) *recorder {
	r, done := &recorder{}, make(chan struct{})
	go func() {
		defer close(done)
		f(r)
	}()
	<-done
	return r
}

const absent = "hubbub-has-no-such-command"

func TestAMissingCommandSkipsWithASentence(t *testing.T) {
	t.Setenv("CI", "")
	t.Setenv("HUBBUB_SKIPS", "")
	r := watch(func(t testing.TB) { Command(t, absent) })
	if r.failed != "" || !strings.Contains(r.skipped, "needs the command "+absent) {
		t.Errorf("failed %q, skipped %q; want a skip that names the command", r.failed, r.skipped)
	}
}

func TestAMissingCommandFailsInCI(t *testing.T) {
	t.Setenv("CI", "true")
	r := watch(func(t testing.TB) { Command(t, absent) })
	if r.skipped != "" || !strings.Contains(r.failed, "needs the command "+absent) {
		t.Errorf("failed %q, skipped %q; want a failure that names the command", r.failed, r.skipped)
	}
}

func TestAKnownCommandIsFoundOrItsPackageNamed(t *testing.T) {
	t.Setenv("CI", "true")
	r := watch(func(t testing.TB) {
		if path := Command(t, "go"); filepath.Base(path) != "go" {
			t.Fatal("Command(go) = " + path)
		}
	})
	if r.failed != "" {
		t.Error(r.failed)
	}
	t.Setenv("PATH", t.TempDir())
	r = watch(func(t testing.TB) { Command(t, "ip") })
	if !strings.Contains(r.failed, "package iproute2") {
		t.Errorf("%q doesn't name the package of ip", r.failed)
	}
}

func TestASkipIsNoted(t *testing.T) {
	notes := filepath.Join(t.TempDir(), "skips")
	t.Setenv("CI", "")
	t.Setenv("HUBBUB_SKIPS", notes)
	watch(func(t testing.TB) { Command(t, absent) })
	watch(func(t testing.TB) { Command(t, absent) })
	got, err := os.ReadFile(notes)
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(string(got), "TestOfAnother: this test needs the command "); lines != 2 {
		t.Errorf("%d lines of notes, want 2:\n%s", lines, got)
	}
}

func TestNamespacesNeedRootFirst(t *testing.T) {
	t.Setenv("CI", "")
	t.Setenv("HUBBUB_SKIPS", "")
	r := watch(func(t testing.TB) { NetworkNamespaces(t) })
	switch {
	case r.failed != "":
		t.Errorf("it failed where CI isn't true: %s", r.failed)
	case os.Geteuid() != 0 && !strings.Contains(r.skipped, "root") && !strings.Contains(r.skipped, "Linux"):
		t.Errorf("without root it said %q", r.skipped)
	case r.skipped != "" && !strings.HasPrefix(r.skipped, "this test needs "):
		t.Errorf("it skipped with %q", r.skipped)
	}
}

func TestNoRaceSkipsUnderTheDetectorAlone(t *testing.T) {
	t.Setenv("CI", "true")
	r := watch(NoRace)
	if r.failed != "" || strings.Contains(r.skipped, "without -race") != raceDetector {
		t.Errorf("with the detector %v: failed %q, skipped %q", raceDetector, r.failed, r.skipped)
	}
}

func TestNightlyRunsMoreCases(t *testing.T) {
	t.Setenv("HUBBUB_NIGHTLY", "")
	if Nightly() || Cases(300) != 300 {
		t.Errorf("by day: nightly %v, cases %d", Nightly(), Cases(300))
	}
	t.Setenv("HUBBUB_NIGHTLY", "1")
	if !Nightly() || Cases(300) != 10_000 || Cases(50_000) != 50_000 {
		t.Errorf("by night: nightly %v, cases %d and %d", Nightly(), Cases(300), Cases(50_000))
	}
}
