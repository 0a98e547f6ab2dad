package main

import (
	"fmt"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// apis are the packages whose exported names are counted. Those that do not exist have no row.
var apis = []string{"nodegraph", "propagate", "propagate/fact", "propagate/rule"}

// rulesAPI are the packages whose names count together: the engine and what was part of it.
var rulesAPI = []string{"propagate", "propagate/fact", "propagate/rule"}

// A usage says who uses an exported name outside its package.
type usage uint8

const (
	unused    usage = iota // but by the package itself and its internal tests
	testsOnly              // external tests and examples of any package
	used                   // code of another package
)

// exported counts the exported names of each package, and those without a user.
func (lib *loaded) exported(users map[string]usage) []row {
	var rows []row
	together := 0
	for _, path := range apis {
		pkg := lib.packages[path]
		if pkg == nil {
			continue
		}
		names, methods, fields := exportedNames(pkg, path)
		counts := []count{{len(names), "names"}, {len(methods), "methods"}, {len(fields), "fields"}}
		rows = append(rows, row{name: "exported by " + path, counts: counts, items: slices.Concat(names, methods, fields)})
		if slices.Contains(rulesAPI, path) {
			together += len(names)
		}
		for _, who := range []struct {
			usage
			name string
		}{{unused, "of them with no user"}, {testsOnly, "of them used by examples and tests only"}} {
			r := row{name: who.name + ", " + path}
			for _, list := range []struct {
				all []string
				of  string
			}{{names, "names"}, {methods, "methods"}, {fields, "fields"}} {
				n := 0
				for _, name := range list.all {
					if users[name] == who.usage {
						n++
						r.items = append(r.items, name)
					}
				}
				r.counts = append(r.counts, count{n, list.of})
			}
			rows = append(rows, r)
		}
	}
	return append(rows, row{name: "exported by propagate, fact and rule together", counts: []count{{together, "names"}}})
}

// exportedNames lists the exported names at the level of a package, and the exported methods and fields of its exported types.
func exportedNames(pkg *packages.Package, path string) (names, methods, fields []string) {
	scope := pkg.Types.Scope()
	for _, name := range scope.Names() {
		obj := scope.Lookup(name)
		if !obj.Exported() {
			continue
		}
		names = append(names, path+"."+name)
		t, ok := obj.(*types.TypeName)
		if !ok || t.IsAlias() {
			continue
		}
		for member := range membersOf(t) {
			full := path + "." + name + "." + member.Name()
			switch _, isField := member.(*types.Var); {
			case !member.Exported():
			case isField:
				fields = append(fields, full)
			default:
				methods = append(methods, full)
			}
		}
	}
	return names, methods, fields
}

// users finds who uses the exported names of the library, in all modules of the repository.
func (lib *loaded) users(root string) (map[string]usage, error) {
	users := make(map[string]usage)
	modules, err := importers(root)
	if err != nil {
		return nil, err
	}
	for _, module := range slices.Sorted(maps.Keys(modules)) {
		list, err := read(module, true, modules[module]...)
		if err != nil {
			return nil, err
		}
		names := newNamer()
		for _, pkg := range list {
			for ident, obj := range pkg.TypesInfo.Uses {
				name := names.name(obj)
				if name == "" {
					continue
				}
				own := pkg.PkgPath == obj.Pkg().Path()
				switch isTest := strings.HasSuffix(fileOf(pkg.Fset, ident.Pos()), "_test.go"); {
				case own:
				case isTest:
					users[name] = max(users[name], testsOnly)
				default:
					users[name] = used
				}
			}
		}
	}
	for _, path := range apis {
		if pkg := lib.packages[path]; pkg != nil {
			implicit(pkg, path, users)
		}
	}
	return users, nil
}

// implicit notes the uses that have no name: methods that are called through an interface of an imported package, and
// types of which a member is used.
func implicit(pkg *packages.Package, path string, users map[string]usage) {
	var interfaces []*types.Interface
	interfaces = append(interfaces, types.Universe.Lookup("error").Type().Underlying().(*types.Interface))
	for _, imported := range pkg.Types.Imports() {
		for _, name := range imported.Scope().Names() {
			t, ok := imported.Scope().Lookup(name).(*types.TypeName)
			if !ok || !t.Exported() {
				continue
			}
			if i, ok := t.Type().Underlying().(*types.Interface); ok && i.NumMethods() > 0 {
				interfaces = append(interfaces, i)
			}
		}
	}
	scope := pkg.Types.Scope()
	for _, name := range scope.Names() {
		t, ok := scope.Lookup(name).(*types.TypeName)
		if !ok || !t.Exported() || t.IsAlias() {
			continue
		}
		full := path + "." + name
		for member := range membersOf(t) {
			_, isMethod := member.(*types.Func)
			if isMethod && slices.ContainsFunc(interfaces, func(i *types.Interface) bool { return serves(t.Type(), member.Name(), i) }) {
				users[full+"."+member.Name()] = used
				continue
			}
			users[full] = max(users[full], users[full+"."+member.Name()])
		}
	}
}

// conventions are methods that others look for by name.
var conventions = []string{"Unwrap", "Is", "As", "MarshalJSON", "UnmarshalJSON", "MarshalText", "UnmarshalText"}

// serves reports whether a method of a type is there for an interface, or for a convention.
func serves(t types.Type, method string, i *types.Interface) bool {
	if slices.Contains(conventions, method) {
		return true
	}
	obj, _, _ := types.LookupFieldOrMethod(i, false, nil, method)
	return obj != nil && types.Implements(types.NewPointer(t), i)
}

// importers lists the folders of the packages that import the library, by the folder of their module. Modules that import
// nothing of it need not be loaded, which some of them take minutes for.
func importers(root string) (map[string][]string, error) {
	modules := make(map[string][]string)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if name := d.Name(); name == "testdata" || strings.HasPrefix(name, ".") && path != root && name != ".." {
			return fs.SkipDir
		}
		imports, err := importsLibrary(path)
		if err != nil || !imports {
			return err
		}
		module := path
		for {
			if _, err := os.Stat(filepath.Join(module, "go.mod")); err == nil {
				break
			}
			if module == root {
				return fmt.Errorf("%s is in no module", path)
			}
			module = filepath.Dir(module)
		}
		relative, err := filepath.Rel(module, path)
		modules[module] = append(modules[module], "./"+filepath.ToSlash(relative))
		return err
	})
	return modules, err
}

// importsLibrary reports whether a Go file of a folder imports the library.
func importsLibrary(folder string) (bool, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return false, err
	}
	for _, file := range files {
		syntax, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return false, err
		}
		for _, i := range syntax.Imports {
			if strings.HasPrefix(i.Path.Value, `"`+library+"/") {
				return true, nil
			}
		}
	}
	return false, nil
}
