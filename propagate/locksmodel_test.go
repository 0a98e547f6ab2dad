package propagate_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// A tableModel says of every state of a LockTable who waits and who holds, by brute force: it tries all sets of waiters.
type tableModel struct {
	limit   map[string]int
	holders map[string][]propagate.Holder // by lock
	waits   []modelWaiter                 // in the order of their arrival
}

type modelWaiter struct {
	holder   propagate.Holder
	keys     []string
	within   []string
	priority int32
	created  int
}

// inside reports whether h does not end before w.
func (w *modelWaiter) inside(h propagate.Holder) bool {
	return h.Workflow == w.holder.Workflow && (h.Node == "" || slices.Contains(w.within, h.Node))
}

// ahead reports whether waiter a is served before waiter b.
func (m *tableModel) ahead(a, b int) bool {
	x, y := &m.waits[a], &m.waits[b]
	switch {
	case x.priority != y.priority:
		return x.priority > y.priority
	case x.created != y.created:
		return x.created < y.created
	}
	return a < b
}

func (m *tableModel) lacks(key string) bool { return len(m.holders[key]) >= m.limit[key] }

// never lists the waiters of all sets in which each waits for a lock all places of which are held by such as do not end before one
// of the same set.
func (m *tableModel) never() []bool {
	never := make([]bool, len(m.waits))
	for set := 1; set < 1<<len(m.waits); set++ {
		in := func(k int) bool { return set>>k&1 != 0 }
		dead := true
		for k := range m.waits {
			dead = dead && (!in(k) || slices.ContainsFunc(m.waits[k].keys, func(key string) bool {
				n := 0
				for _, h := range m.holders[key] {
					for o := range m.waits {
						if in(o) && m.waits[o].inside(h) {
							n++
							break
						}
					}
				}
				return n >= m.limit[key]
			}))
		}
		for k := range m.waits {
			never[k] = never[k] || dead && in(k)
		}
	}
	return never
}

// needs is the closure of who does not go on before whom.
func (m *tableModel) needs(never []bool) [][]bool {
	n := len(m.waits)
	needs := make([][]bool, n)
	for a := range needs {
		needs[a] = make([]bool, n)
		for b := range needs[a] {
			for _, key := range m.waits[a].keys {
				for _, h := range m.holders[key] {
					needs[a][b] = needs[a][b] || m.lacks(key) && m.waits[b].inside(h)
				}
				rivals := a != b && m.ahead(b, a) && m.waits[a].holder.Workflow != m.waits[b].holder.Workflow && !never[b]
				needs[a][b] = needs[a][b] || rivals && slices.Contains(m.waits[b].keys, key)
			}
		}
	}
	for k := range n {
		for a := range n {
			for b := range n {
				needs[a][b] = needs[a][b] || needs[a][k] && needs[k][b]
			}
		}
	}
	return needs
}

// may reports whether waiter k may have all its locks now.
func (m *tableModel) may(k int) bool {
	never := m.never()
	needs := m.needs(never)
	for _, key := range m.waits[k].keys {
		kept := 0
		for a := range m.waits {
			if !slices.Contains(m.waits[a].keys, key) || never[a] || needs[a][k] {
				continue
			}
			before := true // all of the workflow of k that want the lock
			for o := range m.waits {
				if m.waits[o].holder.Workflow == m.waits[k].holder.Workflow && slices.Contains(m.waits[o].keys, key) {
					before = before && o != a && m.ahead(a, o)
				}
			}
			if before {
				kept++
			}
		}
		if len(m.holders[key])+kept >= m.limit[key] {
			return false
		}
	}
	return true
}

func (m *tableModel) take(k int) {
	w := m.waits[k]
	m.waits = slices.Delete(m.waits, k, k+1)
	for _, key := range w.keys {
		m.holders[key] = append(m.holders[key], w.holder)
	}
}

