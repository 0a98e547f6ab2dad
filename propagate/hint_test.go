package propagate_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// A refusal says what there is in place of what the event names.
func TestHints(t *testing.T) {
	many := make([]string, 9)
	for k := range many {
		many[k] = fmt.Sprintf("task-%c", 'a'+k)
	}
	e := drawn(t, `dag(a: retry(3, pod(x -> y)) -> b, s: steps(u | v), d: dag(`+strings.Join(many, ", ")+`), l over "{{x}}",
		h: http, w: suspend, m: mutex(m, pod), plain)`)
	tell(t, e, propagate.PodFailed("wf.a(0)", ""), propagate.LockQueued("wf.m", mutexM, "later"))
	for _, c := range []struct {
		event propagate.Event
		want  error
		hint  string
	}{
		{propagate.PodRunning("a"), propagate.ErrUnknownNode, "did you mean wf.a?"},
		{propagate.PodRunning("wf2.a"), propagate.ErrUnknownNode, "the names of the workflow's nodes begin with wf"},
		{propagate.PodRunning("wf.plian"), propagate.ErrUnknownNode, "did you mean wf.plain?"},
		{propagate.PodRunning("wf.a(2)"), propagate.ErrUnknownNode, "wf.a is a Retry: its attempts are wf.a(0), wf.a(1)"},
		{propagate.PodRunning("wf.a[0]"), propagate.ErrUnknownNode, "did you mean wf.a(0)?"},
		{propagate.PodRunning("wf.d.nothing.at.all"), propagate.ErrUnknownNode,
			"wf.d is a DAG: its tasks are wf.d.task-a, wf.d.task-b, wf.d.task-c, wf.d.task-d, wf.d.task-e and 4 more"},
		{propagate.PodRunning("wf.plain.main"), propagate.ErrUnknownNode, "wf.plain is a Pod"},
		{propagate.PodRunning("wf.l(0:q)"), propagate.ErrUnknownNode, "wf.l is a TaskGroup without items so far"},
		{propagate.PodRunning(""), propagate.ErrUnknownNode, "an event names its node by Node, or by At, which is 0 of 29 nodes"},
		{propagate.Event{Type: propagate.EventPodRunning, At: 999}, propagate.ErrUnknownNode, "an event names its node by Node, or by At, which is 999 of 29 nodes"},
		{propagate.PodRunning("wf.a"), propagate.ErrWrongKind, "wf.a is a Retry: its attempts are wf.a(0), wf.a(1)"},
		{propagate.PodRunning("wf.s"), propagate.ErrWrongKind, "wf.s is Steps: its step groups are wf.s[0], wf.s[1]"},
		{propagate.PodRunning("wf.s[0]"), propagate.ErrWrongKind, "wf.s[0] is a StepGroup: its steps are wf.s[0].u"},
		{propagate.PodRunning("wf.a(1).x"), propagate.ErrWrongKind, "wf.a(1).x is a Container: an event names its pod, wf.a(1), and the container"},
		{propagate.PodRunning("wf.h"), propagate.ErrWrongKind, "wf.h is of kind HTTP: it ends by NodeEnded"},
		{propagate.PodRunning("wf.w"), propagate.ErrWrongKind, "wf.w is a Suspend: it ends by Resumed"},
		{propagate.Resumed("wf.plain"), propagate.ErrWrongKind, "wf.plain is a Pod: it ends by PodSucceeded or PodFailed"},
		{propagate.LockGranted("wf.plain"), propagate.ErrWrongKind, "it has no locks"},
		{propagate.Memoized("wf.plain", true), propagate.ErrWrongKind, "it never asks for that"},
		{propagate.PodRunning("wf.b"), propagate.ErrNotStarted, "it is planned, and the host was not asked to start it"},
		{propagate.PodRunning("wf.m"), propagate.ErrWaitsForLock, "its pod must not exist yet: ActionRecreate asks for it when the lock was granted"},
		{propagate.ContainerRunning("wf.a(1)", "z"), propagate.ErrUnknownNode, "its containers are x, y"},
		{propagate.ContainerEnded("wf.plain", "app", 1, ""), propagate.ErrUnknownNode,
			"the pod declares no containers: tell of the pod, and of its exit code by Event.WithExit"},
		{propagate.Event{Type: propagate.EventPodEnded, Node: "wf.plain", Phase: nodegraph.PhaseFailed, ExitCode: 3}, propagate.ErrInvalid,
			"HasExit says that the code is known: see Event.WithExit"},
		{propagate.Shutdown("stop"), propagate.ErrInvalid, "it is Stop or Terminate"},
	} {
		refusal := refused(t, e, c.event)
		require.ErrorIs(t, refusal, c.want, "%v", c.event)
		require.Equal(t, c.hint, refusal.Hint, "%v", c.event)
		require.True(t, strings.HasSuffix(refusal.Error(), c.hint), refusal.Error())
	}
}

// However many nodes there are, and however long a name is, a hint is short.
func TestHintsAreShort(t *testing.T) {
	tasks := make([]string, 3000)
	for k := range tasks {
		tasks[k] = fmt.Sprintf("t%d", k)
	}
	e := drawn(t, "dag("+strings.Join(tasks, ", ")+")")
	for _, name := range []string{"wf.x", "wf." + strings.Repeat("t1", 4000), strings.Repeat("(", 4000), strings.Repeat(".", 4000)} {
		require.Less(t, len(refused(t, e, propagate.PodRunning(name)).Error()), 700)
	}
}
