package main

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"hubbub/internal/need"
)

var update = flag.Bool("update", false, "write what the commands print into the scripts")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"hubbub": main})
}

// The scripts of testdata/script say what the commands print, and how they end.
func TestScripts(t *testing.T) {
	examples, err := filepath.Abs("../../examples")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			return os.Symlink(examples, filepath.Join(env.WorkDir, "examples"))
		},
	})
}

// What the shells complete with is understood by the shells.
func TestCompletionIsAScript(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		t.Run(shell, func(t *testing.T) {
			program := need.Command(t, shell)
			file := filepath.Join(t.TempDir(), "completion")
			out, err := os.Create(file)
			if err != nil {
				t.Fatal(err)
			}
			if status := execute([]string{"completion", shell}, streams{os.Stdin, out, os.Stderr}); status != exitOK {
				t.Fatalf("exit status %d", status)
			}
			out.Close()
			if message, err := exec.Command(program, "-n", file).CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, message)
			}
		})
	}
}
