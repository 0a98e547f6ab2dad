package main

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"strconv"
)

// What operators become.
var (
	negations = map[token.Token]token.Token{
		token.EQL: token.NEQ, token.NEQ: token.EQL, token.LSS: token.GEQ, token.GEQ: token.LSS, token.GTR: token.LEQ, token.LEQ: token.GTR,
	}
	shifts = map[token.Token]token.Token{
		token.LSS: token.LEQ, token.LEQ: token.LSS, token.GTR: token.GEQ, token.GEQ: token.GTR,
	}
	arithmetic = map[token.Token]token.Token{
		token.ADD: token.SUB, token.SUB: token.ADD, token.MUL: token.QUO, token.QUO: token.MUL, token.REM: token.MUL,
		token.AND: token.OR, token.OR: token.AND, token.AND_NOT: token.AND, token.XOR: token.AND, token.SHL: token.SHR, token.SHR: token.SHL,
	}
	assignments = map[token.Token]token.Token{
		token.ADD_ASSIGN: token.SUB_ASSIGN, token.SUB_ASSIGN: token.ADD_ASSIGN, token.MUL_ASSIGN: token.QUO_ASSIGN,
		token.OR_ASSIGN: token.AND_ASSIGN, token.AND_ASSIGN: token.OR_ASSIGN, token.AND_NOT_ASSIGN: token.OR_ASSIGN, token.XOR_ASSIGN: token.AND_ASSIGN,
	}
	// neighbours are the constants that are taken for one another; any other becomes the next one of its type.
	neighbours = map[string]string{
		"Failed": "Error", "Error": "Failed", "Errored": "Failed", "Succeeded": "Skipped", "Skipped": "Succeeded",
	}
)

// place is where a condition stands.
type place int

const (
	operand place = iota // inside another, or a value
	branch               // it decides about a branch
	loop                 // it decides about a loop, which would not end were it always true
)

// values walks over expressions whose values are used, those of conditions too.
func (f *finder) values(list []ast.Expr) {
	for _, e := range list {
		if t, ok := f.pkg.TypesInfo.TypeOf(e).(*types.Basic); ok && t.Info()&types.IsBoolean != 0 {
			f.condition(e, operand)
		} else {
			f.expression(e)
		}
	}
}

// condition walks over an expression that is true or false.
func (f *finder) condition(e ast.Expr, at place) {
	var others []string
	x, inner := e, []ast.Expr(nil)
	switch t := ast.Unparen(e).(type) {
	case *ast.UnaryExpr:
		if t.Op == token.NOT {
			f.condition(t.X, at)
			return
		}
	case *ast.BinaryExpr:
		x = t
		left, right := f.text(t.X), f.text(t.Y)
		if t.Op == token.LAND || t.Op == token.LOR {
			swapped := map[token.Token]string{token.LAND: "||", token.LOR: "&&"}[t.Op]
			others = append(others, "("+left+") "+swapped+" ("+right+")")
			inner = []ast.Expr{t.X, t.Y}
			if at == operand {
				f.choose(x, "bool", others, false, func() { f.values(inner) })
				return
			}
			break
		}
		if shifted, ok := shifts[t.Op]; ok && f.ordered(t.X) {
			others = append(others, left+" "+shifted.String()+" "+right)
		}
		if at != loop {
			others = append(others, left+" "+negations[t.Op].String()+" "+right)
		}
	}
	if f.pkg.TypesInfo.Types[x].Value != nil {
		f.expression(x)
		return
	}
	if _, ok := x.(*ast.BinaryExpr); !ok && at != loop {
		others = append(others, "!("+f.text(x)+")")
	}
	others = append(others, "false")
	if at != loop {
		others = append(others, "true")
	}
	f.choose(x, "bool", others, inner == nil, func() {
		if inner != nil {
			f.values(inner)
		} else {
			f.operands(x)
		}
	})
}

// choose puts expressions behind a switch that stand in for one that is not constant.
func (f *finder) choose(e ast.Expr, typ string, others []string, saw bool, walk func()) {
	open, number := "func() "+typ+" { ", 0
	for _, other := range others {
		number = f.add(e, short(f.text(e))+" -> "+short(other))
		open += fmt.Sprintf("if mutant(%d) { return %s }; ", number, other)
	}
	open += "return "
	shut := " }()"
	if saw {
		f.mutants[len(f.mutants)-1].condition = true
		open += fmt.Sprintf("mutantSaw(%d, ", number)
		shut = ")" + shut
	}
	f.insert(e.Pos(), open, opens)
	walk()
	f.insert(e.End(), shut, closes)
}

// expression walks over any other expression.
func (f *finder) expression(e ast.Expr) {
	tv := f.pkg.TypesInfo.Types[e]
	switch {
	case e == nil || tv.IsType():
		return
	case tv.Value != nil:
		f.constant(e, tv)
		return
	}
	switch e := e.(type) {
	case *ast.ParenExpr:
		f.expression(e.X)
		return
	case *ast.BinaryExpr:
		if b, ok := tv.Type.Underlying().(*types.Basic); ok && b.Info()&types.IsBoolean != 0 {
			f.condition(e, operand)
			return
		}
		name, named := f.typeName(tv.Type)
		if op, ok := arithmetic[e.Op]; ok && named && f.numeric(e) {
			f.choose(e, name, []string{"(" + f.text(e.X) + ") " + op.String() + " (" + f.text(e.Y) + ")"}, false, func() { f.operands(e) })
			return
		}
	case *ast.CallExpr:
		name, named := f.typeName(tv.Type)
		if id, ok := e.Fun.(*ast.Ident); ok && named && f.isBuiltin(id) && (id.Name == "min" || id.Name == "max") {
			other := map[string]string{"min": "max", "max": "min"}[id.Name]
			f.choose(e, name, []string{other + f.text(e)[len(id.Name):]}, false, func() { f.operands(e) })
			return
		}
	}
	f.operands(e)
}

