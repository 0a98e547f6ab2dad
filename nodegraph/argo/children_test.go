package argo_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
)

// records are recorded nodes by their ids.
type records map[string]*nodegraph.NodeStatus

func recordsOf(s nodegraph.Snapshot) records {
	by := make(records, len(s.Nodes))
	for i := range s.Nodes {
		by[s.Nodes[i].ID] = &s.Nodes[i]
	}
	return by
}

// grow makes the graph of a recorded workflow: members of nodes that are recorded, and attempts and hooks that are.
func (by records) grow(t *testing.T, spec *nodegraph.Spec) (*nodegraph.Graph, func(nodegraph.Index) bool) {
	t.Helper()
	g, err := nodegraph.New(spec)
	require.NoError(t, err)
	has := func(name string) bool { return by[nodegraph.NodeID(spec.Name, name)] != nil }
	for i := nodegraph.Entry; int(i) < g.Len(); i++ {
		n := *g.Node(i)
		r := by[n.ID()]
		if r == nil {
			continue
		}
		by.addHooks(t, g, i, has)
		switch {
		case r.Kind == nodegraph.KindSkipped:
		case n.Kind == nodegraph.KindRetry:
			for has(n.Name() + "(" + string(rune('0'+attempts(g, i))) + ")") {
				_, err = g.AddAttempt(i)
				require.NoError(t, err)
			}
		case n.Kind == nodegraph.KindTaskGroup:
			require.NoError(t, g.AddItems(i, n.Task, n.Task.Loop.Items))
		default:
			require.NoError(t, g.Expand(i))
		}
	}
	return g, func(i nodegraph.Index) bool { return by[g.Node(i).ID()] != nil }
}

// addHooks adds the hooks of node i that are recorded.
func (by records) addHooks(t *testing.T, g *nodegraph.Graph, i nodegraph.Index, has func(string) bool) {
	t.Helper()
	n := g.Node(i)
	var hooks []nodegraph.Hook
	switch {
	case i == nodegraph.Entry:
		hooks = slices.Clone(g.Spec().Hooks)
		if h := g.OnExit(); h != nil {
			hooks = append(hooks, *h)
		}
	case n.Task != nil:
		hooks = n.Task.Hooks
	}
	name := n.Name()
	for k := range hooks {
		suffix := ".hooks." + hooks[k].Name
		if hooks[k].Name == nodegraph.ExitHook {
			suffix = ".onExit"
		}
		if has(name + suffix) {
			_, err := g.AddHook(i, &hooks[k])
			require.NoError(t, err)
		}
	}
}

func attempts(g *nodegraph.Graph, i nodegraph.Index) int {
	count := 0
	for m := range g.Members(i) {
		if g.Node(m).Role == nodegraph.RoleAttempt {
			count++
		}
	}
	return count
}

// Children are, as a set, what the controller recorded, for every node of every frame. There is one difference, and
// it is deliberate: the controller notes a child before it creates it, and where it then does not, because of a limit
// to parallelism, the list names a node that does not exist. We never name one.
func TestChildrenOfRecordings(t *testing.T) {
	nodes, dangling := 0, 0
	forEachRecording(t, func(t *testing.T, r *recording) {
		for k := range r.Frames {
			w := read(t, r.frame(t, k))
			by := recordsOf(w.Snapshot)
			g, exists := by.grow(t, w.Spec)
			children := argo.Children(g, exists)
			for i := nodegraph.Entry; int(i) < g.Len(); i++ {
				if !exists(i) {
					continue
				}
				node := by[g.Node(i).ID()]
				want := slices.DeleteFunc(slices.Clone(node.Children), func(id string) bool { return by[id] == nil })
				if len(want) < len(node.Children) {
					dangling++
				}
				nodes++
				require.ElementsMatch(t, want, children(i), "frame %d, node %s", k, node.Name)
			}
		}
	})
	t.Logf("%d nodes compared, %d of them with children that do not exist", nodes, dangling)
	assert.Greater(t, nodes, 35_000 / *every)
}

