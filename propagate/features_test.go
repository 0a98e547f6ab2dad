package propagate_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate"
)

// Ten features of Argo, each as its page in Argo's documentation describes it: what runs, in which order, and how it ends.

// exited is the end of a pod whose main container ended with this exit code.
func exited(node string, code int) propagate.Event {
	ev := propagate.PodFailed(node, fmt.Sprintf("Error (exit code %d)", code))
	ev.ExitCode, ev.HasExit = code, true
	return ev
}

// errored is the end of a pod whose executor failed.
func errored(node, message string) propagate.Event {
	ev := propagate.PodFailed(node, message)
	ev.Phase = nodegraph.PhaseError
	return ev
}

// Lifecycle hooks: one of the workflow and one of a step run beside what they belong to, once, when their expression holds; one that
// is called exit runs at the end.
func TestFeatureHooks(t *testing.T) {
	p := played(t, `
  entrypoint: ship
  hooks:
    exit: {template: tell}
    began: {template: tell, expression: workflow.status == "Running"}
  templates:
  - name: ship
    steps:
    - - name: pack
        template: work
        hooks:
          busy: {template: tell, expression: steps.pack.status == "Running"}
          done: {template: tell, expression: steps.pack.status == "Succeeded"}
          never: {template: tell, expression: steps.pack.status == "Failed"}
    - - {name: send, template: work}
  - {name: work, container: {image: x}}
  - {name: tell, http: {url: "http://example.com"}}
`)
	require.Equal(t, []string{"Start Pod wf[0].pack", "Start HTTP wf.hooks.began"}, p.take(), "the workflow runs")
	p.tell("wf", propagate.PodRunning("wf[0].pack"))
	require.Equal(t, []string{"Start HTTP wf[0].pack.hooks.busy"}, p.take(), "beside the step")
	p.tell("wf", propagate.PodPending("wf[0].pack", ""), propagate.PodRunning("wf[0].pack"))
	require.Empty(t, p.take(), "once")
	served := func(node string) propagate.Event { return propagate.NodeEnded(node, nodegraph.PhaseSucceeded, "") }
	p.tell("wf", served("wf.hooks.began"), served("wf[0].pack.hooks.busy"), propagate.PodSucceeded("wf[0].pack"))
	require.Equal(t, []string{"Start HTTP wf[0].pack.hooks.done"}, p.take())
	p.tell("wf", served("wf[0].pack.hooks.done"))
	require.Equal(t, []string{"Start Pod wf[1].send"}, p.take())
	p.tell("wf", exited("wf[1].send", 1))
	require.Equal(t, []string{"Start HTTP wf.onExit"}, p.take(), "whatever became of the workflow")
	p.tell("wf", served("wf.onExit"))
	require.Equal(t, []string{"Complete"}, p.take())
}

// Enhanced depends: a task says which result of another it wants, with and, or and not. A name alone is a success, a skip or a
// daemon.
func TestFeatureDepends(t *testing.T) {
	const tasks = `
  entrypoint: main
  templates:
  - {name: p, container: {image: x}}
  - {name: d, container: {image: x}, daemon: true}
  - name: main
    dag:
      tasks:
      - {name: good, template: p}
      - {name: bad, template: p}
      - {name: broken, template: p}
      - {name: skipped, template: p, when: "1 == 2"}
      - {name: omitted, template: p, depends: good.Failed}
      - {name: server, template: d}
      - {name: some, template: p, withItems: [0, 1]}
      - {name: none, template: p, withItems: [0, 1]}
      - {name: x, template: p, depends: "%s"}
`
	for depends, runs := range map[string]bool{
		"good.Succeeded": true, "bad.Succeeded": false, "bad.Failed": true, "broken.Failed": false, "broken.Errored": true, "bad.Errored": false,
		"skipped.Skipped": true, "omitted.Omitted": true, "skipped.Omitted": false, "server.Daemoned": true, "good.Daemoned": false,
		"good": true, "skipped": true, "server": true, "bad": false, "omitted": false, "broken": false,
		"good || bad.Failed": true, "bad || bad.Failed": true, "(good.Succeeded || good.Skipped) && !bad.Failed": false, "good && !broken.Failed": true,
		"some.AnySucceeded": true, "some.AllFailed": false, "none.AllFailed": true, "none.AnySucceeded": false, "some.Succeeded": false,
		"some.AnySucceeded && none.AllFailed": true, "good && skipped && server": true,
	} {
		p := played(t, fmt.Sprintf(tasks, depends))
		p.tell("wf", propagate.PodSucceeded("wf.good"), exited("wf.bad", 1), errored("wf.broken", "can't pull"), propagate.PodRunning("wf.server"),
			propagate.PodSucceeded("wf.some(0:0)"), exited("wf.some(1:1)", 1), exited("wf.none(0:0)", 1), exited("wf.none(1:1)", 1))
		want := "Omitted: omitted: depends condition not met"
		if runs {
			want = "Pending"
		}
		assert.Equal(t, []string{want}, p.shows("wf", "wf.x"), depends)
	}
}

