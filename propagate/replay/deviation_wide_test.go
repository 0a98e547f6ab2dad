package replay_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/replay"
)

// The deviations that the wide recordings show. A sight with the number 0 is a neighbour that is as recorded.

const (
	omitted     = `Skipped Omitted "omitted: depends condition not met"`
	stoppedStop = `Retry Failed "Stopped with strategy 'Stop'"`
	failedFast  = `Retry Failed "template has failed or errored children and failFast enabled"`
	closed      = `Failed "closed: what it is inside of has ended"`
)

// inStep plays a wide recording from each recorded frame.
func inStep(t *testing.T, name string) *played {
	t.Helper()
	return play(t, "wide/"+name+".json.gz", replay.Step)
}

// What fails before an omitted target fails its DAG.
func TestDeviation8FailureBecomesSuccess(t *testing.T) {
	inStep(t, "rnd60").shows(t,
		sight{36, "rnd60.b-0", `DAG Succeeded`, `DAG Failed`, 8},
		sight{36, "rnd60", `DAG Succeeded`, `DAG Failed`, 8},
		sight{36, "", `Succeeded`, `Failed`, 8},
		sight{35, "rnd60.b-0", `DAG Running`, `DAG Running`, 0},
	)
}

// Two failures are as near to the omitted target n6: which comes first is what the DAG ends with, and what the Retry
// around it goes by.
func TestDeviation9KindOfFailure(t *testing.T) {
	play(t, "random/gen20-seed7.json.gz", replay.Step).shows(t,
		sight{3, "gen20(0).task-0", `DAG Failed`, `DAG Failed`, 0},
		sight{3, "gen20(0).job1.c2", `Container Error "c2: Error (exit code 64): "`, `Container Error "c2: Error (exit code 64): "`, 0},
		sight{3, "gen20(0).n6", omitted, omitted, 0},
		sight{3, "gen20(0)", `DAG Error`, `DAG Failed`, 9},
		sight{3, "gen20", `Retry Error`, `Retry Running`, 9},
		sight{3, "gen20(1)", `(none)`, `DAG Running`, 9},
		sight{3, "", `Error`, `Running`, 9},
	)
}

// No pod is asked for once the deadline has passed.
func TestDeviation10PodsAfterTheDeadline(t *testing.T) {
	const exceeded = `Pod Failed "Step exceeded its deadline"`
	p := inStep(t, "par-deadline")
	p.shows(t,
		sight{2, "pardl.a", exceeded, exceeded, 0},
		sight{2, "pardl.b", `Pod Pending`, exceeded, 10},
		sight{2, "pardl.c(0)", `Pod Pending`, exceeded, 10},
		sight{2, "pardl.d", `(none)`, omitted, 10},
		sight{2, "pardl", `DAG Running`, `DAG Failed`, 10},
		sight{2, "", `Running`, `Failed`, 10},
		sight{3, "pardl.b", exceeded, exceeded, 0},
	)
	for _, a := range p.results[2].Actions {
		require.False(t, a.Type == propagate.ActionRecreate, "a pod is asked for: %s", a)
	}
}

// A DAG ends when its hooks have ended, under a shutdown too.
func TestDeviation11DAGEndsOverItsHook(t *testing.T) {
	inStep(t, "hook-stop").shows(t,
		sight{2, "hookstop.a.onExit", `Pod Pending`, `Pod Pending`, 0},
		sight{2, "hookstop", `DAG Failed`, `DAG Running`, 11},
		sight{2, "hookstop.onExit", `Pod Pending`, `(none)`, 11},
		sight{3, "hookstop", `DAG Failed`, `DAG Failed`, 0},
		sight{3, "hookstop.b", `(none)`, omitted, 11},
	)
	inStep(t, "stop-hook-nontarget").shows(t,
		sight{2, "stophnt", `DAG Failed`, `DAG Running`, 11},
		sight{2, "", `Failed "Stopped with strategy 'Stop'"`, `Running`, 11},
	)
	// The hook may be deeper.
	inStep(t, "rnd445").shows(t,
		sight{8, "rnd445.job0.b-4", `TaskGroup Running`, `TaskGroup Running`, 0},
		sight{8, "rnd445.job0", `DAG Failed`, `DAG Running`, 11},
	)
}

