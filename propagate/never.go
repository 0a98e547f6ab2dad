package propagate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// sayNever says of obligations about locks and parallelism which of them can never come true. Such a wait is for ever if what it
// waits for is taken by nodes that do not end before one that waits for ever. What else is waited for may come true.
func (e *Engine) sayNever(list []Obligation) {
	var open []*Obligation
	for k := range list {
		if o := &list[k]; o.For == WaitLock || o.For == WaitParallelism {
			open = append(open, o)
		}
	}
	for len(open) > 0 {
		s := e.standstill(open)
		if still := slices.DeleteFunc(slices.Clone(open), func(o *Obligation) bool { return s.why(o) == "" }); len(still) < len(open) {
			open = still
			continue
		}
		for _, o := range open {
			o.Never = s.why(o)
		}
		return
	}
}

// A standstill is what would not end if some waits were for ever.
type standstill struct {
	*Engine
	open   map[nodegraph.Index]bool              // everything around what waits
	held   map[string][]nodegraph.Index          // by lock: holders that would not end
	places map[nodegraph.Index][]nodegraph.Index // by boundary, or the workflow: what takes a place and would not end
}

// standstill works out what would not end if these obligations never came true.
func (e *Engine) standstill(open []*Obligation) *standstill {
	s := &standstill{Engine: e, open: make(map[nodegraph.Index]bool), held: make(map[string][]nodegraph.Index), places: make(map[nodegraph.Index][]nodegraph.Index)}
	for _, o := range open {
		for p := e.facts.Node(o.Node).Parent; p != nodegraph.None && !s.open[p]; p = e.facts.Node(p).Parent {
			s.open[p] = true
		}
	}
	later := make(map[nodegraph.Index]bool)
	for i := range nodegraph.Index(e.graph.Len()) {
		if n := e.facts.Node(i); n.Reopened && (later[n.Parent] || s.comesAfter(i, open)) {
			later[i], s.open[i] = true, true
		}
		if e.facts.Node(i).Lock != fact.LockHeld || !s.open[i] {
			continue
		}
		for _, l := range e.rules.LocksOf(i) {
			if !slices.Contains(s.held[l.Key], i) {
				s.held[l.Key] = append(s.held[l.Key], i)
			}
		}
	}
	return s
}

// comesAfter reports whether node i, which a manual retry has opened again, comes after something that would not end.
func (s *standstill) comesAfter(i nodegraph.Index, open []*Obligation) bool {
	for d := range s.graph.Dependencies(i) {
		waits := s.open[d] || slices.ContainsFunc(open, func(o *Obligation) bool { return o.Node == d })
		if waits && !s.rules.Clear(d, s.rules.Brief(d)) {
			return true
		}
	}
	return false
}

// why says why an obligation never comes true; it is empty if it may.
func (s *standstill) why(o *Obligation) string {
	if o.For == WaitLock {
		return s.whyNoLock(o.Node)
	}
	return s.whyNoPlace(o.Node)
}

// whyNoLock says which of the locks of node i is not given back.
func (s *standstill) whyNoLock(i nodegraph.Index) string {
	for _, l := range s.rules.LocksOf(i) {
		holders := s.held[l.Key]
		if len(holders) < max(l.Limit, 1) {
			continue
		}
		for _, h := range holders {
			switch {
			case h == nodegraph.Root:
				return fmt.Sprintf("the workflow itself holds %s", l.Key)
			case s.around(h, i):
				return fmt.Sprintf("%s, which it is inside of, holds %s", s.rules.NameOf(h), l.Key)
			}
		}
		return fmt.Sprintf("%s is held by what ends later: %s", l.Key, s.names(holders))
	}
	return ""
}

// around reports whether node i is inside h.
func (s *standstill) around(h, i nodegraph.Index) bool {
	for i != nodegraph.None && i != h {
		i = s.facts.Node(i).Parent
	}
	return i == h
}

// whyNoPlace says by what the places are taken for which node i waits: those of the workflow, or of its boundary.
func (s *standstill) whyNoPlace(i nodegraph.Index) string {
	limited := []nodegraph.Index{nodegraph.Root}
	if b := s.graph.Boundary(i); b != nodegraph.None {
		limited = append(limited, b)
	}
	for _, b := range limited {
		limit := s.graph.Spec().Parallelism
		if b != nodegraph.Root {
			limit = s.graph.Node(b).Template.Parallelism
		}
		if limit <= 0 {
			continue
		}
		if taken := s.placesIn(b); len(taken) >= limit {
			return fmt.Sprintf("parallelism %d is used up by what ends later: %s", limit, s.names(taken))
		}
	}
	return ""
}

// placesIn lists what takes a place of boundary b, or of the workflow, and would not end.
func (s *standstill) placesIn(b nodegraph.Index) []nodegraph.Index {
	if list, known := s.places[b]; known {
		return list
	}
	var list []nodegraph.Index
	if b != nodegraph.Root {
		list = s.rules.PlacesIn(b)
	} else {
		for i := nodegraph.Entry; int(i) < s.graph.Len(); i++ {
			if s.facts.Node(i).Kind == nodegraph.KindPod && countsAsActive(s.rules.Brief(i)) {
				list = append(list, i)
			}
		}
	}
	s.places[b] = slices.DeleteFunc(list, func(i nodegraph.Index) bool { return !s.stays(i) })
	return s.places[b]
}

// stays reports whether node i, which takes a place, would not end: a composite around what waits, or a ready daemon, which ends
// with its boundary, or with the workflow.
func (s *standstill) stays(i nodegraph.Index) bool {
	if s.rules.Brief(i).Daemoned() {
		i = max(s.graph.Boundary(i), nodegraph.Root)
	}
	return s.open[i]
}

// names lists nodes; of many the first ones.
func (s *standstill) names(nodes []nodegraph.Index) string {
	const most = 5
	var names []string
	for _, i := range nodes[:min(len(nodes), most)] {
		names = append(names, s.rules.NameOf(i))
	}
	text := strings.Join(names, ", ")
	if rest := len(nodes) - most; rest > 0 {
		text += fmt.Sprintf(" and %d more", rest)
	}
	return text
}
