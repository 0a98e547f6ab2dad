package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// stores say where the facts of a workflow lie. The first whose package exists counts.
var stores = []struct {
	path  string   // of the package
	files []string // none: all of them
	// inputs are the structs declared there that hold no fact of the workflow: others fill them in.
	inputs []string
}{
	{path: "propagate/internal/store", inputs: []string{"Observation", "Run", "Leaf"}},
	{
		path:   "propagate",
		files:  []string{"store.go", "write.go", "detail.go", "sparse.go", "phrases.go", "fact.go"},
		inputs: []string{"Fact", "Incarnation", "observation", "run", "leaf"},
	},
}

// schedule are the fields that are no part of a fact: they say what is to be judged again.
var schedule = []string{"marks", "open", "blocked", "written"}

// written counts what writes a field of the store's records outside the store: assignments, copies and addresses.
//
// It is an error if there is no store: then the table above is out of date, and nothing would be counted.
func (lib *loaded) written() (row, error) {
	r := row{name: "fact fields written outside the store"}
	for _, s := range stores {
		home := lib.packages[s.path]
		if home == nil {
			continue
		}
		inside := func(pkg *packages.Package, file string) bool {
			return pkg == home && (len(s.files) == 0 || slices.Contains(s.files, file))
		}
		w := &writeFinder{lib: lib, namer: newNamer(), fields: make(map[string]bool)}
		for _, name := range home.Types.Scope().Names() {
			obj, ok := home.Types.Scope().Lookup(name).(*types.TypeName)
			if ok && !slices.Contains(s.inputs, name) && inside(home, fileOf(home.Fset, obj.Pos())) {
				for member := range membersOf(obj) {
					w.fields[w.namer.name(member)] = true
				}
			}
		}
		if len(w.fields) == 0 {
			return r, fmt.Errorf("no record of the store is where the table of stores says: %s", s.path)
		}
		for _, path := range lib.under("propagate") {
			pkg := lib.packages[path]
			for _, file := range pkg.Syntax {
				if !inside(pkg, fileOf(pkg.Fset, file.Package)) {
					w.pkg = pkg
					ast.Inspect(file, w.look)
				}
			}
		}
		slices.Sort(w.places)
		r.items = w.places
		break
	}
	notes := 0
	for _, place := range r.items {
		if slices.Contains(schedule, place[strings.LastIndex(place, ".")+1:]) {
			notes++
		}
	}
	r.counts = []count{{len(r.items), ""}, {notes, "of them marks and counters"}}
	return r, nil
}

// A writeFinder finds what writes the fields of records.
type writeFinder struct {
	lib    *loaded
	namer  *namer
	fields map[string]bool   // of the records
	pkg    *packages.Package // that is looked at
	places []string
}

// look notes what a node of the syntax writes.
func (w *writeFinder) look(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.AssignStmt:
		for _, to := range n.Lhs {
			w.note(to)
		}
	case *ast.IncDecStmt:
		w.note(n.X)
	case *ast.RangeStmt:
		w.note(n.Key)
		w.note(n.Value)
	case *ast.UnaryExpr:
		if _, isField := ast.Unparen(n.X).(*ast.SelectorExpr); n.Op == token.AND && isField {
			w.note(n.X)
		}
	case *ast.CallExpr:
		name, _ := ast.Unparen(n.Fun).(*ast.Ident)
		if name == nil || len(n.Args) == 0 {
			break
		}
		if _, isBuiltin := w.pkg.TypesInfo.Uses[name].(*types.Builtin); isBuiltin && (name.Name == "copy" || name.Name == "clear") {
			w.note(n.Args[0])
		}
	}
	return true
}

// note notes a place that writes an expression, if that is a field of a record or an element of one.
func (w *writeFinder) note(to ast.Expr) {
	for {
		switch x := to.(type) {
		case *ast.ParenExpr:
			to = x.X
			continue
		case *ast.IndexExpr:
			to = x.X
			continue
		case *ast.SliceExpr:
			to = x.X
			continue
		case *ast.SelectorExpr:
			name := w.namer.name(w.pkg.TypesInfo.Uses[x.Sel])
			if w.fields[name] {
				w.places = append(w.places, w.lib.place(w.pkg.Fset, x.Pos())+" "+name)
			}
		}
		return
	}
}