// An attempt that is composite ends with what is inside it.
func TestDeviation12StoppedRetryLeavesItsAttemptOpen(t *testing.T) {
	inStep(t, "stop-retry-around-dag").shows(t,
		sight{2, "stoprd.d", stoppedStop, stoppedStop, 0},
		sight{2, "stoprd.d(0)", `DAG Running`, `DAG Failed`, 12},
		sight{2, "stoprd.d(0).b", `(none)`, omitted, 12},
		sight{2, "stoprd.s(0)[0]", `StepGroup Running`, `StepGroup Failed "child 'stoprd-1137711938' failed"`, 12},
		sight{2, "stoprd", `DAG Failed`, `DAG Failed`, 0},
	)
}

// A Retry is as its last attempt is, whatever else happens.
func TestDeviation13StoppedSuccess(t *testing.T) {
	inStep(t, "stop-retry-succeeds").shows(t,
		sight{2, "stoprok.a(0)", `Pod Succeeded`, `Pod Succeeded`, 0},
		sight{2, "stoprok.a", stoppedStop, `Retry Succeeded`, 13},
	)
	inStep(t, "stop-exit-handler-retried").shows(t,
		sight{5, "stopxr.onExit(0)[0].h1", stoppedStop, `Retry Succeeded`, 13},
		sight{5, "stopxr.onExit(0)[1]", `(none)`, `StepGroup Running`, 13},
		sight{5, "stopxr.onExit", stoppedStop, `Retry Running`, 13},
	)
}

// What fails fast closes the Retry inside.
func TestDeviation14FailFastLeavesARetryOpen(t *testing.T) {
	p := inStep(t, "failfast-retry-open")
	p.shows(t,
		sight{2, "ffretry.d.a", `Retry Running`, failedFast, 14},
		sight{2, "ffretry.d.b", `(none)`, omitted, 14},
		sight{5, "ffretry", `DAG Running`, `DAG Running`, 0},
		sight{6, "ffretry", `DAG Running`, `DAG Succeeded`, 14},
		sight{p.last(), "", `Running`, `Succeeded`, 14},
	)
	// A task that no Retry stands before is not made either.
	inStep(t, "failfast-lock-leak").shows(t,
		sight{2, "ffleak.p.a", `Pod Failed "main: Error (exit code 1)"`, `Pod Failed "main: Error (exit code 1)"`, 0},
		sight{2, "ffleak.p.b", `(none)`, omitted, 14},
	)
}

// A group waits for all its steps.
func TestDeviation15TimeoutEndsTheGroup(t *testing.T) {
	inStep(t, "pending-timeout-siblings").shows(t,
		sight{2, "ptsib[0].a", `Pod Failed "timeout"`, `Pod Failed "timeout"`, 0},
		sight{2, "ptsib[0].b", `Pod Running`, `Pod Running`, 0},
		sight{2, "ptsib[0]", `StepGroup Failed "timeout"`, `StepGroup Running`, 15},
		sight{2, "", `Failed "timeout"`, `Running`, 15},
	)
	// What is deeper inside the group is not looked at.
	inStep(t, "rnd21").shows(t,
		sight{3, "rnd21[0]", `StepGroup Failed "timeout"`, `StepGroup Running`, 15},
		sight{3, "rnd21[0].s2", `Steps Running`, `Steps Running`, 0},
		sight{3, "rnd21[0].s2[0].s2.hooks.running", `Steps Running`, `Steps Failed "child 'rnd21-771650582' failed"`, 15},
	)
}

// The hook is in Error, and its group waits for the items.
func TestDeviation16HookErrorEndsTheGroup(t *testing.T) {
	p := inStep(t, "hook-steps-items")
	p.shows(t,
		sight{0, "hooksi[0].a(0:x)", `Pod Pending`, `Pod Pending`, 0},
		sight{0, "hooksi", `Steps Running`, `Steps Running`, 0},
	)
	require.Equal(t, 16, p.number(0, "hooksi[0]"))
	require.Equal(t, `StepGroup Running`, p.library[0]["hooksi[0]"].String())
	require.Equal(t, 16, p.number(1, ""))
	inStep(t, "rnd330").shows(t, sight{0, "rnd330[0].s1(0:k:0).hooks.running", `(none)`, `Retry Running`, 16})
	inStep(t, "rnd37").shows(t,
		sight{21, "rnd37(0)[0].s2(1:k:1)[1].s3(0:n01).b-1", `Retry Running`, `Retry ` + closed, 16},
		sight{21, "rnd37(0)[0].s2(1:k:1)[1].s3(0:n01).a4", `(none)`, omitted, 16},
	)
}