// The rules of Argo's list, one by one. A node that is not named has no children.
func TestChildren(t *testing.T) {
	tests := []struct {
		name, templates string
		has             string // names of the nodes that exist, without the workflow's in front
		want            map[string]string
	}{
		{"tasks come after tasks", "dag: {tasks: [{name: a, template: pod}, {name: b, template: pod, dependencies: [a]}, {name: c, template: pod, depends: a && b.Failed}]}",
			"w .a .b .c", map[string]string{"w": ".a", ".a": ".b .c", ".b": ".c"}},
		{"what does not exist is not named", "dag: {tasks: [{name: a, template: pod}, {name: b, template: pod, dependencies: [a]}, {name: c, template: pod, dependencies: [b]}]}",
			"w .a .c", map[string]string{"w": ".a"}},
		{"a Retry ends at its last attempt", "dag: {tasks: [{name: a, template: again}, {name: b, template: pod, dependencies: [a]}]}",
			"w .a .a(0) .a(1) .b", map[string]string{"w": ".a", ".a": ".a(0) .a(1)", ".a(1)": ".b"}},
		{"a Retry without attempts ends at itself", "dag: {tasks: [{name: a, template: again}, {name: b, template: pod, dependencies: [a]}]}",
			"w .a .b", map[string]string{"w": ".a", ".a": ".b"}},
		{"a Retry ends at its exit hook", "dag: {tasks: [{name: a, template: again, onExit: pod}, {name: b, template: pod, dependencies: [a]}]}",
			"w .a .a(0) .a.onExit .b", map[string]string{"w": ".a", ".a": ".a(0) .a.onExit", ".a.onExit": ".b"}},
		{"a pod ends at itself, whatever its hook", "dag: {tasks: [{name: a, template: pod, onExit: pod}, {name: b, template: pod, dependencies: [a]}]}",
			"w .a .a.onExit .b", map[string]string{"w": ".a", ".a": ".b .a.onExit"}},
		{"a ContainerSet ends at its last containers", "dag: {tasks: [{name: a, template: set}, {name: b, template: pod, dependencies: [a]}]}",
			"w .a .a.x .a.z .b", map[string]string{"w": ".a", ".a": ".a.x", ".a.x": ".a.z", ".a.z": ".b"}},
		{"and at its hooks", "dag: {tasks: [{name: a, template: set, onExit: pod}, {name: b, template: pod, dependencies: [a]}]}",
			"w .a .a.x .a.z .a.onExit .b", map[string]string{"w": ".a", ".a": ".a.x .a.onExit", ".a.x": ".a.z", ".a.z": ".b", ".a.onExit": ".b"}},
		{"a ContainerSet whose pod was never made ends at itself", "dag: {tasks: [{name: a, template: set}, {name: b, template: pod, dependencies: [a]}]}",
			"w .a .b", map[string]string{"w": ".a", ".a": ".b"}},
		{"a loop ends at its items", "dag: {tasks: [{name: a, template: pod, withItems: [p, q]}, {name: b, template: pod, dependencies: [a]}]}",
			"w .a .a(0:p) .a(1:q) .b", map[string]string{"w": ".a", ".a": ".a(0:p) .a(1:q)", ".a(0:p)": ".b", ".a(1:q)": ".b"}},
		{"a DAG ends at its targets, and follows a last attempt", "dag: {tasks: [{name: a, template: inner}, {name: b, template: pod, dependencies: [a]}]}",
			"w .a .a.i .a.j .a.j(0) .a.j(0).x .a.j(0).z .b", map[string]string{"w": ".a", ".a": ".a.i .a.j", ".a.j": ".a.j(0)", ".a.j(0)": ".a.j(0).x", ".a.j(0).x": ".a.j(0).z", ".a.i": ".b", ".a.j(0).z": ".b"}},
		{"a target that does not exist is none", "dag: {tasks: [{name: a, template: inner}, {name: b, template: pod, dependencies: [a]}]}",
			"w .a .a.i .b", map[string]string{"w": ".a", ".a": ".a.i", ".a.i": ".b"}},
		{"groups of steps", "steps: [[{name: a, template: pod}, {name: b, template: pod}], [{name: c, template: pod}], [{name: d, template: pod}]]",
			"w [0] [0].a [0].b [1] [1].c", map[string]string{"w": "[0]", "[0]": "[0].a [0].b", "[0].a": "[1]", "[0].b": "[1]", "[1]": "[1].c"}},
		{"a group without steps", "steps: [[], [{name: c, template: pod}]]", "w [0] [1] [1].c", map[string]string{"w": "[0]", "[0]": "[1]", "[1]": "[1].c"}},
		{"Steps end at their last group", "dag: {tasks: [{name: a, template: twice}, {name: b, template: pod, dependencies: [a]}]}",
			"w .a .a[0] .a[0].s .b", map[string]string{"w": ".a", ".a": ".a[0]", ".a[0]": ".a[0].s", ".a[0].s": ".b"}},
		{"Steps without a group end at themselves", "dag: {tasks: [{name: a, template: twice}, {name: b, template: pod, dependencies: [a]}]}",
			"w .a .b", map[string]string{"w": ".a", ".a": ".b"}},
		{"hooks of the workflow, but not its exit handler", "container: {}\n  hooks: {run: {template: pod, expression: \"true\"}}\n  onExit: pod",
			"w .hooks.run .onExit", map[string]string{"w": ".hooks.run"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			main, rest, _ := strings.Cut(test.templates, "\n")
			w := read(t, yamlWorkflow("spec:\n  entrypoint: main\n"+rest+"\n  templates:\n  - name: main\n    "+main+`
  - {name: pod, container: {}}
  - {name: again, container: {}, retryStrategy: {}}
  - {name: set, containerSet: {containers: [{name: x}, {name: z, dependencies: [x]}]}}
  - {name: inner, dag: {tasks: [{name: i, template: pod}, {name: j, template: setagain}]}}
  - {name: setagain, retryStrategy: {}, containerSet: {containers: [{name: x}, {name: z, dependencies: [x]}]}}
  - {name: twice, steps: [[{name: s, template: pod}], [{name: s2, template: pod}]]}
`))
			by := make(records)
			full := func(name string) string { return "w" + strings.TrimPrefix(name, "w") }
			for name := range strings.FieldsSeq(test.has) {
				by[nodegraph.NodeID("w", full(name))] = &nodegraph.NodeStatus{Name: full(name)}
			}
			g, exists := by.grow(t, w.Spec)
			children := argo.Children(g, exists)
			got, want := map[string][]string{}, map[string][]string{}
			for i := nodegraph.Entry; int(i) < g.Len(); i++ {
				for _, id := range children(i) {
					got[g.Node(i).Name()] = append(got[g.Node(i).Name()], by[id].Name)
				}
			}
			for name, list := range test.want {
				for child := range strings.FieldsSeq(list) {
					want[full(name)] = append(want[full(name)], full(child))
				}
			}
			assert.Equal(t, want, got)
		})
	}
}

