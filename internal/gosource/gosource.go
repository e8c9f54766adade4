// Package gosource reads the Go files of this module for the tools that judge
// them: the architecture test and the one that collects RFC citations.
//
// To make another such tool: call [Walk] with [Root] and look at each File's
// syntax tree; [Parse] makes a File of a string, for the tool's own tests.
package gosource

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// File is one parsed Go file.
type File struct {
	Path   string // relative to the module's root, with slashes: "transport/tcp/send.go"
	Source []byte
	Fset   *token.FileSet
	Syntax *ast.File // with its comments
}

// Dir is the directory of the file's package, relative to the module's root:
// "transport/tcp", and "." for the root package.
func (f File) Dir() string { return path.Dir(f.Path) }

// Test says whether the file belongs to tests alone.
func (f File) Test() bool { return strings.HasSuffix(f.Path, "_test.go") }

// Line is the line of a position.
func (f File) Line(p token.Pos) int { return f.Fset.Position(p).Line }

// At is "path:line" of a position.
func (f File) At(p token.Pos) string { return fmt.Sprintf("%s:%d", f.Path, f.Line(p)) }

// Parse makes a File of its text. The path need not exist.
func Parse(path string, source []byte) (File, error) {
	fset := token.NewFileSet()
	syntax, err := parser.ParseFile(fset, path, source, parser.ParseComments)
	if err != nil {
		return File{}, err
	}
	return File{path, source, fset, syntax}, nil
}

// Walk parses every Go file of the module whose root is given, in the order of
// their paths. It leaves out what the go command leaves out: testdata, names
// that begin with "." or "_", and modules inside the module.
func Walk(root string) ([]File, error) {
	var files []File
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if name != root && ignored(name) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || hidden(entry.Name()) {
			return nil
		}
		f, err := read(root, name)
		files = append(files, f)
		return err
	})
	return files, err
}

func read(root, name string) (File, error) {
	source, err := os.ReadFile(name)
	if err != nil {
		return File{}, err
	}
	relative, err := filepath.Rel(root, name)
	if err != nil {
		return File{}, err
	}
	return Parse(filepath.ToSlash(relative), source)
}

func ignored(dir string) bool {
	base := filepath.Base(dir)
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return hidden(base) || base == "testdata" || base == "node_modules" || err == nil
}

func hidden(base string) bool {
	return strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_")
}

// Root finds the module's root: the nearest directory, from the working
// directory upwards, that has a go.mod.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no go.mod here nor in any directory above: run this inside the hubbub module")
		}
		dir = parent
	}
}
