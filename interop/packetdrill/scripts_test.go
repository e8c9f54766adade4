package packetdrill

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Every script of the project's passes on hubbub, over IPv4, over IPv6, and over
// IPv4 through sockets of IPv6.
func TestScripts(t *testing.T) {
	program := os.Getenv("PACKETDRILL")
	if program == "" {
		program = "packetdrill"
	}
	program, err := exec.LookPath(program)
	switch {
	case err != nil:
		t.Skip("packetdrill isn't in PATH, and PACKETDRILL doesn't say where it is")
	case os.Getuid() != 0:
		t.Skip("network namespaces take the superuser")
	}
	bin := t.TempDir()
	build(t, "go", "build", "-buildmode=c-shared", "-o", filepath.Join(bin, "libhubbub.so"), "./so")
	build(t, "cc", "-shared", "-fPIC", "-o", filepath.Join(bin, "libpreload.so"), "preload/preload.c", "-ldl")
	for _, version := range []string{"ipv4", "ipv6", "ipv4-mapped-ipv6"} {
		t.Run(version, func(t *testing.T) { runScripts(t, "-V", version, "-p", program, "-l", bin, "scripts") })
	}
}

func runScripts(t *testing.T, args ...string) {
	out, err := exec.CommandContext(t.Context(), "./run", args...).CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "FAIL ") {
			t.Error(strings.TrimSpace(line))
		}
	}
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func build(t *testing.T, command string, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), command, args...).CombinedOutput(); err != nil {
		t.Skipf("the shared object can't be built here: %s %s: %v\n%s", command, strings.Join(args, " "), err, out)
	}
}