// A hook waits for a place.
func TestDeviation17NoPlaceForAHook(t *testing.T) {
	inStep(t, "step-exit-hook-parallelism").shows(t,
		sight{2, "sxpar[0].f(1:y)", `Pod Running`, `Pod Running`, 0},
		sight{2, "sxpar[0]", `StepGroup Error "Max parallelism reached"`, `StepGroup Running`, 17},
		sight{2, "", `Error "Max parallelism reached"`, `Running`, 17},
	)
	// There is no place for it either where the template fails fast.
	inStep(t, "rnd37").shows(t,
		sight{32, "rnd37(0)", `Steps` + failedFast[len(`Retry`):], `Steps` + failedFast[len(`Retry`):], 0},
		sight{32, "rnd37(0)[0]", `StepGroup Error "Max parallelism reached"`, `StepGroup` + failedFast[len(`Retry`):], 17},
	)
}

// A loop over an inline template ends as its items do.
func TestDeviation18InlineLoop(t *testing.T) {
	inStep(t, "inline-loop-steps").shows(t,
		sight{2, "inloops[0]", `StepGroup Succeeded`, `StepGroup Succeeded`, 0},
		sight{2, "inloops", `Steps Error "failed to get a template"`, `Steps Running`, 18},
		sight{2, "inloops[1]", `(none)`, `StepGroup Running`, 18},
		sight{2, "", `Error "error in entry template execution: failed to get a template"`, `Running`, 18},
	)
	inStep(t, "rnd29").shows(t,
		sight{5, "rnd29.n2", `Skipped Error "failed to get a template"`, `TaskGroup Running`, 18},
		sight{12, "rnd29.a3", omitted, omitted, 0},
		sight{13, "rnd29.a3", `Skipped Error "failed to get a template"`, omitted, 18}, // it was omitted before
	)
}

// The library does not panic where the controller did.
func TestDeviation19Panic(t *testing.T) {
	inStep(t, "manual-semaphore-and-mutex").shows(t,
		sight{5, "mansem", `DAG Error "Workflow operation error"`, `DAG Running`, 19},
		sight{5, "", `Error "runtime error: invalid memory address or nil pointer dereference"`, `Running`, 19},
	)
}

// A hook is no attempt.
func TestDeviation20HookForAnAttempt(t *testing.T) {
	inStep(t, "hook-retried-task").shows(t,
		sight{4, "hookrt.a(0)", `Pod Failed "main: Error (exit code 1)"`, `Pod Failed "main: Error (exit code 1)"`, 0},
		sight{4, "hookrt.a(1)", `(none)`, `Pod Pending`, 20},
		sight{7, "hookrt.a", `Retry Succeeded`, `Retry Running`, 20},
		sight{7, "hookrt.b", `Pod Pending`, `(none)`, 20},
		sight{9, "hookrt.b", `Pod Succeeded`, `Pod Succeeded`, 0},
		sight{9, "hookrt", `DAG Running`, `DAG Succeeded`, 20},
		sight{13, "", `Running`, `Succeeded`, 20},
	)
	// The hook of the workflow for an attempt of its entry: the tasks of the entry are made inside the hook.
	inStep(t, "rnd31").shows(t,
		sight{1, "rnd31(0).job0(0)", `Pod Running`, `Pod Running`, 0},
		sight{1, "rnd31.hooks.running.job0", `Retry Running`, `(none)`, 20},
		sight{1, "rnd31.hooks.running.job0(0)", `Pod Pending`, `(none)`, 20},
		sight{10, "rnd31(0)", `DAG Running`, `DAG Running`, 0},
		sight{10, "rnd31(0).job0", `Retry Running`, `Retry Succeeded`, 20},
		sight{10, "rnd31.hooks.running", `Retry Succeeded`, `Retry Failed "No more retries left"`, 20},
		sight{10, "rnd31", `Retry Succeeded`, `Retry Running`, 20},
		sight{10, "", `Succeeded`, `Running`, 20},
	)
}

