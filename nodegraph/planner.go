package nodegraph

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
)

// planner collects what a plan is made from, by slot.
type planner struct {
	condition  []int32 // as in a Plan, by slot
	conditions []*Condition
	deps       rows
	mark       []int32 // by slot: 1 + the slot that comes after it and was met last; later on scratch
	all        []int32 // by the number of tasks: which condition is that of a plain dependencies list
	continues  bool    // some task has a continueOn
	backward   bool    // some member is declared before one that it comes after
}

// newPlanner plans n members, with room for so many edges.
func newPlanner(n, edges int) *planner {
	p := &planner{condition: make([]int32, n), conditions: make([]*Condition, 1, 2), deps: newRows(n), mark: make([]int32, n)}
	p.deps.list = make([]int32, 0, edges)
	return p
}

// reset forgets the edges.
func (p *planner) reset() {
	p.deps.starts, p.deps.list = p.deps.starts[:1], p.deps.list[:0]
	clear(p.mark)
	clear(p.condition)
	p.conditions, p.all, p.backward = p.conditions[:1], nil, false
}

// after records, once, that slot comes after dep. Rows are filled in the order of the slots.
func (p *planner) after(slot, dep int32) {
	if p.mark[dep] != slot+1 {
		p.mark[dep] = slot + 1
		p.deps.list = append(p.deps.list, dep)
		p.backward = p.backward || dep >= slot
	}
}

// task compiles what one task of DAG template t comes after.
func (p *planner) task(t *Template, slot int32, slots *slotTable) error {
	task := &t.Tasks[slot]
	if task.Depends == "" {
		err := p.dependencies(t, slot, slots)
		p.deps.end()
		return err
	}
	if len(task.Dependencies) > 0 {
		return &SpecError{Template: t.Name, Node: task.Name, Field: "dependencies", Reason: "can't be used together with depends"}
	}
	condition, err := ParseDepends(task.Depends, resolver(t, slots))
	if err != nil {
		return &SpecError{Template: t.Name, Node: task.Name, Field: "depends", Reason: "can't be compiled", Err: err}
	}
	p.condition[slot] = p.add(condition)
	for _, name := range condition.Tasks() {
		dep, _ := slots.find(name)
		p.after(slot, dep)
	}
	p.deps.end()
	return nil
}

// dependencies compiles a plain list. Where no continueOn matters all lists of one length share a condition.
func (p *planner) dependencies(t *Template, slot int32, slots *slotTable) error {
	task := &t.Tasks[slot]
	if len(task.Dependencies) == 0 {
		return nil
	}
	plain := true
	from := len(p.deps.list)
	for _, name := range task.Dependencies {
		dep, ok := slots.find(name)
		if !ok {
			plain = false
			break
		}
		p.after(slot, dep)
		plain = plain && !(p.continues && t.Tasks[dep].ContinueOn != ContinueOn{})
	}
	if plain {
		p.condition[slot] = p.allOf(len(p.deps.list) - from)
		return nil
	}
	condition, err := Dependencies(task.Dependencies, resolver(t, slots))
	if err != nil {
		return &SpecError{Template: t.Name, Node: task.Name, Field: "dependencies", Reason: "can't be compiled", Err: err}
	}
	p.condition[slot] = p.add(condition)
	return nil
}

// resolver says what the names in the conditions of DAG template t stand for.
func resolver(t *Template, slots *slotTable) func(name string) (Results, bool) {
	return func(name string) (Results, bool) {
		dep, ok := slots.find(name)
		if !ok {
			return 0, false
		}
		bare := BareResults
		if t.Tasks[dep].ContinueOn.Failed {
			bare |= ResultFailed
		}
		if t.Tasks[dep].ContinueOn.Error {
			bare |= ResultErrored
		}
		return bare, true
	}
}

// maxShared is the longest list whose condition is shared.
const maxShared = 64

// add keeps a condition and tells which it is.
func (p *planner) add(c *Condition) int32 {
	p.conditions = append(p.conditions, c)
	return int32(len(p.conditions)) - 1
}

// allOf tells which is the condition that n tasks are all what their bare names stand for. It does not know their names.
func (p *planner) allOf(n int) int32 {
	if n > maxShared {
		return p.add(allOf(n))
	}
	if p.all == nil {
		p.all = make([]int32, maxShared+1)
	}
	if p.all[n] == 0 {
		p.all[n] = p.add(allOf(n))
	}
	return p.all[n]
}

