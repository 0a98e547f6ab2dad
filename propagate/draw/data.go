package draw

import (
	"slices"
	"time"
)

// A show is what a page draws: boxes, and how each looks in every frame. A picture is a show of one frame.
type show struct {
	scene  scene
	looks  [][]look // by frame
	chains []map[arrow]bool
	times  []time.Time
	closed []bool
}

// showData is what the scripts of a page know. Boxes are in the order of the scene. The scripts do with it what place does here:
// they find the same places for the same boxes, and others when one is opened or closed.
type showData struct {
	Frames int
	Now    []int64 // seconds since Epoch, by frame
	Epoch  int64
	Texts  []string
	States []stateData
	Boxes  []boxData
	Chains [][][2]int // by frame: arrows on it
}

// A boxData is a box, the order of what is inside of it, and its states: pairs of a frame and a place in States.
type boxData struct {
	ID, Name, Label string
	Parent          int
	Closed          bool   `json:",omitempty"`
	Leaf, Head      [2]int // width and height
	Shelf           []int  `json:",omitempty"`
	Items           []int  `json:",omitempty"` // the box that each is, or -1 for a lane
	Columns         [][]int
	Arrows          []arrowData `json:",omitempty"`
	States          []int
	Bars            []bar `json:",omitempty"`
}

// An arrowData is an arrow, whether it leads to a hook, and the items that it passes.
type arrowData struct {
	From, To int
	Hook     bool  `json:",omitempty"`
	Lanes    []int `json:",omitempty"`
}

// A stateData is how a box looks, each text a place in Texts.
type stateData struct {
	Class, Mark, Phase, State, Details int
	Leaf, Head                         []int // lines
}

// A texts holds each text once.
type texts struct {
	at   map[string]int
	list []string
}

func (t *texts) place(s string) int {
	k, ok := t.at[s]
	if !ok {
		k, t.at[s] = len(t.list), len(t.list)
		t.list = append(t.list, s)
	}
	return k
}

func (t *texts) places(lines []string) []int {
	list := make([]int, len(lines))
	for k := range lines {
		list[k] = t.place(lines[k])
	}
	return list
}

// data is the show as the scripts read it.
func (s *show) data() showData {
	rooms := measure(s.scene, s.looks...)
	grids := gridsOf(s.scene, rooms)
	epoch := s.epoch()
	d := showData{Frames: len(s.looks), Epoch: epoch.Unix()}
	words := &texts{at: make(map[string]int)}
	for _, t := range s.times {
		d.Now = append(d.Now, t.Unix()-epoch.Unix())
	}
	states := make(map[string]int)
	for i := range s.scene {
		b := dataOf(&s.scene[i], &rooms[i], &grids[i])
		b.Closed = s.closed[i]
		for frame := range s.looks {
			l := &s.looks[frame][i]
			key := l.class() + "\x00" + l.state() + "\x00" + details(&s.scene[i], l)
			k, ok := states[key]
			if !ok {
				k, states[key] = len(d.States), len(d.States)
				d.States = append(d.States, l.data(&s.scene[i], words))
			}
			if n := len(b.States); n == 0 || b.States[n-1] != k {
				b.States = append(b.States, frame, k)
			}
		}
		b.Bars = s.bars(i, epoch)
		d.Boxes = append(d.Boxes, b)
	}
	d.Texts = words.list
	for _, chain := range s.chains {
		d.Chains = append(d.Chains, pairs(chain))
	}
	return d
}

// pairs are the arrows of a chain, in order.
func pairs(chain map[arrow]bool) [][2]int {
	list := make([][2]int, 0, len(chain)) // never null: the scripts walk it
	for a := range chain {
		list = append(list, [2]int{a.from, a.to})
	}
	slices.SortFunc(list, func(a, b [2]int) int { return slices.Compare(a[:], b[:]) })
	return list
}

func dataOf(b *box, r *room, g *grid) boxData {
	d := boxData{
		ID: b.id, Name: b.name, Label: labelOf(b), Parent: b.parent, Leaf: [2]int{r.leaf.w, r.leaf.h}, Head: [2]int{r.head.w, r.head.h},
		Shelf: g.shelf, Items: g.items, Columns: g.columns,
	}
	for k := range g.arrows {
		a := &g.arrows[k]
		d.Arrows = append(d.Arrows, arrowData{a.from, a.to, a.hook, a.lanes})
	}
	return d
}

func (l *look) data(b *box, words *texts) stateData {
	return stateData{
		words.place(l.class()), words.place(l.mark()), words.place(colours[l.phase].class), words.place(l.state()), words.place(details(b, l)),
		words.places(l.lines(mostText)), words.places(l.lines(mostHead)),
	}
}

// visible says how many boxes are drawn.
func (s *show) visible() int {
	n, hidden := 0, make([]bool, len(s.scene))
	for i := range s.scene {
		if parent := s.scene[i].parent; parent >= 0 {
			hidden[i] = hidden[parent] || s.closed[parent]
		}
		if !hidden[i] {
			n++
		}
	}
	return n
}
