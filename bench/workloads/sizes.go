package workloads

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

func sizes() []*Workload {
	return []*Workload{{
		Name: "size", Title: "A small program: one side says hello to the other", Once: true,
		Contestants: []string{"hubbub", "gvisor-64k", "linux"},
		Metrics: []Metric{
			{Name: "size", Title: "stripped", Unit: "MB", Digits: 2},
			{Name: "modules", Title: "modules that the network needs besides its own", Unit: ""},
			{Name: "packages", Title: "packages outside of the standard library", Unit: ""},
		},
		Run: runSize,
	}}
}

// programs are the small programs, and the module whose network each uses.
var programs = map[string]struct{ dir, module string }{
	"hubbub":     {"hubbub", "hubbub"},
	"gvisor-64k": {"gvisor", "gvisor.dev/gvisor"},
	"linux":      {"net", ""},
}

// runSize builds the contestant's small program, and looks at what it is made
// of.
func runSize(t Task) (Sample, error) {
	program := programs[t.Contestant.Name]
	source := "hubbub/bench/small/" + program.dir
	dir, err := os.MkdirTemp("", "hubbub-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, program.dir)
	if _, err := goCommand("build", "-trimpath", "-ldflags=-s -w", "-o", binary, source); err != nil {
		return nil, err
	}
	info, err := os.Stat(binary)
	if err != nil {
		return nil, err
	}
	text, err := goCommand("list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", source)
	if err != nil {
		return nil, err
	}
	packages := 0
	modules := make(map[string]bool)
	for module := range strings.FieldsSeq(text) {
		if module == "hubbub/bench" {
			continue
		}
		packages++
		if module != program.module {
			modules[module] = true
		}
	}
	return Sample{"size": float64(info.Size()) / 1e6, "modules": float64(len(modules)), "packages": float64(packages)}, nil
}

// goCommand runs the go command in the working directory, which must be in the
// module.
func goCommand(args ...string) (string, error) {
	cmd := exec.Command("go", args...)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	text, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go %s, in the directory bench of hubbub's sources: %w: %s", args[0], err, strings.TrimSpace(complaint.String()))
	}
	return string(text), nil
}
