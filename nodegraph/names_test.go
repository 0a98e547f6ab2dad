package nodegraph_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// A name that can't be part of a node's name is refused, and so is one with which two nodes could have one name. Whatever Argo
// accepts is accepted.
func TestNames(t *testing.T) {
	long := strings.Repeat("n", nodegraph.MaxNameLength)
	task := func(name string) error {
		b := nodegraph.NewBuilder("wf")
		b.Pod("x")
		b.DAG("main").Task("a", "x").Task(name, "x")
		_, err := b.Spec()
		return err
	}
	step := func(name string) error {
		b := nodegraph.NewBuilder("wf")
		b.Pod("x")
		b.Steps("main").Step(name, "x")
		_, err := b.Spec()
		return err
	}
	container := func(name string) error {
		b := nodegraph.NewBuilder("wf")
		b.ContainerSet("main", nodegraph.ContainerSpec{Name: name})
		_, err := b.Spec()
		return err
	}
	hook := func(name string) error {
		b := nodegraph.NewBuilder("wf")
		b.Pod("x")
		b.DAG("main").Task("a", "x", func(t *nodegraph.Task) {
			t.Hooks = []nodegraph.Hook{{Name: name, Template: "x", Expression: "true"}}
		})
		_, err := b.Spec()
		return err
	}
	workflow := func(name string) error {
		b := nodegraph.NewBuilder(name)
		b.Pod("x")
		_, err := b.Spec()
		return err
	}
	for _, c := range []struct {
		what    string
		check   func(string) error
		good    []string
		bad     []string
		message string // for the first of bad
	}{
		{"task", task, []string{"b", "B-2", "under_score", "ä", "a b", "onExit", "1", long}, []string{"a(0)", "a.b", "a[0]", "", "a\nb", "a\x00", "a\x7f", "\xff", long + "n"},
			`nodegraph: template "main": "a(0)": dag.tasks[1].name: has '(' in it, which stands between the names of nodes, so that two nodes could have one name`},
		{"step", step, []string{"b", "B-2", long}, []string{"a.b", "a(0)", "[0]", "", "a\tb"},
			`nodegraph: template "main": "a.b": steps[0][0].name: has '.' in it, which stands between the names of nodes, so that two nodes could have one name`},
		{"container", container, []string{"main", "c-0"}, []string{"a\u0085b", "a.b", "a(0)", ""},
			`nodegraph: template "main": "a\u0085b": containerSet.containers[0].name: has the control character U+0085 in it`},
		{"hook", hook, []string{"running", "on.success"}, []string{"", "a\nb", long + "n"},
			`nodegraph: template "main": "a": hooks[0].name: is empty`},
		{"workflow", workflow, []string{"wf", "a.b", "My Pipeline", "a(0)", long}, []string{long + "n", "", "a\nb"},
			`nodegraph: name: is longer than 253 bytes`},
	} {
		for _, name := range c.good {
			require.NoError(t, c.check(name), "%s %q", c.what, name)
		}
		for k, name := range c.bad {
			err := c.check(name)
			var refused *nodegraph.SpecError
			require.ErrorAs(t, err, &refused, "%s %q", c.what, name)
			if k == 0 {
				require.EqualError(t, err, c.message)
			}
		}
	}
}

// The container that does a pod's work is named only where its containers are no nodes.
func TestMainContainer(t *testing.T) {
	b := nodegraph.NewBuilder("wf")
	x := b.Pod("main")
	require.True(t, x.IsMain("main"))
	x.MainContainer = "app"
	_, err := b.Spec()
	require.NoError(t, err)
	require.True(t, x.IsMain("app"))
	require.False(t, x.IsMain("main"))
	x.Containers = []nodegraph.ContainerSpec{{Name: "app"}}
	_, err = b.Spec()
	require.EqualError(t, err, `nodegraph: template "main": mainContainer: is only for a pod whose containers are no nodes`)
	x.Containers, x.Kind = nil, nodegraph.KindSuspend
	_, err = b.Spec()
	require.EqualError(t, err, `nodegraph: template "main": mainContainer: is only for Pod templates, and this is a Suspend`)
}

// Names that an object has are as they are: there is a node for each.
func TestAnyNames(t *testing.T) {
	b := nodegraph.NewBuilder("wf")
	b.Pod("x")
	b.DAG("main").Task("a(0)", "x").Task("a\x1b[31m", "x").Task(strings.Repeat("n", 300), "x")
	_, err := b.Spec()
	require.Error(t, err)
	spec := &nodegraph.Spec{Name: "wf", Entrypoint: "main", AnyNames: true, Templates: []*nodegraph.Template{
		{Name: "x", Kind: nodegraph.KindPod},
		{Name: "main", Kind: nodegraph.KindDAG, Tasks: []nodegraph.Task{{Name: "a(0)", Template: "x"}, {Name: "a\x1b[31m", Template: "x"}}},
	}}
	require.NoError(t, spec.Validate())
	spec.Templates[1].Tasks[0].Name = ""
	require.Error(t, spec.Validate())
}
