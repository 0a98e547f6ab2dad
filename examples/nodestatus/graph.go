package main

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/diagnose"
	"github.com/nodestatus/nodestatus/propagate/draw"
	"github.com/nodestatus/nodestatus/propagate/replay"
)

const graphUsage = `Draw a workflow: containment as boxes, order as arrows, phases as colours.

The phases are those that are recorded. Highlighted is the way from the workflow down to what it waits for or failed by,
or, where nodestatus diagnose finds something wrong, to that. Nothing is changed.

  dot      for Graphviz
  mermaid  a flowchart for pages that render Mermaid, folded to what they take
  svg      a picture that needs nothing else
  html     a page that needs nothing else: the graph, to be moved, searched, filtered and folded, the times of all that has
           begun, what is known of each node, what the workflow waits for and what is wrong. PAGE#node=ID leads to a node.

Exit code 0: it was drawn, whatever is wrong with it. 2: the input can't be read.

Examples:
  # Look at a workflow of the cluster in a browser
  kubectl get workflow my-wf -o json | nodestatus graph - -o html > my-wf.html

  # Take the pods that exist into account
  kubectl get pods -l workflows.argoproj.io/workflow=my-wf -o json > pods.json
  kubectl get workflow my-wf -o json | nodestatus graph - -pods pods.json -o svg > my-wf.svg

  # Have Graphviz draw it
  nodestatus graph my-wf.yaml | dot -Tpdf > my-wf.pdf

Usage:
  nodestatus graph [-pods FILE|-] [-name NAME] [-o dot|mermaid|svg|html] FILE|-
`

// graphCommand draws one workflow.
func graphCommand(args []string, std stdio) error {
	const outputs = "dot|mermaid|svg|html"
	f := newWorkflowFlags("graph", graphUsage, std, outputs)
	f.runs = true
	f.chooses()
	file, _, in, err := f.read(args, outputs, std)
	if err != nil {
		return err
	}
	picture, err := drawn(in)
	if err != nil {
		return fmt.Errorf("%s: %w", shown(file), err)
	}
	var text []byte
	switch *f.output {
	case "mermaid":
		text = picture.Mermaid()
	case "svg":
		text = picture.SVG()
	case "html":
		text, err = picture.HTML()
	default:
		text, err = picture.DOT()
	}
	if err != nil {
		return err
	}
	_, err = std.out.Write(text)
	return err
}

// drawn is the picture of a workflow as it was recorded, with what is wrong with it.
func drawn(in diagnose.Input) (*draw.Picture, error) {
	report, err := diagnose.Diagnose(in)
	if err != nil {
		return nil, err
	}
	e, _, err := propagate.FromSnapshot(in.Spec, in.Snapshot)
	if err != nil {
		return nil, err
	}
	now := e.Now() // as diagnose does: what time alone decides is the controller's to do
	if now.IsZero() {
		now = in.Now
	}
	if in.Pods == nil {
		_, err = e.Apply(now)
	} else {
		_, err = e.SyncPods(now, in.Pods)
	}
	if err != nil {
		return nil, err
	}
	picture, g := draw.Of(e), e.Graph()
	showRecord(picture, g, &in.Snapshot)
	for _, f := range report.Findings {
		i, note := g.Find(f.ID), string(f.Kind)
		if f.ID == "" {
			i = nodegraph.Root
		}
		if f.Should.Phase != nodegraph.PhasePlanned {
			note = "should be " + f.Should.String()
		}
		picture.Find(i, f.Name, note, fmt.Sprintf("%s. %s. Remedy: %s.", f.Kind, sentence(f.Reason), f.Remedy))
	}
	return picture, nil
}

// showRecord shows all nodes as they are on record, those too that the specification never asks for.
func showRecord(picture *draw.Picture, g *nodegraph.Graph, s *nodegraph.Snapshot) {
	recorded := make(map[nodegraph.Index]nodegraph.NodeStatus, len(s.Nodes))
	var others []nodegraph.NodeStatus
	for _, n := range s.Nodes {
		if i := g.Find(n.ID); i != nodegraph.None {
			recorded[i] = n
		} else {
			others = append(others, n)
		}
	}
	recorded[nodegraph.Root] = nodegraph.NodeStatus{Phase: s.Phase, Message: s.Message, Started: s.Started, Finished: s.Finished}
	for i := nodegraph.Root; int(i) < g.Len(); i++ {
		picture.Show(i, recorded[i])
	}
	slices.SortFunc(others, func(a, b nodegraph.NodeStatus) int { // what a node is inside of comes first
		return cmp.Or(cmp.Compare(len(a.Name), len(b.Name)), cmp.Compare(a.Name, b.Name))
	})
	for _, n := range others {
		picture.Record(n)
	}
}

// filmOf is the page that steps through a recording.
func filmOf(r *replay.Recording, mode replay.Mode) ([]byte, error) {
	film := &draw.Film{Name: r.Name, Description: []string{
		r.Description, fmt.Sprintf("Recorded from %s, played through nodestatus (mode %s).", r.Engine, mode),
	}}
	p := &replay.Player{Recording: r, Mode: mode}
	err := p.Play(func(m *replay.Moment) error {
		f := &r.Frames[m.Frame]
		film.Add(draw.Frame{Now: f.Now, Events: f.Events, Result: m.Result, Unknown: m.Unknown, Recorded: &f.Recorded}, m.Engine)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return film.HTML()
}
