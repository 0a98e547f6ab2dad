package diagnose

import (
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// mostWakes is how many timers are followed between the record and the present. What comes after them is looked at together.
const mostWakes = 200

// toThePresent lets the engine take the pods at the time of the record, and then lets time pass up to the present. The time in
// between is passed timer by timer, so that it is known since when each node should be otherwise.
func (d *diagnosis) toThePresent() error {
	now := d.engine.Now()
	if now.IsZero() { // it was not begun
		now = d.in.Now
	}
	d.report.end = now
	result, err := d.take(now)
	if err != nil || !d.in.Now.After(now) {
		return err
	}
	d.report.end = d.in.Now.UTC().Truncate(time.Second)
	for range mostWakes {
		at := wake(&result)
		if at.IsZero() || at.After(d.in.Now) {
			break
		}
		if result, err = d.engine.Apply(at); err != nil {
			return err
		}
		d.dueSince(&result, at)
	}
	at := wake(&result)
	result, err = d.engine.Apply(d.in.Now)
	if !at.IsZero() {
		d.dueSince(&result, at)
	}
	return err
}

// take tells the engine of the pods, if they are known.
func (d *diagnosis) take(now time.Time) (propagate.Result, error) {
	if d.in.Pods == nil {
		return d.engine.Apply(now)
	}
	return d.engine.SyncPods(now, d.in.Pods)
}

// wake is when the engine wants to be called again; zero for never.
func wake(r *propagate.Result) time.Time {
	for _, a := range r.Actions {
		if a.Type == propagate.ActionWake {
			return a.At
		}
	}
	return time.Time{}
}

// dueSince notes when time changed nodes.
func (d *diagnosis) dueSince(r *propagate.Result, at time.Time) {
	for _, c := range r.Changes {
		if c.Node <= nodegraph.None {
			continue
		}
		if _, known := d.due[c.Node]; !known {
			d.due[c.Node] = at
		}
	}
}
