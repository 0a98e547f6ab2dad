package reconcile_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/reconcile"
)

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// templates are what the entrypoint of an object may call.
var templates = map[string]string{
	"pod":    `"container": {"image": "x"}`,
	"locked": `"container": {"image": "x"}, "synchronization": {"mutexes": [{"name": "m"}]}`,
	"sem":    `"container": {"image": "x"}, "synchronization": {"semaphores": [{"configMapKeyRef": {"name": "c", "key": "two"}}]}`,
	"gate":   `"suspend": {}`,
	"sleep":  `"suspend": {"duration": "30s"}`,
	"http":   `"http": {"url": "x"}`,
	"daemon": `"daemon": true, "container": {"image": "x"}`,
	"cached": `"memoize": {"key": "k", "cache": {"configMap": {"name": "c", "key": "k"}}}, "container": {"image": "x"}`,
	"inner":  dagOf("d daemon", "e pod d"),
	"hasty":  `"failFast": true, ` + dagOf("a pod", "b pod"),
	"within": `"synchronization": {"mutexes": [{"name": "m"}]}, ` + dagOf("i pod"),
	"timed":  `"timeout": "20s", "container": {"image": "x"}`,
	"again":  `"retryStrategy": {"limit": 2, "backoff": {"duration": "10s"}}, "container": {"image": "x"}`,
	"set":    `"containerSet": {"containers": [{"name": "main", "image": "x"}]}`,
	"lockedcached": `"synchronization": {"mutexes": [{"name": "m"}]},
		"memoize": {"key": "k", "cache": {"configMap": {"name": "c", "key": "k"}}}, "container": {"image": "x"}`,
}

// objectOf is a Workflow of which nothing has run. Main is the template that it begins with.
func objectOf(name, main string) []byte {
	all := `{"name": "main", ` + main + `}`
	for _, called := range append([]string{"inner", "hasty", "within"}, slices.Sorted(maps.Keys(templates))...) {
		if name := fmt.Sprintf(`{"name": %q, `, called); strings.Contains(all, fmt.Sprintf(`"template": %q`, called)) && !strings.Contains(all, name) {
			all += ", " + name + templates[called] + "}"
		}
	}
	return fmt.Appendf(nil, `{"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow",
		"metadata": {"name": %q, "namespace": "ns", "uid": "u", "resourceVersion": "1"},
		"spec": {"entrypoint": "main", "templates": [%s]}}`, name, all)
}

// dagOf is a DAG of tasks, each "name template" or "name template after".
func dagOf(tasks ...string) string {
	var list []string
	for _, task := range tasks {
		f := strings.Fields(task)
		after := ""
		if len(f) > 2 {
			after = fmt.Sprintf(`, "dependencies": [%q]`, f[2])
		}
		list = append(list, fmt.Sprintf(`{"name": %q, "template": %q%s}`, f[0], f[1], after))
	}
	return `"dag": {"tasks": [` + strings.Join(list, ",") + `]}`
}

// withField writes a field into the spec of an object, as a user does: the object has another version then.
func withField(t *testing.T, object []byte, field string, value any) []byte {
	var o map[string]any
	require.NoError(t, json.Unmarshal(object, &o))
	o["spec"].(map[string]any)[field] = value
	o["metadata"].(map[string]any)["resourceVersion"] = fmt.Sprint(o["metadata"].(map[string]any)["resourceVersion"], "u")
	text, err := json.Marshal(o)
	require.NoError(t, err)
	return text
}

// versioned is an object as the API server has it.
func versioned(t *testing.T, object []byte) []byte {
	var o map[string]any
	require.NoError(t, json.Unmarshal(object, &o))
	o["metadata"].(map[string]any)["resourceVersion"] = "1"
	text, err := json.Marshal(o)
	require.NoError(t, err)
	return text
}

// step reconciles, stores the patch, and returns the object and the outcome.
func step(t *testing.T, r *reconcile.Reconciler, at time.Duration, object []byte, pods []propagate.PodStatus, events ...propagate.Event) ([]byte, *reconcile.Outcome) {
	t.Helper()
	out, err := r.Reconcile(epoch.Add(at), object, pods, events...)
	require.NoError(t, err)
	require.NoError(t, out.Engine.Check())
	return patched(t, object, out.Patch), out
}

// podOf is a pod with one container.
func podOf(node, phase string) propagate.PodStatus {
	c := propagate.ContainerStatus{Name: "main", Running: phase == "Running", Terminated: phase == "Succeeded" || phase == "Failed", Waiting: phase == "Pending"}
	if phase == "Failed" {
		c.ExitCode = 1
	}
	return propagate.PodStatus{Node: node, UID: "uid-" + node, Phase: propagate.PodPhase(phase), Containers: []propagate.ContainerStatus{c}}
}

// actions are the actions of an outcome, in a line each.
func actions(out *reconcile.Outcome) []string {
	list := []string{}
	for _, a := range out.Actions {
		list = append(list, a.String())
	}
	return list
}

// phaseOf is how the record of an object shows a node, or the workflow.
func phaseOf(t *testing.T, object []byte, node string) string {
	w, err := argo.Read(object)
	require.NoError(t, err)
	if node == "" {
		return w.Snapshot.Phase.String()
	}
	for _, n := range w.Snapshot.Nodes {
		if n.Name == node {
			return n.Phase.String()
		}
	}
	return "(none)"
}
