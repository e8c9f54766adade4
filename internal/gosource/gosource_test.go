package gosource

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// tree writes files below a new directory, and is that directory.
func tree(t *testing.T, files ...string) string {
	t.Helper()
	root := t.TempDir()
	for _, name := range files {
		name = filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		content := "package x\n"
		if strings.HasSuffix(name, "go.mod") {
			content = "module x\n"
		}
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestWalkSeesWhatTheGoCommandSees(t *testing.T) {
	root := tree(
		t,
		"go.mod", "root.go", "a/b/deep.go", "a/a_test.go", "a/notes.txt",
		"a/testdata/x.go", ".ci/x.go", "_old/x.go", "a/_x.go", "bench/go.mod", "bench/x.go", "web/node_modules/x.go",
	)
	files, err := Walk(root)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range files {
		got = append(got, f.Path)
	}
	want := []string{"a/a_test.go", "a/b/deep.go", "root.go"}
	if !slices.Equal(got, want) {
		t.Errorf("Walk found %q, want %q", got, want)
	}
}

func TestFileKnowsItsPlace(t *testing.T) {
	f, err := Parse("a/b/c_test.go", []byte("package b\n\nfunc f() {}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if f.Dir() != "a/b" || !f.Test() || f.At(f.Syntax.Decls[0].Pos()) != "a/b/c_test.go:3" {
		t.Errorf("dir %q, test %v, at %q", f.Dir(), f.Test(), f.At(f.Syntax.Decls[0].Pos()))
	}
	if f, _ := Parse("main.go", []byte("package main\n")); f.Dir() != "." || f.Test() {
		t.Errorf("dir %q, test %v", f.Dir(), f.Test())
	}
}

func TestASyntaxErrorIsTold(t *testing.T) {
	root := tree(t, "go.mod", "a.go")
	if err := os.WriteFile(filepath.Join(root, "a.go"), []byte("package x\nfunc {"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Walk(root); err == nil || !strings.Contains(err.Error(), "a.go:2") {
		t.Errorf("error %v, want one that names a.go:2", err)
	}
}

func TestRootIsTheNearestModule(t *testing.T) {
	root := tree(t, "go.mod", "a/b/x.go")
	t.Chdir(filepath.Join(root, "a", "b"))
	got, err := Root()
	if want, _ := filepath.EvalSymlinks(root); err != nil || got != root && got != want {
		t.Errorf("Root() = %q, %v; want %q", got, err, root)
	}
	t.Chdir(t.TempDir())
	if dir, err := Root(); err == nil {
		t.Errorf("a root was found where there is none: %q", dir)
	}
}
