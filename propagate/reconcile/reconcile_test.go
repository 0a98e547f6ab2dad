package reconcile_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/reconcile"
)

// What users write into the spec while the workflow runs is carried out: a shutdown that no status shows yet, with a pod that
// runs, one that is pending, and a node that waits for a lock.
func TestShutdownInTheObject(t *testing.T) {
	for _, strategy := range []string{"Stop", "Terminate"} {
		var r reconcile.Reconciler
		other := objectOf("other", dagOf("x locked"))
		require.NoError(t, r.Adopt())
		other, _ = step(t, &r, 0, other, nil)
		object, out := step(t, &r, 0, objectOf("w", dagOf("a pod", "b pod", "c locked", "d pod a")), nil)
		require.ElementsMatch(t, []string{"Start Pod w.a", "Start Pod w.b"}, actions(out))
		pods := []propagate.PodStatus{podOf("w.a", "Running"), podOf("w.b", "Pending")}
		object, _ = step(t, &r, 1, object, pods)
		require.Equal(t, "Pending", phaseOf(t, object, "w.c"))

		object = withField(t, object, "shutdown", strategy)
		object, out = step(t, &r, 2, object, pods)
		why := fmt.Sprintf("%q", "workflow shutdown with strategy:  "+strategy)
		assert.ElementsMatch(t, []string{"Terminate w.a " + why, "Terminate w.b " + why, "Release w.c ns/Mutex/m", "Complete"}, actions(out))
		assert.Equal(t, []string{"Failed", "Failed", "Failed", "Failed", "Omitted"}, []string{phaseOf(t, object, ""), phaseOf(t, object, "w.a"),
			phaseOf(t, object, "w.b"), phaseOf(t, object, "w.c"), phaseOf(t, object, "w.d")})
		table := r.Locks()
		assert.Len(t, table.Holders("ns/Mutex/m"), 1, "of the other workflow")

		// The host has crashed before it ended the pods: it hears of them as long as they are there.
		_, out = step(t, &r, 3, object, pods)
		assert.Subset(t, actions(out), []string{"Terminate w.a " + why, "Terminate w.b " + why})
		_, out = step(t, &r, 4, object, nil)
		assert.Equal(t, []string{"Complete"}, actions(out))
		assert.Nil(t, out.Patch, "nothing is new")
		_ = other
	}
}

// A workflow that is suspended as a whole starts nothing, and goes on when it is not any more. A Suspend node goes on when it is
// resumed.
func TestSuspendInTheObject(t *testing.T) {
	var r reconcile.Reconciler
	object, out := step(t, &r, 0, withField(t, objectOf("w", dagOf("a pod", "g gate a")), "suspend", true), nil)
	require.Empty(t, out.Actions)
	object, out = step(t, &r, 1, withField(t, object, "suspend", false), nil)
	require.Equal(t, []string{"Start Pod w.a"}, actions(out))
	object, out = step(t, &r, 2, object, []propagate.PodStatus{podOf("w.a", "Succeeded")})
	require.Equal(t, "Running", phaseOf(t, object, "w.g"))
	require.Empty(t, out.Actions)
	object, out = step(t, &r, 3, object, []propagate.PodStatus{podOf("w.a", "Succeeded")}, propagate.Resumed("w.g"))
	require.Equal(t, []string{"Complete"}, actions(out))
	require.Equal(t, "Succeeded", phaseOf(t, object, ""))
}

// A deadline that has passed while nobody looked ends the workflow with the next call, and Wake is when it passes.
func TestDeadline(t *testing.T) {
	var r reconcile.Reconciler
	object, out := step(t, &r, 0, withField(t, objectOf("w", dagOf("a pod")), "activeDeadlineSeconds", 60), nil)
	require.Equal(t, epoch.Add(time.Minute), out.Wake)
	pods := []propagate.PodStatus{podOf("w.a", "Running")}
	object, out = step(t, &r, time.Second, object, pods)
	require.Equal(t, epoch.Add(time.Minute), out.Wake, "an engine that was made anew says it again")
	object, out = step(t, &r, 2*time.Minute, object, pods)
	require.Equal(t, []string{`Terminate w.a "Step exceeded its deadline"`, "Complete"}, actions(out))
	require.Equal(t, "Failed", phaseOf(t, object, "w.a"))
	require.Zero(t, out.Wake)
}

