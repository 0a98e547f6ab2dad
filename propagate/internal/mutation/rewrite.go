package main

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/go/packages"
)

// switchSource is what each mutated package gets in addition.
//
//go:embed switch.go.txt
var switchSource string

// mutated is a package with all of its mutants in it, none of them switched on.
type mutated struct {
	name    string // of the package
	mutants []*mutant
	overlay string // file for go build -overlay
}

// mutate finds the mutants of a target and writes its files with them into folder.
func mutate(root string, t target, folder string) (*mutated, error) {
	pkgs, err := packages.Load(&packages.Config{Dir: root, Mode: packages.LoadSyntax}, "./"+t.folder)
	if err != nil {
		return nil, err
	}
	pkg := pkgs[0]
	if len(pkg.Errors) > 0 {
		return nil, pkg.Errors[0]
	}
	m := &mutated{name: pkg.Name, overlay: filepath.Join(folder, "overlay.json")}
	replace := make(map[string]string)
	seen := make(map[string]bool)
	for k, path := range pkg.CompiledGoFiles {
		name := filepath.Base(path)
		if !matches(t.files, name) {
			continue
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		f := finder{pkg: pkg, file: pkg.Syntax[k], source: source, name: name, first: len(m.mutants), seen: seen}
		f.find()
		m.mutants = append(m.mutants, f.mutants...)
		replace[path] = filepath.Join(folder, name)
		if err := os.WriteFile(replace[path], apply(source, f.edits), 0o644); err != nil {
			return nil, err
		}
	}
	text := strings.NewReplacer("PACKAGE", pkg.Name, "COUNT", strconv.Itoa(len(m.mutants))).Replace(switchSource)
	addition := filepath.Join(folder, "switch.go")
	replace[filepath.Join(filepath.Dir(pkg.CompiledGoFiles[0]), "mutation_switch.go")] = addition
	if err := os.WriteFile(addition, []byte(text), 0o644); err != nil {
		return nil, err
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return nil, err
	}
	if len(m.mutants) == 0 {
		return nil, fmt.Errorf("no mutants in %s", t.folder)
	}
	return m, os.WriteFile(m.overlay, overlay, 0o644)
}

func matches(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		ok, err := filepath.Match(p, name)
		return ok && err == nil
	})
}

// apply inserts the texts of edits.
func apply(source []byte, edits []edit) []byte {
	slices.SortStableFunc(edits, func(a, b edit) int { return cmp.Or(a.at-b.at, a.rank-b.rank) })
	var out []byte
	at := 0
	for _, e := range edits {
		out = append(append(out, source[at:e.at]...), e.text...)
		at = e.at
	}
	return append(out, source[at:]...)
}
