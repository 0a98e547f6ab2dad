package rule_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// The tests of the rules are scenes: a workflow that a line of text draws, what happens to it, and what the rules say of one
// node then. Each chapter of the specification has a test with scenes for all of its lines: see TestEveryLineHasAScene.

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// mutexM is the lock of mutex(m, ...).
const mutexM = "default/Mutex/m"

// What happens to pods.
var running, succeeded, deleted = propagate.PodRunning, propagate.PodSucceeded, propagate.PodDeleted

// failed is a pod that failed without a word.
func failed(node string) propagate.Event { return propagate.PodFailed(node, "") }

// A scene ends with a verdict on a node.
type scene struct {
	text   string                // what it shows, drawn
	set    func(*nodegraph.Spec) // what a line of text can't say
	limits nodegraph.Limits
	record []nodegraph.NodeStatus // what the workflow is restored from, if not empty
	phase  nodegraph.Phase        // of the record
	calls  []call
	silent bool // nobody calls at all
	node   string
	want   string // line, phase, who decided, words
}

// A call tells the engine what happened, some time after the beginning.
type call struct {
	after  time.Duration
	events []propagate.Event
}

// told is one call with all of the events, at the beginning.
func told(events ...propagate.Event) []call { return []call{{0, events}} }

// eachTold is one call for each event.
func eachTold(events ...propagate.Event) []call {
	var calls []call
	for _, ev := range events {
		calls = append(calls, call{0, []propagate.Event{ev}})
	}
	return calls
}

// play plays a scene up to its end.
func (s *scene) play(t *testing.T) *propagate.Engine {
	t.Helper()
	spec, err := nodegraph.Parse(s.text)
	require.NoError(t, err)
	if s.set != nil {
		s.set(spec)
	}
	var e *propagate.Engine
	if s.record != nil {
		r := nodegraph.Snapshot{Phase: s.phase, Started: epoch, Nodes: s.record}
		if s.phase.Completed() {
			r.Finished = epoch
		}
		e, _, err = propagate.FromSnapshot(spec, r, nodegraph.WithLimits(s.limits))
	} else {
		e, err = propagate.New(spec, nodegraph.WithLimits(s.limits))
	}
	require.NoError(t, err)
	if s.silent {
		return e
	}
	for _, c := range append([]call{{}}, s.calls...) {
		_, err := e.Apply(epoch.Add(c.after), c.events...)
		require.NoError(t, err)
	}
	require.NoError(t, e.Check())
	return e
}

// verdict puts the verdict on a node into one line; "" is the workflow.
func verdict(t *testing.T, e *propagate.Engine, node string) string {
	t.Helper()
	i := nodegraph.Root
	if node != "" {
		i = e.Graph().Find(node)
		require.NotEqual(t, nodegraph.None, i, "no node %s", node)
	}
	v := e.Verdict(i)
	text := v.Line + ": " + v.Phase.String()
	if v.Phase == nodegraph.PhasePlanned {
		text = v.Line + ": planned"
	}
	if v.Fulfilled && !v.Phase.Settled() || !v.Fulfilled && v.Phase.Settled() {
		text += fmt.Sprintf(", fulfilled %v", v.Fulfilled)
	}
	switch {
	case v.By == nodegraph.Root:
		text += ", by the workflow"
	case v.By != nodegraph.None:
		text += ", by " + e.Graph().Node(v.By).Name()
	}
	if v.Message != "" {
		text += ", " + v.Message
	}
	return text
}

// chapter plays the scenes of a chapter.
func chapter(t *testing.T, scenes []scene) {
	t.Helper()
	for _, s := range scenes {
		t.Run(strings.ReplaceAll(s.want, " ", "_"), func(t *testing.T) {
			require.Equal(t, s.want, verdict(t, s.play(t), s.node), "%s in %s", s.node, s.text)
		})
	}
}

// Each line of the specification has a scene that ends with it.
func TestEveryLineHasAScene(t *testing.T) {
	shown := make(map[string]bool)
	for _, scenes := range [][]scene{
		workflowScenes, plannedScenes, compositeScenes, dagScenes, stepsScenes, stepGroupScenes, taskGroupScenes, retryScenes,
		leafScenes, podScenes, containerScenes, suspendScenes, servedScenes,
	} {
		for _, s := range scenes {
			line, _, _ := strings.Cut(s.want, ":")
			shown[line] = true
		}
	}
	text, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	chapter := ""
	for _, l := range strings.Split(string(text), "\n") {
		if m := regexp.MustCompile(`^// # (\w+)$`).FindStringSubmatch(l); m != nil {
			chapter = m[1]
		}
		if m := regexp.MustCompile(`^//  (\d+)\. `).FindStringSubmatch(l); m != nil {
			require.True(t, shown[chapter+" "+m[1]], "no scene ends with %s %s", chapter, m[1])
		}
	}
}

// template is the template of this name.
func template(spec *nodegraph.Spec, name string) *nodegraph.Template {
	for _, t := range spec.Templates {
		if t.Name == name {
			return t
		}
	}
	panic("no template " + name)
}

// onRecord is a node of a workflow called wf as a controller recorded it.
func onRecord(name string, kind nodegraph.Kind, phase nodegraph.Phase) nodegraph.NodeStatus {
	return nodegraph.NodeStatus{ID: nodegraph.NodeID("wf", name), Name: name, Kind: kind, Phase: phase, Started: epoch}
}
