package propagate_test

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// Ten thousand engines on all cores, all made from one specification, each used by one goroutine: what the package
// documentation allows. The race detector watches where it is on.
func TestManyEnginesShareASpecification(t *testing.T) {
	spec, err := nodegraph.Parse(`dag(fetch -> build: retry(1, pod(compile -> main)) -> {lint over [x, y], wait: suspend}, done depends "lint.AnySucceeded && wait") exit pod`)
	require.NoError(t, err)
	next, failed := make(chan int), make(chan error, 10_000)
	var workers sync.WaitGroup
	for range 2 * runtime.GOMAXPROCS(0) {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for k := range next {
				if err := runOne(spec, k); err != nil {
					failed <- fmt.Errorf("engine %d: %w", k, err)
				}
			}
		}()
	}
	for k := range 10_000 {
		next <- k
	}
	close(next)
	workers.Wait()
	close(failed)
	for err := range failed {
		assert.NoError(t, err)
	}
}

// runOne takes a workflow to its end: every third loses a pod on the way.
func runOne(spec *nodegraph.Spec, k int) error {
	e, err := propagate.New(spec)
	if err != nil {
		return err
	}
	r, err := e.Apply(epoch)
	for lost := k%3 != 0; err == nil && !e.Complete(); {
		var events []propagate.Event
		for _, a := range r.Actions {
			switch {
			case a.Type != propagate.ActionStart:
			case a.Kind == nodegraph.KindSuspend:
				events = append(events, propagate.Resumed(a.Name))
			case a.Kind == nodegraph.KindPod && !lost && a.Name == "wf.build(0)":
				lost = true
				events = append(events, propagate.PodRunning(a.Name), propagate.PodDeleted(a.Name))
			case a.Kind == nodegraph.KindPod:
				events = append(events, propagate.PodSucceeded(a.Name))
			}
		}
		if len(events) == 0 {
			return fmt.Errorf("it waits for %v", e.Obligations())
		}
		r, err = e.Apply(epoch, events...)
	}
	if err != nil {
		return err
	}
	if phase, message := e.Workflow(); phase != nodegraph.PhaseSucceeded {
		return fmt.Errorf("it is %s %q", phase, message)
	}
	return nil
}

// Two goroutines call one engine, which is a misuse: a call that comes into another is refused, and changes nothing.
func TestCallsThatMeetAreRefused(t *testing.T) {
	e := drawn(t, "dag(a: suspend, b: suspend)")
	var workers sync.WaitGroup
	errs := make(chan error, 2*10_000)
	for range 2 {
		workers.Go(func() {
			for range 10_000 {
				_, err := e.Apply(epoch, propagate.Suspended(true), propagate.Suspended(false))
				errs <- err
			}
		})
	}
	workers.Wait()
	close(errs)
	for err := range errs {
		var refused *propagate.UseError
		if err != nil && !errors.As(err, &refused) {
			t.Error(err)
		}
	}
	require.NoError(t, e.Check())
	require.Equal(t, []string{"wf.a: resume", "wf.b: resume"}, waitsFor(e))
}
