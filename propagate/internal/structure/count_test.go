package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"
)

// unpacked writes an archive of a small library into a folder and loads that.
func unpacked(t *testing.T, archive string) (*loaded, string) {
	a, err := txtar.ParseFile(archive)
	require.NoError(t, err)
	root := t.TempDir()
	for _, f := range a.Files {
		name := filepath.Join(root, filepath.FromSlash(f.Name))
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, f.Data, 0o644))
	}
	lib, err := load(root)
	require.NoError(t, err)
	return lib, root
}

// spelled is the rows with their items.
func spelled(rows ...row) string {
	var lines []string
	for _, r := range rows {
		lines = append(lines, r.String())
		for _, item := range r.items {
			lines = append(lines, "  "+item)
		}
	}
	return strings.Join(lines, "\n")
}

// one is a row with its items.
func one(t *testing.T, measure func() (row, error)) string {
	r, err := measure()
	require.NoError(t, err)
	return spelled(r)
}

// A library without a store and a schedule is an error: nothing would be counted.
func TestNothingToCountIsAnError(t *testing.T) {
	lib, _ := unpacked(t, "testdata/moved.txtar")
	delete(lib.packages, "propagate/internal/store")
	delete(lib.packages, "propagate/internal/sched")
	_, err := lib.written()
	assert.Error(t, err)
	_, err = lib.marked()
	assert.Error(t, err)
}

func TestCountsInOnePackage(t *testing.T) {
	lib, root := unpacked(t, "testdata/flat.txtar")
	assert.Equal(t, `| largest cycle of files in propagate/... | 2 files |
  a.go
  b.go
| largest cycle of files in propagate | 2 of 5 files |
  a.go
  b.go`, spelled(lib.cycles()...))
	assert.Equal(t, `| fact fields written outside the store | 6, 1 of them marks and counters |
  propagate/c.go:10 propagate.fact.stage
  propagate/c.go:10 propagate.store.held
  propagate/c.go:11 propagate.fact.stage
  propagate/c.go:13 propagate.store.nodes
  propagate/c.go:9 propagate.fact.stage
  propagate/readers.go:3 propagate.fact.marks`, one(t, lib.written))
	assert.Equal(t, `| nodes marked for evaluation outside the table of readers | 1 |
  propagate/c.go:14 Engine.touch`, one(t, lib.marked))
	assert.Equal(t, `| embedded fields of Engine | 1 |
| Engine | 3 fields, 3 methods, 0 of them exported |`, spelled(lib.engine()...))
	users, err := lib.users(root)
	require.NoError(t, err)
	assert.Equal(t, `| exported by propagate | 5 names, 1 methods, 1 fields |
  propagate.Alone
  propagate.Called
  propagate.Engine
  propagate.Number
  propagate.Tested
  propagate.Number.String
  propagate.Engine.Count
| of them with no user, propagate | 2 names, 0 methods, 1 fields |
  propagate.Alone
  propagate.Engine
  propagate.Engine.Count
| of them used by examples and tests only, propagate | 1 names, 0 methods, 0 fields |
  propagate.Tested
| exported by propagate, fact and rule together | 5 names |`, spelled(lib.exported(users)...))
}

func TestCountsInPackagesOfTheirOwn(t *testing.T) {
	lib, _ := unpacked(t, "testdata/moved.txtar")
	assert.Equal(t, `| largest cycle of files in propagate/... | 2 files |
  queue.go
  readers.go
| largest cycle of files in propagate/internal/sched | 2 of 2 files |
  queue.go
  readers.go`, spelled(lib.cycles()...))
	assert.Equal(t, `| fact fields written outside the store | 1, 0 of them marks and counters |
  propagate/engine.go:21 propagate/internal/store.Node.Stage`, one(t, lib.written))
	assert.Equal(t, `| nodes marked for evaluation outside the table of readers | 2 |
  propagate/engine.go:22 Queue.Push
  propagate/internal/sched/queue.go:10 Queue.Touch`, one(t, lib.marked))
	assert.Equal(t, "| embedded fields of Engine | 0 |\n| Engine | 2 fields, 1 methods, 1 of them exported |", spelled(lib.engine()...))
	assert.Equal(t, "| exported by propagate, fact and rule together | 2 names |", spelled(lib.exported(nil)[len(lib.exported(nil))-1]))
}

// Every scene's call is entered at the engine, and comes to the rules.
func TestEveryCallIsEntered(t *testing.T) {
	lib, err := load("../../..")
	require.NoError(t, err)
	rows, err := lib.entered("../../..")
	require.NoError(t, err)
	require.Len(t, rows, len(calls))
	for _, r := range rows {
		assert.True(t, slices.ContainsFunc(r.items, func(f string) bool {
			return strings.HasSuffix(f, " Engine.ApplyTo") || strings.HasSuffix(f, " Engine.SyncPods")
		}), "%s: %v", r.name, r.items)
		assert.Greater(t, r.counts[0].n, r.counts[1].n, "%s: a file has more than one function", r.name)
	}
}

func TestCountsWhatIsNotDocumented(t *testing.T) {
	lib, _ := unpacked(t, "testdata/documented.txtar")
	assert.Equal(t, `| exported without a comment | 5 |
  stage/stage.go:11 Last
  stage/stage.go:18 C
  stage/stage.go:21 Alone
  stage/stage.go:23 Bare
  stage/stage.go:31 Do
| sentences of 31 words and more in doc comments | 1 of 9, 111 in a thousand |
  stage/stage.go:4 31 words: This one has twenty words and eleven more, which nobody who reads it from the beginning to the end still has in mind when at last the full stop is reached.`, spelled(lib.documentation()...))
}

// What a host embeds decides what it brings along: the engine has two languages and graphs, an object adds YAML, and the rest nothing.
func TestHostsBringLittleAlong(t *testing.T) {
	core := []string{"github.com/casbin/govaluate", "github.com/expr-lang/expr", "gonum.org/v1/gonum"}
	object := append([]string{"go.yaml.in/yaml/v2", "sigs.k8s.io/yaml"}, core...)
	slices.Sort(object)
	for host, modules := range map[string][]string{"core": core, "argo": object, "all": object} {
		r, err := brings(host)
		require.NoError(t, err)
		assert.Equal(t, modules, r.items, "modules of others that host %s needs", host)
	}
}