// A task has depends or dependencies. Argo refuses a DAG that has both, or depends and continueOn, in different tasks, too; here each
// has its meaning there, since what they say does not contradict.
func TestFeatureDependsAlone(t *testing.T) {
	for task, want := range map[string]string{
		"dependencies: [a], depends: a":                 `nodegraph: template "main": "b": dependencies: can't be used together with depends`,
		"depends: a.Failed, continueOn: {failed: true}": "",
	} {
		w, err := argo.Read([]byte("kind: Workflow\nmetadata: {name: wf}\nspec:\n  entrypoint: main\n  templates:\n  - {name: p, container: {image: x}}\n" +
			"  - {name: main, dag: {tasks: [{name: a, template: p}, {name: b, template: p, " + task + "}]}}\n"))
		require.NoError(t, err)
		_, err = propagate.New(w.Spec)
		if want == "" {
			assert.NoError(t, err, task)
		} else {
			assert.EqualError(t, err, want)
		}
	}
}

// Retries: what a policy and an expression say is asked after each attempt, until the limit.
func TestFeatureRetries(t *testing.T) {
	fail := func(code int) func(string) propagate.Event {
		return func(node string) propagate.Event { return exited(node, code) }
	}
	err := func(node string) propagate.Event { return errored(node, "the machine is gone") }
	type ends []func(string) propagate.Event
	for _, c := range []struct {
		strategy string
		attempts ends
		want     string // of the Retry, and Running where another attempt was made
	}{
		{`limit: "2"`, ends{fail(1), fail(1)}, "Running"},
		{`limit: "2"`, ends{fail(1), fail(1), fail(1)}, "Failed: No more retries left"},
		{`limit: "2"`, ends{fail(1), propagate.PodSucceeded}, "Succeeded"},
		{`limit: "10"`, ends{err}, "Error: the machine is gone"},
		{`limit: "10"`, ends{fail(1), err}, "Error: the machine is gone"},
		{`limit: "10", retryPolicy: OnFailure`, ends{fail(1), err}, "Error: the machine is gone"},
		{`limit: "10", retryPolicy: OnError`, ends{err}, "Running"},
		{`limit: "10", retryPolicy: OnError`, ends{fail(1)}, "Failed: Error (exit code 1)"},
		{`limit: "2", retryPolicy: Always`, ends{fail(1), err}, "Running"},
		{`limit: "10", retryPolicy: OnTransientError`, ends{fail(1)}, "Failed: Error (exit code 1)"},
		{`limit: "10", expression: asInt(lastRetry.exitCode) > 1`, ends{fail(2)}, "Running"},
		{`limit: "10", expression: asInt(lastRetry.exitCode) > 1`, ends{fail(1)}, "Failed: retryStrategy.expression evaluated to false"},
		{`limit: "10", expression: lastRetry.exitCode == "-1"`, ends{err}, "Running"},
		{`limit: "10", expression: lastRetry.status != "Error"`, ends{fail(1)}, "Running"},
		{`limit: "10", expression: lastRetry.status != "Error"`, ends{err}, "Error: retryStrategy.expression evaluated to false"},
		{`limit: "10", expression: asInt(lastRetry.duration) < 60`, ends{fail(1)}, "Running"},
		{`limit: "10", expression: asInt(lastRetry.duration) >= 60`, ends{fail(1)}, "Failed: retryStrategy.expression evaluated to false"},
		{`limit: "10", expression: "lastRetry.message matches 'machine is|pod deleted'"`, ends{err}, "Running"},
		{`limit: "10", retryPolicy: OnFailure, expression: "true"`, ends{err}, "Error: the machine is gone"},
		{`limit: "10", retryPolicy: OnFailure, expression: "true"`, ends{fail(1)}, "Running"},
	} {
		p := played(t, "\n  entrypoint: main\n  templates:\n  - {name: main, retryStrategy: {"+c.strategy+"}, container: {image: x}}\n")
		for k, end := range c.attempts {
			p.tell("wf", end(fmt.Sprintf("wf(%d)", k)))
		}
		assert.Equal(t, []string{c.want}, p.shows("wf", "wf"), "%s after %d", c.strategy, len(c.attempts))
	}
}