// A lock goes from one workflow to the other when the end of its holder is stored, and not before: a patch that is refused
// changes nothing. The turn of those who wait outlasts their calls.
func TestLocksOfTwoWorkflows(t *testing.T) {
	var r reconcile.Reconciler
	require.NoError(t, r.Adopt())
	done := func(w string) []propagate.PodStatus { return []propagate.PodStatus{podOf(w+".x", "Succeeded")} }
	first, out := step(t, &r, 0, objectOf("first", dagOf("x locked")), nil)
	require.Equal(t, []string{"Start Pod first.x"}, actions(out))
	second, out := step(t, &r, 0, objectOf("second", dagOf("x locked")), nil)
	require.Empty(t, actions(out))
	third, _ := step(t, &r, 0, objectOf("third", dagOf("x locked")), nil)
	for range 3 { // to be called again makes nobody lose the turn
		second, out = step(t, &r, 1, second, nil)
		require.Empty(t, out.Actions)
		require.Empty(t, out.Others)
	}

	refused, err := r.Reconcile(epoch, first, done("first"))
	require.NoError(t, err)
	require.Equal(t, []string{"Release first.x ns/Mutex/m", "Complete"}, actions(refused))
	second, out = step(t, &r, 2, second, nil)
	require.Empty(t, out.Actions, "nothing was stored, so nothing was given back")

	first, out = step(t, &r, 3, first, done("first"))
	require.Equal(t, []string{"Release first.x ns/Mutex/m", "Complete"}, actions(out))
	require.Equal(t, []string{"ns/second"}, r.Release(out.Workflow, &out.Actions[0]))
	third, out = step(t, &r, 4, third, nil)
	require.Empty(t, out.Actions)
	require.Empty(t, out.Others)
	_, out = step(t, &r, 4, second, nil)
	require.Equal(t, []string{"Recreate second.x"}, actions(out))
	_, out = step(t, &r, 5, first, done("first"))
	require.Empty(t, out.Others)
	require.Equal(t, []string{"ns/third"}, r.Forget("ns/second"), "it was deleted")
	_, out = step(t, &r, 6, third, nil)
	require.Equal(t, []string{"Recreate third.x"}, actions(out))
}

// A host that has crashed before it gave a lock back gives it to the next with the first call.
func TestAReleaseThatWasForgotten(t *testing.T) {
	var before reconcile.Reconciler
	require.NoError(t, before.Adopt())
	first, _ := step(t, &before, 0, objectOf("first", dagOf("x locked", "y pod x")), nil)
	second, _ := step(t, &before, 0, objectOf("second", dagOf("x locked")), nil)
	first, _ = step(t, &before, 1, first, []propagate.PodStatus{podOf("first.x", "Succeeded")})
	for name, r := range map[string]*reconcile.Reconciler{"the host goes on": &before, "the host is another": {}} {
		require.NoError(t, r.Adopt(first, second), name)
		_, out := step(t, r, 2, first, []propagate.PodStatus{podOf("first.x", "Succeeded")})
		require.Equal(t, []string{"ns/second"}, out.Others, name)
		_, out = step(t, r, 3, second, nil)
		require.Equal(t, []string{"Recreate second.x"}, actions(out), name)
	}
}

