package propagatetest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/propagatetest"
	"github.com/nodestatus/nodestatus/retry"
)

// A recorded is a keeper of which each reconcile is recorded.
type recorded struct {
	*keeper
	recorders map[string]*propagatetest.Recorder
}

func (r recorded) Reconcile(workflow string) error {
	locks := r.Locks.Clone()
	var said []string
	for _, ev := range r.c.Events(workflow) {
		i := r.engine(workflow).Graph().Find(ev.Node)
		switch {
		case ev.Type == propagate.EventResumed:
			said = append(said, "resume name="+r.engine(workflow).Graph().Node(i).Name())
		case ev.Type == propagate.EventNodeEnded:
			said = append(said, fmt.Sprintf("http %s %s", r.engine(workflow).Graph().Node(i).Name(), ev.Phase))
		}
	}
	now, pods := r.c.Now(), r.c.Pods(workflow)
	if err := r.keeper.Reconcile(workflow); err != nil {
		return err
	}
	return r.recorders[workflow].Frame(propagatetest.Frame{Now: now, State: r.engine(workflow).Snapshot(), Pods: pods, Locks: &locks, Events: said})
}

// record plays a case with a right host, and records each workflow.
func record(t *testing.T, c propagatetest.Case) map[string]*propagatetest.Recorder {
	recorders := make(map[string]*propagatetest.Recorder)
	for _, spec := range c.Workflows {
		r, err := propagatetest.NewRecorder(c.Name+", "+spec.Name, spec)
		require.NoError(t, err)
		recorders[spec.Name] = r
	}
	played := propagatetest.Conformance{New: func(c *propagatetest.Cluster) (propagatetest.Controller, error) {
		k, err := newKeeper(none)(c)
		return recorded{k.(*keeper), recorders}, err
	}}.Play(c)
	require.Empty(t, played.Faults())
	return recorders
}

// What a controller does in the cases of the conformance suite is recorded, and the engine shows the same when it is replayed.
func TestWhatIsRecordedIsReplayed(t *testing.T) {
	for _, c := range propagatetest.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			for name, r := range record(t, c) {
				t.Run(name, func(t *testing.T) {
					data, err := r.Encode()
					require.NoError(t, err)
					propagatetest.Replay{}.Data(t, data)
				})
			}
		})
	}
}

// A noting is a test that may fail.
type noting struct {
	testing.TB
	said []string
}

func (n *noting) Errorf(format string, args ...any) {
	n.said = append(n.said, fmt.Sprintf(format, args...))
}

// A recording of another end is not as the engine shows it: the test fails, and says which node differs.
func TestAWrongRecordingIsNoticed(t *testing.T) {
	c := casesNamed(t, []string{"a lock"})[0]
	data, err := record(t, c)["w1"].Encode()
	require.NoError(t, err)
	require.Contains(t, string(data), `"around":["default/Mutex/m"]`, "what others hold is recorded")
	wrong := strings.ReplaceAll(string(data), `"phase":"Succeeded"`, `"phase":"Failed"`)
	n := &noting{TB: t}
	propagatetest.Replay{}.Data(n, []byte(wrong))
	require.NotEmpty(t, n.said)
	require.Contains(t, n.said[0], "w1.x: recorded Pod Failed, computed Pod Succeeded")
	alone := strings.ReplaceAll(string(data), `"around":["default/Mutex/m"]`, `"around":[]`)
	n = &noting{TB: t}
	propagatetest.Replay{}.Data(n, []byte(alone))
	require.NotEmpty(t, n.said, "nobody else holds the lock: w1 does not wait")
	require.Contains(t, strings.Join(n.said, "\n"), "the frame does not say that others held default/Mutex/m", "what to record")
}

// What Argo's object has no field for is recorded, too.
func TestSettingsAreRecorded(t *testing.T) {
	spec, err := nodegraph.Parse("dag(a: retry(2, pod) -> b)")
	require.NoError(t, err)
	spec.PodRestarts, spec.TransientErrors = 2, "quota"
	spec.Locks = []nodegraph.Lock{{Key: "default/ConfigMap/limits/builds", Limit: 3}, {Key: "other/Mutex/m", Limit: 1}}
	again := spec.Templates[0]
	for _, s := range spec.Templates {
		if s.Retry != nil {
			again = s
		}
	}
	again.Retry.IgnoreDisruptions = true
	again.Retry.Rules = []retry.FailureRule{{Action: retry.ActionStop, In: []int{3}}}
	_, err = propagatetest.NewRecorder("settings", spec)
	require.NoError(t, err)
}

// What the form has no place for is an error that shows it.
func TestWhatCantBeRecorded(t *testing.T) {
	spec, err := nodegraph.Parse("dag(a)")
	require.NoError(t, err)
	spec.Templates[0].Err = "it is broken"
	_, err = propagatetest.NewRecorder("broken", spec)
	var refused *propagatetest.RecordError
	require.ErrorAs(t, err, &refused)
	require.Contains(t, err.Error(), "it is broken")
}
