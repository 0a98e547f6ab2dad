package replay

import (
	"slices"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// taint remembers which nodes show something else than the recording because of a deviation, and of which: the node at
// which it occurs, all it is inside of, and all that comes after those.
type taint map[string]int

// number gives each difference the number of the deviation that it is or follows from. In mode Step nothing follows
// from an earlier frame.
func (j *judge) number(m *Moment, differences []Difference) {
	if j.mode == Step {
		clear(j.tainted)
		j.reordered = false
	}
	for k := range differences {
		d := &differences[k]
		if n := j.deviation(m, d); n > 0 {
			d.Deviation, d.Ahead = n, false
			j.reordered = j.reordered || n == 7 && !(open(d.Want.Phase) && d.Got.Phase.Settled())
		}
	}
	for k := range differences { // what keeps others open explains more than what only rewrites
		if d := &differences[k]; open(d.Want.Phase) {
			j.spread(m.Engine.Graph(), d)
		}
	}
	for k := range differences {
		j.spread(m.Engine.Graph(), &differences[k])
	}
	for k := range differences {
		if d := &differences[k]; d.Deviation == 0 && !d.Ahead {
			d.Deviation = j.follows(m, d)
		}
	}
}

// deviation returns the number of the deviation that occurs at this very node, 0 if none does. The document
// testdata/DEVIATIONS.md describes each.
func (j *judge) deviation(m *Moment, d *Difference) int {
	want, got := d.Want, d.Got
	before := j.before(m.Frame)
	switch {
	case want.Kind == nodegraph.Container && got.Phase.Completed() && want.Phase == nodegraph.Error && want.Message == "container deleted":
		return 1
	case want.Kind == nodegraph.Container && open(want.Phase) && got.Phase.Settled():
		switch pod := j.recorded[m.Frame][podOf(m, d.ID)]; {
		case pod.Message == "pod deleted" && j.recorded[m.Frame][""].Phase.Completed():
			return 5
		case pod.Message == "pod deleted":
			return 3
		case pod.Phase.Completed():
			return 2
		}
	case got.Message == "pod deleted" && got.Phase == nodegraph.Error && want.Phase == nodegraph.Succeeded && want.Message == got.Message:
		return 4
	case got == (State{}) && laterAttempt(want.Name, before, j.recorded[m.Frame]):
		return 6
	case got == (State{}) && before[d.ID] == (State{}) && heldBack(m, d.ID):
		return 7
	case want.Kind.Composite() && open(want.Phase) && got.Phase.Settled() && j.limitReached(m):
		return 7
	case want.Kind == nodegraph.DAG && want.Phase.Unsuccessful() && got.Phase.Unsuccessful() && j.tainted[d.ID] == 0 && inherits(m, d.ID):
		return 7
	}
	return 0
}

// heldBack tells whether node id, or what it is inside of, would start if a limit of parallelism did not keep it from it.
func heldBack(m *Moment, id string) bool {
	g := m.Engine.Graph()
	at := g.Find(id)
	for _, o := range m.Engine.Obligations() {
		if o.For == propagate.NeedParallelism && (o.Node == at || at == nodegraph.None) {
			return true
		}
	}
	return false
}

// limitReached tells whether the recording shows as many active pods as the workflow allows: the controller does not
// look at any template then, not even to settle what has ended.
func (j *judge) limitReached(m *Moment) bool {
	limit := m.Engine.Graph().Spec().Parallelism
	active := 0
	for _, s := range j.recorded[m.Frame] {
		if s.Kind == nodegraph.Pod && open(s.Phase) {
			active++
		}
	}
	return limit > 0 && active >= limit
}

// inherits tells whether the failure of DAG id came to a target that was skipped or omitted.
func inherits(m *Moment, id string) bool {
	i := m.Engine.Graph().Find(id)
	by := m.Engine.Verdict(i).By
	return by != nodegraph.None && !m.Engine.Verdict(by).Phase.Completed()
}

func open(p nodegraph.Phase) bool { return p == nodegraph.Pending || p == nodegraph.Running }

// before is what the recording showed before frame k.
func (j *judge) before(k int) map[string]State {
	if k == 0 {
		return nil
	}
	return j.recorded[k-1]
}

// podOf returns the id of the pod that a container is in.
func podOf(m *Moment, id string) string {
	g := m.Engine.Graph()
	if i := g.Find(id); i > nodegraph.Root {
		return g.Node(g.Node(i).Parent).ID()
	}
	return ""
}

// laterAttempt tells whether name is an attempt, or inside one, although its Retry node had ended.
func laterAttempt(name string, states ...map[string]State) bool {
	for at := strings.LastIndexByte(name, '('); at > 0; at = strings.LastIndexByte(name[:at], '(') {
		number, _, ok := strings.Cut(name[at+1:], ")")
		if !ok || strings.Trim(number, "0123456789") != "" {
			continue
		}
		for _, known := range states {
			for _, s := range known {
				if s.Kind == nodegraph.Retry && s.Name == name[:at] && s.Phase.Completed() ||
					s.Phase == nodegraph.Succeeded && earlierAttempt(s.Name, name[:at], number) {
					return true
				}
			}
		}
	}
	return false
}

// earlierAttempt tells whether name is retry's attempt with a number below this one.
func earlierAttempt(name, retry, number string) bool {
	rest, ok := strings.CutPrefix(name, retry+"(")
	other, end, closed := strings.Cut(rest, ")")
	return ok && closed && end == "" && strings.Trim(other, "0123456789") == "" &&
		(len(other) < len(number) || len(other) == len(number) && other < number)
}

// spread taints the node of a deviation, what it is inside of, and what comes after those.
func (j *judge) spread(g *nodegraph.Graph, d *Difference) {
	if d.Deviation == 0 {
		return
	}
	mark := func(id string) bool {
		if _, ok := j.tainted[id]; ok {
			return false
		}
		j.tainted[id] = d.Deviation
		return true
	}
	mark(d.ID)
	mark("")
	i := g.Find(d.ID)
	if i == nodegraph.None { // it was never asked for here
		return
	}
	for ; i > nodegraph.Root; i = g.Node(i).Parent {
		queue := []nodegraph.Index{i}
		for k := 0; k < len(queue); k++ {
			if !mark(g.Node(queue[k]).ID()) && k > 0 {
				continue
			}
			queue = append(queue, g.Hooks(queue[k])...)
			queue = slices.AppendSeq(queue, g.Before(queue[k]))
		}
	}
}

// follows returns the number of the deviation from which a difference follows, 0 if from none: the recording keeps
// open, or has not created, what has moved on here; or the other way round after an earlier frame.
func (j *judge) follows(m *Moment, d *Difference) int {
	g := m.Engine.Graph()
	if j.reordered {
		return 7
	}
	moved := open(d.Want.Phase) || d.Want == (State{})
	if leaf := !d.Want.Kind.Composite() && d.ID != ""; !moved && (j.mode == Step || leaf && d.Got != (State{})) {
		return 0 // how a leaf ended is its own affair
	}
	if d.ID == "" {
		return j.tainted[""]
	}
	for i := g.Find(d.ID); i > nodegraph.Root; i = g.Node(i).Parent {
		n := g.Node(i)
		if n.Kind != nodegraph.DAG && n.Kind != nodegraph.Steps || g.Find(d.ID) == i {
			if number := j.tainted[n.ID()]; number > 0 {
				return number
			}
		}
	}
	return 0
}

// samePods tells whether two frames saw the same pods in the same state.
func samePods(a, b []propagate.PodStatus) bool {
	if len(a) != len(b) {
		return false
	}
	byUID := make(map[string]*propagate.PodStatus, len(a))
	for k := range a {
		byUID[a[k].UID] = &a[k]
	}
	for k := range b {
		p := byUID[b[k].UID]
		if p == nil || p.Phase != b[k].Phase || p.Reason != b[k].Reason || p.Message != b[k].Message ||
			p.Unschedulable != b[k].Unschedulable ||
			!slices.Equal(p.Containers, b[k].Containers) || !slices.Equal(p.Init, b[k].Init) {
			return false
		}
	}
	return true
}
