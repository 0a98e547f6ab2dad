package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// A loaded is the library's module. Its packages have no test files.
type loaded struct {
	packages map[string]*packages.Package // by path below the module
	folder   string                       // of the module
}

// load reads the library whose module is in a folder.
func load(root string) (*loaded, error) {
	folder, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	list, err := read(folder, false, "./...")
	if err != nil {
		return nil, err
	}
	lib := &loaded{packages: make(map[string]*packages.Package), folder: folder}
	for _, p := range list {
		lib.packages[below(p.PkgPath)] = p
	}
	return lib, nil
}

// read returns packages with syntax and types.
func read(folder string, tests bool, patterns ...string) ([]*packages.Package, error) {
	mode := packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports | packages.NeedTypes |
		packages.NeedTypesSizes | packages.NeedSyntax | packages.NeedTypesInfo
	list, err := packages.Load(&packages.Config{Mode: mode, Dir: folder, Tests: tests}, patterns...)
	if err != nil {
		return nil, err
	}
	var broken []error
	for _, p := range list {
		for _, e := range p.Errors {
			broken = append(broken, fmt.Errorf("%s: %w", p.PkgPath, e))
		}
	}
	return list, errors.Join(broken...)
}

// below returns the path of a package below the library's module.
func below(path string) string { return strings.TrimPrefix(strings.TrimPrefix(path, library), "/") }

// under returns the paths of the packages at or below one path, in order.
func (lib *loaded) under(path string) []string {
	var paths []string
	for p := range lib.packages {
		if p == path || strings.HasPrefix(p, path+"/") {
			paths = append(paths, p)
		}
	}
	slices.Sort(paths)
	return paths
}

// place is a position below the module's folder.
func (lib *loaded) place(fset *token.FileSet, at token.Pos) string {
	p := fset.Position(at)
	name, err := filepath.Rel(lib.folder, p.Filename)
	if err != nil {
		name = p.Filename
	}
	return fmt.Sprintf("%s:%d", filepath.ToSlash(name), p.Line)
}

// fileOf is the base name of the file that holds a position.
func fileOf(fset *token.FileSet, at token.Pos) string {
	return filepath.Base(fset.Position(at).Filename)
}

// funcName spells a function as in a stack trace: T.Method or Func.
func funcName(f *ast.FuncDecl) string {
	if f.Recv == nil || len(f.Recv.List) == 0 {
		return f.Name.Name
	}
	receiver := f.Recv.List[0].Type
	if star, ok := receiver.(*ast.StarExpr); ok {
		receiver = star.X
	}
	switch generic := receiver.(type) {
	case *ast.IndexExpr:
		receiver = generic.X
	case *ast.IndexListExpr:
		receiver = generic.X
	}
	return types.ExprString(receiver) + "." + f.Name.Name
}

// origin returns the object that a generic one was made from, or the object itself.
func origin(obj types.Object) types.Object {
	switch o := obj.(type) {
	case *types.Func:
		return o.Origin()
	case *types.Var:
		return o.Origin()
	}
	return obj
}
