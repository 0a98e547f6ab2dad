package whatif

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// A Moment is when in its life a pod is lost. The texts are stable: programs may compare them.
type Moment string

// The moments.
const (
	Pending   Moment = "pending"   // it exists and does not run yet
	Running   Moment = "running"   // it runs; a daemon has just become ready
	Reporting Moment = "reporting" // it has done all and its result was not seen yet; a daemon is about to be ended
)

// A Way is how a pod is lost. The texts are stable, too.
type Way string

// The ways.
const (
	Deleted Way = "deleted" // the pod does not exist any more
	Evicted Way = "evicted" // the kubelet failed it: reason Evicted, condition DisruptionTarget
)

var ways = []Way{Deleted, Evicted}

// A Lost is one pod that is lost.
type Lost struct {
	ID, Name string // of its node
	Pod      int    // which of the node's pods, from 1: a pod that never ran is made again
	Agent    bool   // the pod is the one that serves the node, and it is lost for all that it serves
	When     Moment // of its life
	How      Way    // deleted or evicted
}

// String shows the loss in one line.
func (l Lost) String() string {
	name := l.Name
	if l.Agent {
		name = "the agent of " + name
	}
	if l.Pod > 1 {
		name += fmt.Sprintf(" (pod %d)", l.Pod)
	}
	return fmt.Sprintf("%s %s while %s", name, l.How, l.When)
}

// An Outcome is how the workflow ends.
type Outcome struct {
	Phase   nodegraph.Phase // unfinished if it never ends
	Message string          // of the workflow
	Waits   []string        // what it waits for, for ever; empty if it ends
}

// Survived tells whether the workflow succeeded.
func (o *Outcome) Survived() bool { return o.Phase == nodegraph.PhaseSucceeded && len(o.Waits) == 0 }

// String shows the outcome in one line.
func (o Outcome) String() string {
	switch {
	case len(o.Waits) > 0:
		return "never ends, waits for " + some(o.Waits)
	case o.Message != "":
		return fmt.Sprintf("%s %q", o.Phase, o.Message)
	}
	return o.Phase.String()
}

// A Loss is what becomes of the workflow when pods of it are lost.
type Loss struct {
	Lost []Lost // one or two, in the order in which they are lost
	Outcome
	Retries []Retry // the Retry nodes around the lost pods, the outermost first
	Remade  int     // pods that were made again without being a new attempt

	// What differs from the undisturbed run, sorted by name. What is inside an attempt that another followed is left out.
	Failed       []Node // Failed or in Error. Containers count as their pod
	Omitted      []Node // Omitted or Skipped
	NeverStarted []Node // ran undisturbed; what would have been inside such a node is left out

	// FailedFast are the DAGs and Steps among the failed that failed fast: whatever had not begun in them by then never begins.
	// Where a pod is lost apart all but what comes after it had; a cluster may be less far.
	FailedFast []Node
}

// A Node is a node at the end.
type Node struct {
	ID, Name string          // as in the graph
	Kind     nodegraph.Kind  // what it is
	Phase    nodegraph.Phase // Planned for one that never started
	Message  string          // empty where there is none
}

// NoLimit is what is left where the strategy has no limit.
const NoLimit = -1

// A Retry is what a Retry node made of the loss.
type Retry struct {
	ID, Name string // of the Retry node
	Attempts int    // made beyond those of the undisturbed run
	Left     int    // how many more failures its limit allows; NoLimit for any number. Its policy may still refuse one.
}

// Attempts is how many further attempts were made.
func (l *Loss) Attempts() int {
	n := 0
	for _, r := range l.Retries {
		n += r.Attempts
	}
	return n
}

// left is the least that is left of the retries around the lost pods, NoLimit if none has a limit.
func (l *Loss) left() int {
	least := NoLimit
	for _, r := range l.Retries {
		if r.Left != NoLimit && (least == NoLimit || r.Left < least) {
			least = r.Left
		}
	}
	return least
}

