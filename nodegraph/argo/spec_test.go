package argo_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/retry"
)

// yamlWorkflow is a Workflow with these lines after its metadata.
func yamlWorkflow(lines string) []byte {
	return []byte("kind: Workflow\nmetadata:\n  name: w\n  namespace: default\n  uid: u\n" +
		"  labels: {team: blue}\n  annotations: {size: \"3\"}\n" + lines)
}

// one is a template of one pod.
func one(name string) *nodegraph.Template {
	return &nodegraph.Template{Name: name, Kind: nodegraph.KindPod}
}

func number(n int) *int { return &n }

func seconds(n int64) *time.Duration {
	d := time.Duration(n) * time.Second
	return &d
}

// sameSpec compares specs by what they say; what was compiled is left out.
var sameSpec = cmp.Options{
	cmpopts.IgnoreUnexported(nodegraph.Template{}),
	cmp.Comparer(func(a, b *retry.Expression) bool { return (a == nil) == (b == nil) }),
}

// Each part of a spec that decides status becomes what nodegraph calls it.
func TestReadSpec(t *testing.T) {
	const pod = "spec:\n  entrypoint: a\n  templates:\n  - name: a\n    container: {image: busybox}\n"
	spec := func(change func(*nodegraph.Spec)) *nodegraph.Spec {
		s := &nodegraph.Spec{Name: "w", Namespace: "default", Entrypoint: "a", Templates: []*nodegraph.Template{one("a")}, AnyNames: true, TimeoutsByHost: true}
		change(s)
		return s
	}
	tests := []struct {
		name, in string
		want     *nodegraph.Spec
	}{
		{"a pod", pod, spec(func(*nodegraph.Spec) {})},
		{"who is served first", pod + "  priority: -3\n", spec(func(s *nodegraph.Spec) { s.Priority = -3 })},
		{"limits of the workflow", pod + "  parallelism: 3\n  activeDeadlineSeconds: 60\n  suspend: true\n", spec(func(s *nodegraph.Spec) {
			s.Parallelism, s.ActiveDeadline, s.Suspended = 3, time.Minute, true
		})},
		{"how long it is kept", pod + "  ttlStrategy: {secondsAfterCompletion: 1, secondsAfterSuccess: 2, secondsAfterFailure: 3}\n", spec(func(s *nodegraph.Spec) {
			s.TTL = nodegraph.TTL{Completion: seconds(1), Success: seconds(2), Failure: seconds(3)}
		})},
		{"how long it is kept if it fails", pod + "  ttlStrategy: {secondsAfterFailure: 3}\n", spec(func(s *nodegraph.Spec) { s.TTL.Failure = seconds(3) })},
		{"a deadline longer than a duration can be is the longest", pod + "  activeDeadlineSeconds: 9223372036854775807\n", spec(func(s *nodegraph.Spec) {
			s.ActiveDeadline = 9223372036 * time.Second
		})},
		{"a deadline that is over", pod + "  activeDeadlineSeconds: 0\n", spec(func(s *nodegraph.Spec) { s.ActiveDeadline = nodegraph.AtOnce })},
		{"an exit handler", pod + "  onExit: a\n", spec(func(s *nodegraph.Spec) { s.OnExit = "a" })},
		{"an exit handler as a hook", pod + "  hooks:\n    exit: {template: a}\n", spec(func(s *nodegraph.Spec) { s.OnExit = "a" })},
		{"onExit goes before the exit hook", pod + "  onExit: a\n  hooks:\n    exit: {template: b}\n", spec(func(s *nodegraph.Spec) { s.OnExit = "a" })},
		{"hooks in the order of their names", pod + "  hooks:\n    b: {template: a, expression: f}\n    a: {template: a, expression: x}\n", spec(func(s *nodegraph.Spec) {
			s.Hooks = []nodegraph.Hook{{Name: "a", Template: "a", Expression: "x"}, {Name: "b", Template: "a", Expression: "f"}}
		})},
		{"a retry strategy for all templates", pod + "  retryStrategy: {limit: 1}\n", spec(func(s *nodegraph.Spec) {
			s.Templates[0].Retry = &retry.Strategy{Limit: number(1)}
		})},
		{"a spec that the controller stored", "spec:\n  workflowTemplateRef: {name: lib}\n  shutdown: Stop\n  suspend: true\nstatus:\n  storedWorkflowTemplateSpec:\n    entrypoint: a\n    templates:\n    - name: a\n      script: {}\n",
			spec(func(s *nodegraph.Spec) { s.Suspended = true })},
		{"locks of the workflow", pod + "  synchronization:\n    mutexes: [{name: m}, {name: m, namespace: other}, {name: d, database: true}]\n    semaphores:\n    - {configMapKeyRef: {name: c, key: k}}\n    - {namespace: other, database: {key: k}}\n",
			spec(func(s *nodegraph.Spec) {
				s.Locks = []nodegraph.Lock{{Key: "default/ConfigMap/c/k"}, {Key: "other/Database/k"},
					{Key: "default/Mutex/m", Limit: 1}, {Key: "other/Mutex/m", Limit: 1}, {Key: "default/Database/d", Limit: 1}}
			})},
		{"locks as older versions write them", pod + "  synchronization:\n    mutex: {name: m}\n    semaphore: {configMapKeyRef: {name: c, key: k}}\n",
			spec(func(s *nodegraph.Spec) {
				s.Locks = []nodegraph.Lock{{Key: "default/ConfigMap/c/k"}, {Key: "default/Mutex/m", Limit: 1}}
			})},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := read(t, yamlWorkflow(test.in))
			if diff := cmp.Diff(test.want, w.Spec, sameSpec); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			assert.Empty(t, w.Unresolved)
		})
	}
}

