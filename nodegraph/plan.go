package nodegraph

import (
	"slices"
	"strings"
)

// dagPlan is a DAG or ContainerSet template made ready for evaluation: names resolved to slots.
type dagPlan struct {
	conditions               []*Condition // by slot; nil where the task comes after nothing
	deps                     [][]int32    // by slot: the slots its condition names, in the order of Condition.Tasks
	dependents               [][]int32    // by slot
	depRanks, dependentRanks [][]int32    // deps and dependents by rank
	order                    []int32      // slots, each after all it depends on
	rank                     []int32      // by slot: its place in order
	targets                  []int32      // slots of the tasks that must end, in the order in which they decide
	needed                   []bool       // by slot: a target, or something a target depends on
	visit                    []int32      // by slot: its place in a depth-first walk from the targets, what it depends on first
}

// addTask compiles the condition of one task.
func (p *dagPlan) addTask(t *Template, slot int32, slots map[string]int32) error {
	task := &t.Tasks[slot]
	if task.Depends == "" && len(task.Dependencies) == 0 {
		return nil
	}
	resolve := func(name string) (Results, bool) {
		dep, ok := slots[name]
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
	field := "depends"
	condition, err := ParseDepends(task.Depends, resolve)
	if task.Depends == "" {
		field = "dependencies"
		condition, err = Dependencies(task.Dependencies, resolve)
	} else if len(task.Dependencies) > 0 {
		return &SpecError{Template: t.Name, Node: task.Name, Field: "dependencies", Reason: "can't be used together with depends"}
	}
	if err != nil {
		return &SpecError{Template: t.Name, Node: task.Name, Field: field, Reason: "can't be compiled", Err: err}
	}
	p.conditions[slot] = condition
	for _, name := range condition.Tasks() {
		p.after(slot, slots[name])
	}
	return nil
}

func newPlan(n int) *dagPlan {
	return &dagPlan{
		conditions: make([]*Condition, n),
		deps:       make([][]int32, n),
		dependents: make([][]int32, n),
		needed:     make([]bool, n),
	}
}

// after records that slot comes after dep. All that one slot comes after is recorded in one go, so a pair that is there
// already is the last entry of its list.
func (p *dagPlan) after(slot, dep int32) {
	if known := p.dependents[dep]; len(known) > 0 && known[len(known)-1] == slot {
		return
	}
	p.deps[slot] = append(p.deps[slot], dep)
	p.dependents[dep] = append(p.dependents[dep], slot)
}

// sort orders the slots so that each comes after all it depends on (Kahn), or names a cycle.
func (p *dagPlan) sort(name func(int32) string) error {
	n := len(p.deps)
	missing := make([]int32, n)
	p.order = make([]int32, 0, n)
	for i := range p.deps {
		missing[i] = int32(len(p.deps[i]))
		if missing[i] == 0 {
			p.order = append(p.order, int32(i))
		}
	}
	for at := 0; at < len(p.order); at++ {
		for _, d := range p.dependents[p.order[at]] {
			if missing[d]--; missing[d] == 0 {
				p.order = append(p.order, d)
			}
		}
	}
	if len(p.order) == n {
		p.rank = make([]int32, n)
		for at, slot := range p.order {
			p.rank[slot] = int32(at)
		}
		p.depRanks, p.dependentRanks = p.ranked(p.deps), p.ranked(p.dependents)
		return nil
	}
	return &CycleError{Nodes: findCycle(p.deps, missing, name)}
}

// ranked turns rows of slots into rows of ranks.
func (p *dagPlan) ranked(rows [][]int32) [][]int32 {
	ranked := make([][]int32, len(rows))
	for i, row := range rows {
		ranked[i] = make([]int32, len(row))
		for k, slot := range row {
			ranked[i][k] = p.rank[slot]
		}
	}
	return ranked
}

// findCycle walks backwards from a slot that never became free until it meets itself.
func findCycle(deps [][]int32, missing []int32, name func(int32) string) []string {
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
		for _, d := range deps[at] {
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

// number fills in visit.
func (p *dagPlan) number() {
	p.visit = make([]int32, len(p.deps))
	seen := make([]bool, len(p.deps))
	next := int32(0)
	stack := make([]int32, 0, len(p.deps))
	for _, target := range p.targets {
		stack = append(stack, target)
		for len(stack) > 0 {
			slot := stack[len(stack)-1]
			if seen[slot] { // back from what it depends on, or reached twice
				stack = stack[:len(stack)-1]
				if p.visit[slot] == 0 {
					next++
					p.visit[slot] = next
				}
				continue
			}
			seen[slot] = true
			for _, d := range slices.Backward(p.deps[slot]) {
				if !seen[d] {
					stack = append(stack, d)
				}
			}
		}
	}
}

// chooseTargets takes the tasks that nothing depends on where the template names no target, in the order of their
// names as Argo does, and marks all that the targets need.
func (p *dagPlan) chooseTargets(name func(int32) string) {
	if len(p.targets) == 0 {
		for i := range p.dependents {
			if len(p.dependents[i]) == 0 {
				p.targets = append(p.targets, int32(i))
			}
		}
		slices.SortFunc(p.targets, func(a, b int32) int { return strings.Compare(name(a), name(b)) })
	}
	for _, t := range p.targets {
		p.needed[t] = true
	}
	for _, slot := range slices.Backward(p.order) {
		if p.needed[slot] {
			for _, d := range p.deps[slot] {
				p.needed[d] = true
			}
		}
	}
}
