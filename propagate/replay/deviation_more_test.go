package replay_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/propagate"
)

// The deviations of daemons, of failing fast, of manual retries and of suspended workflows.

// A group that has begun goes on when a daemon before it dies.
func TestDeviation32DeadDaemonEndsTheSteps(t *testing.T) {
	const failed = `Failed "child 'dmsfail-3852993065' failed"`
	for _, version := range []string{"", "-v3.7"} {
		p := inStep(t, "daemon-steps-fails"+version)
		p.shows(t,
			sight{3, "dmsfail[0]", `StepGroup ` + failed, `StepGroup ` + failed, 0},
			sight{3, "dmsfail[1].a", `Pod Running`, `Pod Running`, 0},
			sight{3, "dmsfail", `Steps ` + failed, `Steps Running`, 32},
			sight{3, "", failed, `Running`, 32},
		)
		for _, a := range p.results[3].Actions {
			require.NotEqual(t, propagate.ActionStart, a.Type, "no other group begins: %s", a)
		}
	}
	inStep(t, "rnd112").shows(t, sight{33, "rnd112.b-2.job1", `Steps Failed "child 'rnd112-977992057' failed"`, `Steps Running`, 32})
}

// A DAG beside a failure goes on, and what fails fast waits for it.
func TestDeviation33FailFastPassesOver(t *testing.T) {
	const steps = `Steps` + ` Failed "template has failed or errored children and failFast enabled"`
	inStep(t, "rnd338").shows(t,
		sight{10, "rnd338.n0[0].s2", `Pod Error "pod deleted"`, `Pod Error "pod deleted"`, 0},
		sight{11, "rnd338.n0[0].s1.a0.onExit", `(none)`, `Pod Pending`, 33},
		sight{14, "rnd338.n0[0].s1.job1", `Retry Running`, `Retry Error "No more retries left"`, 33},
		sight{16, "rnd338.n0", steps, `Steps Running`, 33},
		sight{16, "rnd338.job1", omitted, `(none)`, 33},
	)
}

// A daemon that is tried again holds its DAG open until it is ready.
func TestDeviation34EndsOverADaemon(t *testing.T) {
	inStep(t, "rnd387").shows(t,
		sight{7, "rnd387.n0(2)", `Pod Pending`, `Pod Pending`, 0},
		sight{7, "rnd387.n0", `Retry Succeeded`, `Retry Running`, 34},
		sight{7, "rnd387.job2", `Pod Succeeded`, `Pod Running`, 34}, // another daemon, which is ready
		sight{7, "rnd387", `DAG Failed`, `DAG Running`, 34},
		sight{7, "", `Failed`, `Running`, 34},
	)
	inStep(t, "rnd152").shows(t,
		sight{10, "rnd152(0).job1", `Retry Succeeded`, `Retry Running`, 34},
		sight{10, "rnd152(0)", `DAG Failed`, `DAG Running`, 34},
		sight{10, "rnd152(1)", `DAG Running`, `(none)`, 34},
		sight{15, "rnd152(0).job1(2)", `Pod Running`, `Pod Succeeded`, 34},
		sight{35, "rnd152", `Retry Failed "No more retries left"`, `Retry Running`, 34},
		sight{35, "rnd152(3)", `DAG Running`, `(none)`, 6}, // made although the Retry had ended
	)
}

// A daemon of a loop is looked at as any other.
func TestDeviation35OverlookedDaemon(t *testing.T) {
	p := inStep(t, "rnd394")
	for _, frame := range []int{16, p.last()} {
		p.shows(t,
			sight{frame, "rnd394.job2", `TaskGroup Succeeded`, `TaskGroup Succeeded`, 0},
			sight{frame, "rnd394.job2(0:n01)", `Retry Running`, `Retry Failed "retryStrategy.expression evaluated to false"`, 35},
			sight{frame, "rnd394.job2(0:n01).onExit", `(none)`, `Pod Pending`, 35},
		)
	}
}

