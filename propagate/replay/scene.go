package replay

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// judge compares the frames of one recording.
type judge struct {
	player   *Player
	recorded []record
	seen     []map[string]*Difference // by frame and node id; nil for a state that is equal
	waiting  []propagate.Obligation
}

// record is what a frame recorded, by node id. The workflow has the empty id.
type record struct {
	states map[string]State
	nodes  map[string]*nodegraph.NodeStatus
	inside map[string][]string // what is directly inside a node
	parent map[string]string
}

// newRecord reads containment out of what Argo recorded: names say what is an attempt, an item or a hook of what.
func newRecord(s *nodegraph.Snapshot) record {
	r := record{
		states: map[string]State{"": {Phase: s.Phase, Message: s.Message}}, nodes: make(map[string]*nodegraph.NodeStatus, len(s.Nodes)),
		inside: make(map[string][]string), parent: make(map[string]string, len(s.Nodes)),
	}
	for k := range s.Nodes {
		n := &s.Nodes[k]
		r.states[n.ID] = State{n.Name, n.Kind, n.Phase, n.Message}
		r.nodes[n.ID], r.parent[n.ID] = n, n.Boundary
	}
	for _, n := range r.nodes {
		for _, child := range n.Children {
			c := r.nodes[child]
			if c == nil || n.Kind != nodegraph.KindRetry && n.Kind != nodegraph.KindTaskGroup && n.Kind != nodegraph.KindStepGroup {
				continue
			}
			if direct(n, c) {
				r.parent[c.ID] = n.ID
			}
		}
	}
	for id, parent := range r.parent {
		r.inside[parent] = append(r.inside[parent], id)
	}
	for _, ids := range r.inside {
		slices.Sort(ids)
	}
	return r
}

// direct reports whether child, to which an edge leads from parent, is inside parent and does not come after it.
func direct(parent, child *nodegraph.NodeStatus) bool {
	rest, ok := strings.CutPrefix(child.Name, parent.Name)
	switch {
	case !ok || child.Hooked && !child.Retried: // an attempt of a hook is inside that
		return false
	case parent.Kind == nodegraph.KindStepGroup:
		return strings.HasPrefix(rest, ".")
	}
	return strings.HasPrefix(rest, "(")
}

// A scene is one frame of one run: what the recognisers of deviations may look at.
type scene struct {
	judge       *judge
	moment      *Moment
	graph       *nodegraph.Graph
	want        record
	before      record // what was recorded in the frame before; empty for the first
	got         map[string]State
	needs       map[nodegraph.Index]propagate.WaitReason
	differences map[string]*Difference
}

func (j *judge) scene(m *Moment) *scene {
	s := &scene{
		judge: j, moment: m, graph: m.Engine.Graph(), want: j.recorded[m.Frame], got: m.States(),
		needs: make(map[nodegraph.Index]propagate.WaitReason), differences: make(map[string]*Difference),
	}
	if m.Frame > 0 {
		s.before = j.recorded[m.Frame-1]
	}
	for _, o := range m.Engine.Obligations() {
		s.needs[o.Node] = o.For
	}
	return s
}

// A site is one node of a scene.
type site struct {
	*scene
	id     string
	index  nodegraph.Index // nodegraph.None for a node that the library never asked for
	want   State           // recorded
	got    State           // computed
	before State           // recorded in the frame before
}

// at returns the site of a node, by its id.
func (s *scene) at(id string) site {
	t := site{scene: s, id: id, index: nodegraph.Root, want: s.want.states[id], got: s.got[id], before: s.before.states[id]}
	if id != "" {
		t.index = s.graph.Find(id)
	}
	return t
}

// differs reports whether recording and engine disagree here.
func (t site) differs() bool { return !t.want.same(t.got) }

// number is the number of the deviation that the difference was given, 0 for none.
func (t site) number() int {
	if d := t.differences[t.id]; d != nil {
		return d.Deviation
	}
	return 0
}

// exists reports whether the library asked for the node at some time, so that it has a place in the graph.
func (t site) exists() bool { return t.index != nodegraph.None }

