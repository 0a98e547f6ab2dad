package diagnose_test

import (
	"bytes"
	"compress/gzip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/diagnose"
)

// podOf is a pod as kubectl prints it.
func podOf(namespace, workflow, node string) string {
	text := `{"kind": "Pod", "metadata": {"name": "p-` + workflow + node + `", "namespace": "` + namespace + `"`
	if workflow != "" {
		text += `, "labels": {"workflows.argoproj.io/workflow": "` + workflow + `"}`
	}
	if node != "" {
		text += `, "annotations": {"workflows.argoproj.io/node-id": "` + node + `"}`
	}
	return text + `}, "status": {"phase": "Running"}}`
}

func listOf(pods ...string) []byte {
	text := `{"kind": "List", "items": [`
	for k, p := range pods {
		if k > 0 {
			text += ","
		}
		text += p
	}
	return []byte(text + "]}")
}

// Pods of other workflows and namespaces are told apart, and so are those that say nothing of a node.
func TestReadPods(t *testing.T) {
	list, err := diagnose.ReadPods(listOf(
		podOf("n", "wf", "wf-1"), podOf("n", "", "wf-2"), podOf("n", "other", "other-1"), podOf("m", "wf", "wf-1"), podOf("n", "", "wfx-1"),
		podOf("n", "wf", ""), `{"metadata": {"name": "wf-1340600742-agent", "labels": {"workflows.argoproj.io/workflow": "wf"}}}`,
		podOf("n", "", ""), `{"metadata": {"name": "x", "ownerReferences": [{"kind": "Workflow", "name": "third"}]}}`,
	), "n", "wf")
	require.NoError(t, err)
	var nodes []string
	for _, p := range list.Own {
		nodes = append(nodes, p.Node)
	}
	assert.Equal(t, []string{"wf-1", "wf-2", "", ""}, nodes)
	assert.Equal(t, 5, list.Foreign, "a pod that names neither is of no workflow")
	assert.Equal(t, []string{"other", "third"}, list.Workflows)
	assert.Equal(t, []string{"p-wf"}, list.Nameless)
}

func gzipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.String()
}

// Lists come in several dresses. What is none is an error that says what is wanted.
func TestReadPodsForms(t *testing.T) {
	for why, text := range map[string]string{
		"a list": `{"kind":"List","items":[]}`, "a PodList": `{"kind":"PodList","items":[]}`, "with a mark": "\ufeff" + `{"kind":"List","items":[]}`,
		"YAML": "kind: List\nitems: []\n", "an array": `[]`, "a list without kind": `{"items":[]}`,
		"gzipped": gzipped(t, `{"kind":"List","items":[]}`), "after a warning": "Warning: deprecated\nkind: List\nitems: []\n",
	} {
		list, err := diagnose.ReadPods([]byte(text), "n", "wf")
		require.NoError(t, err, why)
		assert.NotNil(t, list.Own, "%s: none is known", why)
	}
	for why, text := range map[string]string{
		"": "empty", "No resources found in n namespace.\n": "is no object but an answer", "nothing": "found something else", `{"kind":"Workflow"}`: `found kind "Workflow"`, "\xff\xfe{\x00": "UTF-16", "\xff": "not UTF-8",
		`[1]`: "items[0]", `[`: "unexpected end", "a: [": "pods:", `{}`: `found kind ""`, `[{"kind":"Job"}]`: `want a Pod, found kind "Job"`,
	} {
		_, err := diagnose.ReadPods([]byte(why), "n", "wf")
		assert.ErrorContains(t, err, text, why)
	}
}

// What a pod says of its end on the way, and of its machine.
func TestPodInfo(t *testing.T) {
	list, err := diagnose.ReadPods([]byte(`{"kind": "Pod", "metadata": {"name": "p", "deletionTimestamp": "2026-03-10T09:00:00Z", "finalizers": ["f"],
		"annotations": {"workflows.argoproj.io/node-name": "wf.a"}},
		"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "Unknown", "lastTransitionTime": "2026-03-10T09:30:00Z"}]}}`), "n", "wf")
	require.NoError(t, err)
	at := time.Date(2026, 3, 10, 9, 0, 0, 0, time.UTC)
	assert.Equal(t, map[string]diagnose.PodInfo{"p": {Deleted: at, Finalizers: []string{"f"}, Lost: at.Add(30 * time.Minute)}}, list.Info)
}

// Nothing is healed by pods of something else, nor by pods that say of no node that it is theirs, nor by an empty list where a
// pod is expected that nothing is wrong with.
func TestWrongPods(t *testing.T) {
	hangs := func(t *testing.T) diagnose.Input {
		in := played(t, "wf: dag(b: pod(x), y)", propagate.PodRunning("wf.y"), propagate.PodRunning("wf.b"), propagate.PodDeleted("wf.b"))
		for _, edit := range (edits{set("wf.b.x", nodegraph.PhaseRunning, ""), set("wf", nodegraph.PhaseRunning, ""), running}) {
			edit(&in)
		}
		in.Namespace = "n"
		return in
	}
	cases := []struct {
		why  string
		pods []byte
		says string
	}{
		{"another workflow's", listOf(podOf("n", "other", "other-1")), "none of the 1 pods of the list is of workflow n/wf (they are of other)"},
		{"another namespace's", listOf(podOf("m", "wf", "wf-1")), "none of the 1 pods"},
		{"without annotations", listOf(podOf("n", "wf", "")), `pod "p-wf" of workflow n/wf says of no node`},
		{"none, and y runs", listOf(), `at least that of node "wf.y" is expected`},
		{"its own", listOf(podOf("n", "wf", nodegraph.NodeID("wf", "wf.y"))), ""},
	}
	for _, c := range cases {
		t.Run(c.why, func(t *testing.T) {
			in := hangs(t)
			pods, err := diagnose.ReadPods(c.pods, "n", "wf")
			require.NoError(t, err)
			in.UsePods(pods)
			report, err := diagnose.Diagnose(in)
			require.NoError(t, err)
			_, err = report.Heal()
			if c.says == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorAs(t, err, new(*diagnose.WrongPodsError))
			assert.ErrorContains(t, err, c.says)
		})
	}
}
