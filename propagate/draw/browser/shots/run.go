package main

import (
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/draw"
	"github.com/nodestatus/nodestatus/retry"
)

// A happening is what happens so long after the beginning; nothing but time if there is no event.
type happening struct {
	after  time.Duration
	events []propagate.Event
}

// happenings are a build that fails twice, with a backoff that doubles, beside a migration that waits for a lock.
var happenings = []happening{
	{0, []propagate.Event{propagate.LockQueued("release.migrate", "default/Mutex/db", "Waiting for default/Mutex/db lock. Lock status: 0/1")}},
	{1 * time.Minute, []propagate.Event{propagate.PodRunning("release.build(0)")}},
	{9 * time.Minute, []propagate.Event{propagate.PodFailed("release.build(0)", "exit code 1")}},
	{13 * time.Minute, nil},
	{14 * time.Minute, []propagate.Event{propagate.PodRunning("release.build(1)")}},
	{17 * time.Minute, []propagate.Event{propagate.LockGranted("release.migrate")}},
	{18 * time.Minute, []propagate.Event{propagate.PodRunning("release.migrate")}},
	{22 * time.Minute, []propagate.Event{propagate.PodEvicted("release.build(1)", "The node was low on resource: memory.")}},
	{30 * time.Minute, nil},
	{31 * time.Minute, []propagate.Event{propagate.PodRunning("release.build(2)")}},
	{33 * time.Minute, []propagate.Event{propagate.PodSucceeded("release.migrate")}},
	{38 * time.Minute, []propagate.Event{propagate.PodSucceeded("release.build(2)")}},
	{39 * time.Minute, []propagate.Event{propagate.PodRunning("release.publish")}},
	{44 * time.Minute, []propagate.Event{propagate.PodSucceeded("release.publish")}},
}

// release is the film of such a run.
func release() ([]byte, error) {
	spec, err := nodegraph.Parse("release: dag(build: retry(3, pod) -> publish, migrate: mutex(db, pod) -> publish)")
	if err != nil {
		return nil, err
	}
	for _, t := range spec.Templates {
		if t.Retry != nil {
			t.Retry.Backoff = &retry.Backoff{Duration: 4 * time.Minute, Factor: 2}
		}
	}
	e, err := propagate.New(spec)
	if err != nil {
		return nil, err
	}
	begin := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	if _, err := e.Apply(begin); err != nil {
		return nil, err
	}
	film := &draw.Film{Name: "release", Description: []string{"A build that fails twice, beside a migration that waits for a lock."}}
	for _, h := range happenings {
		now := begin.Add(h.after)
		r, err := e.Apply(now, h.events...)
		if err != nil {
			return nil, err
		}
		var said []string
		for _, ev := range h.events {
			said = append(said, ev.String())
		}
		film.Add(draw.Frame{Now: now, Events: said, Result: r}, e)
	}
	return film.HTML()
}
