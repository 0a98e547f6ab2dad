package propagatetest

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// A words is the call of a constructor of an event, as a script has it.
type words struct {
	t    *testing.T
	line string
	args []string // the first is the constructor's name
}

// at is argument k.
func (w *words) at(k int) string {
	require.Greater(w.t, len(w.args), k, "%s: an argument is missing", w.line)
	return w.args[k]
}

// from are all arguments from k on, as one text.
func (w *words) from(k int) string {
	if k >= len(w.args) {
		return ""
	}
	return strings.Join(w.args[k:], " ")
}

func (w *words) number(text string) int {
	n, err := strconv.Atoi(text)
	require.NoError(w.t, err, w.line)
	return n
}

// seconds are so many seconds after the script began.
func (w *words) seconds(text string) time.Time {
	return epoch.Add(time.Duration(w.number(text)) * time.Second)
}

// constructors make the events that scripts name.
var constructors = map[string]func(w *words) propagate.Event{
	"PodPending":   func(w *words) propagate.Event { return propagate.PodPending(w.at(1), w.from(2)) },
	"PodRunning":   func(w *words) propagate.Event { return propagate.PodRunning(w.at(1)) },
	"PodSucceeded": func(w *words) propagate.Event { return propagate.PodSucceeded(w.at(1)) },
	"PodFailed":    func(w *words) propagate.Event { return propagate.PodFailed(w.at(1), "main: Error (exit code 1)") },
	"PodEvicted": func(w *words) propagate.Event {
		return propagate.PodEvicted(w.at(1), "The node was low on resource: memory.")
	},
	"PodDeleted":       func(w *words) propagate.Event { return propagate.PodDeleted(w.at(1)) },
	"ContainerPending": func(w *words) propagate.Event { return propagate.ContainerPending(w.at(1), w.at(2)) },
	"ContainerRunning": func(w *words) propagate.Event { return propagate.ContainerRunning(w.at(1), w.at(2)) },
	"ContainerEnded": func(w *words) propagate.Event {
		return propagate.ContainerEnded(w.at(1), w.at(2), w.number(w.at(3)), "")
	},
	"ContainerRetried": func(w *words) propagate.Event { return propagate.ContainerRetried(w.at(1), w.at(2)) },
	"Resumed":          func(w *words) propagate.Event { return propagate.Resumed(w.at(1)) },
	"Resolved":         func(w *words) propagate.Event { return propagate.Resolved(w.at(1), w.at(2) == "true", w.from(3)) },
	"Memoized":         func(w *words) propagate.Event { return propagate.Memoized(w.at(1), w.at(2) == "true") },
	"Unanswerable":     func(w *words) propagate.Event { return propagate.Unanswerable(w.at(1), w.from(2)) },
	"Unrunnable":       func(w *words) propagate.Event { return propagate.Unrunnable(w.at(1), w.from(2)) },
	"LockGranted":      func(w *words) propagate.Event { return propagate.LockGranted(w.from(1)) },
	"LockQueued": func(w *words) propagate.Event {
		return propagate.LockQueued(w.from(2), w.at(1), "waits for "+w.at(1))
	},
	"Suspended": func(w *words) propagate.Event { return propagate.Suspended(w.at(1) == "true") },
	"Expanded": func(w *words) propagate.Event {
		var items []nodegraph.Item
		for _, text := range w.args[2:] {
			items = append(items, nodegraph.Item{Text: text})
		}
		return propagate.Expanded(w.at(1), items...)
	},
	"NodeSucceeded": func(w *words) propagate.Event { return propagate.NodeEnded(w.at(1), nodegraph.PhaseSucceeded, "") },
	"NodeFailed":    func(w *words) propagate.Event { return propagate.NodeEnded(w.at(1), nodegraph.PhaseFailed, w.from(2)) },
	"AgentEnded": func(w *words) propagate.Event {
		return propagate.AgentEnded(strings.TrimSpace("the agent's pod was deleted " + w.from(1)))
	},
	"ResultPending": func(w *words) propagate.Event { return propagate.ResultPending(w.at(1)) },
	"ResultSynced":  func(w *words) propagate.Event { return propagate.ResultSynced(w.at(1)) },
	"Shutdown":      func(w *words) propagate.Event { return propagate.Shutdown(w.at(1)) },
	"ManualRetry":   func(w *words) propagate.Event { return propagate.ManualRetry(w.args[1:]...) },
}

// fields set fields of an event. They are tried before a word counts as an argument.
var fields = map[string]func(w *words, value string, ev *propagate.Event){
	"uid":        func(_ *words, value string, ev *propagate.Event) { ev.Pod.UID = value },
	"attempt":    func(w *words, value string, ev *propagate.Event) { ev.Pod.Attempt = w.number(value) },
	"created":    func(w *words, value string, ev *propagate.Event) { ev.Pod.Created = w.seconds(value) },
	"finished":   func(w *words, value string, ev *propagate.Event) { ev.Finished = w.seconds(value) },
	"exit":       func(w *words, value string, ev *propagate.Event) { ev.ExitCode, ev.HasExit = w.number(value), true },
	"reason":     func(_ *words, value string, ev *propagate.Event) { ev.Reason = value },
	"conditions": func(_ *words, value string, ev *propagate.Event) { ev.Conditions = strings.Split(value, ",") },
	"unready":    func(_ *words, _ string, ev *propagate.Event) { ev.Ready = false },
}

// parseEvent reads the call of a constructor, and then fields of the event.
func parseEvent(t *testing.T, line string) propagate.Event {
	w := &words{t: t, line: line}
	var set []func(ev *propagate.Event)
	for _, word := range strings.Fields(line) {
		key, value, _ := strings.Cut(word, "=")
		if field := fields[key]; field != nil {
			set = append(set, func(ev *propagate.Event) { field(w, value, ev) })
		} else {
			w.args = append(w.args, word)
		}
	}
	construct := constructors[w.at(0)]
	require.NotNil(t, construct, "no event is called %s, in %q", w.at(0), line)
	ev := construct(w)
	for _, f := range set {
		f(&ev)
	}
	return ev
}
