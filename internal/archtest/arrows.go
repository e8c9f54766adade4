package archtest

import (
	"fmt"
	"path"
	"strconv"
	"strings"

	"hubbub/internal/gosource"
)

const module = "hubbub"

// arrows finds the imports that the table doesn't allow.
func arrows(f gosource.File) (violations []string) {
	r, ok := rowOf(f.Dir())
	if !ok {
		return []string{fmt.Sprintf("%s: package %s has no row in the table of internal/archtest/table.go: say there what it may import", f.Path, f.Dir())}
	}
	for _, spec := range f.Syntax.Imports {
		target, _ := strconv.Unquote(spec.Path.Value)
		if why := refusal(r, f, target); why != "" {
			violations = append(violations, fmt.Sprintf("%s: package %s must not import %s: %s", f.At(spec.Pos()), f.Dir(), target, why))
		}
	}
	return violations
}

// refusal is why a file may not import a package; empty if it may.
func refusal(r row, f gosource.File, target string) string {
	if standard(target) {
		return ""
	}
	dir, ours := directory(target)
	if !ours {
		if f.Test() || fits(target, modules(r)) {
			return ""
		}
		return "the code of " + r.packages + " may use " + list("the standard library", r.modules)
	}
	allowed := r.imports
	if f.Test() {
		allowed += " internal/... " + r.tests + " " + f.Dir()
	}
	if fits(dir, allowed) {
		return ""
	}
	return "imports point down, and " + r.packages + " may import " + list("", r.imports)
}

// rowOf is the first row of the table that fits a directory.
func rowOf(dir string) (row, bool) {
	for _, r := range table {
		if fits(dir, r.packages) {
			return r, true
		}
	}
	return row{}, false
}

// directory is the place of an imported package if it is one of this module.
func directory(target string) (string, bool) {
	if target == module {
		return ".", true
	}
	return strings.CutPrefix(target, module+"/")
}

// standard packages are those without a dot in the path's first element, by
// which the go command tells them apart too.
func standard(target string) bool {
	_, ours := directory(target)
	first, _, _ := strings.Cut(target, "/")
	return !ours && !strings.Contains(first, ".")
}

// modules are the patterns of the packages in a row's other modules.
func modules(r row) string {
	var patterns []string
	for _, m := range strings.Fields(r.modules) {
		patterns = append(patterns, m+"/...")
	}
	return strings.Join(patterns, " ")
}

// fits says whether a path is one of the patterns, which blanks separate.
func fits(name, patterns string) bool {
	for _, pattern := range strings.Fields(patterns) {
		parent, tree := strings.CutSuffix(pattern, "/...")
		if name == parent || tree && strings.HasPrefix(name, parent+"/") {
			return true
		}
	}
	return false
}

func list(first, rest string) string {
	words := strings.Fields(rest)
	if first != "" {
		words = append([]string{first}, words...)
	}
	if len(words) == 0 {
		return "no package of this module"
	}
	return strings.Join(words, ", ") + " alone"
}

// importName is the name by which a file knows a package; empty if it doesn't
// import it.
func importName(f gosource.File, target string) string {
	for _, spec := range f.Syntax.Imports {
		if p, _ := strconv.Unquote(spec.Path.Value); p != target {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		base := path.Base(target)
		if base == "v2" {
			base = path.Base(path.Dir(target))
		}
		return base
	}
	return ""
}
