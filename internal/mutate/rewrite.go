package main

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// rewriter writes one file anew, with mutants in it.
type rewriter struct {
	p        *sourcePackage
	f        *sourceFile
	function string
	count    map[string]int // how often the same mutant came in a function
	all      *[]*mutant
}

// mutate finds all mutants of the package and writes its files anew.
func (p *sourcePackage) mutate() (all []*mutant) {
	for _, f := range p.files {
		r := &rewriter{p: p, f: f, count: map[string]int{}, all: &all}
		text := r.splice(f.syntax)
		f.mutated = withImports(text, f, p.text(f, f.syntax.FileStart, f.syntax.Name.End()))
	}
	return all
}

// withImports adds the packages that only mutants name. head is the file's
// text up to the package's name.
func withImports(text string, f *sourceFile, head string) string {
	var b strings.Builder
	for _, path := range sortedKeys(f.imports) {
		fmt.Fprintf(&b, "; import %s %q", f.imports[path], path)
	}
	return head + b.String() + text[len(head):]
}

// add makes a mutant and returns its id.
func (r *rewriter) add(at token.Pos, was, now string) int {
	m := &mutant{
		id: len(*r.all) + 1, file: r.f.name, function: r.function,
		line: r.p.fset.Position(at).Line, was: short(was), now: short(now),
	}
	r.count[m.key()]++
	m.nth = r.count[m.key()]
	*r.all = append(*r.all, m)
	return m.id
}

// was is the original text of a node.
func (r *rewriter) was(n ast.Node) string { return r.p.text(r.f, n.Pos(), n.End()) }

// text is a node's text with mutants.
func (r *rewriter) text(n ast.Node) string {
	if text, ok := r.rewrite(n); ok {
		return text
	}
	return r.splice(n)
}

// splice is a node's text with mutants in its parts.
func (r *rewriter) splice(n ast.Node) string {
	from, to := n.Pos(), n.End()
	if file, ok := n.(*ast.File); ok {
		from, to = file.FileStart, file.FileEnd
	}
	var b strings.Builder
	ast.Inspect(n, func(part ast.Node) bool {
		if part == nil || part == n {
			return true
		}
		text, ok := r.rewrite(part)
		if ok {
			b.WriteString(r.p.text(r.f, from, part.Pos()) + text)
			from = part.End()
		}
		return !ok
	})
	return b.String() + r.p.text(r.f, from, to)
}

// rewrite returns the text of a node that is mutated itself, or is to be left
// as it is; false if only its parts matter.
func (r *rewriter) rewrite(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.FuncDecl:
		return r.declaration(n)
	case *ast.GenDecl:
		return r.was(n), n.Tok != token.VAR
	case *ast.CommentGroup, *ast.Field, *ast.ArrayType, *ast.StructType, *ast.TypeSwitchStmt:
		_, isSwitch := n.(*ast.TypeSwitchStmt)
		return r.was(n), !isSwitch
	case *ast.KeyValueExpr:
		return r.was(n.Key) + ": " + r.text(n.Value), true
	case *ast.BlockStmt:
		return "{" + r.statements(n.Lbrace+1, n.List, n.Rbrace) + "}", true
	case *ast.CaseClause:
		return r.caseClause(n), true
	case *ast.IfStmt:
		return r.ifStatement(n), true
	case *ast.ForStmt:
		return r.forStatement(n), true
	case *ast.ReturnStmt:
		return r.returned(n)
	case ast.Expr:
		return r.expression(n)
	}
	return "", false
}

func (r *rewriter) declaration(d *ast.FuncDecl) (string, bool) {
	if d.Body == nil {
		return "", false
	}
	r.function = functionName(d)
	return r.p.text(r.f, d.Pos(), d.Body.Pos()) + r.text(d.Body), true
}

func functionName(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return d.Name.Name
	}
	receiver := d.Recv.List[0].Type
	if star, ok := receiver.(*ast.StarExpr); ok {
		receiver = star.X
	}
	if generic, ok := receiver.(*ast.IndexExpr); ok {
		receiver = generic.X
	}
	return receiver.(*ast.Ident).Name + "." + d.Name.Name
}

func (r *rewriter) expression(e ast.Expr) (string, bool) {
	known := r.p.info.Types[e]
	switch {
	case known.IsType():
		return r.was(e), true
	case known.Value != nil:
		return r.constant(e, known)
	}
	switch e := e.(type) {
	case *ast.BinaryExpr:
		return r.binary(e)
	case *ast.UnaryExpr:
		if e.Op == token.NOT {
			return "!(" + r.condition(e.X) + ")", true
		}
	case *ast.CallExpr:
		return r.minOrMax(e)
	}
	return "", false
}

// constant makes a number one larger, and the opposite of true and false.
func (r *rewriter) constant(e ast.Expr, known types.TypeAndValue) (string, bool) {
	was := r.was(e)
	if known.Value.Kind() == constant.Bool {
		if known.Type.String() != "bool" && known.Type.String() != "untyped bool" {
			return was, true
		}
		id := r.add(e.Pos(), was, "!"+was)
		return fmt.Sprintf("(mutantOn(%d) != %s)", id, was), true
	}
	basic, ok := known.Type.Underlying().(*types.Basic)
	if !ok || basic.Info()&types.IsNumeric == 0 || basic.Info()&(types.IsComplex|types.IsUntyped) != 0 {
		return was, true
	}
	name, ok := r.typeName(known.Type)
	if !ok {
		return was, true
	}
	return fmt.Sprintf("mutantConst[%s](%d, %s)", name, r.add(e.Pos(), was, was+" + 1"), was), true
}

