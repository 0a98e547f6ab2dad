package propagate_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

var keepState = flag.Bool("keep-state", false, "write the file of this version's states that later versions load")

// stored is a state as its JSON gives it back.
func stored(t testing.TB, s propagate.State) propagate.State {
	t.Helper()
	data, err := json.Marshal(s)
	require.NoError(t, err)
	var back propagate.State
	require.NoError(t, json.Unmarshal(data, &back), "%s", data)
	require.Empty(t, cmp.Diff(s, back), "%s", data)
	return back
}

// stateText draws a workflow whose states have something of everything.
const stateText = `dag(a: retry(2, pod(x -> y)) -> b, c: mutex(m, pod), d, e when "{{p}} == 1", f over "{{list}}" exit pod, g: suspend, h: daemon)`

// busy is an engine in the middle of that workflow.
func busy(t testing.TB) *propagate.Engine {
	e := drawn(t, stateText)
	for _, ev := range []propagate.Event{
		{Type: propagate.EventPodRunning, Node: "wf.a(0)", Pod: fact.PodInstance{UID: "p1", Created: epoch}},
		propagate.PodFailed("wf.a(0)", "broken"), propagate.LockQueued("wf.c", "default/Mutex/m", "waits"),
		{Type: propagate.EventPodEnded, Node: "wf.d", Phase: nodegraph.PhaseFailed, HasExit: true, ExitCode: 3, Finished: epoch.Add(1500 * time.Millisecond)},
		propagate.Expanded("wf.f", nodegraph.Item{Text: "i", Fields: map[string]string{"k": "v"}}),
		propagate.PodDeleted("wf.f(0:i)"),
	} {
		tell(t, e, ev)
	}
	return e
}

// The JSON of a state gives back all of it, with text for what is enumerated.
func TestStateJSON(t *testing.T) {
	e := busy(t)
	loaded, unknown, err := propagate.FromState(e.Graph().Spec(), stored(t, e.Save()))
	require.NoError(t, err)
	require.Empty(t, unknown)
	require.Empty(t, cmp.Diff(e.Save(), loaded.Save(), anyOrder))
	data, err := json.Marshal(e.Save())
	require.NoError(t, err)
	require.Contains(t, string(data), `{"name":"wf.d","phase":"Failed","from":0,"to":1.5,"exit":3}`)
	require.NotContains(t, string(data), "null")
}

// A node that has ended takes at most 120 bytes beside its name.
func TestStateIsSmall(t *testing.T) {
	const n = 1000
	tasks := make([]string, n)
	for k := range tasks {
		tasks[k] = fmt.Sprintf("task%d", k)
	}
	e := drawn(t, "dag("+strings.Join(tasks, ", ")+")")
	var pods []propagate.PodStatus
	for k, task := range tasks {
		created := epoch.Add(time.Duration(k) * time.Second)
		pods = append(pods, propagate.PodStatus{
			Node: "wf." + task, UID: fmt.Sprintf("0b7f2c9e-6f0c-4c0e-9d5e-%012d", k), Name: "pod", Created: created,
			Containers: []propagate.ContainerStatus{{Name: "main", Finished: created.Add(time.Minute)}},
		})
	}
	for _, phase := range []propagate.PodPhase{"Running", "Succeeded"} {
		for k := range pods {
			pods[k].Phase = phase
			pods[k].Containers[0].Running, pods[k].Containers[0].Terminated = phase == "Running", phase == "Succeeded"
		}
		_, err := e.SyncPods(epoch.Add(time.Hour), pods)
		require.NoError(t, err)
	}
	require.True(t, e.Complete())
	data, err := json.Marshal(e.Save())
	require.NoError(t, err)
	names := len("wf." + strings.Join(tasks, "wf."))
	require.Less(t, (len(data)-names)/n, 120, "bytes a node beside its name: %s", data[:1000])
}

