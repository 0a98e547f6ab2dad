package main

import (
	"go/types"
	"strings"
)

// A namer names objects of the library: "propagate.Engine", "propagate.Engine.Apply", "propagate.Result.Changes". Every package
// that imports another has objects of its own for what is declared there; their names are the same.
type namer struct {
	names map[types.Object]string
	known map[*types.Package]bool
}

func newNamer() *namer {
	return &namer{names: make(map[types.Object]string), known: make(map[*types.Package]bool)}
}

// name names a declaration at package level, or a field or method of one. It is empty for any other object.
func (n *namer) name(obj types.Object) string {
	if obj == nil || obj.Pkg() == nil || !strings.HasPrefix(obj.Pkg().Path(), library) {
		return ""
	}
	if pkg := obj.Pkg(); !n.known[pkg] {
		n.known[pkg] = true
		for _, name := range pkg.Scope().Names() {
			n.index(below(pkg.Path())+"."+name, pkg.Scope().Lookup(name))
		}
	}
	return n.names[origin(obj)]
}

// index notes a declaration at package level with its fields and methods.
func (n *namer) index(name string, obj types.Object) {
	n.names[obj] = name
	if t, ok := obj.(*types.TypeName); ok && !t.IsAlias() {
		for member := range membersOf(t) {
			n.names[member] = name + "." + member.Name()
		}
	}
}

// membersOf yields the fields and methods that a type declares.
func membersOf(t *types.TypeName) func(yield func(types.Object) bool) {
	return func(yield func(types.Object) bool) {
		named, ok := t.Type().(*types.Named)
		if !ok {
			return
		}
		for m := range named.Methods() {
			if !yield(m) {
				return
			}
		}
		switch u := named.Underlying().(type) {
		case *types.Struct:
			for f := range u.Fields() {
				if !yield(f) {
					return
				}
			}
		case *types.Interface:
			for m := range u.ExplicitMethods() {
				if !yield(m) {
					return
				}
			}
		}
	}
}
