package diagnose_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/diagnose"
)

// runningWith is a workflow with one task, whose pod runs for two minutes at noon. The parts are of its specification, of the
// task, and of the template.
func runningWith(spec, task, template string) string {
	id := nodegraph.NodeID("w", "w.a")
	node := `%q:{"id":%q,"name":%q,"type":%q,"phase":"Running","startedAt":"2026-03-10T11:58:00Z"%s}`
	return `{"kind":"Workflow","metadata":{"name":"w","namespace":"n","creationTimestamp":"2026-03-10T11:58:00Z"},"spec":{"entrypoint":"m",` + spec +
		`"arguments":{"parameters":[{"name":"few","value":"3"}]},"templates":[{"name":"m","dag":{"tasks":[{"name":"a",` + task + `"template":"t"}]}},` +
		`{"name":"t",` + template + `"container":{}}]},"status":{"phase":"Running","startedAt":"2026-03-10T11:58:00Z","nodes":{` +
		fmt.Sprintf(node, "w", "w", "w", "DAG", "") + "," + fmt.Sprintf(node, id, id, "w.a", "Pod", `,"boundaryID":"w"`) + `}}}`
}

// A workflow is looked at whatever its expressions say: what can't be evaluated is named, and left to the controller.
func TestLeftToTheController(t *testing.T) {
	for _, c := range []struct {
		why, spec, task, template string
		says                      string // empty: the object answers it, or nothing waits for it
	}{
		{"a parameter as a number", "", "", `"activeDeadlineSeconds":"{{workflow.parameters.few}}",`, ""},
		{"a parameter as a limit", "", "", `"retryStrategy":{"limit":"{{workflow.parameters.few}}"},`, ""},
		{"a parameter that is not given", "", "", `"retryStrategy":{"limit":"{{inputs.parameters.many}}"},`,
			"spec.templates[1].retryStrategy.limit is {{inputs.parameters.many}}, which only the controller knows (here: not set)"},
		{"an expression as a timeout", "", "", `"timeout":"{{=workflow.parameters.few + 'm'}}",`,
			"spec.templates[1].timeout is {{=workflow.parameters.few + 'm'}}, which only the controller knows (here: not set)"},
		{"an expression as a mutex", "", "", `"synchronization":{"mutexes":[{"name":"{{=workflow.parameters.few + 'x'}}"}]},`,
			"spec.templates[1].synchronization.mutexes[0] is n/Mutex/{{=workflow.parameters.few + 'x'}}, which only the controller knows (here: as it stands)"},
		{"a semaphore of a database", "", "", `"synchronization":{"semaphores":[{"database":{"key":"few"}}]},`, ""},
		{"a function in a memoization key", "", "", `"memoize":{"key":"{{=sprig.trim('x ')}}","cache":{"configMap":{"name":"c"}}},`, ""},
		{"a function in a retry expression", "", "", `"retryStrategy":{"limit":2,"expression":"sprig.int(lastRetry.exitCode) > 1"},`, ""},
		{"a function in a when", "", `"when":"{{=sprig.contains('a', 'abc')}}",`, "", ""},
		{"a when with quotes", "", `"when":"'{{workflow.parameters.few}}' == '3'",`, "", ""},
		{"a function in a hook", `"hooks":{"h":{"template":"t","expression":"sprig.contains('x', workflow.status)"}},`, "", "", ""},
		{"a path in a hook", `"hooks":{"h":{"template":"t","expression":"jsonpath('{}', '$.x') == workflow.status"}},`, "", "", ""},
		{"an expression as a list", "", `"withParam":"{{=toJson([1, 2])}}",`, "", ""},
		{"fields that are not known", `"later":3,`, `"sooner":true,`, `"other":{"a":1},`, ""},
		{"a template that is not stored", "", `"templateRef":{"name":"lib","template":"x"},`, "",
			"spec.templates[0].dag.tasks[0].templateRef is namespaced/lib/x, which the object does not hold yet: what comes of it is not known here, unless -templates FILE has it"},
	} {
		t.Run(c.why, func(t *testing.T) {
			w, in := storedIn(t, []byte(runningWith(c.spec, c.task, c.template)), nil, noon)
			report, err := diagnose.Heal(w, in)
			require.NoError(t, err)
			assert.Equal(t, diagnose.VerdictHealthy, report.Verdict(), "%v", report.Findings)
			assert.Empty(t, report.Follows, "nothing is settled by what is not known")
			if c.says == "" {
				assert.Empty(t, report.Notes)
			} else {
				assert.Equal(t, []string{c.says}, report.Notes)
			}
			patch, err := w.Patch()
			require.NoError(t, err)
			assert.Equal(t, "{}", string(patch))
		})
	}
}

// Many fields are counted, and none is named any more once the workflow has ended.
func TestManyLeftToTheController(t *testing.T) {
	var locks []string
	for k := range 7 {
		locks = append(locks, fmt.Sprintf(`{"name":"{{inputs.parameters.m%d}}"}`, k))
	}
	text := runningWith("", "", `"synchronization":{"mutexes":[`+strings.Join(locks, ",")+`]},`)
	_, in := storedIn(t, []byte(text), nil, noon)
	report, err := diagnose.Diagnose(in)
	require.NoError(t, err)
	require.Len(t, report.Notes, 6)
	assert.Equal(t, "2 fields more are known only to the controller", report.Notes[5])

	in.Snapshot.Phase = nodegraph.PhaseFailed
	report, err = diagnose.Diagnose(in)
	require.NoError(t, err)
	assert.Empty(t, report.Notes)
}