// parent is what the node is directly inside of. The workflow is its own.
func (t site) parent() site {
	if t.index > nodegraph.Root {
		return t.at(t.graph.Node(t.graph.Node(t.index).Parent).ID())
	}
	return t.at(t.scene.want.parent[t.id])
}

// members are the nodes directly inside, recorded or computed.
func (t site) members() []site {
	var list []site
	if t.exists() {
		for m := range t.graph.Members(t.index) {
			list = append(list, t.at(t.graph.Node(m).ID()))
		}
	}
	for _, id := range t.scene.want.inside[t.id] {
		if !slices.ContainsFunc(list, func(m site) bool { return m.id == id }) && (id != "" || t.id != "") {
			list = append(list, t.at(id))
		}
	}
	return list
}

// after are the nodes that this one comes directly after: by the order of its parent, the attempt before an attempt, the
// owner of a hook, the entry of the workflow for its exit handler.
func (t site) after() []site {
	if t.index <= nodegraph.Root {
		return t.afterRecorded()
	}
	var list []site
	add := func(i nodegraph.Index) { list = append(list, t.at(t.graph.Node(i).ID())) }
	n := t.graph.Node(t.index)
	for p := range t.graph.Dependencies(t.index) {
		add(p)
	}
	if owner, _ := t.graph.Owner(t.index); owner > nodegraph.Root {
		add(owner)
	} else if owner == nodegraph.Root {
		add(nodegraph.Entry)
	}
	if n.Role == nodegraph.RoleAttempt {
		for m := range t.graph.Members(n.Parent) {
			if o := t.graph.Node(m); o.Role == nodegraph.RoleAttempt && o.DeclIndex == n.DeclIndex-1 {
				add(m)
			}
		}
	}
	return list
}

// afterRecorded is after for a node that the recording alone has: the owner of a hook and the attempt before an attempt, by
// their names.
func (t site) afterRecorded() []site {
	if t.exists() {
		return nil
	}
	name := t.want.Name
	switch n := t.scene.want.nodes[t.id]; {
	case n.Hooked:
		for _, mark := range []string{".onExit", ".hooks."} {
			if at := strings.LastIndex(name, mark); at > 0 {
				return t.named(name[:at])
			}
		}
	case n.Retried:
		at := strings.LastIndexByte(name, '(')
		if number, err := strconv.Atoi(strings.Trim(name[at+1:], ")")); err == nil {
			return t.named(fmt.Sprintf("%s(%d)", name[:at], number-1))
		}
	}
	return nil
}

// named is the node with this name, if there is one.
func (s *scene) named(name string) []site {
	if i := s.graph.Find(name); i != nodegraph.None {
		return []site{s.at(s.graph.Node(i).ID())}
	}
	for id, state := range s.want.states {
		if state.Name == name && id != "" {
			return []site{s.at(id)}
		}
	}
	return nil
}

// hooks are the hooks of the node.
func (t site) hooks() []site {
	var list []site
	if t.exists() {
		for _, h := range t.graph.Hooks(t.index) {
			list = append(list, t.at(t.graph.Node(h).ID()))
		}
	}
	return list
}

// hookName is the name of a hook, empty for any other node.
func (t site) hookName() string {
	if t.exists() {
		if _, hook := t.graph.Owner(t.index); hook != nil {
			return hook.Name
		}
	}
	return ""
}

// node is the node's place in the graph, which must exist.
func (t site) node() *nodegraph.Node { return t.graph.Node(t.index) }

// isNew reports whether the recording shows the node for the first time.
func (t site) isNew() bool { return t.before == State{} }

func open(p nodegraph.Phase) bool { return p == nodegraph.PhasePending || p == nodegraph.PhaseRunning }

func (s State) none() bool { return s == State{} }

// open reports whether the node exists and has not ended.
func (s State) open() bool { return open(s.Phase) }

// settled reports whether the node has ended, was skipped or omitted.
func (s State) settled() bool { return s.Phase.Settled() }
