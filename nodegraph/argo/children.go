package argo

import (
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// Children renders the two relations of g into the one list that Argo keeps for each node: what is directly inside
// the node, and what comes after it. exists tells which nodes the workflow has; others are left out on both sides.
// The function that is returned gives the ids of a node's children, without duplicates, nil for none; it does not
// allocate and must not be used to change the lists. Rendering takes time in proportion to the nodes and the
// rendered entries.
//
// The rules are Argo's:
//
//   - A DAG has the tasks without dependencies. A task that has some is a child of the outbound nodes of each.
//   - Steps have their first StepGroup, a StepGroup its steps and their items. A further StepGroup is a child of the
//     outbound nodes of what the group before it has, or of that group itself where it has nothing.
//   - A Retry has its attempts, a TaskGroup its items.
//   - The pod of a ContainerSet has the containers without dependencies, a container those that depend on it.
//   - A hook is a child of the node it belongs to; the workflow's exit handler is nobody's child.
//
// [OutboundNodes] says what outbound nodes are. A controller notes a child before it creates it, and if it then does
// not, because of a limit to parallelism, its list names a node that does not exist. A rendered list never does.
func Children(g *nodegraph.Graph, exists func(nodegraph.Index) bool) func(nodegraph.Index) []string {
	r := newRenderer(g, exists)
	all := newChildLists(g)
	r.add = all.add
	for _, hooks := range []bool{false, true} { // hooks come last, so that the attempts of a Retry stand together
		for i := nodegraph.Entry; int(i) < g.Len(); i++ {
			if (g.Node(i).Role == nodegraph.RoleHook) == hooks && exists(i) {
				r.attach(i)
			}
		}
	}
	all.lay()
	return all.of
}

// childLists are the lists of children of all nodes, one behind the other.
type childLists struct {
	g     *nodegraph.Graph
	pairs []childOf
	last  []nodegraph.Index // by node, the child that was added last
	ends  []int32           // by node, where its list ends, which is where that of the next one begins
	ids   []string
}

// A childOf is an entry of a list that is not laid yet.
type childOf struct{ parent, child nodegraph.Index }

func newChildLists(g *nodegraph.Graph) *childLists {
	return &childLists{g: g, pairs: make([]childOf, 0, g.Len()), last: make([]nodegraph.Index, g.Len()), ends: make([]int32, g.Len()+1)}
}

// add adds a child to the list of its parent, if that is not the last already.
func (l *childLists) add(parent, child nodegraph.Index) {
	if l.last[parent] != child {
		l.last[parent] = child
		l.pairs = append(l.pairs, childOf{parent, child})
	}
}

// lay puts the lists one behind the other, each in the order in which its children were added.
func (l *childLists) lay() {
	for _, p := range l.pairs {
		l.ends[p.parent+1]++
	}
	for i := range l.last {
		l.ends[i+1] += l.ends[i]
	}
	l.ids = make([]string, len(l.pairs))
	for _, p := range l.pairs { // each list grows from where it begins to where it ends
		l.ids[l.ends[p.parent]] = l.g.Node(p.child).ID()
		l.ends[p.parent]++
	}
}

// of is the list of node i, nil for none.
func (l *childLists) of(i nodegraph.Index) []string {
	begin, end := int32(0), l.ends[i]
	if i > 0 {
		begin = l.ends[i-1]
	}
	if begin == end {
		return nil
	}
	return l.ids[begin:end:end]
}

// OutboundNodes returns the nodes at which node i ends in Argo's list of children: those that have what comes after i
// as children. exists is as for [Children]. They are
//
//   - the last child of a Retry, itself and not where that ends: its exit hook, or else its last attempt;
//   - what the targets of a DAG end at, and what the last StepGroup of Steps that exists ends at;
//   - what the items and hooks of a TaskGroup end at;
//   - the containers of a ContainerSet's pod that no other container depends on, and what the pod's hooks end at;
//   - the node itself in all other cases, and where none of these exists.
func OutboundNodes(g *nodegraph.Graph, exists func(nodegraph.Index) bool, i nodegraph.Index) []nodegraph.Index {
	return slices.Clone(newRenderer(g, exists).outbound(i))
}

// renderer collects children, node by node, and remembers where composites end.
type renderer struct {
	g      *nodegraph.Graph
	exists func(nodegraph.Index) bool
	add    func(parent, child nodegraph.Index)   // all that is added for one child is added in a row
	ends   map[nodegraph.Index][]nodegraph.Index // of composites and pods, as far as they were asked for
	self   [1]nodegraph.Index
}

func newRenderer(g *nodegraph.Graph, exists func(nodegraph.Index) bool) *renderer {
	return &renderer{g: g, exists: exists, ends: make(map[nodegraph.Index][]nodegraph.Index)}
}

// attach makes node i a child of what Argo would.
func (r *renderer) attach(i nodegraph.Index) {
	n := r.g.Node(i)
	switch n.Role {
	case nodegraph.RoleEntry:
	case nodegraph.RoleHook:
		if owner, hook := r.g.Owner(i); owner != nodegraph.Entry || hook.Name != nodegraph.ExitHook {
			r.add(owner, i)
		}
	case nodegraph.RoleTask:
		r.attachAfter(i)
	case nodegraph.RoleContainer:
		r.attachContainer(i)
	case nodegraph.RoleGroup:
		r.attachGroup(i)
	default:
		r.add(n.Parent, i)
	}
}

// attachAfter makes a task a child of all at which the tasks it comes after end, or of its DAG.
func (r *renderer) attachAfter(i nodegraph.Index) {
	n, first := r.g.Node(i), true
	for before := range r.g.Dependencies(i) {
		first = false
		if !r.exists(before) {
			continue
		}
		for _, end := range r.outbound(before) {
			r.add(end, i)
		}
	}
	if first {
		r.add(n.Parent, i)
	}
}

// attachContainer makes a container a child of the containers it depends on, or of its pod.
func (r *renderer) attachContainer(i nodegraph.Index) {
	n, first := r.g.Node(i), true
	for before := range r.g.Dependencies(i) {
		first = false
		r.add(before, i)
	}
	if first {
		r.add(n.Parent, i)
	}
}

// attachGroup makes a StepGroup a child of all at which the group before it ends.
func (r *renderer) attachGroup(i nodegraph.Index) {
	n := r.g.Node(i)
	if n.DeclIndex == 0 {
		r.add(n.Parent, i)
		return
	}
	for before := range r.g.Dependencies(i) {
		for _, end := range r.outbound(before) {
			r.add(end, i)
		}
	}
}

// outbound returns where node i ends. The slice is shared: it is valid until the next call.
func (r *renderer) outbound(i nodegraph.Index) []nodegraph.Index {
	n := r.g.Node(i)
	switch n.Kind {
	case nodegraph.KindPod, nodegraph.KindDAG, nodegraph.KindSteps, nodegraph.KindStepGroup, nodegraph.KindTaskGroup, nodegraph.KindRetry:
		if r.g.First(i) != nodegraph.None {
			return r.composite(i, n)
		}
	}
	r.self[0] = i
	return r.self[:]
}

// composite returns where a node with members ends, which is found out once.
func (r *renderer) composite(i nodegraph.Index, n *nodegraph.Node) []nodegraph.Index {
	if ends, ok := r.ends[i]; ok {
		return ends
	}
	var ends []nodegraph.Index
	switch n.Kind {
	case nodegraph.KindDAG:
		ends = r.endsOfDAG(i)
	case nodegraph.KindSteps:
		ends = r.endsOfSteps(i)
	case nodegraph.KindRetry:
		ends = r.endOfRetry(i)
	case nodegraph.KindPod:
		ends = r.endsOfPod(i)
	default:
		ends = r.endsOfAll(i)
	}
	if len(ends) == 0 {
		ends = []nodegraph.Index{i}
	}
	r.ends[i] = ends
	return ends
}

// endsOfDAG: Argo notes where the targets end when the DAG settles, and asks where these end when it is needed. That
// makes a difference for the attempts of a Retry.
func (r *renderer) endsOfDAG(i nodegraph.Index) []nodegraph.Index {
	var noted []nodegraph.Index
	plan, first := r.g.PlanOf(i)
	for _, place := range plan.Targets() {
		if t := first + nodegraph.Index(place); r.exists(t) {
			noted = append(noted, r.outbound(t)...)
		}
	}
	return r.endsOf(noted)
}

// endsOfSteps is as endsOfDAG, for the last group.
func (r *renderer) endsOfSteps(i nodegraph.Index) []nodegraph.Index {
	last := nodegraph.None
	for m := range r.g.Members(i) {
		if r.g.Node(m).Role == nodegraph.RoleGroup && r.exists(m) {
			last = m
		}
	}
	if last == nodegraph.None {
		return nil
	}
	return r.endsOf(slices.Clone(r.outbound(last)))
}

// endsOf asks once more where the nodes end that were noted.
func (r *renderer) endsOf(noted []nodegraph.Index) []nodegraph.Index {
	var ends []nodegraph.Index
	for _, m := range noted {
		ends = append(ends, r.outbound(m)...)
	}
	return ends
}

// endOfRetry is the last child. Argo takes the one that was added last, which may be another hook than exit; a graph
// does not tell when a hook was added.
func (r *renderer) endOfRetry(i nodegraph.Index) []nodegraph.Index {
	for _, h := range r.g.Hooks(i) {
		if _, hook := r.g.Owner(h); r.exists(h) && hook.Name == nodegraph.ExitHook {
			return []nodegraph.Index{h}
		}
	}
	var last []nodegraph.Index
	for m := range r.g.Members(i) {
		if r.exists(m) {
			last = append(last[:0], m)
		}
	}
	return last
}

// endsOfPod are the containers that nothing comes after, and the ends of the pod's hooks.
func (r *renderer) endsOfPod(i nodegraph.Index) []nodegraph.Index {
	var ends []nodegraph.Index
	for m := range r.g.Members(i) {
		if !r.exists(m) {
			continue
		}
		last := true
		for range r.g.Dependents(m) {
			last = false
			break
		}
		if last {
			ends = append(ends, m)
		}
	}
	return append(ends, r.endsOfHooks(i)...)
}

// endsOfAll are the ends of all members and hooks: a TaskGroup's, a StepGroup's.
func (r *renderer) endsOfAll(i nodegraph.Index) []nodegraph.Index {
	var ends []nodegraph.Index
	for m := range r.g.Members(i) {
		if r.exists(m) && r.g.Node(m).Role != nodegraph.RoleHook {
			ends = append(ends, r.outbound(m)...)
		}
	}
	return append(ends, r.endsOfHooks(i)...)
}

func (r *renderer) endsOfHooks(i nodegraph.Index) []nodegraph.Index {
	var ends []nodegraph.Index
	for _, h := range r.g.Hooks(i) {
		if r.exists(h) {
			ends = append(ends, r.outbound(h)...)
		}
	}
	return ends
}