// Every item runs its exit hook.
func TestDeviation21OnlyTheFirstItemRunsItsHook(t *testing.T) {
	inStep(t, "items-exit-hook-dag").shows(t,
		sight{2, "ixdag.f(0:x).onExit", `Pod Pending`, `Pod Pending`, 0},
		sight{2, "ixdag.f(1:y).onExit", `(none)`, `Pod Pending`, 21},
		sight{6, "ixdag", `DAG Succeeded`, `DAG Running`, 21},
	)
}

// A ready daemon holds nothing open, whatever its containers do.
func TestDeviation22DaemonContainersKeepTheDAGOpen(t *testing.T) {
	p := inStep(t, "daemon-containerset-dag")
	for _, frame := range []int{4, p.last()} {
		p.shows(t,
			sight{frame, "dmset.x", `Pod Succeeded`, `Pod Succeeded`, 0},
			sight{frame, "dmset.d", `Pod Running`, `Pod Succeeded`, 22},
			sight{frame, "dmset.d.main", `Container Running`, `Container Succeeded`, 22},
			sight{frame, "dmset", `DAG Running`, `DAG Succeeded`, 22},
			sight{frame, "", `Running`, `Succeeded`, 22},
		)
	}
}

// A task waits for the hooks of what it comes after.
func TestDeviation23StartsBeforeTheHookOfADAG(t *testing.T) {
	p := inStep(t, "hook-steps-of-nested-dag")
	p.shows(t,
		sight{2, "hooknest.n", `DAG Succeeded`, `DAG Succeeded`, 0},
		sight{2, "hooknest.z", `Pod Pending`, `(none)`, 23},
		sight{6, "hooknest.n.hooks.succeeded[0]", `StepGroup Running`, `StepGroup Succeeded`, 23},
		sight{6, "hooknest.n.hooks.succeeded[1]", `(none)`, `StepGroup Running`, 23},
		sight{p.last(), "hooknest", `DAG Running`, `DAG Running`, 0},
	)
}

// A daemon that failed is tried again whatever uses it.
func TestDeviation24DaemonWithoutAUser(t *testing.T) {
	inStep(t, "daemon-retry-no-user").shows(t,
		sight{2, "dmnouser[0].d", `Retry Running`, `Retry Running`, 0},
		sight{2, "dmnouser[0].d(1)", `(none)`, `Pod Pending`, 24},
	)
	inStep(t, "rnd23").shows(t, sight{10, "rnd23[1].s2", `Retry Succeeded`, `Retry Running`, 24})
}

// Nothing is open inside what has ended, whatever the record says.
func TestDeviation25WhatIsLeftOpen(t *testing.T) {
	p := inStep(t, "pending-timeout-siblings")
	p.shows(t,
		sight{3, "ptsib", `Steps Failed "timeout"`, `Steps Failed "timeout"`, 0},
		sight{3, "ptsib[0].b", `Pod Running`, `Pod ` + closed, 25},
		sight{3, "", `Failed "timeout"`, `Failed "timeout"`, 0},
	)
	var ended []string
	for _, a := range p.results[3].Actions {
		require.Equal(t, propagate.ActionTerminate, a.Type, "all that is asked of a complete workflow: %s", a)
		ended = append(ended, a.Name)
	}
	require.Equal(t, []string{"ptsib[0].b"}, ended, "the pod that the host lists is to end")
	inStep(t, "stop-hook-nontarget").shows(t, sight{3, "stophnt.a.onExit", `Pod Pending`, `Pod ` + closed, 25})
	// Nothing was made of what comes after it.
	inStep(t, "manual-semaphore-and-mutex").shows(t,
		sight{6, "mansem.m", `Pod Pending`, `Pod ` + closed, 25},
		sight{6, "mansem.z", `(none)`, omitted, 25},
	)
	// A group had ended over what is open, while the workflow goes on.
	inStep(t, "rnd37").shows(t,
		sight{24, "", `Running`, `Running`, 0},
		sight{24, "rnd37(0)[0].s2(1:k:1)[1].s3(0:n01).b-1", `Retry Running`, `Retry ` + closed, 25},
	)
}

