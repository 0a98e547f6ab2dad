package propagate_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/propagate/explore"
)

// An exploredFault is the shortest way to one kind of fault in one family.
type exploredFault struct {
	family, kind, graph string
	moves               int
	path                string
}

// String is the fault in three lines.
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

// explore explores a family, and counts what it uses and what happens in it.
func (f family) explore(t *testing.T, found *familyFound) {
	for _, c := range f.cases {
		x := f.exploration(t, c)
		for _, spec := range x.Specs {
			found.census.spec(spec)
			found.census.crossings(spec)
		}
		x.Count, x.Found, x.Heard = &found.count, found.faults.of(t, c.String()), found.census.called
		x.Run(t)
		found.census.count("Restart load") // of every state that it comes to
		if x.Cluster != nil && x.Cluster.Record {
			found.census.count("Restart restore, lists")
		}
		if c.manifest != "" {
			found.census.count("Restart object, lists")
		}
	}
}

// shortPath is how many moves a path in a cluster has at most with -explore 2.
const shortPath = 3

// exploration is the search through one case of a family.
func (f family) exploration(t testing.TB, c drawing) *explore.Exploration {
	specs, err := c.specs()
	require.NoError(t, err, c)
	cluster := f.cluster
	if *exploreSize > 3 {
		cluster.Harm++
	}
	x := &explore.Exploration{Specs: specs, Cluster: &cluster, Bound: f.bound}
	if *exploreSize < 3 {
		x.Bound = min(x.Bound, shortPath)
	}
	if c.facts != nil {
		x.Facts, x.Cluster = explore.About(0, c.facts...), nil
		x.Where = func(w *explore.World, _ bool) string { return x.BySaid(w) }
	}
	if c.manifest != "" {
		cluster.Written = c.written
	}
	return x
}

// sharingMutex is the family of which [exploreMutex] has the cases.
var sharingMutex = family{name: "two workflows that share a mutex"}

// A familyFound is what the search through a family found.
type familyFound struct {
	name   string
	faults faultList
	count  explore.Count
	census census
}

// clusters is what the search through all families found, which is done once for all tests.
var clusters struct {
	once  sync.Once
	found []*familyFound
}

// exploredClusters explores all families, or says what came of that before.
func exploredClusters(t *testing.T) []*familyFound {
	t.Helper()
	clusters.once.Do(func() {
		var found []*familyFound
		all := t.Run("families", func(t *testing.T) {
			for _, f := range append(slices.Clone(families), sharingMutex) {
				mine := &familyFound{name: f.name, faults: faultList{family: f.name, at: make(map[string]int)}, census: make(census)}
				found = append(found, mine)
				t.Run(f.name, func(t *testing.T) {
					t.Parallel()
					if f.cases == nil {
						exploreMutex(t, &mine.faults, &mine.count)
					}
					f.explore(t, mine)
				})
			}
		})
		if all {
			clusters.found = found
		}
	})
	require.NotNil(t, clusters.found, "the search through the families failed")
	return clusters.found
}

// Everything that may happen to small workflows in a cluster: see families. Nothing of it is wrong.
func TestExploreClusters(t *testing.T) {
	for _, f := range exploredClusters(t) {
		t.Log(f.name+":", &f.count)
		for _, fault := range f.faults.faults {
			t.Error(fault)
		}
	}
}
