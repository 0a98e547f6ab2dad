package propagatetest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/nodestatus/nodestatus/propagate"
)

// A Controller is a host under test, from when its process starts to when it dies. It has nothing but what is in its memory and
// what a [Cluster] has. See [Conformance].
type Controller interface {
	// Reconcile looks at one workflow: at its pods, at what is reported ([Cluster.Events]) and at the time. It returns when it has done what follows.
	// What it calls of the Cluster it calls from this goroutine.
	Reconcile(workflow string) error
	// Engine is what the controller knows of a workflow at present. A controller that keeps no engines returns the one of its last
	// call, before that one that is restored from what is stored.
	Engine(workflow string) *propagate.Engine
}

// A Conformance tests whether a host does what package propagate asks of it. It plays each case on a simulated [Cluster]. Then
// it plays the case again for each call that changed something: once the controller dies before that call, and once right after
// it. New starts the next controller. For each pod it plays the case once more, and refuses the pod at first: see [ErrRefused].
// Whenever a controller has come to rest, nothing may be owed: no pod, answer, lock, timer
// or end of a pod. All ends as if no controller had died, but for messages. What is wrong is said in words: see [Rule].
type Conformance struct {
	// New starts a controller. It loads what is stored of all workflows of the Cluster, adopts the locks of all, and does nothing
	// else. A host of a resource of its own translates some for the workflows of its Cases, and finds each resource here by the
	// names of Cluster.Workflows. Cluster.Spec is for hosts that take specifications.
	New func(c *Cluster) (Controller, error)
	// Cases are what is played; nil is [Cases].
	Cases []Case
}

// A Fault is something that a host did wrong.
type Fault struct {
	Rule Rule   // that is broken
	Case string // in which it was seen first
	Harm string // what the cluster did there, as in "the controller dies before Store build"; empty for nothing
	Text string // what happened
}

// String says it in words.
func (f Fault) String() string {
	text := fmt.Sprintf("%s: %s (case %q", f.Rule, f.Text, f.Case)
	if f.Harm != "" {
		text += ", where " + f.Harm
	}
	return text + ")"
}

// Run fails the test for each rule that the host breaks, with the first place where it does.
func (x Conformance) Run(t testing.TB) {
	t.Helper()
	for _, f := range x.Faults() {
		t.Error(f)
	}
}

// Faults plays all cases and returns the first fault of each rule that is broken, in the order of the rules: the first tells
// most.
func (x Conformance) Faults() []Fault {
	first := make(map[Rule]Fault)
	for _, c := range cmpNil(x.Cases, Cases) {
		for _, f := range x.matrix(c) {
			if _, known := first[f.Rule]; !known {
				first[f.Rule] = f
			}
		}
	}
	return slices.SortedFunc(maps.Values(first), func(a, b Fault) int { return cmp.Compare(a.Rule, b.Rule) })
}

// cmpNil returns a list, or the one that a function makes if there is none.
func cmpNil(list []Case, other func() []Case) []Case {
	if list == nil {
		return other()
	}
	return list
}

// matrix plays one case without any harm, and then with one at each call. A host that is wrong without that is left alone: what it
// would do then says nothing more.
func (x Conformance) matrix(c Case) []Fault {
	lived := x.Play(c)
	if len(lived.faults) > 0 {
		return lived.faults
	}
	var faults []Fault
	for at, call := range lived.calls {
		for _, what := range []harm{diesBefore, diesAfter, isRefused} {
			if what == isRefused && !strings.HasPrefix(call, createPod) {
				continue
			}
			died := x.play(c, func(k int, h harm) bool { return k == at && h == what })
			for k := range died.faults {
				died.faults[k].Harm = what.to(call)
			}
			faults = append(faults, died.faults...)
			if diff := difference(lived.outcome(false), died.outcome(false)); diff != "" && len(died.faults) == 0 {
				faults = append(faults, Fault{LostInACrash, c.Name, what.to(call), diff})
			}
		}
	}
	return faults
}

// Play plays one case. Nobody dies, unless by [Cluster.Die].
func (x Conformance) Play(c Case) *Cluster { return x.play(c, func(int, harm) bool { return false }) }

// play plays one case with the harm that strikes says.
func (x Conformance) play(c Case, strikes func(call int, h harm) bool) *Cluster {
	p := newCluster(c, x.New, strikes)
	p.start()
	p.settle()
	for range mostSteps {
		if len(p.faults) > 0 || !p.goOn() {
			p.checkEnd()
			return p
		}
		p.settle()
	}
	p.fault(NeverRests, "there is always something that goes on")
	return p
}

// mostSteps bounds how often something happens in one case.
const mostSteps = 60

// A harm is what the cluster does to a controller at a call.
type harm uint8

const (
	diesBefore harm = iota
	diesAfter       // the call has had its effect
	isRefused       // the call has none, and returns ErrRefused
)

// to says in words what becomes of a call.
func (h harm) to(call string) string {
	switch h {
	case diesBefore:
		return "the controller dies before " + call
	case diesAfter:
		return "the controller dies after " + call
	}
	return call + " is refused once"
}

// difference says in which lines two outcomes differ, in words.
func difference(lived, died map[string]string) string {
	var lines []string
	for _, key := range slices.Sorted(maps.Keys(lived)) {
		if was, is := lived[key], died[key]; was != is {
			lines = append(lines, fmt.Sprintf("%s: %q if nobody dies, and %q here", key, was, cmp.Or(is, "nothing")))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(died)) {
		if _, had := lived[key]; !had {
			lines = append(lines, fmt.Sprintf("%s: %q, and nothing if nobody dies", key, died[key]))
		}
	}
	return strings.Join(lines, "; ")
}
