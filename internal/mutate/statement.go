package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// statements is the text of a list of statements, each of which a mutant may
// leave out.
func (r *rewriter) statements(from token.Pos, list []ast.Stmt, to token.Pos) string {
	var b strings.Builder
	for _, s := range list {
		b.WriteString(r.p.text(r.f, from, s.Pos()) + r.statement(s))
		from = s.End()
	}
	return b.String() + r.p.text(r.f, from, to)
}

func (r *rewriter) statement(s ast.Stmt) string {
	switch s := s.(type) {
	case *ast.AssignStmt:
		return r.assignment(s)
	case *ast.IncDecStmt:
		return r.without(s, r.splice(s))
	case *ast.ExprStmt:
		if call, ok := s.X.(*ast.CallExpr); ok && !r.isPanic(call) {
			return r.without(s, r.splice(s))
		}
	case *ast.BranchStmt:
		if s.Tok == token.CONTINUE || s.Tok == token.BREAK {
			return r.without(s, r.was(s))
		}
	case *ast.ReturnStmt:
		if len(s.Results) == 0 {
			return r.without(s, r.was(s))
		}
	}
	return r.text(s)
}

// without is a statement that a mutant leaves out.
func (r *rewriter) without(s ast.Stmt, text string) string {
	return fmt.Sprintf("if !mutantOn(%d) { %s }", r.add(s.Pos(), r.was(s), "(nothing)"), text)
}

func (r *rewriter) isPanic(call *ast.CallExpr) bool {
	name, ok := call.Fun.(*ast.Ident)
	return ok && name.Name == "panic"
}

// opposites are the assignments that are exchanged for others.
var opposites = map[token.Token]string{
	token.ADD_ASSIGN: "-=", token.SUB_ASSIGN: "+=", token.SHL_ASSIGN: ">>=", token.SHR_ASSIGN: "<<=",
	token.OR_ASSIGN: "&=", token.AND_NOT_ASSIGN: "&=",
}

// assignment is left out by one mutant; += is -= in another.
func (r *rewriter) assignment(s *ast.AssignStmt) string {
	if s.Tok == token.DEFINE || isBlank(s.Lhs[0]) {
		return r.splice(s)
	}
	text := r.splice(s)
	if opposite := opposites[s.Tok]; opposite != "" && r.isNumber(s.Lhs[0]) {
		x, y := r.was(s.Lhs[0]), r.was(s.Rhs[0])
		id := r.add(s.TokPos, r.was(s), x+" "+opposite+" "+y)
		text = fmt.Sprintf("if mutantOn(%d) { %s %s %s } else { %s }", id, x, opposite, y, text)
	}
	return r.without(s, text)
}

func (r *rewriter) isNumber(e ast.Expr) bool {
	basic, ok := r.p.info.Types[e].Type.Underlying().(*types.Basic)
	return ok && basic.Info()&types.IsNumeric != 0
}

func isBlank(e ast.Expr) bool {
	name, ok := e.(*ast.Ident)
	return ok && name.Name == "_"
}

// caseClause: without a tag, the cases are conditions.
func (r *rewriter) caseClause(c *ast.CaseClause) string {
	from := c.Pos()
	var b strings.Builder
	for _, e := range c.List {
		text := ""
		if known := r.p.info.Types[e]; known.Value == nil && known.Type != nil && known.Type.String() == "bool" {
			text = r.condition(e)
		} else {
			text = r.text(e)
		}
		b.WriteString(r.p.text(r.f, from, e.Pos()) + text)
		from = e.End()
	}
	return b.String() + r.p.text(r.f, from, c.Colon+1) + r.statements(c.Colon+1, c.Body, c.End())
}

func (r *rewriter) ifStatement(s *ast.IfStmt) string {
	text := "if "
	if s.Init != nil {
		text += r.splice(s.Init) + "; "
	}
	text += r.condition(s.Cond) + " " + r.text(s.Body)
	if s.Else != nil {
		text += " else " + r.text(s.Else)
	}
	return text
}

func (r *rewriter) forStatement(s *ast.ForStmt) string {
	text := "for "
	if s.Init != nil {
		text += r.splice(s.Init)
	}
	if s.Init != nil || s.Post != nil {
		text += "; "
	}
	if s.Cond != nil {
		text += r.condition(s.Cond)
	}
	if s.Init != nil || s.Post != nil {
		text += "; "
	}
	if s.Post != nil {
		text += r.splice(s.Post)
	}
	return text + " " + r.text(s.Body)
}

// returned negates conditions that are returned.
func (r *rewriter) returned(s *ast.ReturnStmt) (string, bool) {
	if len(s.Results) == 0 {
		return "", false
	}
	var results []string
	for _, e := range s.Results {
		results = append(results, r.condition(e))
	}
	return "return " + strings.Join(results, ", "), true
}