// typeName is how the file can write a type: the package that it comes from is
// imported under a name of its own. It is false for a type that can't be named.
func (r *rewriter) typeName(t types.Type) (string, bool) {
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || named.Obj().Pkg() == r.p.types {
		return types.TypeString(t, types.RelativeTo(r.p.types)), true
	}
	if !named.Obj().Exported() {
		return "", false
	}
	from := named.Obj().Pkg().Path()
	r.f.imports[from] = "mutant_" + strings.NewReplacer("/", "_", ".", "_", "-", "_").Replace(from)
	return r.f.imports[from] + "." + named.Obj().Name(), true
}

// wrong are the operators that a comparison is exchanged for.
var wrong = map[token.Token][]token.Token{
	token.LSS: {token.LEQ, token.GEQ}, token.LEQ: {token.LSS, token.GTR},
	token.GTR: {token.GEQ, token.LEQ}, token.GEQ: {token.GTR, token.LSS},
	token.EQL: {token.NEQ}, token.NEQ: {token.EQL},
	token.LAND: {token.LOR}, token.LOR: {token.LAND},
}

// functions compute an operator, or the wrong one.
var functions = map[token.Token]struct{ name, wrong string }{
	token.ADD: {"mutantAdd", "-"}, token.SUB: {"mutantSub", "+"}, token.MUL: {"mutantMul", "/"},
	token.QUO: {"mutantQuo", "*"}, token.REM: {"mutantRem", "*"}, token.AND: {"mutantAnd", "|"},
	token.OR: {"mutantOr", "&"}, token.XOR: {"mutantXor", "&"}, token.AND_NOT: {"mutantAndNot", "&"},
	token.SHL: {"mutantShl", ">>"}, token.SHR: {"mutantShr", "<<"},
}

func (r *rewriter) binary(e *ast.BinaryExpr) (string, bool) {
	if operators := wrong[e.Op]; operators != nil {
		return r.comparison(e, operators), true
	}
	f := functions[e.Op]
	basic, ok := r.p.info.Types[e].Type.Underlying().(*types.Basic)
	if !ok || basic.Info()&types.IsNumeric == 0 || basic.Info()&(types.IsComplex|types.IsUntyped) != 0 {
		return "", false
	}
	x := r.text(e.X)
	if r.p.info.Types[e.X].Value != nil {
		name, ok := r.typeName(r.p.info.Types[e].Type)
		if !ok {
			return "", false
		}
		x = name + "(" + x + ")" // as in 1 << n: its type comes from where the value goes
	}
	id := r.add(e.OpPos, r.was(e), r.was(e.X)+" "+f.wrong+" "+r.was(e.Y))
	return fmt.Sprintf("%s(%d, %s, %s)", f.name, id, x, r.text(e.Y)), true
}

// comparison is a choice between the right operator and wrong ones: only the
// one in force is computed, so that operands may be anything.
func (r *rewriter) comparison(e *ast.BinaryExpr, operators []token.Token) string {
	logical := e.Op == token.LAND || e.Op == token.LOR
	x, y := r.operand(e.X, logical), r.operand(e.Y, logical)
	var others, none strings.Builder
	for _, op := range operators {
		id := r.add(e.OpPos, r.was(e), r.was(e.X)+" "+op.String()+" "+r.was(e.Y))
		fmt.Fprintf(&others, "mutantOn(%d) && (%s %s %s) || ", id, x, op, y)
		fmt.Fprintf(&none, "!mutantOn(%d) && ", id)
	}
	return fmt.Sprintf("(%s%s(%s %s %s))", others.String(), none.String(), x, e.Op, y)
}

func (r *rewriter) operand(e ast.Expr, logical bool) string {
	if logical {
		return r.condition(e)
	}
	return r.text(e)
}

// condition is a condition's text, negated by a mutant if it is no comparison.
func (r *rewriter) condition(e ast.Expr) string {
	known := r.p.info.Types[e]
	switch inner := ast.Unparen(e).(type) {
	case *ast.BinaryExpr:
		return r.text(e)
	case *ast.UnaryExpr:
		if inner.Op == token.NOT {
			return "!(" + r.condition(inner.X) + ")"
		}
	}
	if known.Value != nil || known.Type == nil || known.Type.String() != "bool" {
		return r.text(e)
	}
	was := r.was(e)
	return fmt.Sprintf("(mutantOn(%d) != (%s))", r.add(e.Pos(), was, "!("+was+")"), r.text(e))
}

func (r *rewriter) minOrMax(e *ast.CallExpr) (string, bool) {
	name, ok := e.Fun.(*ast.Ident)
	if !ok {
		return "", false
	}
	if _, isBuiltin := r.p.info.Uses[name].(*types.Builtin); !isBuiltin || name.Name != "min" && name.Name != "max" {
		return "", false
	}
	other, function := "max", "mutantMin"
	if name.Name == "max" {
		other, function = "min", "mutantMax"
	}
	id := r.add(e.Pos(), r.was(e), other+r.p.text(r.f, e.Lparen, e.End()))
	var arguments []string
	for _, a := range e.Args {
		arguments = append(arguments, r.text(a))
	}
	return fmt.Sprintf("%s(%d, %s)", function, id, strings.Join(arguments, ", ")), true
}

func sortedKeys(m map[string]string) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