// Each kind of template, and each of its fields.
func TestReadTemplate(t *testing.T) {
	with := func(change func(*nodegraph.Template)) *nodegraph.Template {
		x := one("a")
		change(x)
		return x
	}
	kind := func(k nodegraph.Kind) *nodegraph.Template { return with(func(x *nodegraph.Template) { x.Kind = k }) }
	tests := []struct {
		name, in string
		want     *nodegraph.Template
	}{
		{"a container", "container: {image: x}", one("a")},
		{"a script", "script: {source: x}", one("a")},
		{"a resource", "resource: {action: get}", one("a")},
		{"data", "data: {}", one("a")},
		{"HTTP", "http: {url: x}", kind(nodegraph.KindHTTP)},
		{"a plugin", "plugin: {hello: {}}", kind(nodegraph.KindPlugin)},
		{"suspend", "suspend: {}", kind(nodegraph.KindSuspend)},
		{"suspend for a while", "suspend: {duration: \"20\"}", with(func(x *nodegraph.Template) { x.Kind, x.Suspend = nodegraph.KindSuspend, 20*time.Second })},
		{"suspend for no time, which is over", "suspend: {duration: \"0\"}", with(func(x *nodegraph.Template) { x.Kind, x.Suspend = nodegraph.KindSuspend, nodegraph.AtOnce })},
		{"nothing to run", "inputs: {}", with(func(x *nodegraph.Template) { x.Err = "Template 'a' missing specification" })},
		{"a ContainerSet", "containerSet: {containers: [{name: x}, {name: z, dependencies: [x]}]}", with(func(x *nodegraph.Template) {
			x.Containers = []nodegraph.ContainerSpec{{Name: "x"}, {Name: "z", Dependencies: []string{"x"}}}
		})},
		{"a DAG", "dag: {target: b c, failFast: false, tasks: [{name: b, template: a}, {name: c, template: a, dependencies: [b], when: x, continueOn: {failed: true, error: true}}]}",
			with(func(x *nodegraph.Template) {
				x.Kind, x.NoFailFast, x.Targets = nodegraph.KindDAG, true, []string{"b", "c"}
				x.Tasks = []nodegraph.Task{{Name: "b", Template: "a"}, {Name: "c", Template: "a", Dependencies: []string{"b"}, When: "x",
					ContinueOn: nodegraph.ContinueOn{Failed: true, Error: true}}}
			})},
		{"depends", "dag: {tasks: [{name: b, template: a, depends: c.Failed}]}", with(func(x *nodegraph.Template) {
			x.Kind, x.Tasks = nodegraph.KindDAG, []nodegraph.Task{{Name: "b", Template: "a", Depends: "c.Failed"}}
		})},
		{"steps", "steps: [[{name: b, template: a}], [], [{name: c, template: a}, {name: d, template: a}]]", with(func(x *nodegraph.Template) {
			x.Kind = nodegraph.KindSteps
			x.Steps = [][]nodegraph.Task{{{Name: "b", Template: "a"}}, nil, {{Name: "c", Template: "a"}, {Name: "d", Template: "a"}}}
		})},
		{"steps without any", "steps: []", kind(nodegraph.KindSteps)},
		{"an inline template, named like its task", "steps: [[{name: b, inline: {container: {}}}]]", with(func(x *nodegraph.Template) {
			x.Kind, x.Steps = nodegraph.KindSteps, [][]nodegraph.Task{{{Name: "b", Inline: one("b")}}}
		})},
		{"hooks of a task", "dag: {tasks: [{name: b, template: a, hooks: {exit: {template: x}, run: {template: v, expression: e}}}]}", with(func(x *nodegraph.Template) {
			x.Kind = nodegraph.KindDAG
			x.Tasks = []nodegraph.Task{{Name: "b", Template: "a", Hooks: []nodegraph.Hook{{Name: "exit", Template: "x"}, {Name: "run", Template: "v", Expression: "e"}}}}
		})},
		{"onExit of a task goes before its exit hook", "dag: {tasks: [{name: b, template: a, onExit: z, hooks: {exit: {template: x}}}]}", with(func(x *nodegraph.Template) {
			x.Kind = nodegraph.KindDAG
			x.Tasks = []nodegraph.Task{{Name: "b", Template: "a", Hooks: []nodegraph.Hook{{Name: "exit", Template: "z"}}}}
		})},
		{"what comes first in Argo's order decides", "container: {}\n    dag: {tasks: []}", one("a")},
		{"limits", "container: {}\n    daemon: true\n    failFast: true\n    parallelism: 2\n    timeout: 1m\n    pendingTimeout: \"5\"\n    memoize: {key: k}", with(func(x *nodegraph.Template) {
			x.Daemon, x.FailFast, x.Parallelism, x.Timeout, x.PendingTimeout, x.Memoize = true, true, 2, time.Minute, 5*time.Second, "k"
		})},
		{"times that are over", "container: {}\n    timeout: 0s\n    pendingTimeout: \"0\"\n    retryStrategy: {backoff: {duration: \"0\", factor: 2, maxDuration: \"0\"}}", with(func(x *nodegraph.Template) {
			x.Timeout, x.PendingTimeout = nodegraph.AtOnce, nodegraph.AtOnce
			x.Retry = &retry.Strategy{Backoff: &retry.Backoff{Factor: 2, MaxDuration: nodegraph.AtOnce}}
		})},
		{"no wait is longer than a cap of nothing", "container: {}\n    retryStrategy: {backoff: {duration: 10s, cap: \"0\"}}", with(func(x *nodegraph.Template) {
			x.Retry = &retry.Strategy{Backoff: &retry.Backoff{}}
		})},
		{"locks", "container: {}\n    synchronization: {mutex: {name: m}}", with(func(x *nodegraph.Template) {
			x.Locks = []nodegraph.Lock{{Key: "default/Mutex/m", Limit: 1}}
		})},
		{"a retry strategy", "container: {}\n    retryStrategy: {limit: 2, retryPolicy: Always, affinity: {}, backoff: {duration: \"1\", factor: 2, cap: 1m, maxDuration: 1h}}", with(func(x *nodegraph.Template) {
			x.Retry = &retry.Strategy{Limit: number(2), Policy: retry.PolicyAlways,
				Backoff: &retry.Backoff{Duration: time.Second, Factor: 2, Cap: time.Minute, MaxDuration: time.Hour}}
		})},
		{"numbers given as text", "container: {}\n    retryStrategy: {limit: \"2\", backoff: {duration: 10s, factor: \"3\"}}", with(func(x *nodegraph.Template) {
			x.Retry = &retry.Strategy{Limit: number(2), Backoff: &retry.Backoff{Duration: 10 * time.Second, Factor: 3}}
		})},
		{"a retry strategy without anything", "container: {}\n    retryStrategy: {}", with(func(x *nodegraph.Template) { x.Retry = &retry.Strategy{} })},
		{"an expression", "container: {}\n    retryStrategy: {expression: 'lastRetry.exitCode != \"2\"'}", with(func(x *nodegraph.Template) {
			x.Retry = &retry.Strategy{Expression: new(retry.Expression)}
		})},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := read(t, yamlWorkflow("spec:\n  templates:\n  - name: a\n    "+test.in+"\n"))
			if diff := cmp.Diff([]*nodegraph.Template{test.want}, w.Spec.Templates, sameSpec); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			assert.Empty(t, w.Unresolved)
		})
	}
}

