package main

import (
	"fmt"
	"io"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/replay"
)

// pair is the second workflow beside the one that is played: both ask one table for their locks.
type pair struct {
	out   io.Writer
	table *propagate.LockTable
	host  *replay.Host
	now   time.Time
	due   bool // the second workflow got its locks and was not told yet
}

// granted remembers that the second workflow holds its locks now.
func (p *pair) granted(propagate.Holder) { p.due = true }

// submit starts the second workflow, which queues behind the first.
func (p *pair) submit(spec *nodegraph.Spec) error {
	e, err := propagate.New(spec)
	if err != nil {
		return err
	}
	p.host = &replay.Host{Engine: e, Workflow: spec.Name, Locks: p.table}
	r, err := p.host.Apply(p.now)
	showResult(p.out, e, &r)
	return err
}

// handOver tells the second workflow that it got its locks.
func (p *pair) handOver() error {
	if !p.due || p.host == nil {
		return nil
	}
	p.due = false
	r, err := p.host.Apply(p.now, propagate.LockGranted(""))
	showResult(p.out, p.host.Engine, &r)
	return err
}

// finish plays the one pod of the second workflow to its end, if it was asked for.
func (p *pair) finish() error {
	if p.host == nil || p.host.Engine.Started().IsZero() {
		return nil
	}
	name := p.host.Engine.Graph().Spec().Name
	fmt.Fprintf(p.out, "\nNot in the recording: the pod of %s runs, and succeeds.\n", name)
	r, err := p.host.Apply(p.now, propagate.PodRunning(name), propagate.PodSucceeded(name))
	showResult(p.out, p.host.Engine, &r)
	return err
}
