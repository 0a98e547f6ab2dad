package explore

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// compare: the same facts look the same, in whichever order they came (I3).
func (x *Exploration) compare(t testing.TB, w *World, maximal bool) {
	if maximal {
		x.Count.Maximal.Add(1)
		if x.Last != nil {
			x.Last(t, w)
		}
	}
	where := ""
	switch {
	case x.Where != nil:
		where = x.Where(w, maximal)
	case x.Cluster == nil && len(w.locks) == 0:
		where = x.ByFacts(w)
	default:
		where = x.BySaid(w)
	}
	if where == "" {
		return
	}
	now := reached{w.look(), x.route(w.path)}
	first, known := x.looks[where]
	if !known {
		x.looks[where] = now
		return
	}
	if first.look != now.look {
		x.found(t, "the order counts", w, fmt.Errorf("the same was said:\n-%s\n+%s\n%s", first.by, now.by,
			cmp.Diff(strings.Split(first.look, "\n"), strings.Split(now.look, "\n"))))
	}
}

// BySaid compares states in which the same was said and the same nodes were started. The same daemons were told to end, and the
// same locks were granted to the same holders. It does not compare what a shutdown, a suspension, a manual retry, an agent's end, time or a crash has found:
// that depends on when it came.
func (x *Exploration) BySaid(w *World) string {
	if w.odd {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%x", w.told)
	for k, e := range w.Engines {
		var names []string
		history := slices.Clone(w.flows[k].history)
		slices.Sort(history)
		fmt.Fprintln(&b, k, slices.Compact(history))
		for i := nodegraph.Root; int(i) < e.Graph().Len(); i++ {
			f := e.Fact(i)
			if f.Lock == fact.LockAsked {
				f.Lock = fact.LockNone // nothing was answered yet
			}
			if f.Lock != fact.LockNone || !f.Created.IsZero() {
				names = append(names, fmt.Sprint(e.Graph().Node(i).Name(), f.Lock, !f.Created.IsZero(), f.Released))
			}
		}
		slices.Sort(names)
		fmt.Fprintln(&b, names)
	}
	return b.String()
}

// ByFacts compares all states to which the same facts led. What was started can't be undone, so where a pod was taken
// for lost before its success was heard of, only states are compared in which the same nodes exist.
func (x *Exploration) ByFacts(w *World) string {
	where := fmt.Sprintf("%x", w.told)
	success, loss := make(map[string]bool), make(map[string]bool)
	for m, f := range x.Facts {
		if !w.Told(m) {
			continue
		}
		switch {
		case f.Event.Type == propagate.EventPodDeleted:
			loss[f.Event.Node+f.Event.Pod.UID] = true
		case f.Event.Type == propagate.EventPodEnded && f.Event.Phase == nodegraph.PhaseSucceeded:
			success[f.Event.Node+f.Event.Pod.UID] = true
		}
	}
	for pod := range success {
		if loss[pod] {
			for _, e := range w.Engines {
				where += strings.Join(existing(e), " ")
			}
			return where
		}
	}
	return where
}
