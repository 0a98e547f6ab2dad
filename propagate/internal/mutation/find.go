package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/packages"
)

// A mutant is one way in which the code is broken.
type mutant struct {
	number int // in its package, from 1: what switches it on
	id     string
	file   string // within the package
	line   int
	// condition tells that the notes of this number hold the outcomes of a condition.
	condition bool
}

// An edit inserts text into a file. No edit removes anything: what is changed stays as the last alternative, so all that
// it uses stays used.
type edit struct {
	at   int
	text string
	rank int // of those at one place: what closes comes before what opens
}

const (
	closes = iota
	opens
)

// A finder walks over one file, finds mutants, and collects the edits that put them behind a switch.
type finder struct {
	pkg    *packages.Package
	file   *ast.File
	source []byte
	name   string // of the file

	first   int             // number of the package's mutants in earlier files
	seen    map[string]bool // ids, of the package
	inside  string          // function
	mutants []*mutant
	edits   []edit
}

// find returns the mutants of a file.
func (f *finder) find() {
	for _, decl := range f.file.Decls {
		if fn, ok := decl.(*ast.FuncDecl); ok && fn.Body != nil {
			f.inside = functionName(fn)
			f.body(fn.Type, fn.Body)
		}
	}
}

// functionName is the name of a function, after that of its receiver's type.
func functionName(fn *ast.FuncDecl) string {
	if fn.Recv == nil {
		return fn.Name.Name
	}
	receiver := types.ExprString(fn.Recv.List[0].Type)
	return strings.TrimPrefix(receiver, "*") + "." + fn.Name.Name
}

// body walks over the body of a function. Where a mutant lets a function with results come to its end, it panics there.
func (f *finder) body(t *ast.FuncType, body *ast.BlockStmt) {
	results := t.Results != nil
	f.statements(body.List, true)
	if results {
		f.insert(body.Rbrace, ` ; panic("a mutant came to the end of the function") `, opens)
	}
}

func (f *finder) offset(p token.Pos) int { return f.pkg.Fset.Position(p).Offset }

func (f *finder) text(n ast.Node) string {
	return string(f.source[f.offset(n.Pos()):f.offset(n.End())])
}

func (f *finder) insert(at token.Pos, text string, rank int) {
	f.edits = append(f.edits, edit{f.offset(at), text, rank})
}

// add notes a mutant, and returns its number. Its id is made of the function and of what is changed in it, so that it
// stays the same when something else is changed.
func (f *finder) add(at ast.Node, change string) int {
	change = strings.Join(strings.Fields(change), " ")
	id := f.pkg.Name + "." + f.inside + ": " + change
	for k := 2; f.seen[id]; k++ {
		id = fmt.Sprintf("%s.%s: %s #%d", f.pkg.Name, f.inside, change, k)
	}
	f.seen[id] = true
	m := &mutant{number: f.first + len(f.mutants) + 1, id: id, file: f.name, line: f.pkg.Fset.Position(at.Pos()).Line}
	f.mutants = append(f.mutants, m)
	return m.number
}

// short is a text that fits into an id.
func short(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > 80 {
		return string(r[:77]) + "..."
	}
	return text
}

// statements walks over statements that stand in one block. With tail, nothing is left to do after the last of them but
// to return.
func (f *finder) statements(list []ast.Stmt, tail bool) {
	for k, s := range list {
		f.statement(s, tail && k == len(list)-1)
	}
}