// Limits of semaphores come from the host. A lock that the host says can't be had ends its node.
func TestLimitsAndLocksThatCantBeHad(t *testing.T) {
	asked := ""
	r := reconcile.Reconciler{Limit: func(key string) (int, error) { asked = key; return 2, nil }}
	require.NoError(t, r.Adopt())
	_, out := step(t, &r, 0, objectOf("w", dagOf("a sem", "b sem", "c sem")), nil)
	require.Equal(t, []string{"Start Pod w.a", "Start Pod w.b"}, actions(out))
	require.Equal(t, "ns/ConfigMap/c/two", asked)

	r = reconcile.Reconciler{Answer: func(_ *argo.Workflow, _ *propagate.Engine, a *propagate.Action) (propagate.Event, error) {
		return propagate.Unanswerable(a.ID, "no ConfigMap c"), nil
	}}
	require.NoError(t, r.Adopt())
	object, _ := step(t, &r, 0, objectOf("w", dagOf("a sem")), nil)
	require.Equal(t, "Error", phaseOf(t, object, "w.a"))
	require.Equal(t, "Error", phaseOf(t, object, ""))
}

// A question is answered by the callback within the call, or else by an event of a later one, and is asked until then.
func TestQuestions(t *testing.T) {
	main := `"dag": {"tasks": [{"name": "a", "template": "pod", "when": "{{workflow.parameters.p}} == 1"}]}`
	r := reconcile.Reconciler{}
	object, out := step(t, &r, 0, objectOf("w", main), nil)
	for range 2 {
		require.Equal(t, []string{`Resolve w.a "{{workflow.parameters.p}} == 1"`}, actions(out))
		object, out = step(t, &r, 1, object, nil)
	}
	_, out = step(t, &r, 2, object, nil, propagate.Resolved("w.a", true, ""))
	require.Equal(t, []string{"Start Pod w.a"}, actions(out))

	r.Answer = func(_ *argo.Workflow, _ *propagate.Engine, a *propagate.Action) (propagate.Event, error) {
		return propagate.Resolved(a.ID, false, "2 == 1"), nil
	}
	object, out = step(t, &r, 2, object, nil)
	require.Equal(t, []string{"Complete"}, actions(out))
	require.Equal(t, "Skipped", phaseOf(t, object, "w.a"))
}

// A manual retry removes what it resets from the record, with the shutdown that would stop it again, and names the pods that are
// to be deleted.
func TestManualRetry(t *testing.T) {
	var r reconcile.Reconciler
	pods := []propagate.PodStatus{podOf("w.a", "Succeeded"), podOf("w.b", "Failed"), podOf("w.c", "Running")}
	object, _ := step(t, &r, 0, objectOf("w", dagOf("a pod", "b pod", "c set", "d pod b")), nil)
	object, _ = step(t, &r, 1, object, pods)
	object, _ = step(t, &r, 2, withField(t, object, "shutdown", "Stop"), pods)
	require.Equal(t, "Omitted", phaseOf(t, object, "w.d"))
	object, out := step(t, &r, 3, object, pods, propagate.ManualRetry())
	id := func(name string) string { return nodegraph.NodeID("w", name) }
	require.ElementsMatch(t, []string{id("w.b"), id("w.c"), id("w.c.main"), id("w.d")}, out.Reset)
	require.ElementsMatch(t, []string{"Start Pod w.b", "Start Pod w.c"}, actions(out))
	require.Equal(t, []string{"Succeeded", "Pending", "Pending", "(none)"}, []string{
		phaseOf(t, object, "w.a"), phaseOf(t, object, "w.b"), phaseOf(t, object, "w.c"), phaseOf(t, object, "w.d")})
	require.NotContains(t, string(object), `"shutdown"`)
	encoded, err := out.Object.Encode()
	require.NoError(t, err)
	require.NotContains(t, string(encoded), `"shutdown"`)
	_, out = step(t, &r, 4, object, []propagate.PodStatus{podOf("w.a", "Succeeded")})
	require.ElementsMatch(t, []string{"Recreate w.b", "Recreate w.c"}, actions(out), "it goes on after a restart")
}

