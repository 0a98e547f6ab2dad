package nodegraph

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
)

// planner collects what a plan is made from, by slot.
type planner struct {
	conditions []*Condition // as in a Plan, by slot
	deps       rows
	mark       []int32 // by slot: 1 + the slot that comes after it and was met last; later on scratch
	continues  bool    // some task has a continueOn
	backward   bool    // some member is declared before one that it comes after
}

// newPlanner plans n members, with room for so many edges.
func newPlanner(n, edges int) *planner {
	p := &planner{deps: newRows(n), mark: make([]int32, n)}
	p.deps.list = make([]int32, 0, edges)
	return p
}

// reset forgets the edges.
func (p *planner) reset() {
	p.deps.starts, p.deps.list = p.deps.starts[:1], p.deps.list[:0]
	clear(p.mark)
	p.conditions, p.backward = nil, false
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
	p.keep(slot, condition)
	for _, name := range condition.Tasks() {
		dep, _ := slots.find(name)
		p.after(slot, dep)
	}
	p.deps.end()
	return nil
}

// dependencies compiles a list of names. Where no continueOn matters it is plain.
func (p *planner) dependencies(t *Template, slot int32, slots *slotTable) error {
	task := &t.Tasks[slot]
	if len(task.Dependencies) == 0 {
		return nil
	}
	plain := true
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
		return nil
	}
	condition, err := Dependencies(task.Dependencies, resolver(t, slots))
	if err != nil {
		return &SpecError{Template: t.Name, Node: task.Name, Field: "dependencies", Reason: "can't be compiled", Err: err}
	}
	p.keep(slot, condition)
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

// keep notes the condition of a task, unless it is plain.
func (p *planner) keep(slot int32, c *Condition) {
	if c.plain() {
		return
	}
	if p.conditions == nil {
		p.conditions = make([]*Condition, len(p.mark))
	}
	p.conditions[slot] = c
}

// plan orders the members so that each comes after all it depends on, or names a cycle. Most templates declare them in
// such an order.
func (p *planner) plan(name func(slot int32) string) (*Plan, error) {
	dependents := p.deps.inverse()
	if !p.backward {
		return &Plan{conditions: p.conditions, deps: p.deps, dependents: dependents}, nil
	}
	order, err := p.sort(&dependents, name)
	if err != nil {
		return nil, err
	}
	return p.renumbered(order, &dependents), nil
}

// sort returns the slots in an order in which each comes after all it depends on (Kahn), or names a cycle.
func (p *planner) sort(dependents *rows, name func(slot int32) string) ([]int32, error) {
	n := len(p.mark)
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
		return nil, &CycleError{Nodes: p.cycle(missing, name)}
	}
	return order, nil
}

// renumbered is the plan in which the members lie in another order than the template declares them in.
func (p *planner) renumbered(order []int32, dependents *rows) *Plan {
	out := &Plan{order: order, place: make([]int32, len(order))}
	for place, slot := range order {
		out.place[slot] = int32(place)
	}
	if p.conditions != nil {
		out.conditions = make([]*Condition, len(order))
		for place, slot := range order {
			out.conditions[place] = p.conditions[slot]
		}
	}
	out.deps, out.dependents = p.deps.renumbered(order, out.place), dependents.renumbered(order, out.place)
	return out
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

// number fills in visit and roots. It uses the stack, whatever is in it.
func (p *Plan) number(stack []int32) {
	const entered = -1 // what it depends on is visited first
	p.visit = make([]int32, p.Len())
	next := int32(0)
	stack = stack[:0]
	for _, target := range p.targets {
		stack = append(stack, target)
		for len(stack) > 0 {
			at := stack[len(stack)-1]
			if p.visit[at] != 0 { // back from what it depends on, or reached twice
				stack = stack[:len(stack)-1]
				if p.visit[at] == entered {
					next++
					p.visit[at] = next
				}
				continue
			}
			p.visit[at] = entered
			for _, d := range slices.Backward(p.deps.row(at)) {
				if p.visit[d] == 0 {
					stack = append(stack, d)
				}
			}
		}
	}
	p.roots = make([]int32, 0, p.deps.empty())
	for at := range int32(p.Len()) {
		if p.deps.size(at) == 0 {
			p.roots = append(p.roots, at)
		}
	}
	slices.SortFunc(p.roots, func(a, b int32) int { return cmp.Or(cmp.Compare(p.visit[a], p.visit[b]), cmp.Compare(a, b)) })
}

// sortByName sorts members by their names. What the names begin with is read once, since it mostly decides.
func sortByName(members []int32, name func(int32) string) {
	type begun struct {
		head   uint64 // the first eight bytes
		member int32
	}
	list := make([]begun, len(members))
	for k, m := range members {
		var head [8]byte
		copy(head[:], name(m))
		list[k] = begun{binary.BigEndian.Uint64(head[:]), m}
	}
	slices.SortFunc(list, func(a, b begun) int {
		if a.head != b.head {
			return cmp.Compare(a.head, b.head)
		}
		return strings.Compare(name(a.member), name(b.member))
	})
	for k := range list {
		members[k] = list[k].member
	}
}

// chooseTargets takes the tasks that nothing depends on where the template names no target, in the order of their
// names as Argo does.
func (p *Plan) chooseTargets(name func(slot int32) string) {
	if len(p.targets) == 0 {
		p.targets = make([]int32, 0, p.dependents.empty())
		for place := range int32(p.Len()) {
			if p.dependents.size(place) == 0 {
				p.targets = append(p.targets, place)
			}
		}
		sortByName(p.targets, func(place int32) string { return name(p.slotOf(place)) })
	}
}
