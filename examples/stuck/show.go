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

// showRecorded prints the tree that the controller left behind. It reports whether that waits for ever, as far as containers of pods
// that have ended tell.
func showRecorded(out io.Writer, r *replay.Recording) (hangs bool, err error) {
	last := &r.Frames[len(r.Frames)-1]
	spec, err := r.Spec()
	if err != nil {
		return false, err
	}
	e, _, err := propagate.FromSnapshot(spec, last.Recorded)
	if err != nil {
		return false, err
	}
	recorded := make(map[string]nodegraph.NodeStatus)
	for _, n := range last.Recorded.Nodes {
		recorded[n.ID] = n
	}
	fmt.Fprintf(out, "What the controller left behind (%s):\n", r.Engine)
	fmt.Fprintf(out, "workflow %s: %s\n", spec.Name, state(last.Recorded.Phase, last.Recorded.Message))
	tree.Write(out, e.Graph(), nodegraph.Root, func(i nodegraph.Index) (tree.Line, bool) {
		n, ok := recorded[e.Graph().Node(i).ID()]
		line := tree.Line{Phase: n.Phase, Message: n.Message}
		if ok && e.Graph().Node(i).Kind == nodegraph.KindContainer && !n.Phase.Settled() && e.Verdict(i).Fulfilled {
			line.Note = "its pod has ended: nothing will ever change this"
			hangs = !last.Recorded.Phase.Completed()
		}
		return line, ok
	})
	if hangs {
		fmt.Fprintf(out, "Nothing runs any more, and the workflow waits for ever.\n")
		for _, l := range spec.Locks {
			fmt.Fprintf(out, "It still holds %s. Whoever asks for that stays Pending: Waiting for %s lock. Lock status: 0/1\n", l.Key, l.Key)
		}
	}
	fmt.Fprintln(out)
	return hangs, nil
}

// state is a phase and its message.
func state(phase nodegraph.Phase, message string) string {
	if message == "" {
		return phase.String()
	}
	return phase.String() + "  " + tree.Visible(message)
}

// showSummary prints on a few lines what the recording left, what the library made of it, and what became of the second workflow.
func showSummary(out io.Writer, r *replay.Recording, hangs bool, e, second *propagate.Engine) {
	phase, _ := e.Workflow()
	name := e.Graph().Spec().Name
	before, after := "", ""
	if hangs {
		before = ", for ever"
	}
	if second != nil && hangs {
		before += ", and keeps its locks"
	}
	if second != nil && e.Complete() {
		after = ", and has given its locks back"
	}
	fmt.Fprintf(out, "\nIn short:\n  before  %s: workflow %s is %s%s\n", r.Engine, name, r.Frames[len(r.Frames)-1].Recorded.Phase, before)
	fmt.Fprintf(out, "  after   nodestatus: workflow %s is %s%s\n", name, phase, after)
	if second != nil {
		phase, _ = second.Workflow()
		fmt.Fprintf(out, "  then    the second workflow, which is not in the recording, is %s\n", phase)
	}
	if hangs && e.Complete() {
		fmt.Fprintf(out, "The pod was gone, so everything inside it ended with it, and nobody waits for that any more.\n")
	}
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
	fmt.Fprintf(out, "workflow %s: %s\n", e.Graph().Spec().Name, state(phase, message))
	tree.Write(out, e.Graph(), nodegraph.Root, func(i nodegraph.Index) (tree.Line, bool) {
		v := e.Verdict(i)
		return tree.Line{Phase: v.Phase, Message: v.Message}, e.Exists(i)
	})
	for _, o := range e.Obligations() {
		fmt.Fprintf(out, "  waits for %s\n", o)
	}
}