// serve gives to all who may have, the first to be served first, and returns whom.
func (m *tableModel) serve() (granted []propagate.Holder) {
	for {
		next := -1
		for k := range m.waits {
			if m.may(k) && (next < 0 || m.ahead(k, next)) {
				next = k
			}
		}
		if next < 0 {
			return granted
		}
		granted = append(granted, m.waits[next].holder)
		m.take(next)
	}
}

func (m *tableModel) release(h propagate.Holder) {
	for key, list := range m.holders {
		m.holders[key] = slices.DeleteFunc(list, func(o propagate.Holder) bool { return o == h })
	}
	m.waits = slices.DeleteFunc(m.waits, func(w modelWaiter) bool { return w.holder == h })
}

// queue lists who waits for a lock, the next to be served first.
func (m *tableModel) queue(key string) (list []propagate.Holder) {
	var places []int
	for k := range m.waits {
		if slices.Contains(m.waits[k].keys, key) {
			places = append(places, k)
		}
	}
	slices.SortFunc(places, func(a, b int) int {
		if m.ahead(a, b) {
			return -1
		}
		return 1
	})
	for _, k := range places {
		list = append(list, m.waits[k].holder)
	}
	return list
}

// Random workflows with random ranks ask for random locks, with nodes inside nodes. The table does what the model says: who gets
// what when, who waits in which order, and who waits for ever. No lock has more holders than places, and nobody is left to wait
// who may have all that he wants. Whatever is left when all have ended who can is a cycle of which the table says so.
func TestLockTableIsAsItsModel(t *testing.T) {
	t.Logf("seeds %d to %d", *seed, *seed+399)
	passed, cycles := 0, 0
	for s := *seed; s < *seed+400; s++ {
		r := rand.New(rand.NewPCG(s, 11))
		var table propagate.LockTable
		m := &tableModel{limit: make(map[string]int), holders: make(map[string][]propagate.Holder)}
		locks := []nodegraph.Lock{lock("m", 1), lock("n", 1), lock("o", 1+r.IntN(2)), lock("s", 2)}
		for _, l := range locks {
			m.limit[l.Key] = l.Limit
		}
		specs := make([]nodegraph.Spec, 4)
		for k := range specs {
			specs[k] = nodegraph.Spec{Priority: int32(r.IntN(2)), Created: time.Unix(int64(r.IntN(2)), 0)}
			table.Rank(fmt.Sprint("w", k), &specs[k])
		}
		var holding []propagate.Holder
		took := func(list []propagate.Holder) { holding = append(holding, list...) }
		check := func() {
			t.Helper()
			for _, l := range locks {
				require.Equal(t, holdersText(m.holders[l.Key]), holdersText(table.Holders(l.Key)), "-seed %d: holders of %s", s, l.Key)
				require.LessOrEqual(t, len(table.Holders(l.Key)), l.Limit, "-seed %d: holders of %s", s, l.Key)
				require.Equal(t, holdersText(m.queue(l.Key)), holdersText(table.Waiters(l.Key)), "-seed %d: waiters for %s", s, l.Key)
			}
			for k := range m.waits {
				require.False(t, m.may(k), "-seed %d: %v is left to wait", s, m.waits[k].holder)
			}
			dead := make(map[propagate.Holder]bool)
			for k, never := range m.never() {
				dead[m.waits[k].holder] = never
			}
			found := table.Deadlocks()
			require.Equal(t, slices.Contains(m.never(), true), len(found) > 0, "-seed %d: cycles %v", s, found)
			for _, cycle := range found {
				for k, step := range cycle {
					require.True(t, dead[step.Waiter], "-seed %d: %v in %v can go on", s, step.Waiter, cycle)
					require.Contains(t, table.Holders(step.Key), step.Holder, "-seed %d: %v", s, cycle)
					next := slices.IndexFunc(m.waits, func(w modelWaiter) bool { return w.holder == cycle[(k+1)%len(cycle)].Waiter })
					require.True(t, m.waits[next].inside(step.Holder), "-seed %d: %v", s, cycle)
				}
			}
			require.Empty(t, table.Grant(), "-seed %d: somebody was forgotten", s)
		}
		ask := func(number int) {
			w := r.IntN(len(specs))
			h := propagate.Holder{Workflow: fmt.Sprint("w", w), Node: fmt.Sprint("n", number)}
			if begun := slices.ContainsFunc(holding, func(o propagate.Holder) bool { return o.Workflow == h.Workflow }) ||
				slices.ContainsFunc(m.waits, func(o modelWaiter) bool { return o.holder.Workflow == h.Workflow }); !begun && r.IntN(3) == 0 {
				h.Node = ""
			}
			waiter := modelWaiter{holder: h, priority: specs[w].Priority, created: int(specs[w].Created.Unix())}
			var wanted []nodegraph.Lock
			for _, l := range r.Perm(len(locks))[:1+r.IntN(2)] {
				wanted = append(wanted, locks[l])
				waiter.keys = append(waiter.keys, locks[l].Key)
			}
			for _, o := range holding {
				if o.Workflow == h.Workflow && o.Node != "" && r.IntN(2) == 0 {
					waiter.within = append(waiter.within, o.Node)
				}
			}
			if slices.ContainsFunc(m.waits, func(o modelWaiter) bool { return o.holder == propagate.Holder{Workflow: h.Workflow} }) {
				return // it was not begun
			}
			m.waits = append(m.waits, waiter)
			want := m.may(len(m.waits) - 1)
			got := table.Answer(h.Workflow, &propagate.Action{Type: propagate.ActionAcquire, ID: h.Node, Locks: wanted, Within: waiter.within})
			require.Equal(t, want, got[0].Event.Type == propagate.EventLockGranted, "-seed %d: %v asks for %v", s, h, waiter.keys)
			if want {
				m.take(len(m.waits) - 1)
				took([]propagate.Holder{h})
				require.Len(t, got, 1)
				return
			}
			var others []propagate.Holder // may pass one in front, who needs the new one now
			for _, n := range got[1:] {
				others = append(others, propagate.Holder{Workflow: n.Workflow, Node: n.Event.Node})
			}
			require.Equal(t, m.serve(), others, "-seed %d: who passes when %v asks for %v", s, h, waiter.keys)
			took(others)
		}
		leaf := func(h propagate.Holder) bool { // nothing inside it waits
			return !slices.ContainsFunc(m.waits, func(w modelWaiter) bool { return w.inside(h) })
		}
		end := func() bool {
			ends := slices.DeleteFunc(slices.Clone(holding), func(h propagate.Holder) bool { return !leaf(h) })
			if len(ends) == 0 {
				return false
			}
			h := ends[r.IntN(len(ends))]
			holding = slices.DeleteFunc(holding, func(o propagate.Holder) bool { return o == h })
			m.release(h)
			want := m.serve()
			require.Equal(t, want, table.Release(h), "-seed %d: who is served when %v ends", s, h)
			took(want)
			return true
		}
		for number := range 14 {
			if len(m.waits) < 7 {
				ask(number)
				check()
			}
			for r.IntN(3) == 0 && end() {
				check()
			}
		}
		for end() {
			check()
		}
		if len(m.waits) > 0 {
			cycles++
			require.NotEmpty(t, table.Deadlocks(), "-seed %d: %v wait for ever, and nobody says so", s, m.waits)
		} else {
			passed++
		}
	}
	t.Logf("%d tables came to an end, %d to a cycle", passed, cycles)
	require.NotZero(t, passed)
	require.NotZero(t, cycles)
}

// holdersText shows holders as workflow/node.
func holdersText(holders []propagate.Holder) string {
	var list []string
	for _, h := range holders {
		list = append(list, strings.TrimSuffix(h.Workflow+"/"+h.Node, "/"))
	}
	return strings.Join(list, " ")
}
