// Package need says what a test needs of the machine it runs on: a command, the
// superuser, network namespaces. Where that is missing the test is skipped with
// a sentence that names it, so that `go test ./...` passes on any machine. Where
// the environment has CI=true nothing is skipped: the test fails instead, with
// the same sentence, because a check that nobody runs proves nothing.
//
// `make test` names a file in HUBBUB_SKIPS; each skip adds its line there, and
// the run ends with the list.
//
// To add a need: a function that finds out whether the thing is there and calls
// missing with one sentence: what is missing, and how to get it.
package need

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"testing"
)

// packages are the Debian packages of the commands that tests use.
var packages = map[string]string{
	"bash":    "bash",
	"curl":    "curl",
	"ethtool": "ethtool",
	"fish":    "fish",
	"gcc":     "gcc",
	"ip":      "iproute2",
	"ping":    "iputils-ping",
	"python3": "python3",
	"ss":      "iproute2",
	"tshark":  "tshark",
	"unshare": "util-linux",
	"zsh":     "zsh",
}

// Root lets a test go on if it runs as the superuser.
func Root(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		missing(t, "this test needs root: it works with the kernel's network; run it as root, for example with sudo")
	}
}

// Command lets a test go on if there is a program of that name, and returns its
// path.
func Command(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		missing(t, fmt.Sprintf("this test needs the command %s, which is not in PATH; %s", name, cure(name)))
	}
	return path
}

func cure(command string) string {
	if p, ok := packages[command]; ok {
		return fmt.Sprintf("on Debian the package %s has it, and `make test` installs it", p)
	}
	return "install it"
}

// NetworkNamespaces lets a test go on if it may make network namespaces and TAP
// interfaces in them: Linux, the superuser, /dev/net/tun, and a kernel (or
// container) that permits unshare. It returns the path of the command ip.
func NetworkNamespaces(t testing.TB) string {
	t.Helper()
	if runtime.GOOS != "linux" {
		missing(t, "this test needs Linux: it makes network namespaces, and this is "+runtime.GOOS)
	}
	Root(t)
	ip := Command(t, "ip")
	if _, err := os.Stat("/dev/net/tun"); err != nil {
		missing(t, "this test needs /dev/net/tun to make a TAP interface, and it is not there; load the kernel module tun, or give the container that device")
	}
	if out, err := exec.Command(Command(t, "unshare"), "--net", ip, "link", "set", "lo", "up").CombinedOutput(); err != nil {
		missing(t, fmt.Sprintf("this test needs network namespaces, and `unshare --net` is refused here (%v: %.200q); in a container it takes the capabilities SYS_ADMIN and NET_ADMIN", err, out))
	}
	return ip
}

// NoRace lets a test go on if the race detector is off: under it sync.Pool drops
// what it holds at random, so that allocations can't be counted. It skips even
// where CI=true, because `make test` runs every test whose name has Alloc in it
// once more without the detector.
func NoRace(t testing.TB) {
	t.Helper()
	if raceDetector {
		t.Skip("this test counts allocations, which the race detector changes; run it without -race")
	}
}

// Nightly says whether this is the long run (`make nightly`, which sets
// HUBBUB_NIGHTLY=1): property tests then run 10,000 cases, not a few hundred.
func Nightly() bool { return os.Getenv("HUBBUB_NIGHTLY") == "1" }

// Cases is how many cases a property test should run: the given number, and
// 10,000 at least in the nightly run.
func Cases(usual int) int {
	if Nightly() {
		return max(usual, 10_000)
	}
	return usual
}

// missing ends the test: failed in CI, elsewhere skipped.
func missing(t testing.TB, sentence string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(sentence + " (nothing is skipped where CI=true)")
	}
	note(t, sentence)
	t.Skip(sentence)
}

// note adds a line to the file that HUBBUB_SKIPS names.
func note(t testing.TB, sentence string) {
	t.Helper()
	name := os.Getenv("HUBBUB_SKIPS")
	if name == "" {
		return
	}
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatalf("the skip can't be noted in the file that HUBBUB_SKIPS names: %v", err)
	}
	defer f.Close()
	fmt.Fprintf(f, "%s: %s\n", t.Name(), sentence)
}
