package propagate_test

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/propagate/explore"
)

var updateExplored = flag.Bool("update-explored", false, "rewrite testdata/known-explored.txt, or known-explored-4.txt, with the faults that are found; it only shrinks")

// The lists of faults that the exhaustive search finds, each with its smallest input; the second on longer paths.
var (
	knownExplored = filepath.Join("testdata", "known-explored.txt")
	knownLonger   = filepath.Join("testdata", "known-explored-4.txt")
)

// An exploredFault is the shortest way to one kind of fault in one family.
type exploredFault struct {
	family, kind, graph string
	moves               int
	path                string
}

// String is the fault as it stands in the list.
func (f exploredFault) String() string {
	return fmt.Sprintf("%s | %s\n  graph: %s\n  events: %s", f.family, f.kind, f.graph, f.path)
}

// A faultList collects the shortest way to each kind of fault in one family.
type faultList struct {
	family string
	faults []exploredFault
	at     map[string]int // by kind
}

// of returns what is to be told of faults in a case.
func (l *faultList) of(t *testing.T, graph string) func(kind string, path fmt.Stringer, err error) {
	return func(kind string, path fmt.Stringer, err error) {
		moves := path.(interface{ Len() int }).Len()
		k, known := l.at[kind]
		if known && moves >= l.faults[k].moves {
			return
		}
		if !known {
			k = len(l.faults)
			l.at[kind] = k
			l.faults = append(l.faults, exploredFault{})
		}
		l.faults[k] = exploredFault{l.family, kind, graph, moves, path.String()}
		if testing.Verbose() {
			t.Logf("%v\n%v", l.faults[k], err)
		}
	}
}

// explore explores a family.
func (f family) explore(t *testing.T, faults *faultList, count *explore.Count) {
	for _, c := range f.cases {
		x := f.exploration(t, c)
		x.Count, x.Found = count, faults.of(t, c.String())
		x.Run(t)
	}
}

// exploration is the search through one case of a family.
func (f family) exploration(t testing.TB, c drawing) *explore.Exploration {
	specs, err := c.specs()
	require.NoError(t, err, c)
	cluster := f.cluster
	if *exploreSize > 3 {
		cluster.Harm++
	}
	x := &explore.Exploration{Specs: specs, Cluster: &cluster, Bound: f.bound}
	if c.facts != nil {
		x.Facts, x.Cluster = explore.About(0, c.facts...), nil
		x.Where = func(w *explore.World, _ bool) string { return x.BySaid(w) }
	}
	if c.manifest != "" {
		cluster.Written = c.written
	}
	return x
}

// Everything that may happen to small workflows in a cluster: see families. What is found is what is known.
func TestExploreClusters(t *testing.T) {
	exploring(t)
	all := append(slices.Clone(families), family{name: "two workflows that share a mutex"})
	lists := make([]faultList, len(all))
	counts := make([]explore.Count, len(all))
	t.Run("families", func(t *testing.T) {
		for k, f := range all {
			t.Run(f.name, func(t *testing.T) {
				t.Parallel()
				lists[k] = faultList{family: f.name, at: make(map[string]int)}
				if f.cases == nil {
					exploreMutex(t, &lists[k], &counts[k])
				}
				f.explore(t, &lists[k], &counts[k])
			})
		}
	})
	var list []string
	for k := range all {
		t.Log(all[k].name+":", &counts[k])
		for _, fault := range lists[k].faults {
			list = append(list, fault.String())
		}
	}
	compareExplored(t, strings.Join(list, "\n")+"\n")
}

// compareExplored holds what was found to the list.
func compareExplored(t *testing.T, got string) {
	list := knownExplored
	if *exploreSize > 3 {
		list = knownLonger
	}
	text, err := os.ReadFile(list)
	anew := *updateExplored && errors.Is(err, fs.ErrNotExist) // somebody wants to begin anew
	if !anew {
		require.NoError(t, err)
	}
	want := string(text)
	if !*updateExplored {
		require.Empty(t, cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")), "-known +found")
		return
	}
	more := slices.DeleteFunc(exploredKinds(got), func(kind string) bool { return anew || slices.Contains(exploredKinds(want), kind) })
	require.Empty(t, more, "the list only shrinks")
	require.NoError(t, os.WriteFile(list, []byte(got), 0o644))
}

// exploredKinds are the families and kinds of a list.
func exploredKinds(list string) []string {
	var kinds []string
	for line := range strings.Lines(list) {
		if !strings.HasPrefix(line, " ") {
			kinds = append(kinds, strings.TrimSpace(line))
		}
	}
	return kinds
}

// exploring lets garbage lie for longer: explorations make much of it and keep little.
func exploring(t *testing.T) {
	percent := debug.SetGCPercent(400)
	t.Cleanup(func() { debug.SetGCPercent(percent) })
}
