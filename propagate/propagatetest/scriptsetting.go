package propagatetest

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/retry"
)

// A value is what a setting is set to.
type value struct {
	t    *testing.T
	key  string
	text string
}

func (v value) length() time.Duration {
	d, err := time.ParseDuration(v.text)
	require.NoError(v.t, err, v.key)
	return d
}

func (v value) number() int {
	n, err := strconv.Atoi(v.text)
	require.NoError(v.t, err, v.key)
	return n
}

// workflowSettings change a specification as a whole.
var workflowSettings = map[string]func(s *nodegraph.Spec, v value){
	"parallelism": func(s *nodegraph.Spec, v value) { s.Parallelism = v.number() },
	"mutex": func(s *nodegraph.Spec, v value) {
		s.Locks = append(s.Locks, nodegraph.Lock{Key: "default/Mutex/" + v.text, Limit: 1})
	},
	"deadline":  func(s *nodegraph.Spec, v value) { s.ActiveDeadline = v.length() },
	"restarts":  func(s *nodegraph.Spec, v value) { s.PodRestarts = v.number() },
	"suspended": func(s *nodegraph.Spec, _ value) { s.Suspended = true },
	"timeout":   func(s *nodegraph.Spec, _ value) { s.TimeoutsByHost = true }, // Argo leaves it to the kubelet
	"workflow-hook": func(s *nodegraph.Spec, _ value) {
		s.Hooks = append(s.Hooks, nodegraph.Hook{Name: "running", Template: "pod", Expression: `workflow.status == "Running"`})
	},
}

// templateSettings change each template.
var templateSettings = map[string]func(t *nodegraph.Template, v value){
	"failfast":   func(t *nodegraph.Template, _ value) { t.FailFast = t.Kind.Composite() },
	"nofailfast": func(t *nodegraph.Template, _ value) { t.NoFailFast = t.Kind == nodegraph.KindDAG },
	"disruptions": func(t *nodegraph.Template, _ value) {
		if t.Retry != nil {
			t.Retry.IgnoreDisruptions = true
		}
	},
	"backoff": func(t *nodegraph.Template, v value) {
		if t.Retry != nil {
			t.Retry.Backoff = &retry.Backoff{Duration: v.length(), MaxDuration: 10 * v.length()}
		}
	},
	"hook":        hookOf,
	"members":     func(t *nodegraph.Template, v value) { t.Parallelism = v.number() },
	"daemon-sets": func(t *nodegraph.Template, _ value) { t.Daemon = len(t.Containers) > 0 },
	"memoize": func(t *nodegraph.Template, v value) {
		if t.Kind == nodegraph.KindPod {
			t.Memoize = v.text
		}
	},
	"timeout":         func(t *nodegraph.Template, v value) { t.Timeout = v.length() },
	"pending-timeout": func(t *nodegraph.Template, v value) { t.PendingTimeout = v.length() },
}

// hookOf gives the task of this name a hook that is due while the task and the workflow run.
func hookOf(t *nodegraph.Template, v value) {
	for k := range t.Tasks {
		if task := &t.Tasks[k]; task.Name == v.text {
			task.Hooks = append(task.Hooks, nodegraph.Hook{Name: "running", Template: "pod",
				Expression: `workflow.status == "Running" && tasks.` + v.text + `.status == "Running"`})
		}
	}
}

// setting changes what the line that draws a workflow does not say. What is about templates is about all of them.
func (s *script) setting(spec *nodegraph.Spec, arg datadriven.CmdArg) {
	if arg.Key == "host-locks" {
		s.host = true
		return
	}
	v := value{s.t, arg.Key, strings.Join(arg.Vals, ",")}
	ofWorkflow, ofTemplate := workflowSettings[arg.Key], templateSettings[arg.Key]
	require.True(s.t, ofWorkflow != nil || ofTemplate != nil, "unknown setting: %s", arg.Key)
	if ofWorkflow != nil {
		ofWorkflow(spec, v)
	}
	for _, t := range spec.Templates {
		if ofTemplate != nil {
			ofTemplate(t, v)
		}
	}
}