// operands walks over what an expression is made of.
func (f *finder) operands(e ast.Expr) {
	switch e := e.(type) {
	case *ast.ParenExpr:
		f.operands(e.X)
	case *ast.BinaryExpr:
		f.expression(e.X)
		f.expression(e.Y)
	case *ast.UnaryExpr:
		if e.Op == token.NOT {
			f.condition(e.X, operand)
		} else {
			f.expression(e.X)
		}
	case *ast.StarExpr:
		f.expression(e.X)
	case *ast.CallExpr:
		f.expression(e.Fun)
		for _, a := range e.Args {
			f.expression(a)
		}
	case *ast.SelectorExpr:
		f.expression(e.X)
	case *ast.IndexExpr:
		f.expression(e.X)
		f.expression(e.Index)
	case *ast.SliceExpr:
		for _, part := range []ast.Expr{e.X, e.Low, e.High, e.Max} {
			if part != nil {
				f.expression(part)
			}
		}
	case *ast.TypeAssertExpr:
		f.expression(e.X)
	case *ast.CompositeLit:
		for _, element := range e.Elts {
			if pair, ok := element.(*ast.KeyValueExpr); ok {
				element = pair.Value
			}
			f.values([]ast.Expr{element})
		}
	case *ast.FuncLit:
		f.body(e.Type, e.Body)
	}
}

// constant puts another constant beside one.
func (f *finder) constant(e ast.Expr, tv types.TypeAndValue) {
	open, other := "mutantPick", f.neighbour(e)
	if other == "" {
		name, ok := f.typeName(tv.Type)
		if !ok {
			return
		}
		open += "[" + name + "]"
		switch v := tv.Value; v.Kind() {
		case constant.Bool:
			other = strconv.FormatBool(!constant.BoolVal(v))
		case constant.String:
			if other = `""`; constant.StringVal(v) == "" {
				other = `"mutant"`
			}
		case constant.Int:
			n, exact := constant.Int64Val(v)
			if !exact || n > 1<<62 || n == 1<<7-1 || n == 1<<8-1 {
				return
			}
			other = strconv.FormatInt(n+1, 10)
		default:
			return
		}
	}
	number := f.add(e, short(f.text(e))+" -> "+short(other))
	f.insert(e.Pos(), fmt.Sprintf("%s(%d, ", open, number), opens)
	f.insert(e.End(), ", "+other+")", closes)
}

// neighbour is the constant of the same declared type that a named constant is taken for; "" if there is none.
func (f *finder) neighbour(e ast.Expr) string {
	qualifier, id := "", (*ast.Ident)(nil)
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		id = e
	case *ast.SelectorExpr:
		qualifier, id = f.text(e.X)+".", e.Sel
	default:
		return ""
	}
	c, ok := f.pkg.TypesInfo.ObjectOf(id).(*types.Const)
	if !ok || c.Pkg() == nil || c.Pkg().Path() == "time" {
		return ""
	}
	if _, ok := c.Type().(*types.Named); !ok {
		return ""
	}
	var all []*types.Const
	for _, name := range c.Pkg().Scope().Names() {
		o, ok := c.Pkg().Scope().Lookup(name).(*types.Const)
		if !ok || !types.Identical(o.Type(), c.Type()) || qualifier != "" && !o.Exported() {
			continue
		}
		if o == c || !constant.Compare(o.Val(), token.EQL, c.Val()) {
			all = append(all, o)
		}
		if o.Name() == neighbours[c.Name()] {
			return qualifier + o.Name()
		}
	}
	slices.SortFunc(all, func(a, b *types.Const) int { return int(a.Pos() - b.Pos()) })
	if len(all) < 2 {
		return ""
	}
	return qualifier + all[(slices.Index(all, c)+1)%len(all)].Name()
}

func (f *finder) isBuiltin(id *ast.Ident) bool {
	_, ok := f.pkg.TypesInfo.ObjectOf(id).(*types.Builtin)
	return ok
}

func (f *finder) numeric(e ast.Expr) bool { return f.is(e, types.IsNumeric) }
func (f *finder) ordered(e ast.Expr) bool { return f.is(e, types.IsOrdered) }

func (f *finder) is(e ast.Expr, info types.BasicInfo) bool {
	b, ok := f.pkg.TypesInfo.TypeOf(e).Underlying().(*types.Basic)
	return ok && b.Info()&info != 0
}

// typeName is how a type is written in the file; false if it can't be.
func (f *finder) typeName(t types.Type) (string, bool) {
	ok := true
	name := types.TypeString(t, func(p *types.Package) string {
		if p == f.pkg.Types {
			return ""
		}
		ok = ok && slices.ContainsFunc(f.file.Imports, func(i *ast.ImportSpec) bool { return i.Name == nil && i.Path.Value == strconv.Quote(p.Path()) })
		return p.Name()
	})
	if b, basic := t.(*types.Basic); basic && b.Info()&types.IsUntyped != 0 {
		ok = false
	}
	return name, ok
}
