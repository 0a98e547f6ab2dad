package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/nodestatus/nodestatus/examples/tree"
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/replay"
)

// showRecorded prints the tree that the controller left behind, and what waits for it.
func showRecorded(out io.Writer, r *replay.Recording) error {
	last := &r.Frames[len(r.Frames)-1]
	spec, err := r.Spec()
	if err != nil {
		return err
	}
	e, _, err := propagate.FromSnapshot(spec, last.Recorded)
	if err != nil {
		return err
	}
	recorded := make(map[string]nodegraph.NodeStatus)
	for _, n := range last.Recorded.Nodes {
		recorded[n.ID] = n
	}
	left := 0
	fmt.Fprintf(out, "What the controller left behind (%s):\n", r.Engine)
	fmt.Fprintf(out, "workflow %s: %s %s\n", spec.Name, last.Recorded.Phase, last.Recorded.Message)
	tree.Write(out, e.Graph(), nodegraph.Root, func(i nodegraph.Index) (tree.Line, bool) {
		n, ok := recorded[e.Graph().Node(i).ID()]
		line := tree.Line{Phase: n.Phase, Message: n.Message}
		if ok && e.Graph().Node(i).Kind == nodegraph.KindContainer && !n.Phase.Settled() && e.Verdict(i).Fulfilled {
			line.Note = "its pod has ended: nothing will ever change this"
			left++
		}
		return line, ok
	})
	if complete := last.Recorded.Phase.Completed(); !complete && left > 0 {
		fmt.Fprintf(out, "Nothing runs any more, and the workflow waits for ever.\n")
		for _, l := range spec.Locks {
			fmt.Fprintf(out, "It still holds %s; second-workflow stays Pending: Waiting for %s lock. Lock status: 0/1\n", l.Key, l.Key)
		}
	}
	fmt.Fprintln(out)
	return nil
}

// events says what was done to the cluster before a frame.
func events(f *replay.Frame) string { return strings.Join(f.Events, ", ") }

// showResult prints each changed node and why it changed, and what the host is asked to do.
func showResult(out io.Writer, e *propagate.Engine, r *propagate.Result) {
	for _, c := range r.Changes {
		fmt.Fprintf(out, "  %s\n      because %s\n", c, e.Explain(c.Node)[0].Because)
	}
	for _, a := range r.Actions {
		fmt.Fprintf(out, "  host: %s\n", a)
	}
}

// showEngine prints the tree that the library computed, and what it waits for.
func showEngine(out io.Writer, e *propagate.Engine) {
	phase, message := e.Workflow()
	fmt.Fprintf(out, "workflow %s: %s %s\n", e.Graph().Spec().Name, phase, message)
	tree.Write(out, e.Graph(), nodegraph.Root, func(i nodegraph.Index) (tree.Line, bool) {
		v := e.Verdict(i)
		return tree.Line{Phase: v.Phase, Message: v.Message}, e.Exists(i)
	})
	for _, o := range e.Obligations() {
		fmt.Fprintf(out, "  waits for %s\n", o)
	}
}
