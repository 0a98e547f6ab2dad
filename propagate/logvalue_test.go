package propagate_test

import (
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// logged makes a logger whose lines have no time.
func logged() *slog.Logger {
	return slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
}

// Results, actions and obligations are values for structured logs.
func ExampleObligation_LogValue() {
	spec, _ := nodegraph.Parse("release: dag(build -> publish: mutex(registry, pod), cool: suspend(10m))")
	engine, _ := propagate.New(spec)
	now := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	log := logged()

	result, err := engine.Apply(now)
	fmt.Println(err)
	log.Info("started", "result", result)
	result, err = engine.Apply(now, propagate.PodSucceeded("release.build"))
	fmt.Println(err)
	for _, action := range result.Actions {
		log.Info("do", "", action)
	}
	for _, obligation := range engine.Obligations() {
		log.Info("waits", "", obligation)
	}
	// Output:
	// <nil>
	// level=INFO msg=started result.changes="[Pod release.build: (new) -> Pending Suspend release.cool: (new) -> Running DAG release: (new) -> Running Workflow release: (new) -> Running]" result.actions="[Start DAG release Start Suspend release.cool Start Pod release.build Wake]"
	// <nil>
	// level=INFO msg=do action=Acquire kind=Pod node=release.publish id=release-238768059 locks=[default/Mutex/registry]
	// level=INFO msg=waits node=release.publish for=lock
	// level=INFO msg=waits node=release.cool for=timer since=2026-01-02T12:00:00.000Z until=2026-01-02T12:10:00.000Z
}