// The time between attempts grows by the factor, up to a cap.
func TestFeatureBackoff(t *testing.T) {
	p := played(t, `
  entrypoint: main
  templates:
  - {name: main, container: {image: x}, retryStrategy: {limit: 4, backoff: {duration: "10", factor: 2, cap: 30s}}}
`)
	for k, wait := range []time.Duration{10, 20, 30, 30} {
		p.take()
		failed := exited(fmt.Sprintf("wf(%d)", k), 1)
		failed.Finished = p.now
		p.tell("wf", failed)
		p.wait("wf", wait*time.Second-time.Second)
		require.Empty(t, p.take(), "attempt %d begins %d seconds after the one before", k+1, wait)
		p.wait("wf", time.Second)
		require.Equal(t, []string{fmt.Sprintf("Start Pod wf(%d)", k+1)}, p.take())
	}
}

// Synchronization of workflows: one at a time has a mutex. Those that wait are served by priority, then by age.
func TestFeatureMutexOfWorkflows(t *testing.T) {
	const spec = "  entrypoint: main\n  priority: %d\n  synchronization: {mutexes: [{name: bar}]}\n  templates:\n  - {name: main, container: {image: x}}\n"
	p := played(t, fmt.Sprintf(spec, 0), fmt.Sprintf(spec, 0), fmt.Sprintf(spec, 0), fmt.Sprintf(spec, 5))
	require.Equal(t, []string{"Start Pod wf"}, p.take())
	for _, turn := range [][2]string{{"wf", "wf222"}, {"wf222", "wf2"}, {"wf2", "wf22"}} {
		p.tell(turn[0], propagate.PodSucceeded(turn[0]))
		require.Equal(t, []string{"Complete", "Start Pod " + turn[1]}, p.take())
	}
}

// Synchronization of templates: at most two nodes of a template at a time, of whichever workflow.
func TestFeatureSemaphoreOfTemplates(t *testing.T) {
	const spec = `
  entrypoint: main
  templates:
  - {name: main, steps: [[{name: a, template: limited, withItems: [0, 1, 2]}]]}
  - {name: limited, synchronization: {semaphores: [{configMapKeyRef: {name: config, key: template}}]}, container: {image: x}}
`
	p := played(t)
	p.limits["default/ConfigMap/config/template"] = 2
	p.begin("wf", 0, spec)
	p.begin("wf2", 1, spec)
	require.Equal(t, []string{"Start Pod wf[0].a(0:0)", "Start Pod wf[0].a(1:1)"}, p.take())
	require.Equal(t, []string{"Pending: Waiting for default/ConfigMap/config/template lock. Lock status: 0/2"}, p.shows("wf2", "wf2[0].a(0:0)"))
	p.tell("wf", propagate.PodSucceeded("wf[0].a(1:1)"))
	require.Equal(t, []string{"Recreate wf[0].a(2:2)"}, p.take(), "the older workflow first")
	p.tell("wf", propagate.PodSucceeded("wf[0].a(0:0)"))
	require.Equal(t, []string{"Recreate wf2[0].a(0:0)"}, p.take())
}