// A dead daemon counts as a failure for what becomes due later.
func TestDeviation36StartsAfterADeadDaemon(t *testing.T) {
	const dead = `Retry Failed "No more retries left"`
	p := inStep(t, "rnd413")
	p.shows(t,
		sight{10, "rnd413(0).job0", dead, dead, 0},
		sight{10, "rnd413(0).a2", `Retry Running`, omitted, 36},
		sight{10, "rnd413(0).a2(0)", `Pod Pending`, `(none)`, 36},
		sight{10, "rnd413(0)", `DAG Running`, `DAG Failed`, 36},
		sight{10, "rnd413(1)", `(none)`, `DAG Running`, 36},
	)
}

// The first declared step that failed is named, whatever ran again.
func TestDeviation37WhichStepAGroupNames(t *testing.T) {
	const s1, s0 = `Failed "child 'rnd355-2148101042' failed"`, `Failed "child 'rnd355-2164878661' failed"`
	inStep(t, "rnd355").shows(t,
		sight{23, "rnd355[0]", `StepGroup ` + s1, `StepGroup ` + s0, 37},
		sight{23, "rnd355", `Steps ` + s1, `Steps ` + s0, 37},
	)
	inStep(t, "rnd8").shows(t, sight{10, "rnd8", `Steps Failed "child 'rnd8-4215408505' failed"`, `Steps Failed "child 'rnd8-4198630886' failed"`, 37})
	inStep(t, "rnd125").shows(t,
		sight{8, "rnd125(0)[0]", `StepGroup Failed "child 'rnd125-3670773530' failed"`, `StepGroup Failed "child 'rnd125-3687551149' failed"`, 37},
	)
}

// A failure after which something succeeded stays.
func TestDeviation38CoveredFailureRunsAgain(t *testing.T) {
	const failed = `Failed "child 'rnd200-2311868606' failed"`
	inStep(t, "rnd200").shows(t,
		sight{11, "rnd200(0)[1].s2", `Retry Succeeded`, `Retry Succeeded`, 0},
		sight{11, "rnd200(0)[0].s1(0:k:0)(0)[0].s0", `Pod Pending`, `Pod Failed "main: Error (exit code 1)"`, 38},
		sight{11, "rnd200(0)[0].s1(0:k:0)(0)", `Steps Running`, `Steps ` + failed, 38},
		sight{11, "rnd200(0)[0]", `StepGroup Running`, `StepGroup Succeeded`, 38},
		sight{11, "rnd200(0)[1].s3(1:y)", `(none)`, `Pod Pending`, 38},
	)
}

// What has ended has ended, whether the workflow is held or not; nothing starts while it is.
func TestDeviation39Suspended(t *testing.T) {
	p := inStep(t, "suspend-workflow")
	for _, frame := range []int{3, 4} {
		p.shows(t,
			sight{frame, "swf[0].a", `Pod Succeeded`, `Pod Succeeded`, 0},
			sight{frame, "swf[0]", `StepGroup Running`, `StepGroup Succeeded`, 39},
			sight{frame, "swf[1]", `(none)`, `(none)`, 0},
			sight{frame, "", `Running`, `Running`, 0},
		)
	}
	p.shows(t, sight{5, "swf[0]", `StepGroup Succeeded`, `StepGroup Succeeded`, 0})
}

// A ready daemon waits for nothing.
func TestDeviation40ReadyDaemonWaits(t *testing.T) {
	const waits = ` "Waiting for default/Mutex/m1 lock. Lock status: 0/1"`
	inStep(t, "mutex-daemon-deadlock").shows(t,
		sight{1, "mdaemon2.y", `Pod Pending`, `Pod Pending`, 0}, // it has the lock
		sight{2, "mdaemon2.d", `Pod Running` + waits, `Pod Running`, 40},
		sight{3, "mdaemon2.d", `Pod Running` + waits, `Pod Running`, 40},
		sight{4, "mdaemon2.d", `Pod Succeeded` + waits, `Pod Succeeded`, 40},
	)
}

// A ready daemon has not succeeded, and fails when its pod does.
func TestDeviation41ReadyDaemonSucceeds(t *testing.T) {
	inStep(t, "daemon-evicted-steps-v3.6").shows(t,
		sight{1, "dmevs[0].d(0)", `Pod Running`, `Pod Running`, 0},
		sight{1, "dmevs[0].d", `Retry Succeeded`, `Retry Running`, 41},
		sight{3, "dmevs[0].d(0)", `Pod Succeeded`, `Pod Failed "The node was low on resource: memory."`, 41},
	)
}
