package main

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"
)

// readerTables say where the table is that tells who is judged again. The first whose package exists counts.
var readerTables = []struct {
	path  string   // of the package
	file  string   // in which nodes are marked for evaluation
	marks []string // the functions that do it, in any case
}{
	{"propagate/internal/sched", "readers.go", []string{"touch", "touchNode", "queue.push", "bitQueue.push"}},
	{"propagate", "readers.go", []string{"Engine.touch", "Engine.touchNode", "queue.push", "bitQueue.push"}},
}

// marked counts the places outside the table of readers that mark nodes for evaluation. It is an error if nothing marks nodes:
// then the table above is out of date.
func (lib *loaded) marked() (row, error) {
	r := row{name: "nodes marked for evaluation outside the table of readers"}
	for _, table := range readerTables {
		home := lib.packages[table.path]
		if home == nil {
			continue
		}
		names, known := newNamer(), false
		for _, path := range lib.under("propagate") {
			pkg := lib.packages[path]
			for ident, obj := range pkg.TypesInfo.Uses {
				name, ok := strings.CutPrefix(names.name(obj), table.path+".")
				if !ok || !slices.ContainsFunc(table.marks, func(mark string) bool { return isMark(name, mark) }) {
					continue
				}
				known = true
				if pkg != home || fileOf(pkg.Fset, ident.Pos()) != table.file {
					r.items = append(r.items, lib.place(pkg.Fset, ident.Pos())+" "+name)
				}
			}
		}
		if !known {
			return r, fmt.Errorf("nothing calls the functions that mark nodes, by the table of readers of %s", table.path)
		}
		slices.Sort(r.items)
		break
	}
	r.counts = []count{{len(r.items), ""}}
	return r, nil
}

// isMark reports whether a function is the one that a table names. A name without a type is that of any method or function.
func isMark(function, name string) bool {
	if !strings.Contains(name, ".") {
		function = function[strings.LastIndex(function, ".")+1:]
	}
	return strings.EqualFold(function, name)
}

// engine counts the parts of the type Engine.
func (lib *loaded) engine() []row {
	r := []row{{name: "embedded fields of Engine"}, {name: "Engine"}}
	var embedded, fields, methods, exported int
	for _, file := range lib.packages["propagate"].Syntax {
		for _, decl := range file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if strings.HasPrefix(funcName(d), "Engine.") {
					methods++
					if d.Name.IsExported() {
						exported++
					}
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					t, ok := spec.(*ast.TypeSpec)
					if !ok || t.Name.Name != "Engine" {
						continue
					}
					s, ok := t.Type.(*ast.StructType)
					if !ok {
						continue
					}
					for _, f := range s.Fields.List {
						if len(f.Names) == 0 {
							embedded++
						}
					}
					fields += s.Fields.NumFields()
				}
			}
		}
	}
	r[0].counts = []count{{embedded, ""}}
	r[1].counts = []count{{fields, "fields"}, {methods, "methods"}, {exported, "of them exported"}}
	return r
}