// Several locks: a workflow waits until it has all of them, and those behind it wait although they want only one that is free.
func TestFeatureSeveralLocks(t *testing.T) {
	spec := func(names string) string {
		return "  entrypoint: main\n  synchronization: {mutexes: [" + names + "]}\n  templates:\n  - {name: main, container: {image: x}}\n"
	}
	p := played(t, spec("{name: alpha}"), spec("{name: alpha}, {name: beta}"), spec("{name: beta}"))
	require.Equal(t, []string{"Start Pod wf"}, p.take())
	p.tell("wf", propagate.PodSucceeded("wf"))
	require.Equal(t, []string{"Complete", "Start Pod wf2"}, p.take())
	p.tell("wf2", propagate.PodSucceeded("wf2"))
	require.Equal(t, []string{"Complete", "Start Pod wf22"}, p.take())
}

// Parallelism: so many at a time, in the whole workflow or in one template.
func TestFeatureParallelism(t *testing.T) {
	for name, spec := range map[string]string{
		"of the workflow": "  parallelism: 2\n  templates:\n  - {name: main, steps: [[{name: a, template: p, withSequence: {count: 4}}]]}\n",
		"of the template": "  templates:\n  - {name: main, parallelism: 2, steps: [[{name: a, template: p, withSequence: {count: 4}}]]}\n",
	} {
		p := played(t, "  entrypoint: main\n"+spec+"  - {name: p, container: {image: x}}\n")
		require.Equal(t, []string{"Start Pod wf[0].a(0:0)", "Start Pod wf[0].a(1:1)"}, p.take(), name)
		p.tell("wf", propagate.PodSucceeded("wf[0].a(1:1)"))
		require.Equal(t, []string{"Start Pod wf[0].a(2:2)"}, p.take(), name)
	}
}

// Daemons: the steps go on when the daemon is ready, which lives across them, is tried again if it fails, and is destroyed when the
// template that began it ends.
func TestFeatureDaemons(t *testing.T) {
	p := played(t, `
  entrypoint: outer
  templates:
  - {name: outer, steps: [[{name: test, template: main}], [{name: after, template: client}]]}
  - name: main
    steps:
    - - {name: db, template: db}
    - - {name: fill, template: client, withItems: [1, 2]}
    - - {name: query, template: client}
  - {name: db, daemon: true, retryStrategy: {limit: 10}, container: {image: x, readinessProbe: {httpGet: {path: /, port: 80}}}}
  - {name: client, container: {image: x}}
`)
	const db = "wf[0].test[0].db(0)"
	unready := propagate.PodRunning(db)
	unready.Ready = false
	require.Equal(t, []string{"Start Pod " + db}, p.take())
	p.tell("wf", unready)
	require.Empty(t, p.take(), "it runs, and is not ready")
	p.tell("wf", propagate.PodRunning(db))
	require.Equal(t, []string{"Start Pod wf[0].test[1].fill(0:1)", "Start Pod wf[0].test[1].fill(1:2)"}, p.take())
	p.tell("wf", exited(db, 1))
	require.Equal(t, []string{"Start Pod wf[0].test[0].db(1)"}, p.take(), "it is tried again")
	p.tell("wf", propagate.PodRunning("wf[0].test[0].db(1)"))
	p.tell("wf", propagate.PodSucceeded("wf[0].test[1].fill(0:1)"), propagate.PodSucceeded("wf[0].test[1].fill(1:2)"))
	require.Equal(t, []string{"Start Pod wf[0].test[2].query"}, p.take(), "it lives on")
	p.tell("wf", propagate.PodSucceeded("wf[0].test[2].query"))
	require.Equal(t, []string{`Terminate wf[0].test[0].db(1) "its boundary has ended"`, "Start Pod wf[1].after"}, p.take())
	p.tell("wf", propagate.PodSucceeded("wf[1].after"))
	require.Equal(t, []string{"Complete"}, p.take())
}