// The outbound nodes that the controller noted for DAGs and Steps that ended lead to where ours do. The controller
// notes the last attempt of a Retry, and follows it when it is asked.
func TestOutboundNodesOfRecordings(t *testing.T) {
	compared := 0
	forEachRecording(t, func(t *testing.T, r *recording) {
		last := len(r.Frames) - 1
		w := read(t, r.frame(t, last))
		var status struct {
			Nodes map[string]struct {
				OutboundNodes []string `json:"outboundNodes"`
			} `json:"nodes"`
		}
		require.NoError(t, json.Unmarshal(r.Frames[last].Status, &status))
		by := recordsOf(w.Snapshot)
		g, exists := by.grow(t, w.Spec)
		for id, node := range status.Nodes {
			if len(node.OutboundNodes) == 0 || slices.ContainsFunc(node.OutboundNodes, func(id string) bool { return by[id] == nil }) {
				continue
			}
			var want, got []string
			for _, noted := range node.OutboundNodes {
				for _, end := range argo.OutboundNodes(g, exists, g.Find(noted)) {
					want = append(want, g.Node(end).Name())
				}
			}
			for _, end := range argo.OutboundNodes(g, exists, g.Find(id)) {
				got = append(got, g.Node(end).Name())
			}
			slices.Sort(want)
			slices.Sort(got)
			assert.Equal(t, slices.Compact(want), slices.Compact(got), by[id].Name)
			compared++
		}
	})
	t.Logf("%d lists of outbound nodes compared", compared)
}
