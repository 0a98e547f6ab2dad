package draw

import (
	"fmt"
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// A Film is a run of a workflow, frame by frame: one layout for all, and what changed in each.
type Film struct {
	Name        string   // the title
	Description []string // paragraphs

	scene  scene
	place  map[string]int // of the boxes, by id
	looks  [][]look       // by frame; those of boxes that came later are missing
	chains []map[arrow]bool
	times  []time.Time
	frames []frame
}

// A Frame is what is told of one step of the run beside the engine.
type Frame struct {
	Now      time.Time           // when it happened
	Events   []string            // what happened since the frame before
	Result   propagate.Result    // what came of it
	Unknown  []string            // ids of nodes and pods that the workflow never asked for
	Recorded *nodegraph.Snapshot // what a controller made of it, for comparison; nil if there is nothing to compare
}

// frame is a Frame in words.
type frame struct {
	Time      string
	Events    []string
	Now       *statement
	Changes   []changed
	Actions   []string
	Ignored   []string
	Otherwise []finding
}

type changed struct{ ID, Text, Because string }

// Add adds a frame to the film: the engine as it is now, which may go on afterwards.
func (f *Film) Add(frameOf Frame, e *propagate.Engine) {
	p := Of(e)
	words := frame{Events: frameOf.Events, Now: p.statement(), Ignored: slices.Concat(frameOf.Unknown, frameOf.Result.Unknown)}
	if !frameOf.Now.IsZero() {
		words.Time = frameOf.Now.UTC().Format(time.RFC3339Nano)
	}
	reasons := reasonsFor(e, frameOf.Result.Changes)
	for _, c := range frameOf.Result.Changes {
		words.Changes = append(words.Changes, changed{p.scene[c.Node].id, c.String(), reasons[c.Node]})
	}
	for _, a := range frameOf.Result.Actions {
		words.Actions = append(words.Actions, a.String())
	}
	if frameOf.Recorded != nil {
		words.Otherwise = p.compare(e, frameOf.Recorded)
	}
	f.frames, f.times = append(f.frames, words), append(f.times, p.now)
	f.add(p)
}

// reasonsFor says why each of the nodes changed. An explanation covers all nodes on its way, so the nodes at the ends of
// long ways go first.
func reasonsFor(e *propagate.Engine, changes []propagate.Change) map[nodegraph.Index]string {
	nodes := make([]nodegraph.Index, len(changes))
	for k := range changes {
		nodes[k] = changes[k].Node
	}
	slices.Sort(nodes)
	reasons := make(map[nodegraph.Index]string)
	for _, i := range slices.Backward(nodes) {
		if _, ok := reasons[i]; ok {
			continue
		}
		for _, r := range e.Explain(i) {
			reasons[r.Node] = r.Because
		}
	}
	return reasons
}

// compare notes where a controller has recorded another phase.
func (p *Picture) compare(e *propagate.Engine, s *nodegraph.Snapshot) []finding {
	var list []finding
	note := func(i nodegraph.Index, recorded nodegraph.Phase) {
		l := &p.looks[i]
		if recorded == l.phase {
			return
		}
		l.note = "recorded " + phaseName(recorded)
		list = append(list, finding{p.scene[i].id, p.scene[i].name, fmt.Sprintf("recorded %s, computed %s", phaseName(recorded), phaseName(l.phase))})
	}
	note(nodegraph.Root, s.Phase)
	recorded := make(map[string]nodegraph.Phase, len(s.Nodes))
	for k := range s.Nodes {
		recorded[s.Nodes[k].ID] = s.Nodes[k].Phase
	}
	for i := nodegraph.Entry; int(i) < e.Graph().Len(); i++ {
		note(i, recorded[e.Graph().Node(i).ID()])
	}
	return list
}

// add takes the boxes of a picture into the scene of the film. Frames may come from engines of their own, so nodes are
// told by their ids. Where the specification changed between frames the order is that of the last.
func (f *Film) add(p *Picture) {
	if f.place == nil {
		f.place = make(map[string]int)
	}
	at := make([]int, len(p.scene))
	for i := range p.scene {
		b := p.scene[i]
		k, ok := f.place[b.id]
		if !ok {
			k = len(f.scene)
			f.place[b.id], f.scene = k, append(f.scene, box{parent: -1})
			if b.parent >= 0 {
				f.scene[k].parent = at[b.parent]
			}
		}
		at[i] = k
	}
	looks, chain := make([]look, len(f.scene)), make(map[arrow]bool)
	for k := range looks {
		looks[k] = look{absent: true, kind: f.scene[k].kind}
	}
	for i := range p.scene {
		b, k := p.scene[i], at[i]
		b.parent, looks[k] = f.scene[k].parent, p.looks[i]
		b.after = nil
		for _, a := range p.scene[i].after {
			b.after = append(b.after, at[a])
		}
		if b.owner >= 0 {
			b.owner = at[b.owner]
		}
		f.scene[k] = b
	}
	for a := range p.chain {
		chain[arrow{at[a.from], at[a.to]}] = true
	}
	f.looks, f.chains = append(f.looks, looks), append(f.chains, chain)
}

// manyBoxes is with how many boxes a page begins at most, unless more are to be seen.
const manyBoxes = 150

// HTML writes the film as a page of its own, with a slider and keys to step through the frames. A film without frames is
// an error.
func (f *Film) HTML() ([]byte, error) {
	if len(f.frames) == 0 {
		return nil, fmt.Errorf("draw: film %q has no frames", f.Name)
	}
	for k := range f.looks {
		for i := len(f.looks[k]); i < len(f.scene); i++ {
			f.looks[k] = append(f.looks[k], look{absent: true, kind: f.scene[i].kind})
		}
	}
	s := &show{f.scene, f.looks, f.chains, f.times, make([]bool, len(f.scene))}
	if len(f.scene) > manyBoxes {
		for i, members := range f.scene.members() {
			s.closed[i] = i > 1 && len(members) > 0
		}
	}
	return page(f.Name, f.Description, f.frames, s)
}
