package main

import (
	"fmt"
	"go/ast"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/cover"
)

// calls are the calls that a user makes most, with their scenes in the driver.
var calls = []struct{ name, scene string }{
	{"PodDeleted of `a` in `dag(a -> b)`", "pod deleted"},
	{"SyncPods of one pod that looks different", "pod list"},
	{"the next attempt of a Retry", "next attempt"},
	{"a manual retry of a failed `dag(a -> b)`", "manual retry"},
	{"the end of an entry node with an exit handler", "exit hook"},
}

// entered counts the functions that each call enters.
func (lib *loaded) entered(root string) ([]row, error) {
	folder, err := os.MkdirTemp("", "structure")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	driver := filepath.Join(folder, "driver")
	here := filepath.Join(root, "propagate", "internal", "structure")
	if err := command(here, "go", "build", "-cover", "-covermode=atomic", "-coverpkg="+library+"/...", "-o", driver, "./driver"); err != nil {
		return nil, err
	}
	var rows []row
	for _, c := range calls {
		counters, profile := filepath.Join(folder, c.scene), filepath.Join(folder, c.scene+".txt")
		if err := os.Mkdir(counters, 0o755); err != nil {
			return nil, err
		}
		if err := command(here, driver, c.scene, counters); err != nil {
			return nil, err
		}
		if err := command(here, "go", "tool", "covdata", "textfmt", "-i="+counters, "-o="+profile); err != nil {
			return nil, err
		}
		functions, long, err := lib.functions(profile)
		if err != nil {
			return nil, err
		}
		counts := []count{
			{len(functions), "functions"}, {filesOf(functions), "files"}, {len(long), "longer than a line"}, {filesOf(long), "files of those"},
		}
		rows = append(rows, row{name: c.name, counts: counts, items: functions})
	}
	return rows, nil
}

// command runs a command. What it prints is in the error.
func command(folder, name string, args ...string) error {
	c := exec.Command(name, args...)
	c.Dir = folder
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(name), err, out)
	}
	return nil
}

// filesOf counts the files of functions.
func filesOf(functions []string) int {
	files := make(map[string]bool)
	for _, f := range functions {
		file, _, _ := strings.Cut(f, " ")
		files[file] = true
	}
	return len(files)
}

// functions lists the library's functions that a coverage profile has seen to run, as file and name, and those of them whose
// body is longer than a line. What runs inside a function literal runs in the function around it.
func (lib *loaded) functions(profile string) (all, long []string, err error) {
	profiles, err := cover.ParseProfiles(profile)
	if err != nil {
		return nil, nil, err
	}
	seen, seenLong := make(map[string]bool), make(map[string]bool)
	for _, p := range profiles {
		pkg := lib.packages[below(path.Dir(p.FileName))]
		if pkg == nil {
			continue // the driver
		}
		for _, file := range pkg.Syntax {
			if fileOf(pkg.Fset, file.Package) != path.Base(p.FileName) {
				continue
			}
			for _, decl := range file.Decls {
				f, ok := decl.(*ast.FuncDecl)
				if !ok || f.Body == nil {
					continue
				}
				from, to := pkg.Fset.Position(f.Body.Lbrace), pkg.Fset.Position(f.Body.Rbrace)
				if slices.ContainsFunc(p.Blocks, func(b cover.ProfileBlock) bool {
					return b.Count > 0 && !before(b.StartLine, b.StartCol, from.Line, from.Column) && before(b.StartLine, b.StartCol, to.Line, to.Column)
				}) {
					name := below(p.FileName) + " " + funcName(f)
					seen[name] = true
					if to.Line > from.Line {
						seenLong[name] = true
					}
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(seen)), slices.Sorted(maps.Keys(seenLong)), nil
}

// before reports whether one place in a file is before another.
func before(line, column, otherLine, otherColumn int) bool {
	return line < otherLine || line == otherLine && column < otherColumn
}
