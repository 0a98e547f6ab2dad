package draw

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

//go:embed film.js
var filmScript string

// A Film is a run of a workflow, frame by frame: one layout for all, and what changed in each.
type Film struct {
	Name        string
	Description []string // paragraphs

	scene  scene
	place  map[string]int // of the boxes, by id
	looks  [][]look       // by frame; those of boxes that came later are missing
	chains []map[arrow]bool
	frames []frame
}

// A Frame is what is told of one step of the run beside the engine.
type Frame struct {
	Now      time.Time
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

type changed struct{ Text, Because string }

// Add adds a frame to the film: the engine as it is now, which may go on afterwards.
func (f *Film) Add(frameOf Frame, e *propagate.Engine) {
	p := Of(e)
	words := frame{Events: frameOf.Events, Now: p.statement(), Ignored: slices.Concat(frameOf.Unknown, frameOf.Result.Unknown)}
	if !frameOf.Now.IsZero() {
		words.Time = frameOf.Now.UTC().Format(time.RFC3339Nano)
	}
	reasons := reasonsFor(e, frameOf.Result.Changes)
	for _, c := range frameOf.Result.Changes {
		words.Changes = append(words.Changes, changed{c.String(), reasons[c.Node]})
	}
	for _, a := range frameOf.Result.Actions {
		words.Actions = append(words.Actions, a.String())
	}
	if frameOf.Recorded != nil {
		words.Otherwise = p.compare(e, frameOf.Recorded)
	}
	f.frames = append(f.frames, words)
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
		list = append(list, finding{p.scene[i].name, fmt.Sprintf("recorded %s, computed %s", phaseName(recorded), phaseName(l.phase))})
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

// filmData is what the page's script knows: see film.js.
type filmData struct {
	Last   int
	Texts  []string
	States [][5]int // class, mark, state, more and title of a node, each a place in Texts
	Nodes  [][]int
	Arrows [][]int
}

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
	rooms := measure(f.scene, f.looks...)
	l, _ := place(f.scene, rooms, gridsOf(f.scene, rooms), make([]bool, len(f.scene)))
	last := len(f.frames) - 1
	var b bytes.Buffer
	writeSVG(&b, f.scene, l, f.looks[last], f.chains[last])
	return page("film", struct {
		Name        string
		Description []string
		Last        int
		Legend      []legend
		Frames      []frame
		Graph       template.HTML
		Data        filmData
	}{f.Name, f.Description, last, legends(), f.frames, template.HTML(b.String()), f.data(l)})
}

func (f *Film) data(l *layout) filmData {
	d := filmData{Last: len(f.frames) - 1, Arrows: [][]int{}} // the script walks it also where it is empty
	texts, states := make(map[string]int), make(map[[5]int]int)
	text := func(s string) int {
		k, ok := texts[s]
		if !ok {
			k, texts[s] = len(d.Texts), len(d.Texts)
			d.Texts = append(d.Texts, s)
		}
		return k
	}
	members := f.scene.members()
	for i := range f.scene {
		inner := len(members[i]) > 0
		var line []int
		for frame := range f.frames {
			look := &f.looks[frame][i]
			state := [5]int{text(nodeClass(look, inner)), text(look.mark()), text(look.state()), text(""), text(details(&f.scene[i], look))}
			k, ok := states[state]
			if !ok {
				k, states[state] = len(d.States), len(d.States)
				d.States = append(d.States, state)
			}
			line = step(line, frame, k)
		}
		d.Nodes = append(d.Nodes, line)
	}
	for k := range l.routes {
		var line []int
		for frame := range f.frames {
			on := 0
			if f.chains[frame][l.routes[k].arrow] {
				on = 1
			}
			line = step(line, frame, on)
		}
		d.Arrows = append(d.Arrows, line)
	}
	return d
}

// step adds to a list of frames and states what is new.
func step(line []int, frame, state int) []int {
	if len(line) == 0 || line[len(line)-1] != state {
		return append(line, frame, state)
	}
	return line
}