// statement walks over a statement that stands in a block.
func (f *finder) statement(s ast.Stmt, tail bool) {
	var others []string
	drop := true
	switch s := s.(type) {
	case *ast.ExprStmt, *ast.DeferStmt, *ast.GoStmt, *ast.RangeStmt:
	case *ast.AssignStmt:
		drop = s.Tok != token.DEFINE
		if op, ok := assignments[s.Tok]; ok && f.numeric(s.Lhs[0]) {
			others = append(others, f.text(s.Lhs[0])+" "+op.String()+" "+f.text(s.Rhs[0]))
		}
	case *ast.IncDecStmt:
		op := map[token.Token]string{token.INC: "--", token.DEC: "++"}[s.Tok]
		others = append(others, f.text(s.X)+op)
	case *ast.ReturnStmt:
		drop = !tail
	case *ast.BranchStmt:
		drop = !tail && s.Tok != token.FALLTHROUGH
	default:
		drop = false
	}
	open := ""
	for _, other := range others {
		open += fmt.Sprintf("if mutant(%d) { %s } else ", f.add(s, short(f.text(s))+" -> "+short(other)), other)
	}
	if drop {
		open += fmt.Sprintf("if mutant(%d) { } else ", f.add(s, "drop "+short(f.firstLine(s))))
	}
	if open != "" {
		f.insert(s.Pos(), open+"{ ", opens)
	}
	f.parts(s, tail)
	if open != "" {
		f.insert(s.End(), " }", closes)
	}
}

func (f *finder) firstLine(n ast.Node) string {
	line, _, _ := strings.Cut(f.text(n), "\n")
	return line
}

// parts walks over what a statement is made of.
func (f *finder) parts(s ast.Stmt, tail bool) {
	switch s := s.(type) {
	case *ast.ExprStmt:
		f.expression(s.X)
	case *ast.DeferStmt:
		f.expression(s.Call)
	case *ast.GoStmt:
		f.expression(s.Call)
	case *ast.AssignStmt:
		f.values(s.Rhs)
	case *ast.ReturnStmt:
		f.values(s.Results)
	case *ast.DeclStmt:
		if d := s.Decl.(*ast.GenDecl); d.Tok == token.VAR {
			for _, spec := range d.Specs {
				f.values(spec.(*ast.ValueSpec).Values)
			}
		}
	case *ast.BlockStmt:
		f.statements(s.List, tail)
	case *ast.LabeledStmt:
		f.parts(s.Stmt, tail)
	case *ast.IfStmt:
		f.parts(s.Init, false)
		f.condition(s.Cond, branch)
		f.statements(s.Body.List, tail)
		f.parts(s.Else, tail)
	case *ast.ForStmt:
		f.parts(s.Init, false)
		if s.Cond != nil {
			f.condition(s.Cond, loop)
		}
		f.parts(s.Post, false)
		f.statements(s.Body.List, false)
	case *ast.RangeStmt:
		f.expression(s.X)
		f.statements(s.Body.List, false)
	case *ast.SwitchStmt:
		f.parts(s.Init, false)
		if s.Tag != nil {
			f.expression(s.Tag)
		}
		for _, c := range s.Body.List {
			f.clause(c.(*ast.CaseClause), s.Tag == nil, tail)
		}
	case *ast.TypeSwitchStmt:
		for _, c := range s.Body.List {
			f.statements(c.(*ast.CaseClause).Body, tail)
		}
	}
}

// clause walks over a case. A body of one statement is dropped with that.
func (f *finder) clause(c *ast.CaseClause, conditions, tail bool) {
	for _, e := range c.List {
		if conditions {
			f.condition(e, branch)
		} else {
			f.expression(e)
		}
	}
	n := len(c.Body)
	drop := n > 1 && !tail && !fallsThrough(c.Body[n-1])
	if drop {
		f.insert(c.Body[0].Pos(), fmt.Sprintf("if !mutant(%d) { ", f.add(c.Body[0], "drop body of "+short(f.caseText(c)))), opens)
	}
	f.statements(c.Body, tail)
	if drop {
		f.insert(c.Body[n-1].End(), " }", closes)
	}
}

func (f *finder) caseText(c *ast.CaseClause) string {
	return string(f.source[f.offset(c.Case):f.offset(c.Colon)])
}

func fallsThrough(s ast.Stmt) bool {
	b, ok := s.(*ast.BranchStmt)
	return ok && b.Tok == token.FALLTHROUGH
}
