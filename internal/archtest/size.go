package archtest

import (
	"bytes"
	"fmt"
	"go/ast"

	"hubbub/internal/gosource"
)

// size finds functions and files that are too long to be read at one go.
func size(f gosource.File) (violations []string) {
	if f.Test() {
		return nil
	}
	if lines := bytes.Count(f.Source, []byte("\n")); lines > maxFileLines {
		violations = append(violations, fmt.Sprintf("%s:%d: the file has %d lines; split it, %d is the most", f.Path, lines, lines, maxFileLines))
	}
	for _, decl := range f.Syntax.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok {
			continue
		}
		if lines := f.Line(fn.End()) - f.Line(fn.Pos()) + 1; lines > maxFunctionLines {
			violations = append(violations, fmt.Sprintf("%s: function %s has %d lines; split it, %d is the most", f.At(fn.Pos()), fn.Name.Name, lines, maxFunctionLines))
		}
	}
	return violations
}