// plan orders the members so that each comes after all it depends on, or names a cycle. Most templates declare them in
// such an order.
func (p *planner) plan(name func(slot int32) string) (*Plan, error) {
	n := len(p.condition)
	out := &Plan{needed: make([]bool, n), conditions: p.conditions}
	if !p.backward {
		out.condition, out.deps, out.dependents = p.condition, p.deps, p.deps.inverse()
		return out, nil
	}
	if err := p.sort(out, name); err != nil {
		return nil, err
	}
	return out, nil
}

// sort orders the members (Kahn), or names a cycle.
func (p *planner) sort(out *Plan, name func(slot int32) string) error {
	n := len(p.condition)
	dependents := p.deps.inverse()
	missing := p.mark
	order := make([]int32, 0, n)
	for slot := range int32(n) {
		missing[slot] = p.deps.size(slot)
		if missing[slot] == 0 {
			order = append(order, slot)
		}
	}
	for at := 0; at < len(order); at++ {
		for _, d := range dependents.row(order[at]) {
			if missing[d]--; missing[d] == 0 {
				order = append(order, d)
			}
		}
	}
	if len(order) < n {
		return &CycleError{Nodes: p.cycle(missing, name)}
	}
	out.order, out.place, out.condition = order, make([]int32, n), make([]int32, n)
	for place, slot := range order {
		out.place[slot], out.condition[place] = int32(place), p.condition[slot]
	}
	out.deps, out.dependents = p.deps.renumbered(order, out.place), dependents.renumbered(order, out.place)
	return nil
}

// cycle walks backwards from a slot that never became free until it meets itself.
func (p *planner) cycle(missing []int32, name func(int32) string) []string {
	at := int32(slices.IndexFunc(missing, func(m int32) bool { return m > 0 }))
	seenAt := make(map[int32]int)
	var path []int32
	for {
		if from, ok := seenAt[at]; ok {
			path = path[from:]
			break
		}
		seenAt[at] = len(path)
		path = append(path, at)
		for _, d := range p.deps.row(at) {
			if missing[d] > 0 {
				at = d
				break
			}
		}
	}
	names := make([]string, len(path))
	for i, slot := range path {
		names[len(path)-1-i] = name(slot)
	}
	smallest := 0
	for i := range names {
		if strings.Compare(names[i], names[smallest]) < 0 {
			smallest = i
		}
	}
	return append(names[smallest:], names[:smallest]...)
}

// number fills in visit, needed and roots. It uses the stack, whatever is in it.
func (p *Plan) number(stack []int32) {
	n := p.Len()
	p.visit = make([]int32, n)
	next := int32(0)
	stack = stack[:0]
	for _, target := range p.targets {
		stack = append(stack, p.TopoIndex(target))
		for len(stack) > 0 {
			at := stack[len(stack)-1]
			if p.needed[at] { // back from what it depends on, or reached twice
				stack = stack[:len(stack)-1]
				if p.visit[at] == 0 {
					next++
					p.visit[at] = next
				}
				continue
			}
			p.needed[at] = true
			for _, d := range slices.Backward(p.deps.row(at)) {
				if !p.needed[d] {
					stack = append(stack, d)
				}
			}
		}
	}
	p.roots = make([]int32, 0, p.deps.empty())
	for at := range int32(n) {
		if p.deps.size(at) == 0 {
			p.roots = append(p.roots, at)
		}
	}
	slices.SortFunc(p.roots, func(a, b int32) int { return cmp.Or(cmp.Compare(p.visit[a], p.visit[b]), cmp.Compare(a, b)) })
}

// sortByName sorts slots by the names of their members. What the names begin with is read once, since it mostly decides.
func sortByName(slots []int32, name func(int32) string) {
	type begun struct {
		head uint64 // the first eight bytes
		slot int32
	}
	list := make([]begun, len(slots))
	for k, slot := range slots {
		var head [8]byte
		copy(head[:], name(slot))
		list[k] = begun{binary.BigEndian.Uint64(head[:]), slot}
	}
	slices.SortFunc(list, func(a, b begun) int {
		if a.head != b.head {
			return cmp.Compare(a.head, b.head)
		}
		return strings.Compare(name(a.slot), name(b.slot))
	})
	for k := range list {
		slots[k] = list[k].slot
	}
}

// chooseTargets takes the tasks that nothing depends on where the template names no target, in the order of their
// names as Argo does.
func (p *Plan) chooseTargets(name func(int32) string) {
	if len(p.targets) == 0 {
		for place := range int32(p.Len()) {
			if p.dependents.size(place) == 0 {
				p.targets = append(p.targets, p.DeclIndex(place))
			}
		}
		sortByName(p.targets, name)
	}
}