// Memoization: a step whose key was stored does not run; others do. Any step may be memoized, with outputs or not.
func TestFeatureMemoization(t *testing.T) {
	p := played(t)
	p.values["steps.pick.outputs.result"] = "two"
	p.cache["key-one"] = true
	p.begin("wf", 0, `
  entrypoint: main
  templates:
  - name: main
    steps:
    - - {name: one, template: dear, arguments: {parameters: [{name: of, value: one}]}}
      - {name: two, template: dear, arguments: {parameters: [{name: of, value: two}]}}
    - - {name: again, template: dear, arguments: {parameters: [{name: of, value: two}]}}
      - {name: whole, template: group}
  - {name: dear, inputs: {parameters: [{name: of}]}, memoize: {key: "key-{{inputs.parameters.of}}", maxAge: 24h, cache: {configMap: {name: c}}}, container: {image: x}}
  - {name: group, memoize: {key: group, cache: {configMap: {name: c}}}, steps: [[{name: inner, template: dear, arguments: {parameters: [{name: of, value: three}]}}]]}
`)
	require.Equal(t, []string{"Start Pod wf[0].two"}, p.take())
	require.Equal(t, []string{"Succeeded", "Pending"}, p.shows("wf", "wf[0].one", "wf[0].two"))
	p.cache["key-two"] = true
	p.tell("wf", propagate.PodSucceeded("wf[0].two"))
	require.Equal(t, []string{"Start Pod wf[1].whole[0].inner"}, p.take())
	require.Equal(t, []string{"Succeeded"}, p.shows("wf", "wf[1].again"))
}

// Suspending: a workflow that is suspended schedules no new steps until it is resumed, and what runs goes on. A step waits until
// somebody resumes it, or until its duration has passed.
func TestFeatureSuspending(t *testing.T) {
	p := played(t, `
  entrypoint: main
  templates:
  - name: main
    steps: [[{name: build, template: work}], [{name: approve, template: approve}], [{name: delay, template: delay}], [{name: release, template: work}]]
  - {name: approve, suspend: {}}
  - {name: delay, suspend: {duration: "20"}}
  - {name: work, container: {image: x}}
`)
	require.Equal(t, []string{"Start Pod wf[0].build"}, p.take())
	p.tell("wf", propagate.Suspended(true), propagate.PodSucceeded("wf[0].build"))
	require.Empty(t, p.take(), "the workflow is suspended")
	p.tell("wf", propagate.Suspended(false))
	require.Equal(t, []string{"Start Suspend wf[1].approve"}, p.take())
	p.wait("wf", 24*time.Hour)
	require.Empty(t, p.take(), "nobody has approved")
	p.tell("wf", propagate.Resumed("wf[1].approve"))
	require.Equal(t, []string{"Start Suspend wf[2].delay"}, p.take())
	p.wait("wf", 19*time.Second)
	require.Empty(t, p.take())
	p.wait("wf", time.Second)
	require.Equal(t, []string{"Start Pod wf[3].release"}, p.take())
}

// Timeouts: a workflow is terminated when its time is over; a template's own time is the kubelet's, which ends the pod.
func TestFeatureTimeouts(t *testing.T) {
	p := played(t, "  entrypoint: sleep\n  activeDeadlineSeconds: 10\n  templates:\n  - {name: sleep, container: {image: x}}\n")
	p.tell("wf", propagate.PodRunning("wf"))
	p.take()
	p.wait("wf", 9*time.Second)
	require.Empty(t, p.take())
	p.wait("wf", time.Second)
	require.Equal(t, []string{`Terminate wf "Step exceeded its deadline"`, "Complete"}, p.take())
	require.Equal(t, []string{"Failed: Step exceeded its deadline"}, p.shows("wf", "wf"))

	p = played(t, "  entrypoint: sleep\n  templates:\n  - {name: sleep, activeDeadlineSeconds: 10, container: {image: x}}\n")
	p.tell("wf", propagate.PodRunning("wf"))
	p.wait("wf", time.Minute)
	late := propagate.PodFailed("wf", "Pod was active on the node longer than the specified deadline")
	late.Reason = "DeadlineExceeded"
	p.tell("wf", late)
	require.Equal(t, []string{"Failed: Pod was active on the node longer than the specified deadline"}, p.shows("wf", "wf"))
}