// Defaults fill in what a template does not say: objects field by field, lists as a whole.
func TestReadTemplateDefaults(t *testing.T) {
	const defaults = "  templateDefaults:\n    container: {image: x}\n    daemon: true\n    failFast: true\n    parallelism: 4\n    timeout: 1m\n    pendingTimeout: 2m\n    memoize: {key: k}\n" +
		"    suspend: {duration: \"9\"}\n    dag: {target: x, failFast: false}\n    retryStrategy: {limit: 5, retryPolicy: Always, backoff: {duration: \"1\", factor: 2, cap: \"3\", maxDuration: \"4\"}}\n" +
		"    synchronization: {mutexes: [{name: m}], semaphores: [{database: {key: k}}]}\n"
	all := nodegraph.Template{Name: "a", Kind: nodegraph.KindPod, Daemon: true, FailFast: true, Parallelism: 4, Timeout: time.Minute, PendingTimeout: 2 * time.Minute, Memoize: "k",
		Retry: &retry.Strategy{Limit: number(5), Policy: retry.PolicyAlways, Backoff: &retry.Backoff{Duration: time.Second, Factor: 2, Cap: 3 * time.Second, MaxDuration: 4 * time.Second}},
		Locks: []nodegraph.Lock{{Key: "default/Database/k"}, {Key: "default/Mutex/m", Limit: 1}}}
	with := func(change func(*nodegraph.Template)) *nodegraph.Template {
		x := all
		change(&x)
		return &x
	}
	tests := []struct {
		name, in string
		want     *nodegraph.Template
	}{
		{"all of them", "container: {}", with(func(*nodegraph.Template) {})},
		{"none of them", "container: {}\n    daemon: false\n    failFast: false\n    parallelism: 0\n    timeout: 1s\n    pendingTimeout: 1s\n    memoize: {key: l}\n" +
			"    retryStrategy: {limit: 1, retryPolicy: OnError, expression: \"true\", backoff: {duration: \"5\", factor: 1, cap: \"6\", maxDuration: \"7\"}}\n" +
			"    synchronization: {mutexes: [{name: q}], semaphores: [], mutex: {name: o}}",
			&nodegraph.Template{Name: "a", Kind: nodegraph.KindPod, Timeout: time.Second, PendingTimeout: time.Second, Memoize: "l",
				Retry: &retry.Strategy{Limit: number(1), Policy: retry.PolicyOnError, Expression: new(retry.Expression),
					Backoff: &retry.Backoff{Duration: 5 * time.Second, Factor: 1, Cap: 6 * time.Second, MaxDuration: 7 * time.Second}},
				Locks: []nodegraph.Lock{{Key: "default/Mutex/o", Limit: 1}, {Key: "default/Mutex/q", Limit: 1}}}},
		{"some", "container: {}\n    retryStrategy: {limit: 1, backoff: {cap: \"6\"}}\n    synchronization: {mutexes: [{name: q}]}", with(func(x *nodegraph.Template) {
			x.Retry = &retry.Strategy{Limit: number(1), Policy: retry.PolicyAlways, Backoff: &retry.Backoff{Duration: time.Second, Factor: 2, Cap: 6 * time.Second, MaxDuration: 4 * time.Second}}
			x.Locks = []nodegraph.Lock{{Key: "default/Database/k"}, {Key: "default/Mutex/q", Limit: 1}}
		})},
		{"a strategy without a backoff gets it", "container: {}\n    retryStrategy: {limit: 1}\n    synchronization: {semaphores: []}", with(func(x *nodegraph.Template) {
			x.Retry = &retry.Strategy{Limit: number(1), Policy: retry.PolicyAlways, Backoff: all.Retry.Backoff}
			x.Locks = all.Locks[1:]
		})},
		{"of a suspend template", "suspend: {}", with(func(x *nodegraph.Template) { x.Kind, x.Suspend = nodegraph.KindSuspend, 9*time.Second })},
		{"of a DAG", "dag: {tasks: [{name: x, template: a}]}", with(func(x *nodegraph.Template) {
			x.Kind, x.NoFailFast, x.Targets, x.Tasks = nodegraph.KindDAG, true, []string{"x"}, []nodegraph.Task{{Name: "x", Template: "a"}}
		})},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := read(t, yamlWorkflow("spec:\n"+defaults+"  templates:\n  - name: a\n    "+test.in+"\n"))
			if diff := cmp.Diff([]*nodegraph.Template{test.want}, w.Spec.Templates, sameSpec); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// Loops give the items that Argo names nodes after.
func TestReadLoops(t *testing.T) {
	texts := func(texts ...string) *nodegraph.Loop {
		l := &nodegraph.Loop{}
		for _, text := range texts {
			l.Items = append(l.Items, nodegraph.Item{Text: text})
		}
		return l
	}
	tests := []struct {
		name, in string
		want     *nodegraph.Loop
	}{
		{"none", `"when":"true"`, nil},
		{"an empty list is none, as in Argo", `"withItems":[]`, nil},
		{"scalars", `"withItems":["a",1,1.50,true,null,"x y"]`, texts("a", "1", "1.50", "true", "[]", "x y")},
		{"escapes stay in names", `"withItems":["a\"b\n","<&>","\u003c"]`, texts(`a\"b\n`, "<&>", "<")},
		{"lists", `"withItems":[["a",1,["b", "c"]],[]]`, texts(`[a 1 ["b","c"]]`, "[]")},
		{"maps", `"withItems":[{"b":1,"a":"x","c":{"z":1, "y":[2]}}]`,
			&nodegraph.Loop{Items: []nodegraph.Item{{Text: `a:x,b:1,c:{"z":1,"y":[2]}`, Fields: map[string]string{"a": "x", "b": "1", "c": `{"z":1,"y":[2]}`}}}}},
		{"items with variables", `"withItems":["a","{{inputs.parameters.x}}"]`, &nodegraph.Loop{Unresolved: "withItems"}},
		{"a list as a parameter", `"withParam":"[\"a\", {\"k\":\"v\"}]"`, &nodegraph.Loop{Items: []nodegraph.Item{{Text: "a"}, {Text: "k:v", Fields: map[string]string{"k": "v"}}}}},
		{"an empty list as a parameter", `"withParam":"[]"`, texts()},
		{"a parameter with variables", `"withParam":"{{tasks.x.outputs.result}}"`, &nodegraph.Loop{Unresolved: "{{tasks.x.outputs.result}}"}},
		{"a list with variables", `"withParam":"[\"{{inputs.parameters.x}}\"]"`, &nodegraph.Loop{Unresolved: `["{{inputs.parameters.x}}"]`}},
		{"a parameter that is no list", `"withParam":"x"`, &nodegraph.Loop{Unresolved: "x"}},
		{"a count", `"withSequence":{"count":3}`, texts("0", "1", "2")},
		{"a count as text, with a start", `"withSequence":{"count":"2","start":"5"}`, texts("5", "6")},
		{"a count of none", `"withSequence":{"count":0}`, texts()},
		{"a count below none goes down, as in Argo", `"withSequence":{"count":-1}`, texts("0", "-1", "-2")},
		{"up to an end", `"withSequence":{"start":1,"end":"3"}`, texts("1", "2", "3")},
		{"down to an end", `"withSequence":{"start":2,"end":0}`, texts("2", "1", "0")},
		{"a format", `"withSequence":{"count":2,"format":"host-%02X"}`, texts("host-00", "host-01")},
		{"a format with an escape", `"withSequence":{"count":1,"format":"a\\u0022%d"}`, texts(`a\u00220`)},
		{"a sequence with variables", `"withSequence":{"count":"{{inputs.parameters.n}}"}`, &nodegraph.Loop{Unresolved: "withSequence"}},
		{"a format with variables", `"withSequence":{"count":1,"format":"{{inputs.parameters.n}}"}`, &nodegraph.Loop{Unresolved: "withSequence"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := read(t, []byte(withSpec(taskWith(test.in))))
			if diff := cmp.Diff(test.want, w.Spec.Templates[0].Tasks[0].Loop, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			assert.Empty(t, w.Unresolved, "the engine asks for loops itself")
		})
	}
}

// What a spec says wrongly is said with its place.
func TestReadSpecErrors(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"a spec that is no object", `[]`, `spec: want an object, found a list`},
		{"templates that are no list", `{"templates":{}}`, `spec.templates: want a list, found an object`},
		{"a flag that is text", `{"suspend":"yes"}`, `spec.suspend: want true or false, found a string`},
		{"a number that is text", `{"parallelism":"3"}`, `spec.parallelism: want a whole number, found a string`},
		{"a deadline with a point", `{"activeDeadlineSeconds":1.5}`, `spec.activeDeadlineSeconds: want a whole number, found the number 1.5`},
		{"a limit that is an object", `{"retryStrategy":{"limit":{}}}`, `spec.retryStrategy.limit: want a number or a string, found an object`},
		{"a limit that is a word", `{"retryStrategy":{"limit":"many"}}`, `spec.retryStrategy.limit: "many" is not a number`},
		{"a factor that is too large", `{"retryStrategy":{"backoff":{"duration":"1","factor":99999999999}}}`, `spec.retryStrategy.backoff.factor: "99999999999" is not a number`},
		{"a backoff that is no duration", `{"retryStrategy":{"backoff":{"duration":"soon"}}}`, `spec.retryStrategy.backoff.duration: retry: duration "soon" is not a duration`},
		{"a cap that is no duration", `{"retryStrategy":{"backoff":{"cap":"soon"}}}`, `spec.retryStrategy.backoff.cap: retry: duration "soon" is not a duration`},
		{"a limit in time that is none", `{"retryStrategy":{"backoff":{"maxDuration":"-1s"}}}`, `spec.retryStrategy.backoff.maxDuration: retry: duration "-1s" is negative`},
		{"a timeout that is none", `{"templates":[{"container":{},"timeout":"x"}]}`, `spec.templates[0].timeout: retry: duration "x" is not a duration`},
		{"a timeout of the wait that is none", `{"templates":[{"container":{},"pendingTimeout":"x"}]}`, `spec.templates[0].pendingTimeout: retry: duration "x" is not a duration`},
		{"a pause that is none", `{"templates":[{"suspend":{"duration":"x"}}]}`, `spec.templates[0].suspend.duration: retry: duration "x" is not a duration`},
		{"a fault in a step", `{"templates":[{"steps":[[],[{"name":"a"},{"name":"b","inline":{"container":{},"timeout":"x"}}]]}]}`,
			`spec.templates[0].steps[1][1].inline.timeout: retry: duration "x" is not a duration`},
		{"a mutex without a name", `{"synchronization":{"mutexes":[{"name":"a"},{}]}}`, `spec.synchronization.mutexes[1]: a mutex has no name`},
		{"the one mutex without a name", `{"synchronization":{"mutex":{}}}`, `spec.synchronization.mutex: a mutex has no name`},
		{"a semaphore of nothing", `{"synchronization":{"semaphores":[{}]}}`, `spec.synchronization.semaphores[0]: a semaphore names neither a ConfigMap nor a database key`},
		{"a semaphore of two things", `{"synchronization":{"semaphore":{"configMapKeyRef":{"name":"c","key":"k"},"database":{"key":"k"}}}}`,
			`spec.synchronization.semaphore: a semaphore names both a ConfigMap and a database key`},
		{"a lock that waits for itself", `{"templates":[{"container":{},"synchronization":{"mutexes":[{"name":"m"},{"name":"m","namespace":"default"}]}}]}`,
			`spec.templates[0].synchronization.mutexes[1]: "default/Mutex/m" is named twice: it would wait for itself`},
		{"a sequence without an end", taskWith(`"withSequence":{}`), `spec.templates[0].dag.tasks[0].withSequence: has neither end nor count`},
		{"a format that is long", taskWith(`"withSequence":{"count":1,"format":"` + strings.Repeat("x", 300) + `"}`), `spec.templates[0].dag.tasks[0].withSequence: format: longer than 256 bytes`},
		{"a format that makes much", taskWith(`"withSequence":{"count":1,"format":"%9999d"}`), `spec.templates[0].dag.tasks[0].withSequence: format: makes no item of up to 1024 bytes`},
		{"a format that makes no JSON", taskWith(`"withSequence":{"count":1,"format":"%d\""}`), `spec.templates[0].dag.tasks[0].withSequence: format: makes no item of up to 1024 bytes`},
		{"a template that is not stored yet", `{"workflowTemplateRef":{"name":"t"}}`, `spec.workflowTemplateRef: status.storedWorkflowTemplateSpec is missing: the controller has not resolved it yet`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := argo.Read([]byte(withSpec(test.in)))
			require.EqualError(t, err, `argo: workflow "w": `+test.want)
		})
	}
	t.Run("an expression", func(t *testing.T) { // no part of the workflow but its node is wrong
		w, err := argo.Read([]byte(withSpec(`{"entrypoint":"t","templates":[{"name":"t","container":{},"retryStrategy":{"limit":1,"expression":"1 +"}}]}`)))
		require.NoError(t, err)
		failed := []retry.Attempt{{Outcome: retry.Failed}}
		d := w.Spec.Templates[0].Retry.Decide(failed, retry.Environment{})
		require.Equal(t, retry.Errored, d.Outcome)
		require.Contains(t, d.Message, `unexpected token EOF`)
	})
	for name, status := range map[string]string{
		"status.storedWorkflowTemplateSpec.templates: want a list, found an object":               `{"storedWorkflowTemplateSpec":{"templates":{}}}`,
		"status.storedWorkflowTemplateSpec.parallelism: want a whole number, found a string":      `{"storedWorkflowTemplateSpec":{"parallelism":"{{workflow.name}}"}}`,
		"status.storedTemplates: want an object, found a list":                                    `{"storedWorkflowTemplateSpec":{},"storedTemplates":[]}`,
		"status.storedTemplates[namespaced/t/a].timeout: retry: duration \"x\" is not a duration": `{"storedWorkflowTemplateSpec":{"templates":[{"steps":[[{"name":"s","templateRef":{"name":"t","template":"a"}}]]}]},"storedTemplates":{"namespaced/t/a":{"container":{},"timeout":"x"}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := argo.Read([]byte(`{"kind":"Workflow","metadata":{"name":"w"},"spec":{"workflowTemplateRef":{}},"status":` + status + `}`))
			require.EqualError(t, err, `argo: workflow "w": `+name)
		})
	}
}

// Templates of WorkflowTemplates come from the status, where the controller stores them. Inside such a template the
// names of its tasks' templates belong to the same WorkflowTemplate.
func TestReadTemplateReferences(t *testing.T) {
	w := read(t, yamlWorkflow(`spec:
  entrypoint: main
  hooks:
    run: {templateRef: {name: lib, template: bye}, expression: "true"}
  templates:
  - name: main
    dag:
      tasks:
      - {name: a, templateRef: {name: lib, template: build}}
      - {name: b, templateRef: {name: lib, template: build}}
      - {name: c, templateRef: {name: all, template: notify, clusterScope: true}}
      - {name: d, template: build}
      - {name: e, inline: {steps: [[{name: f, template: build}]]}}
  - name: build
    suspend: {}
status:
  storedTemplates:
    namespaced/lib/build: {name: build, steps: [[{name: s, template: compile}, {name: r, template: build}, {name: i, inline: {steps: [[{name: j, template: compile}]]}}]]}
    namespaced/lib/compile: {name: compile, container: {}}
    namespaced/lib/bye: {name: bye, container: {}}
    namespaced/lib/unused: {name: unused, container: {}}
    cluster/all/notify: {name: notify, http: {}, timeout: 5s}
`))
	group := func(tasks ...nodegraph.Task) [][]nodegraph.Task { return [][]nodegraph.Task{tasks} }
	steps := func(name string, tasks ...nodegraph.Task) *nodegraph.Template {
		return &nodegraph.Template{Name: name, Kind: nodegraph.KindSteps, Steps: group(tasks...)}
	}
	want := []*nodegraph.Template{
		{Name: "main", Kind: nodegraph.KindDAG, Tasks: []nodegraph.Task{
			{Name: "a", Template: "namespaced/lib/build"}, {Name: "b", Template: "namespaced/lib/build"}, {Name: "c", Template: "cluster/all/notify"},
			{Name: "d", Template: "build"}, {Name: "e", Inline: steps("e", nodegraph.Task{Name: "f", Template: "build"})}}},
		{Name: "build", Kind: nodegraph.KindSuspend},
		steps("namespaced/lib/build", nodegraph.Task{Name: "s", Template: "namespaced/lib/compile"}, nodegraph.Task{Name: "r", Template: "namespaced/lib/build"},
			nodegraph.Task{Name: "i", Inline: steps("i", nodegraph.Task{Name: "j", Template: "namespaced/lib/compile"})}),
		{Name: "cluster/all/notify", Kind: nodegraph.KindHTTP, Timeout: 5 * time.Second},
		one("namespaced/lib/bye"),
		one("namespaced/lib/compile"),
	}
	if diff := cmp.Diff(want, w.Spec.Templates, sameSpec); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	assert.Equal(t, "namespaced/lib/bye", w.Spec.Hooks[0].Template)
	_, err := nodegraph.New(w.Spec)
	require.NoError(t, err)
}

// Variables that the object answers are filled in before anything else is looked at, as Argo does.
func TestReadFillsInVariables(t *testing.T) {
	w := read(t, yamlWorkflow(`spec:
  entrypoint: main
  serviceAccountName: robot
  arguments:
    parameters:
    - {name: limit, value: 3}
    - {name: text, value: 'a "b"'}
    - {name: list, value: '["x","y"]'}
    - {name: object, value: {k: [1]}}
    - {name: secret, valueFrom: {}}
  templates:
  - name: main
    retryStrategy: {limit: "{{workflow.parameters.limit}}", backoff: {duration: "{{ workflow.parameters.limit }}s"}}
    synchronization: {mutexes: [{name: "{{workflow.namespace}}-{{workflow.name}}-{{workflow.uid}}"}]}
    dag:
      tasks:
      - name: a
        template: main
        withParam: "{{workflow.parameters.list}}"
        when: "{{workflow.parameters.text}} {{workflow.labels.team}} {{workflow.annotations.size}} {{workflow.mainEntrypoint}} {{workflow.serviceAccountName}}"
      - {name: b, template: main, when: "{{workflow.parameters.object}}"}
      - {name: c, template: main, when: "{{workflow.parameters.secret}} {{workflow.parameters.none}} {{workflow.labels.none}} {{workflow.status}} {{inputs.parameters.x}} {{=1}} {{"}
`))
	main := w.Spec.Templates[0]
	assert.Equal(t, 3, *main.Retry.Limit)
	assert.Equal(t, 3*time.Second, main.Retry.Backoff.Duration)
	assert.Equal(t, "default/Mutex/default-w-u", main.Locks[0].Key)
	assert.Equal(t, []nodegraph.Item{{Text: "x"}, {Text: "y"}}, main.Tasks[0].Loop.Items)
	assert.Equal(t, `a "b" blue 3 main robot`, main.Tasks[0].When)
	assert.Equal(t, `{"k":[1]}`, main.Tasks[1].When)
	assert.Equal(t, "{{workflow.parameters.secret}} {{workflow.parameters.none}} {{workflow.labels.none}} {{workflow.status}} {{inputs.parameters.x}} {{=1}} {{",
		main.Tasks[2].When, "these only the host knows")
	assert.Empty(t, w.Unresolved)
	assert.Contains(t, string(encode(t, w)), "{{workflow.parameters.limit}}", "what is written back is what was read")
}

// A spec with variables that only the host knows is read, and says what it leaves open.
func TestReadLeavesVariablesToTheHost(t *testing.T) {
	w := read(t, yamlWorkflow(`spec:
  entrypoint: main
  templates:
  - name: main
    timeout: "{{inputs.parameters.t}}"
    pendingTimeout: "{{inputs.parameters.p}}"
    synchronization: {mutexes: [{name: "{{inputs.parameters.m}}"}]}
    retryStrategy:
      limit: "{{inputs.parameters.n}}"
      retryPolicy: "{{inputs.parameters.r}}"
      expression: "{{inputs.parameters.e}}"
      backoff: {duration: "{{inputs.parameters.d}}", factor: "{{inputs.parameters.f}}", cap: "{{inputs.parameters.c}}", maxDuration: "{{inputs.parameters.x}}"}
    dag:
      target: "{{inputs.parameters.target}}"
      tasks:
      - {name: a, template: "{{inputs.parameters.template}}"}
      - {name: b, template: "{{inputs.parameters.template}}"}
      - {name: c, templateRef: {name: lib, template: build}, onExit: pause}
      - {name: d, templateRef: {name: lib, template: build}}
  - name: pause
    suspend: {duration: "{{inputs.parameters.s}}"}
  - name: factor
    container: {}
    retryStrategy: {expression: "true", backoff: {duration: "1", factor: "{{inputs.parameters.f}}"}}
`))
	const main = "spec.templates[0]"
	want := []argo.Unresolved{
		{Field: main + ".dag.target", Text: "{{inputs.parameters.target}}", CountsAs: "not set"},
		{Field: main + ".dag.tasks[0].template", Text: "{{inputs.parameters.template}}", CountsAs: "an error of the node"},
		{Field: main + ".dag.tasks[1].template", Text: "{{inputs.parameters.template}}", CountsAs: "an error of the node"},
		{Field: main + ".dag.tasks[2].templateRef", Text: "namespaced/lib/build", CountsAs: "an error of the node"},
		{Field: main + ".dag.tasks[3].templateRef", Text: "namespaced/lib/build", CountsAs: "an error of the node"},
		{Field: main + ".timeout", Text: "{{inputs.parameters.t}}", CountsAs: "not set"},
		{Field: main + ".pendingTimeout", Text: "{{inputs.parameters.p}}", CountsAs: "not set"},
		{Field: main + ".synchronization.mutexes[0]", Text: "default/Mutex/{{inputs.parameters.m}}", CountsAs: "as it stands"},
		{Field: main + ".retryStrategy.retryPolicy", Text: "{{inputs.parameters.r}}", CountsAs: "not set"},
		{Field: main + ".retryStrategy.limit", Text: "{{inputs.parameters.n}}", CountsAs: "not set"},
		{Field: main + ".retryStrategy.expression", Text: "{{inputs.parameters.e}}", CountsAs: "not set"},
		{Field: main + ".retryStrategy.backoff.duration", Text: "{{inputs.parameters.d}}", CountsAs: "not set"},
		{Field: main + ".retryStrategy.backoff.cap", Text: "{{inputs.parameters.c}}", CountsAs: "not set"},
		{Field: main + ".retryStrategy.backoff.maxDuration", Text: "{{inputs.parameters.x}}", CountsAs: "not set"},
		{Field: main + ".retryStrategy.backoff.factor", Text: "{{inputs.parameters.f}}", CountsAs: "not set"},
		{Field: "spec.templates[1].suspend.duration", Text: "{{inputs.parameters.s}}", CountsAs: "not set"},
		{Field: "spec.templates[2].retryStrategy.backoff.factor", Text: "{{inputs.parameters.f}}", CountsAs: "not set"},
	}
	if diff := cmp.Diff(want, w.Unresolved); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	retries := w.Spec.Templates[0].Retry
	assert.Equal(t, &retry.Strategy{Policy: retry.PolicyAlways}, retries, "the policy that goes with an expression")
	assert.Equal(t, &retry.Backoff{Duration: time.Second}, w.Spec.Templates[2].Retry.Backoff)
	assert.Equal(t, []*nodegraph.Template{
		{Name: "{{inputs.parameters.template}}", Kind: nodegraph.KindPod, Err: `the host must resolve template "{{inputs.parameters.template}}"`},
		{Name: "namespaced/lib/build", Kind: nodegraph.KindPod, Err: `template "namespaced/lib/build" is not in status.storedTemplates`},
	}, w.Spec.Templates[3:])
	_, err := nodegraph.New(w.Spec)
	require.NoError(t, err)
}
