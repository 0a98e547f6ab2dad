package nodegraph_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// A builder makes the same specification as a text.
func TestBuilderMakesWhatParseMakes(t *testing.T) {
	for _, c := range []struct {
		text  string
		build func(*nodegraph.Builder)
	}{
		{"build: pod", func(b *nodegraph.Builder) { b.Pod("main") }},
		{"build: daemon", func(b *nodegraph.Builder) { b.Daemon("main") }},
		{"build: http", func(b *nodegraph.Builder) { b.HTTP("main") }},
		{"build: plugin", func(b *nodegraph.Builder) { b.Plugin("main") }},
		{"build: suspend(10s)", func(b *nodegraph.Builder) { b.Suspend("main", 10*time.Second) }},
		{"build: retry(2, pod(a -> main))", func(b *nodegraph.Builder) {
			b.ContainerSet("main", nodegraph.ContainerSpec{Name: "a"},
				nodegraph.ContainerSpec{Name: "main", Dependencies: []string{"a"}}).Retry = always(2)
		}},
		{`build: dag(a over [x, y] -> b when "1 == 1" exit http, c depends "a.Failed" continueOnFailed continueOnError)`,
			func(b *nodegraph.Builder) {
				b.DAG("main").
					Task("a", "pod", nodegraph.WithItems("x", "y")).
					Task("b", "pod", nodegraph.After("a"), nodegraph.When("1 == 1"), nodegraph.OnExit("http")).
					Task("c", "pod", nodegraph.DependsOn("a.Failed"), nodegraph.ContinueOnFailure())
				b.HTTP("http")
				b.Pod("pod")
			}},
		{"build: steps(a, b | c)", func(b *nodegraph.Builder) {
			b.Steps("main").Step("a", "pod").And("b", "pod").Step("c", "pod")
			b.Add(&nodegraph.Template{Name: "pod", Kind: nodegraph.KindPod})
		}},
	} {
		t.Run(c.text, func(t *testing.T) {
			b := nodegraph.NewBuilder("build")
			c.build(b)
			got, err := b.Spec()
			require.NoError(t, err)
			assert.Empty(t, cmp.Diff(mustParse(t, c.text), got))
			g, err := b.Graph()
			require.NoError(t, err)
			assert.Equal(t, "build", g.Node(nodegraph.Entry).Name())
		})
	}
}

func TestBuilderEntry(t *testing.T) {
	b := nodegraph.NewBuilder("build")
	_, err := b.Graph()
	require.EqualError(t, err, `nodegraph: entrypoint: no template is named "main"`)
	b.Pod("compile")
	s, err := b.Spec()
	require.NoError(t, err)
	assert.Equal(t, "compile", s.Entrypoint, "the only template")
	b.DAG("all").Task("a", "compile")
	_, err = b.Graph()
	require.EqualError(t, err, `nodegraph: entrypoint: no template is named "main"`, "two, and neither is main")
	s, err = b.Entry("all").Spec()
	require.NoError(t, err)
	assert.Equal(t, "all", s.Entrypoint)
}

func TestBuilderReportsMistakes(t *testing.T) {
	for _, c := range []struct {
		name  string
		build func(*nodegraph.Builder)
		want  string
	}{
		{"And before any Step", func(b *nodegraph.Builder) { b.Steps("main").And("a", "main").And("b", "main") },
			`nodegraph: template "main": "a": steps: And comes before the first Step`},
		{"unknown template", func(b *nodegraph.Builder) { b.DAG("main").Task("a", "nope") },
			`nodegraph: template "main": "a": template: no template is named "nope"`},
		{"unknown task", func(b *nodegraph.Builder) { b.DAG("main").Task("a", "main", nodegraph.After("b")) },
			`nodegraph: template "main": "a": dependencies: can't be compiled: depends "b": column 1: no task is named "b"`},
		{"two templates of one name", func(b *nodegraph.Builder) { b.Pod("main"); b.DAG("main") },
			`nodegraph: template "main": name: is used by more than one template`},
		{"nil template", func(b *nodegraph.Builder) { b.Add(nil) }, `nodegraph: templates[0]: is nil`},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := nodegraph.NewBuilder("wf")
			c.build(b)
			_, err := b.Graph()
			require.IsType(t, (*nodegraph.SpecError)(nil), err)
			assert.EqualError(t, err, c.want)
		})
	}
}