// Conditionals: a step whose condition does not hold is skipped, and what comes after it goes on.
func TestFeatureConditionals(t *testing.T) {
	const spec = `
  entrypoint: main
  templates:
  - name: main
    steps:
    - - {name: flip, template: p}
    - - {name: heads, template: p, when: "{{steps.flip.outputs.result}} == heads"}
      - {name: tails, template: p, when: "{{steps.flip.outputs.result}} == tails"}
    - - {name: again, template: p}
    - - name: both
        template: p
        when: "( {{steps.flip.outputs.result}} == heads && {{steps.again.outputs.result}} == tails ) || ( {{steps.flip.outputs.result}} == tails && {{steps.again.outputs.result}} == tails )"
      - {name: h, template: p, when: "{{steps.again.outputs.result}} =~ hea"}
      - {name: t, template: p, when: "{{steps.again.outputs.result}} =~ tai"}
  - {name: p, container: {image: x}}
`
	for _, flips := range [][2]string{{"heads", "tails"}, {"tails", "tails"}, {"tails", "heads"}} {
		p := played(t, spec)
		other := map[string]string{"heads": "tails", "tails": "heads"}
		p.values["steps.flip.outputs.result"], p.values["steps.again.outputs.result"] = flips[0], flips[1]
		p.take()
		p.tell("wf", propagate.PodSucceeded("wf[0].flip"))
		require.Equal(t, []string{"Start Pod wf[1]." + flips[0]}, p.take())
		require.Equal(t, []string{fmt.Sprintf("Skipped: when '%s == %s' evaluated false", flips[0], other[flips[0]])}, p.shows("wf", "wf[1]."+other[flips[0]]))
		p.tell("wf", propagate.PodSucceeded("wf[1]."+flips[0]))
		p.tell("wf", propagate.PodSucceeded("wf[2].again"))
		want := []string{"Start Pod wf[2].again", "Start Pod wf[3].both", "Start Pod wf[3].t"}
		if flips[1] == "heads" {
			want = []string{"Start Pod wf[2].again", "Start Pod wf[3].h"}
		}
		require.Equal(t, want, p.take(), "%v", flips)
	}
}

// Loops: over a sequence, over items that are texts or objects, over a parameter, and over what another step has found.
func TestFeatureLoops(t *testing.T) {
	p := played(t)
	p.values["steps.find.outputs.result"] = "[20,21,22]"
	p.begin("wf", 0, `
  entrypoint: main
  arguments: {parameters: [{name: list, value: '[{"image":"debian","tag":"9.1"},{"image":"alpine","tag":"3.6"}]'}]}
  templates:
  - name: main
    steps:
    - - {name: count, template: p, withSequence: {count: "3"}}
      - {name: greet, template: p, withItems: [hello world, goodbye world]}
      - {name: build, template: p, withItems: [{image: debian, tag: "9.1"}]}
      - {name: given, template: p, withParam: "{{workflow.parameters.list}}"}
      - {name: find, template: p}
    - - {name: sleep, template: p, withParam: "{{steps.find.outputs.result}}"}
  - {name: p, container: {image: x}}
`)
	first := []string{"count(0:0)", "count(1:1)", "count(2:2)", "greet(0:hello world)", "greet(1:goodbye world)", "build(0:image:debian,tag:9.1)",
		"given(0:image:debian,tag:9.1)", "given(1:image:alpine,tag:3.6)", "find"}
	var starts []string
	for _, name := range first {
		starts = append(starts, "Start Pod wf[0]."+name)
	}
	require.Equal(t, starts, p.take(), "all at once")
	for _, name := range first {
		p.tell("wf", propagate.PodSucceeded("wf[0]."+name))
	}
	require.Equal(t, []string{"Start Pod wf[1].sleep(0:20)", "Start Pod wf[1].sleep(1:21)", "Start Pod wf[1].sleep(2:22)"}, p.take())
}
