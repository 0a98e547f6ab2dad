package propagate_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/diagnose"
)

// seedsOfDiagnoses have found something before: pods that are gone where parallelism is used up, deadlines of what was never created,
// hooks that are held back, attempts whose backoff is over, results of pods that live on, and hooks and items on record inside what
// has ended.
var seedsOfDiagnoses = []uint64{173, 284, 296, 323, 343, 578, 597, 741, 1134, 1293, 1718, 1810, 1920, 5034}

// What random workflows store is diagnosed: while their controller is at work nothing is wrong with it, and if nobody does
// anything for three days that is never called healthy.
func TestDiagnosesOfRandomWorkflows(t *testing.T) {
	first, last := *seed, *seed+uint64(max(150, *runs))
	seeds := slices.Clone(seedsOfDiagnoses)
	for s := first; s < last; s++ {
		seeds = append(seeds, s)
	}
	reports := 0
	for _, s := range seeds {
		c, _ := wideRun(s)
		w, err := newWorld(c.specs, c.host)
		require.NoError(t, err)
		w.begin()
		for k, m := range c.moves {
			w.do(m)
			for _, f := range w.flows {
				if k%3 == 0 && f.atRest() {
					reports++
					checkDiagnoses(t, w, f, fmt.Sprintf("seed %d, after move %d, %v, of %s", s, k, m, f.Name))
				}
			}
		}
	}
	t.Logf("seeds %d to %d, and %d others: %d records", first, last-1, len(seedsOfDiagnoses), reports)
}

// atRest reports whether the engine of a flow knows what there is to know, and its host has done what there is to do.
func (f *flow) atRest() bool {
	return !f.dead && !f.strayed && len(f.untold)+len(f.held)+len(f.todo) == 0
}

func checkDiagnoses(t *testing.T, w *world, f *flow, at string) {
	t.Helper()
	of := func(now time.Time) *diagnose.Report {
		pods := append([]propagate.PodStatus{}, f.Listed()...) // known, and perhaps none
		r, err := diagnose.Diagnose(diagnose.Input{Spec: f.Spec, Snapshot: f.Engine.Snapshot(), Pods: pods, Now: now})
		require.NoError(t, err, at)
		return r
	}
	hopeless := slices.ContainsFunc(f.Engine.Obligations(), func(o propagate.Obligation) bool { return o.Never != "" })
	for _, x := range of(f.Engine.Now()).Findings {
		if !x.Kind.Overdue() && !hopeless {
			t.Errorf("%s: nothing is wrong, and %s %s is found: %s", at, x.Kind, x.Name, x.Reason)
		}
	}
	if r := of(w.Now.Add(72 * time.Hour)); !f.Engine.Complete() && !r.Verdict().Bad() && !slices.ContainsFunc(r.Waits, f.mayLast) {
		t.Errorf("%s: nothing has happened for three days, and the verdict is %s: it waits for %v, and the diagnosis has %v", at, r.Verdict(), f.Engine.Obligations(), r.Waits)
	}
}

// mayLast reports whether something may be waited for as long as one likes: a person, who has a lock, and a pod that lives.
func (f *flow) mayLast(x diagnose.Wait) bool {
	switch x.For {
	case propagate.WaitResume, propagate.WaitSuspended, propagate.WaitLock:
		return true
	case propagate.WaitPod:
		p := f.Pod(f.Engine.Graph().Node(f.Engine.Graph().Find(x.ID)).Name())
		return x.Type == nodegraph.KindPod && p != nil && p.Alive()
	}
	return false
}