// A state of which something can't be is refused with the node, the field and the value.
func TestStateErrors(t *testing.T) {
	e := busy(t)
	spec := e.Graph().Spec()
	node := func(s *propagate.State, name string) *propagate.NodeState {
		for k := range s.Nodes {
			if s.Nodes[k].Name == name {
				return &s.Nodes[k]
			}
		}
		require.FailNow(t, "no such node", name)
		return nil
	}
	for _, c := range []struct {
		node, field, value string
		is                 error
		change             func(*propagate.State)
	}{
		{"", "version", "0", propagate.ErrStateVersion, func(s *propagate.State) { *s = propagate.State{} }},
		{"", "version", "99", propagate.ErrStateVersion, func(s *propagate.State) { s.Version = 99 }},
		{"", "workflow", "other", propagate.ErrStateWorkflow, func(s *propagate.State) { s.Name = "other" }},
		{"", "structure", "x", propagate.ErrStateWorkflow, func(s *propagate.State) { s.Structure = "x" }},
		{"", "count", fmt.Sprint(len(e.Save().Nodes)), propagate.ErrStateInconsistent, func(s *propagate.State) { s.Nodes = s.Nodes[:2] }},
		{"", "status", "Phase(200)", propagate.ErrInvalid, func(s *propagate.State) { s.Status = 200 }},
		{"", "shutdown", "stop", propagate.ErrInvalid, func(s *propagate.State) { s.Shutdown = "stop" }},
		{"", "lock", "LockState(9)", propagate.ErrInvalid, func(s *propagate.State) { s.Workflow.Lock = 9 }},
		{"", "started", "", propagate.ErrStateInconsistent, func(s *propagate.State) { s.Started = time.Time{} }},
		{"wf.d", "stage", "Stage(200)", propagate.ErrInvalid, func(s *propagate.State) { node(s, "wf.d").Fact.Stage = 200 }},
		{"wf.d", "phase", "Phase(200)", propagate.ErrInvalid, func(s *propagate.State) { node(s, "wf.d").Fact.Phase = 200 }},
		{"wf.d", "phase", "Running", propagate.ErrInvalid, func(s *propagate.State) { node(s, "wf.d").Fact.Phase = nodegraph.PhaseRunning }},
		{"wf.e", "answer", "Answer(7)", propagate.ErrInvalid, func(s *propagate.State) { node(s, "wf.e").Fact.Answer = 7 }},
		{"wf.e", "memo", "Answer(7)", propagate.ErrInvalid, func(s *propagate.State) { node(s, "wf.e").Fact.Memo = 7 }},
		{"wf.a(0)", "serial", "-5", propagate.ErrInvalid, func(s *propagate.State) { node(s, "wf.a(0)").Fact.Serial = -5 }},
		{"wf.a(0)", "attempt", "-1", propagate.ErrInvalid, func(s *propagate.State) { node(s, "wf.a(0)").Fact.Attempt = -1 }},
		{"wf.a(0)", "halted", "never", propagate.ErrInvalid, func(s *propagate.State) { node(s, "wf.a(0)").Fact.Halted = "never" }},
		{"wf.a", "name", "wf.a", propagate.ErrStateInconsistent, func(s *propagate.State) { node(s, "wf.c").Name = "wf.a" }},
	} {
		t.Run(c.node+" "+c.field, func(t *testing.T) {
			s := e.Save()
			c.change(&s)
			_, _, err := propagate.FromState(spec, s)
			var of *propagate.StateError
			require.ErrorAs(t, err, &of)
			require.Equal(t, [3]string{c.node, c.field, c.value}, [3]string{of.Node, of.Field, of.Value}, err.Error())
			require.ErrorIs(t, err, c.is)
		})
	}
}

// A state in which each field by itself may be, and that contradicts itself, is refused as well.
func TestStateThatContradictsItself(t *testing.T) {
	e := drawn(t, "dag(a: dag(x), b)")
	s := e.Save()
	for k := range s.Nodes {
		if s.Nodes[k].Name == "wf.a" {
			s.Nodes[k].Fact.Stage, s.Nodes[k].Fact.Phase, s.Nodes[k].Fact.Finished = fact.StageEnded, nodegraph.PhaseSucceeded, epoch
		}
	}
	_, _, err := propagate.FromState(e.Graph().Spec(), s)
	require.ErrorIs(t, err, propagate.ErrStateInconsistent)
	var broken *propagate.InvariantError
	require.ErrorAs(t, err, &broken)
	require.Equal(t, "containment", broken.Invariant)
}

