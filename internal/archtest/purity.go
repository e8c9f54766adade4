package archtest

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strconv"
	"strings"

	"hubbub/internal/gosource"
)

// impure are the standard packages that a pure machine must not import, with
// what it has in their stead.
var impure = map[string]string{
	"sync/...":    "a machine takes no lock: its world has one",
	"os/...":      "a machine does no input or output",
	"net/...":     "a machine does no input or output (net/netip alone is free)",
	"log/...":     "a machine returns facts, and others tell them",
	"syscall":     "a machine has errors of its own, and socket gives them their errno",
	"context":     "a machine never waits",
	"crypto/rand": "chance comes from the world's seed",
	"math/rand":   "chance comes from the world's seed, through a *rand.Rand of math/rand/v2",
}

// clockReaders are the functions of package time that read a clock or wait.
var clockReaders = []string{"Now", "Since", "Until", "After", "AfterFunc", "Sleep", "NewTimer", "NewTicker", "Tick"}

// seeded is what a machine may use of math/rand/v2: everything else there draws
// from a generator that all share.
var seeded = []string{"Rand", "Source", "PCG", "ChaCha8", "Zipf", "New", "NewPCG", "NewChaCha8", "NewZipf"}

// purity finds what a pure machine must not do: wait, run beside others, read a
// clock, throw dice of its own.
func purity(f gosource.File) (violations []string) {
	if f.Test() || !fits(f.Dir(), pure) {
		return nil
	}
	for _, spec := range f.Syntax.Imports {
		target, _ := strconv.Unquote(spec.Path.Value)
		if why := whyImpure(target); why != "" {
			violations = append(violations, fmt.Sprintf("%s: a pure machine must not import %s: %s", f.At(spec.Pos()), target, why))
		}
	}
	violations = append(violations, uses(f, f.Syntax, "time", func(name string) bool { return slices.Contains(clockReaders, name) },
		"a pure machine must not call %s: it is told the time as its first argument")...)
	violations = append(violations, uses(f, f.Syntax, "math/rand/v2", func(name string) bool { return !slices.Contains(seeded, name) },
		"a pure machine must not call %s: it draws from the *rand.Rand that it is given")...)
	return append(violations, concurrency(f)...)
}

func whyImpure(target string) string {
	if target == "net/netip" {
		return ""
	}
	for pattern, why := range impure {
		if fits(target, pattern) {
			return why
		}
	}
	return ""
}

// concurrency finds go statements and channels.
func concurrency(f gosource.File) (violations []string) {
	ast.Inspect(f.Syntax, func(n ast.Node) bool {
		what := ""
		switch n := n.(type) {
		case *ast.GoStmt:
			what = "a go statement"
		case *ast.ChanType:
			what = "a channel"
		case *ast.SendStmt:
			what = "a send to a channel"
		case *ast.SelectStmt:
			what = "a select statement"
		case *ast.UnaryExpr:
			if n.Op == token.ARROW {
				what = "a receive from a channel"
			}
		}
		if what != "" {
			violations = append(violations, fmt.Sprintf("%s: a pure machine must not have %s: it runs to completion in its caller", f.At(n.Pos()), what))
		}
		return true
	})
	return violations
}

// oneClock finds core packages that read the time of day: package sim does, at
// one place, and all others have their time from it.
func oneClock(f gosource.File) []string {
	if f.Test() || !fits(f.Dir(), core) || fits(f.Dir(), pure) {
		return nil
	}
	reads := func(name string) bool { return name == "Now" || name == "Since" || name == "Until" }
	return uses(f, f.Syntax, "time", reads, "the core must not call %s: package sim alone reads the clock (sim.TimeOfDay)")
}

// noSleep finds tests that wait for real time to pass. In a file of bubbles they
// may sleep: there it is virtual. Such a file imports testing/synctest, or calls
// its package's helper, whose name says Bubble. A benchmark lives in real time.
func noSleep(f gosource.File) (violations []string) {
	if !f.Test() || importName(f, "testing/synctest") != "" || callsBubble(f) {
		return nil
	}
	sleeps := func(name string) bool { return name == "Sleep" }
	for _, decl := range f.Syntax.Decls {
		if fn, ok := decl.(*ast.FuncDecl); ok && strings.HasPrefix(fn.Name.Name, "Benchmark") {
			continue
		}
		violations = append(violations, uses(f, decl, "time", sleeps, "a test must not call %s: it runs in virtual time, or in a bubble of testing/synctest")...)
	}
	return violations
}

func callsBubble(f gosource.File) (found bool) {
	ast.Inspect(f.Syntax, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			name, ok := call.Fun.(*ast.Ident)
			found = found || ok && strings.HasSuffix(name.Name, "Bubble")
		}
		return !found
	})
	return found
}

// uses finds where a part of a file names a forbidden member of a package. The
// format has one %s, for the member.
func uses(f gosource.File, part ast.Node, target string, forbidden func(string) bool, format string) (violations []string) {
	name := importName(f, target)
	ast.Inspect(part, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == name && forbidden(sel.Sel.Name) {
			sentence := fmt.Sprintf(format, name+"."+sel.Sel.Name)
			violations = append(violations, f.At(sel.Pos())+": "+sentence)
		}
		return true
	})
	if name == "." {
		violations = append(violations, fmt.Sprintf("%s: %s must be imported by its name, so that its uses can be seen", f.Path, target))
	}
	return violations
}
