package main

import (
	"fmt"
	"go/types"
	"slices"

	"golang.org/x/tools/go/packages"
	"gonum.org/v1/gonum/graph/simple"
	"gonum.org/v1/gonum/graph/topo"
)

// cycles finds in each package the largest set of files each of which depends on every other, if only through others. The
// first row is the largest of all. Packages without a cycle have no row.
func (lib *loaded) cycles() []row {
	rows := []row{{name: "largest cycle of files in propagate/..."}}
	var largest []string
	for _, path := range lib.under("propagate") {
		pkg := lib.packages[path]
		files := largestCycle(pkg)
		if len(files) > len(largest) {
			largest = files
		}
		if len(files) > 0 {
			of := fmt.Sprintf("of %d files", len(pkg.Syntax))
			rows = append(rows, row{name: "largest cycle of files in " + path, counts: []count{{len(files), of}}, items: files})
		}
	}
	rows[0].counts, rows[0].items = []count{{len(largest), "files"}}, largest
	return rows
}

// largestCycle lists the files of the largest strongly connected component of a package. There is none of one file.
func largestCycle(pkg *packages.Package) []string {
	numbers := make(map[string]int64)
	var names []string
	number := func(file string) int64 {
		n, known := numbers[file]
		if !known {
			n = int64(len(names))
			numbers[file], names = n, append(names, file)
		}
		return n
	}
	g := simple.NewDirectedGraph()
	for ident, used := range pkg.TypesInfo.Uses {
		obj := origin(used)
		if obj.Pkg() != pkg.Types || !shared(obj) {
			continue
		}
		from, to := number(fileOf(pkg.Fset, ident.Pos())), number(fileOf(pkg.Fset, obj.Pos()))
		if from != to {
			g.SetEdge(simple.Edge{F: simple.Node(from), T: simple.Node(to)})
		}
	}
	var largest []string
	for _, component := range topo.TarjanSCC(g) {
		if len(component) < 2 || len(component) <= len(largest) {
			continue
		}
		largest = nil
		for _, node := range component {
			largest = append(largest, names[node.ID()])
		}
	}
	slices.Sort(largest)
	return largest
}

// shared reports whether files of a package can share an object: it is declared at package level, a method or a field.
func shared(obj types.Object) bool {
	if obj.Parent() == obj.Pkg().Scope() {
		return true
	}
	switch o := obj.(type) {
	case *types.Var:
		return o.IsField()
	case *types.Func:
		return o.Signature().Recv() != nil
	}
	return false
}