// Compare orders losses by damage, the worst first. A workflow that never ends comes first, then one that does not succeed. Then
// count, in this order: more nodes that fail or never run, more further attempts, fewer that are left, more pods made again, and
// fewer pods lost. Where the attempts have no limit the most are left. It is negative where a comes before b.
func Compare(a, b Loss) int {
	left := func(l *Loss) uint { return uint(l.left()) } // NoLimit is the greatest
	return cmp.Or(
		b.rank()-a.rank(),
		b.nodes()-a.nodes(),
		b.Attempts()-a.Attempts(),
		cmp.Compare(left(&a), left(&b)),
		b.Remade-a.Remade,
		len(a.Lost)-len(b.Lost),
	)
}

func (l *Loss) rank() int {
	switch {
	case len(l.Waits) > 0:
		return 2
	case !l.Survived():
		return 1
	}
	return 0
}

func (l *Loss) nodes() int { return len(l.Failed) + len(l.Omitted) + len(l.NeverStarted) }

// A Verdict says whether the workflow survives the losses that were tried.
type Verdict struct {
	Any      int    // how many pods may be lost
	Survives bool   // no loss that was tried ends it badly
	Because  string // one sentence without a full stop
	Fatal    int    // losses that it does not survive
}

// String shows the verdict in one line.
func (v Verdict) String() string {
	pods, answer := "any one pod", "no"
	if v.Any == 2 {
		pods = "any two pods"
	}
	if v.Survives {
		answer = "yes"
	}
	return fmt.Sprintf("survives the loss of %s: %s, because %s", pods, answer, v.Because)
}

// verdict judges the sorted losses.
func (s *search) verdict() Verdict {
	r := s.result
	v := Verdict{Any: s.in.Any}
	var retried, remade, borne int
	var worst *Loss // a fatal one of as few pods as there is
	for k := range r.Losses {
		switch l := &r.Losses[k]; {
		case !l.Survived():
			v.Fatal++
			if worst == nil || len(l.Lost) < len(worst.Lost) {
				worst = l
			}
		case l.nodes() > 0:
			borne++
		case l.Attempts() > 0:
			retried++
		case l.Remade > 0:
			remade++
		}
	}
	v.Survives = r.Undisturbed.Survived() && v.Fatal == 0 && !r.Partial
	switch {
	case s.wasOver:
		v.Because = fmt.Sprintf("it is complete: %s", r.Undisturbed)
	case !r.Undisturbed.Survived():
		v.Because = fmt.Sprintf("it does not succeed even undisturbed: %s", r.Undisturbed)
	case r.Partial && v.Fatal == 0:
		v.Because = fmt.Sprintf("it is not known: the search was stopped after %s, which it survives", count(len(r.Losses), "loss", "losses"))
	case len(r.Losses) == 0:
		v.Because = "no pod of it is left to be lost"
	case v.Fatal == 0:
		losses := count(len(r.Losses), "loss", "losses")
		v.Because = fmt.Sprintf("it succeeds after each of %s%s", losses, how(retried, remade, borne))
	default:
		var lost []string
		for _, l := range worst.Lost {
			lost = append(lost, l.String())
		}
		v.Because = fmt.Sprintf("it ends as %s with %s", worst.Outcome, strings.Join(lost, " and then "))
		if len(worst.Waits) > 0 {
			v.Because = fmt.Sprintf("it %s with %s", worst.Outcome, strings.Join(lost, " and then "))
		}
		if len(worst.Lost) > 1 {
			v.Because = "it survives any one, but " + v.Because
		}
		if v.Fatal > 1 { // a workflow that never ends has failed, too
			v.Because += fmt.Sprintf("; %d of %d losses make it fail", v.Fatal, len(r.Losses))
		}
	}
	return v
}

// how says how losses were survived.
func how(retried, remade, borne int) string {
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{retried, "retried"}, {remade, "with the pod made again"}, {borne, "although nodes fail or never run"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return ": " + strings.Join(parts, ", ")
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// some joins the first of a list.
func some(list []string) string {
	if len(list) > 3 {
		list = append(slices.Clone(list[:3]), fmt.Sprintf("%d more", len(list)-3))
	}
	return strings.Join(list, ", ")
}
