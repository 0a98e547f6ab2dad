// Driver makes one call of an engine and writes which code that call entered. It is built with coverage.
//
//	driver "pod deleted" DIRECTORY
package main

import (
	"fmt"
	"os"
	"runtime/coverage"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// A call is the one that counts. It returns how many nodes it changed.
type call func() (int, error)

// scenes prepare an engine each and return the call.
var scenes = map[string]func() (call, error){
	"pod deleted": func() (call, error) {
		return applied("dag(a -> b)", propagate.PodDeleted("wf.a"), propagate.PodRunning("wf.a"))
	},
	"pod list": func() (call, error) {
		e, err := begun("dag(a -> b)")
		if err != nil {
			return nil, err
		}
		pods := []propagate.PodStatus{{Node: "wf.a", UID: "1", Phase: "Pending"}}
		if _, err := e.SyncPods(now, pods); err != nil {
			return nil, err
		}
		pods[0].Phase = "Running"
		return func() (int, error) {
			result, err := e.SyncPods(now, pods)
			return len(result.Changes), err
		}, nil
	},
	"next attempt": func() (call, error) {
		return applied("dag(a: retry(2, pod))", propagate.PodFailed("wf.a(0)", "exit code 1"), propagate.PodRunning("wf.a(0)"))
	},
	"manual retry": func() (call, error) {
		return applied("dag(a -> b)", propagate.ManualRetry(), propagate.PodSucceeded("wf.a"), propagate.PodFailed("wf.b", "exit code 1"))
	},
	"exit hook": func() (call, error) {
		return applied("dag(a) exit pod", propagate.PodSucceeded("wf.a"), propagate.PodRunning("wf.a"))
	},
}

// begun returns the engine of a workflow that was started and then told these events, one after the other.
func begun(text string, before ...propagate.Event) (*propagate.Engine, error) {
	spec, err := nodegraph.Parse(text)
	if err != nil {
		return nil, err
	}
	e, err := propagate.New(spec)
	if err != nil {
		return nil, err
	}
	if _, err := e.Apply(now); err != nil {
		return nil, err
	}
	for _, event := range before {
		if _, err := e.Apply(now, event); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// applied is the call that tells an engine one event, after others.
func applied(text string, event propagate.Event, before ...propagate.Event) (call, error) {
	e, err := begun(text, before...)
	if err != nil {
		return nil, err
	}
	var result propagate.Result
	return func() (int, error) {
		err := e.ApplyTo(&result, now, event)
		return len(result.Changes), err
	}, nil
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 || scenes[args[0]] == nil {
		return fmt.Errorf("usage: driver SCENE DIRECTORY")
	}
	once, err := scenes[args[0]]()
	if err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	if err := coverage.ClearCounters(); err != nil {
		return err
	}
	changed, err := once()
	if err := coverage.WriteCountersDir(args[1]); err != nil {
		return err
	}
	if err != nil || changed == 0 {
		return fmt.Errorf("%s: %d nodes changed, error %v", args[0], changed, err)
	}
	return coverage.WriteMetaDir(args[1])
}
