package diagnose

import (
	"fmt"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// diagnosis is one run of Diagnose.
type diagnosis struct {
	in     Input
	engine *propagate.Engine // the fixed point that follows from the record, the pods and the time
	g      *nodegraph.Graph  // of engine
	record *record
	pods   *pods
	report *Report
	faulty map[string]bool               // ids of nodes with a finding that says that the record contradicts itself, or that nobody acts
	late   map[string]bool               // ids of nodes with a finding that something is overdue
	held   []Holding                     // the locks that are held
	leaked map[string]bool               // keys of locks that are held by what has ended
	due    map[nodegraph.Index]time.Time // when time alone changed a node, after the record was made
}

// found adds a finding about recorded node r.
func (d *diagnosis) found(kind Kind, r *nodegraph.NodeStatus, should State, heals bool, reason, remedy string) *Finding {
	d.faulty[r.ID] = true
	return d.add(Finding{Kind: kind, Node: nodeOf(r, should), Reason: reason, Remedy: remedy, Heals: heals})
}

// add adds a finding, and returns it until the next one is added.
func (d *diagnosis) add(f Finding) *Finding {
	d.report.Findings = append(d.report.Findings, f)
	return &d.report.Findings[len(d.report.Findings)-1]
}

// computedState is what the engine says of recorded node r; false if the specification never asks for it.
func (d *diagnosis) computedState(r *nodegraph.NodeStatus) (State, bool) {
	i := d.g.Find(r.ID)
	if i == nodegraph.None || !d.engine.Exists(i) {
		return State{}, false
	}
	phase, message := d.engine.Phase(i)
	return State{phase, message}, true
}

// nodeOf names a node as it is recorded.
func nodeOf(r *nodegraph.NodeStatus, should State) Node {
	return Node{r.ID, r.Name, r.Kind, State{r.Phase, r.Message}, should}
}

// hadTime reports whether a controller had the time to do something about what happened at since. While a limit of parallelism is
// reached Argo's looks at pods alone (operate: podReconciliation).
func (d *diagnosis) hadTime(since time.Time) bool {
	return d.hadTimeForPods(since) && (d.in.Spec.Parallelism == 0 || d.activePods() < d.in.Spec.Parallelism)
}

// hadTimeForPods reports whether a controller had the time to see what became of a pod at since, or to end what was over then.
func (d *diagnosis) hadTimeForPods(since time.Time) bool {
	return !since.IsZero() && d.past(latest(since, d.in.Healed), d.in.Patience) && !d.in.Snapshot.Suspended
}

// activePods counts the pods that the record has as open and that end by themselves, without those that were never asked for.
func (d *diagnosis) activePods() (active int) {
	for k := range d.in.Snapshot.Nodes {
		if r := &d.in.Snapshot.Nodes[k]; r.Kind == nodegraph.KindPod && open(r) && !r.Daemoned && !r.Started.IsZero() && r.WaitsFor == "" {
			active++
		}
	}
	return active
}

// past reports whether something has been so for longer than patience.
func (d *diagnosis) past(since time.Time, patience time.Duration) bool {
	return !d.in.Now.IsZero() && !since.IsZero() && d.in.Now.Sub(since) >= patience
}

// lateAt adds a finding that something about node r is overdue.
func (d *diagnosis) lateAt(kind Kind, r *nodegraph.NodeStatus, since time.Time, reason, remedy string) *Finding {
	d.late[r.ID] = true
	should, _ := d.computedState(r)
	if !should.Phase.Settled() {
		should = State{}
	}
	return d.add(Finding{Kind: kind, Node: nodeOf(r, should), Since: since, Reason: reason, Remedy: remedy})
}

// ago is how long something has been so, in words.
func (d *diagnosis) ago(since time.Time) string {
	age := d.in.Now.Sub(since).Round(time.Second)
	if age < 48*time.Hour {
		return age.String()
	}
	return fmt.Sprintf("%dd%dh", int(age.Hours())/24, int(age.Hours())%24)
}

const lookAtController = "check that the controller runs and watches this namespace, and restart it"

func because(words string) string {
	if words == "" {
		return ""
	}
	return ": " + words
}

// podOf returns the node whose pod reports for r: r itself, or the pod that container r is in.
func (d *diagnosis) podOf(r *nodegraph.NodeStatus) *nodegraph.NodeStatus { return podOf(d.record, r) }

// livePodIn returns a pod that lives and reports for node r or for something inside it, and the node of that pod.
func (d *diagnosis) livePodIn(r *nodegraph.NodeStatus) (*nodegraph.NodeStatus, *propagate.PodStatus) {
	at := d.podOf(r)
	if pod := d.pods.live(at); pod != nil {
		return at, pod
	}
	if !r.Kind.Composite() {
		return nil, nil
	}
	outer := d.g.Find(r.ID)
	for k := range d.in.Snapshot.Nodes {
		n := &d.in.Snapshot.Nodes[k]
		if pod := d.pods.live(n); pod != nil && open(n) && d.isInside(d.record.find(n), outer) {
			return n, pod
		}
	}
	return nil, nil
}

// isInside reports whether node i is inside node outer.
func (d *diagnosis) isInside(i, outer nodegraph.Index) bool {
	for i > nodegraph.Root && outer > nodegraph.Root {
		if i = d.g.Node(i).Parent; i == outer {
			return true
		}
	}
	return false
}

// inExitHandler reports whether a node belongs to an exit handler or an exit hook, whose pods clean up.
func (d *diagnosis) inExitHandler(id string) bool {
	for i := d.g.Find(id); i > nodegraph.Root; i = d.g.Node(i).Parent {
		if _, hook := d.g.Owner(i); d.g.Node(i).Role == nodegraph.RoleHook && hook != nil && hook.Name == nodegraph.ExitHook {
			return true
		}
	}
	return false
}
