package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"hubbub/internal/gosource"
)

// sourcePackage is the package whose tests are judged.
type sourcePackage struct {
	root  string // of the module
	dir   string
	path  string // relative to the module, "transport/tcp"
	name  string
	fset  *token.FileSet
	types *types.Package
	info  *types.Info
	files []*sourceFile
}

// sourceFile is one of its files that are no tests.
type sourceFile struct {
	name    string // base name
	source  []byte
	syntax  *ast.File
	mutated string            // the text with all mutants
	imports map[string]string // packages that the mutants name and the file doesn't import, by path: the name
}

// listed is what `go list` says about a package.
type listed struct {
	Dir, ImportPath, Name, Export string
	GoFiles                       []string
	DepOnly                       bool
}

// load parses a package and finds the types of its expressions.
func load(pattern string) (*sourcePackage, error) {
	root, err := gosource.Root()
	if err != nil {
		return nil, err
	}
	all, err := list(pattern)
	if err != nil {
		return nil, err
	}
	exports := map[string]string{}
	var target *listed
	for i := range all {
		exports[all[i].ImportPath] = all[i].Export
		if !all[i].DepOnly {
			target = &all[i]
		}
	}
	if target == nil {
		return nil, fmt.Errorf("%s is no package", pattern)
	}
	relative, err := filepath.Rel(root, target.Dir)
	if err != nil {
		return nil, err
	}
	p := &sourcePackage{root: root, dir: target.Dir, path: filepath.ToSlash(relative), name: target.Name, fset: token.NewFileSet()}
	return p, p.parse(target.GoFiles, exports)
}

func list(pattern string) (all []listed, err error) {
	cmd := exec.Command("go", "list", "-json=Dir,ImportPath,Name,Export,GoFiles,DepOnly", "-export", "-deps", pattern)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list %s: %w", pattern, err)
	}
	decoder := json.NewDecoder(bytes.NewReader(out))
	for {
		var one listed
		if err := decoder.Decode(&one); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
}

func (p *sourcePackage) parse(names []string, exports map[string]string) error {
	var syntax []*ast.File
	for _, name := range names {
		source, err := os.ReadFile(filepath.Join(p.dir, name))
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(p.fset, name, source, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		syntax = append(syntax, f)
		p.files = append(p.files, &sourceFile{name: name, source: source, syntax: f, imports: map[string]string{}})
	}
	p.info = &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{},
	}
	config := types.Config{Importer: importer.ForCompiler(p.fset, "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(exports[path])
	})}
	var err error
	p.types, err = config.Check(p.path, p.fset, syntax, p.info)
	return err
}

// text is the source between two positions.
func (p *sourcePackage) text(f *sourceFile, from, to token.Pos) string {
	return string(f.source[p.fset.Position(from).Offset:p.fset.Position(to).Offset])
}

// short is a piece of source on one line, for people.
func short(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > 100 {
		text = text[:97] + "..."
	}
	return text
}