// What is wrong gets an error that says where, and nothing has changed then.
func TestErrors(t *testing.T) {
	lost := errors.New("the cache is away")
	locked := objectOf("w", dagOf("a locked"))
	asks := objectOf("w", `"dag": {"tasks": [{"name": "l", "template": "locked"}, {"name": "a", "template": "pod", "when": "{{x}} == 1", "dependencies": []}]}`)
	for _, tt := range []struct {
		name   string
		object []byte
		events []propagate.Event
		limit  error
		stage  reconcile.Stage
		cause  error
		want   string
	}{
		{"no object", []byte("{"), nil, nil, reconcile.StageRead, nil, `reconcile: read: `},
		{"no template", objectOf("w", dagOf("a none")), nil, nil, reconcile.StageRestore, nil, `reconcile: workflow ns/w: restore: `},
		{"an event of no node", locked, []propagate.Event{propagate.Resumed("w.none")}, nil, reconcile.StageEvents, propagate.ErrUnknownNode, `"w.none"`},
		{"a shutdown", locked, []propagate.Event{propagate.Shutdown("Stop")}, nil, reconcile.StageEvents, reconcile.ErrInObject, `spec.shutdown`},
		{"a suspension", locked, []propagate.Event{propagate.Suspended(true)}, nil, reconcile.StageEvents, reconcile.ErrInObject, `spec.suspend`},
		{"another spec", locked, []propagate.Event{{Type: propagate.EventManualRetry, Spec: &nodegraph.Spec{}}}, nil, reconcile.StageEvents, reconcile.ErrInObject, `spec`},
		{"a strategy that there is not", withField(t, locked, "shutdown", "stop"), nil, nil, reconcile.StageRestore, propagate.ErrInvalid, `"stop"`},
		{"a callback", asks, nil, nil, reconcile.StageAnswer, lost, lost.Error()},
		{"a limit", objectOf("w", dagOf("a sem")), nil, lost, reconcile.StageAnswer, lost, lost.Error()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := reconcile.Reconciler{
				Answer: func(_ *argo.Workflow, _ *propagate.Engine, a *propagate.Action) (propagate.Event, error) {
					if a.Type == propagate.ActionResolve {
						return propagate.Event{}, lost
					}
					return propagate.Event{}, nil
				},
				Limit: func(string) (int, error) { return 1, tt.limit },
			}
			require.NoError(t, r.Adopt())
			_, err := r.Reconcile(epoch, tt.object, nil, tt.events...)
			var e *reconcile.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, tt.stage, e.Stage, "%v", err)
			require.Contains(t, err.Error(), tt.want)
			if tt.cause != nil {
				require.ErrorIs(t, err, tt.cause)
			}
			table := r.Locks()
			require.Empty(t, table.Holders("ns/Mutex/m"))
			require.Empty(t, table.Waiters("ns/Mutex/m"))
		})
	}
	var r reconcile.Reconciler
	_, err := r.Reconcile(epoch, locked, nil)
	require.ErrorIs(t, err, reconcile.ErrNotAdopted)
	err = r.Adopt([]byte("{"), locked)
	require.ErrorContains(t, err, "reconcile: read: ")
	_, err = r.Reconcile(epoch, locked, nil)
	require.NoError(t, err, "what can be read is adopted")
}

// What the workflow does not know is said. Who has no version gets a patch without one.
func TestUnknownAndNoVersion(t *testing.T) {
	var r reconcile.Reconciler
	object := []byte(strings.Replace(string(objectOf("w", dagOf("a pod", "b pod a"))), `, "resourceVersion": "1"`, "", 1))
	out, err := r.Reconcile(epoch, object, []propagate.PodStatus{podOf("stray", "Running")})
	require.NoError(t, err)
	require.Equal(t, []string{"stray"}, out.Unknown)
	require.NotContains(t, string(out.Patch), "metadata")
	require.Contains(t, string(out.Patch), fmt.Sprintf(`"children":[%q]`, nodegraph.NodeID("w", "w.a")))
}
