package archtest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"hubbub/internal/gosource"
)

func parse(t *testing.T, path, source string) gosource.File {
	t.Helper()
	f, err := gosource.Parse(path, []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// importing is a file that imports the packages.
func importing(t *testing.T, path string, targets ...string) gosource.File {
	t.Helper()
	source := "package x\n"
	for _, target := range targets {
		source += fmt.Sprintf("import _ %q\n", target)
	}
	return parse(t, path, source)
}

func TestArrowsThatPointDownPass(t *testing.T) {
	for path, targets := range map[string][]string{
		"transport/tcp/a.go":           {"hubbub/wire", "hubbub/clock", "hubbub/internal/pkt", "net/netip"},
		"transport/tcp/a_test.go":      {"hubbub/transport/tcp", "hubbub/internal/need", "pgregory.net/rapid"},
		"internal/pkt/a.go":            {"hubbub/wire", "sync"},
		"event/a.go":                   {"hubbub/wire", "hubbub/clock"},
		"stack/a.go":                   {"hubbub/network/neigh", "hubbub/transport/tcp", "hubbub/event"},
		"sim/a.go":                     {"hubbub/stack", "hubbub/link", "hubbub/event", "time"},
		"socket/a.go":                  {"hubbub/sim", "hubbub/stack", "hubbub/transport/udp", "syscall"},
		"a.go":                         {"hubbub/socket", "hubbub/link", "hubbub/wire"},
		"a_test.go":                    {"hubbub", "hubbub/capture", "golang.org/x/net/nettest"},
		"capture/a.go":                 {"hubbub/event", "hubbub/wire"},
		"capture/a_test.go":            {"hubbub", "github.com/gopacket/gopacket"},
		"lab/a.go":                     {"hubbub", "hubbub/capture", "github.com/goccy/go-yaml/ast"},
		"cmd/hubbub/a.go":              {"hubbub/lab", "hubbub/web", "github.com/alecthomas/kong"},
		"edge/tap/a.go":                {"hubbub", "golang.org/x/sys/unix"},
		"application/http/a.go":        {"net/http"},
		"application/http/a_test.go":   {"hubbub"},
		"examples/rawclient/main.go":   {"hubbub"},
		"interop/kernel/linux_test.go": {"hubbub/edge/tap", "hubbub"},
	} {
		for _, violation := range arrows(importing(t, path, targets...)) {
			t.Error(violation)
		}
	}
}

func TestEveryOtherArrowIsCaught(t *testing.T) {
	for _, c := range []struct{ path, target, want string }{
		{"clock/a.go", "hubbub/wire", "clock may import no package of this module"},
		{"wire/a.go", "hubbub/clock", "wire may import no package"},
		{"event/a.go", "hubbub/link", "event may import clock, wire alone"},
		{"event/a.go", "hubbub/internal/pkt", "must not import hubbub/internal/pkt"},
		{"internal/pkt/a.go", "hubbub/event", "internal/... may import clock, wire, internal/... alone"},
		{"link/a.go", "hubbub/transport/tcp", "must not import hubbub/transport/tcp"},
		{"network/neigh/a.go", "hubbub/network/route", "must not import hubbub/network/route"},
		{"transport/tcp/a.go", "hubbub/transport/udp", "must not import hubbub/transport/udp"},
		{"transport/tcp/a.go", "hubbub/event", "must not import hubbub/event"},
		{"transport/tcp/a_test.go", "hubbub/stack", "must not import hubbub/stack"},
		{"transport/tcp/a.go", "hubbub/transport/tcp", "must not import hubbub/transport/tcp"},
		{"stack/a.go", "hubbub/sim", "must not import hubbub/sim"},
		{"sim/a.go", "hubbub/socket", "must not import hubbub/socket"},
		{"sim/a.go", "hubbub/transport/tcp", "must not import hubbub/transport/tcp"},
		{"socket/a.go", "hubbub", "must not import hubbub"},
		{"a.go", "hubbub/capture", "must not import hubbub/capture"},
		{"a_test.go", "hubbub/lab", "must not import hubbub/lab"},
		{"capture/a.go", "hubbub", "must not import hubbub"},
		{"lab/a.go", "hubbub/cmd/hubbub", "must not import hubbub/cmd/hubbub"},
		{"application/http/a.go", "hubbub/socket", "must not import hubbub/socket"},
		{"application/http/a.go", "hubbub/application/dns", "must not import hubbub/application/dns"},
		{"transport/tcp/a.go", "golang.org/x/sys/unix", "the code of transport/... may use the standard library alone"},
		{"a.go", "github.com/google/go-cmp/cmp", "may use the standard library alone"},
		{"lab/a.go", "golang.org/x/sys/unix", "may use the standard library, github.com/goccy/go-yaml alone"},
		{"lab/a.go", "github.com/goccy/go-yaml-other", "must not import github.com/goccy/go-yaml-other"},
		{"mystery/a.go", "fmt", "package mystery has no row in the table"},
	} {
		wantOne(t, arrows(importing(t, c.path, c.target)), c.path, c.want)
	}
}

// wantOne asserts that there is one violation, which names the place and has
// the words.
func wantOne(t *testing.T, violations []string, place, words string) {
	t.Helper()
	if len(violations) != 1 || !strings.HasPrefix(violations[0], place) || !strings.Contains(violations[0], words) {
		t.Errorf("%q is not the one violation at %s that says %q", violations, place, words)
	}
}

func TestAPureMachineIsCaughtAt(t *testing.T) {
	for _, c := range []struct{ source, want string }{
		{"import _ \"sync\"", "2: a pure machine must not import sync: a machine takes no lock"},
		{"import _ \"sync/atomic\"", "2: a pure machine must not import sync/atomic"},
		{"import _ \"os\"", "2: a pure machine must not import os"},
		{"import _ \"net\"", "2: a pure machine must not import net"},
		{"import _ \"net/http\"", "2: a pure machine must not import net/http"},
		{"import _ \"syscall\"", "2: a pure machine must not import syscall"},
		{"import _ \"crypto/rand\"", "2: a pure machine must not import crypto/rand"},
		{"import _ \"math/rand\"", "2: a pure machine must not import math/rand"},
		{"import \"time\"\nvar now = time.Now()", "3: a pure machine must not call time.Now"},
		{"import x \"time\"\nvar _ = x.NewTimer", "3: a pure machine must not call x.NewTimer"},
		{"import . \"time\"\nvar _ = Now()", "time must be imported by its name"},
		{"import \"math/rand/v2\"\nvar _ = rand.IntN(6)", "3: a pure machine must not call rand.IntN"},
		{"func f() { go f() }", "2: a pure machine must not have a go statement"},
		{"var c chan int", "2: a pure machine must not have a channel"},
		{"func f() { c <- 1 }", "2: a pure machine must not have a send"},
		{"func f() { <-c }", "2: a pure machine must not have a receive"},
		{"func f() { select {} }", "2: a pure machine must not have a select"},
	} {
		for _, dir := range []string{"link", "network/neigh", "transport/tcp", "stack"} {
			f := parse(t, dir+"/a.go", "package x\n"+c.source+"\n")
			wantOne(t, purity(f), dir+"/a.go", c.want)
		}
	}
}

func TestWhatAMachineMayDo(t *testing.T) {
	source := `package x
import (
	"math/rand/v2"
	"net/netip"
	"time"
)
const minute = time.Minute
type t struct { r *rand.Rand; a netip.Addr; time struct{ Now int } }
func f(x t) int { return rand.New(rand.NewPCG(1, 2)).IntN(6) + x.time.Now }
`
	for _, violation := range purity(parse(t, "transport/tcp/a.go", source)) {
		t.Error(violation)
	}
	busy := "package x\nimport \"sync\"\nvar c chan sync.Mutex\n"
	for _, path := range []string{"transport/tcp/a_test.go", "sim/a.go", "internal/pkt/a.go"} {
		for _, violation := range purity(parse(t, path, busy)) {
			t.Error(violation)
		}
	}
}

func TestTheClockIsReadInOnePlace(t *testing.T) {
	for _, call := range []string{"Now()", "Since(t)", "Until(t)"} {
		source := "package x\nimport \"time\"\nvar _ = time." + call + "\n"
		for _, path := range []string{"a.go", "socket/a.go", "capture/a.go", "event/a.go"} {
			wantOne(t, oneClock(parse(t, path, source)), path+":3", "the core must not call time.")
		}
		for _, path := range []string{"sim/a.go", "a_test.go", "cmd/hubbub/a.go", "lab/a.go"} {
			if got := oneClock(parse(t, path, source)); got != nil {
				t.Error(got)
			}
		}
	}
}

func TestATestThatSleepsIsCaught(t *testing.T) {
	source := "package x\nimport \"time\"\nfunc f() { time.Sleep(1) }\n"
	wantOne(t, noSleep(parse(t, "lab/a_test.go", source)), "lab/a_test.go:3", "a test must not call time.Sleep")
	bubble := strings.Replace(source, "import", "import _ \"testing/synctest\"; import", 1)
	helper := source + "func TestX(t *testing.T) { inBubble(t, f) }\n"
	benchmark := strings.Replace(source, "func f", "func BenchmarkF", 1)
	for _, f := range []gosource.File{
		parse(t, "lab/a_test.go", bubble), parse(t, "lab/a_test.go", helper),
		parse(t, "lab/a_test.go", benchmark), parse(t, "lab/a.go", source),
	} {
		if got := noSleep(f); got != nil {
			t.Error(got)
		}
	}
}

func TestLongFunctionsAndFilesAreCaught(t *testing.T) {
	function := func(lines int) string { return "func f() {" + strings.Repeat("\n", lines-1) + "}\n" }
	for _, c := range []struct {
		path, source string
		want         []string
	}{
		{"a.go", "package x\n" + function(80), nil},
		{"a.go", "package x\n" + function(81), []string{"a.go:2: function f has 81 lines; split it, 80 is the most"}},
		{"a_test.go", "package x\n" + function(81), nil},
		{"a.go", "package x\n" + strings.Repeat("\n", 499), nil},
		{"a.go", "package x\n" + strings.Repeat("\n", 500), []string{"a.go:501: the file has 501 lines; split it, 500 is the most"}},
		{"a_test.go", "package x\n" + strings.Repeat("\n", 500), nil},
	} {
		if got := size(parse(t, c.path, c.source)); !slices.Equal(got, c.want) {
			t.Errorf("size found %q, want %q", got, c.want)
		}
	}
}

func TestEveryRowCanBeReached(t *testing.T) {
	for i, r := range table {
		dir := strings.TrimSuffix(r.packages, "/...")
		if got, ok := rowOf(dir); !ok || got != table[i] {
			t.Errorf("row %s is hidden by row %s", r.packages, got.packages)
		}
	}
}