// A state from before states had versions, of a later version, or with what this one does not know is refused as it is read.
func TestStateOfAnotherVersion(t *testing.T) {
	data, err := json.Marshal(busy(t).Save())
	require.NoError(t, err)
	for text, is := range map[string]error{
		`{}`: propagate.ErrStateVersion, `null`: propagate.ErrStateVersion, `{"Nodes":[],"Shutdown":""}`: propagate.ErrStateVersion,
		`{"version":99,"future":{}}`:                                propagate.ErrStateVersion,
		strings.TrimSuffix(string(data), "}") + `,"new":1}`:         propagate.ErrInvalid,
		strings.Replace(string(data), `"Failed"`, `"Flawed"`, 1):    propagate.ErrInvalid,
		strings.Replace(string(data), `"from":0`, `"from":1e99`, 1): propagate.ErrInvalid,
	} {
		var s propagate.State
		require.ErrorIs(t, json.Unmarshal([]byte(text), &s), is, text)
	}
	var s propagate.State
	require.Error(t, json.Unmarshal(data[:len(data)/2], &s))
}

// What may change while a workflow runs may differ from what it was when the state was saved.
func TestStateOfAChangedSpecification(t *testing.T) {
	e := busy(t)
	spec, err := nodegraph.Parse(stateText)
	require.NoError(t, err)
	spec.Suspended, spec.Parallelism, spec.ActiveDeadline, spec.Priority = true, 7, time.Hour, 3
	_, _, err = propagate.FromState(spec, e.Save())
	require.NoError(t, err)
	other, err := nodegraph.Parse(strings.Replace(stateText, "d, e", "e", 1))
	if err == nil {
		_, _, err = propagate.FromState(other, e.Save())
	}
	require.ErrorIs(t, err, propagate.ErrStateWorkflow)
}

// The states of every version that was released are kept, and loaded by each later one. go test ./propagate -run StatesOf
// -keep-state writes that of this version.
func TestStatesOfEveryVersion(t *testing.T) {
	file := fmt.Sprintf("testdata/states/v%d.json", busy(t).Save().Version)
	if *keepState {
		data, err := json.MarshalIndent(busy(t).Save(), "", " ")
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(file, append(data, '\n'), 0o644))
	}
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	var s propagate.State
	require.NoError(t, json.Unmarshal(data, &s))
	spec, err := nodegraph.Parse(stateText)
	require.NoError(t, err)
	e, unknown, err := propagate.FromState(spec, s)
	require.NoError(t, err)
	require.Empty(t, unknown)
	require.ElementsMatch(t, waitsFor(busy(t)), waitsFor(e))
}

// fuzzedSpecs are the workflows whose states and records are fuzzed.
var fuzzedSpecs = []string{
	stateText, "dag(a -> b, c)", "steps(a, b | c | d: steps(e | f))", "dag(a: retry(2, dag(x -> y)) exit pod -> b: pod(u -> v))",
	"dag(a: daemon -> b over [i, j], c: mutex(m, dag(z)))",
}

// FuzzFromState: no JSON hangs, panics, or gives an engine that is not sound before and after a call.
func FuzzFromState(f *testing.F) {
	for k, text := range fuzzedSpecs {
		e := drawn(f, text)
		data, err := json.Marshal(e.Save())
		require.NoError(f, err)
		f.Add(k, data)
	}
	saved := busy(f).Save()
	data, err := json.Marshal(saved)
	require.NoError(f, err)
	f.Add(0, data)
	f.Fuzz(func(t *testing.T, which int, data []byte) {
		spec, err := nodegraph.Parse(fuzzedSpecs[uint(which)%uint(len(fuzzedSpecs))])
		require.NoError(t, err)
		var s propagate.State
		if json.Unmarshal(data, &s) != nil {
			return
		}
		s.Version, s.Name, s.Structure, s.Count = saved.Version, spec.Name, spec.Fingerprint(), len(s.Nodes)
		loadSoundly(t, spec, s)
	})
}

// loadSoundly loads a state, and checks the engine before and after a call, unless it is refused.
func loadSoundly(t *testing.T, spec *nodegraph.Spec, s propagate.State) {
	t.Helper()
	e, _, err := propagate.FromState(spec, s)
	var of *propagate.StateError
	if err != nil {
		require.True(t, errors.As(err, &of), "%v", err)
		return
	}
	require.NoError(t, e.Check())
	_, err = e.Apply(e.Now())
	require.NoError(t, err)
	require.NoError(t, e.Check())
}