// A lock goes back as its holder ends.
func TestDeviation26LockOfAFailedFastTask(t *testing.T) {
	const waits = `Pod Pending "Waiting for default/Mutex/m1 lock. Lock status: 0/1"`
	for _, version := range []string{"", "-v3.6", "-v3.7"} {
		p := inStep(t, "failfast-lock-leak"+version)
		p.shows(t,
			sight{1, "ffleak.q.a", waits, waits, 0},
			sight{2, "ffleak.q.a", waits, `Pod Pending`, 26},
			sight{p.last(), "ffleak.q.a", waits, `Pod Pending`, 26},
		)
		var released []string
		for _, a := range p.results[2].Actions {
			if a.Type == propagate.ActionRelease {
				released = append(released, a.Name)
			}
		}
		require.Equal(t, []string{"ffleak.p.a"}, released, "in the result in which it ends")
	}
}

// A group that has ended stays as it ended.
func TestDeviation27GroupEndsOnceMore(t *testing.T) {
	p := inStep(t, "rnd37")
	const group = "rnd37(0)[0].s2(1:k:1)[1]"
	require.Equal(t, p.argo(31, group), p.library[32][group], "as it was recorded in the frame before")
	require.Equal(t, 27, p.number(32, group))
	require.Equal(t, `StepGroup`+failedFast[len(`Retry`):], p.argo(32, group).String())
}

// Nothing waits after a manual retry for what nobody looks at any more.
func TestDeviation28ManualRetryWaitsForEver(t *testing.T) {
	p := inStep(t, "manual-omitted-after-nested")
	for _, frame := range []int{4, p.last()} {
		p.shows(t,
			sight{frame, "manhang.s(0)[0].x", `Pod Succeeded`, `Pod Succeeded`, 0},
			sight{frame, "manhang.s(0)[0].y", `(none)`, `Pod Pending`, 28},
			sight{frame, "manhang.z", `Skipped Omitted "omitted: depends condition not met"`, `(none)`, 28},
			sight{frame, "", `Running`, `Running`, 0},
		)
	}
	inStep(t, "manual-composite-attempts-v3.7").shows(t,
		sight{6, "mancomp.d(0)", `DAG Running`, `DAG Failed`, 28},
		sight{6, "mancomp.d(0).b", `(none)`, `Pod Failed "main: Error (exit code 1)"`, 28},
		sight{6, "mancomp.d(1).a", `Pod Succeeded`, `Pod Succeeded`, 0},
		sight{6, "mancomp.d(1).b", `(none)`, `Pod Pending`, 28},
	)
	inStep(t, "rnd220").shows(t, sight{20, "rnd220.job2.onExit[0].h1", `(none)`, `Pod Pending`, 28})
}

// A ContainerSet that succeeded, or before a success, stays.
func TestDeviation29ContainerSetRunsAgain(t *testing.T) {
	inStep(t, "rnd198").shows(t,
		sight{4, "rnd198(0).a0", `Pod Pending`, `Pod Succeeded`, 29},
		sight{4, "rnd198(0).a0.main", `Container Pending`, `Container Succeeded`, 29},
		sight{4, "rnd198(0).n1(0)", `Pod Succeeded`, `Pod Succeeded`, 0},
		sight{4, "rnd198(0).n2", `(none)`, `Pod Pending`, 29},
	)
}

// A Retry that succeeded keeps its attempts.
func TestDeviation30AttemptsAreDeleted(t *testing.T) {
	inStep(t, "rnd125").shows(t,
		sight{5, "rnd125(0)[0].s2", `Retry Succeeded`, `Retry Succeeded`, 0},
		sight{5, "rnd125(0)[0].s2(0)", `(none)`, `Pod Failed "main: Error (exit code 3)"`, 30},
	)
}

// A daemon runs again before what comes after it does, also inside what is kept.
func TestDeviation31DaemonRunsAgain(t *testing.T) {
	inStep(t, "rnd42").shows(t,
		sight{10, "rnd42.n0", `Pod Succeeded`, `Pod Pending`, 31},
		sight{10, "rnd42.b-2", `Pod Pending`, `(none)`, 31},
		sight{10, "rnd42.job1", `DAG Running`, `DAG Running`, 0},
		sight{10, "rnd42.job1.n1", `Pod Pending`, `(none)`, 31},
	)
}
