package draw

import (
	"fmt"
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// A fold is how much of a large picture is put away. Each level does what the one before it does, and more.
type fold int

const (
	foldNothing   fold = iota
	foldRuns           // siblings without arrows that are well in the same way are one closed box
	foldHealthy        // what holds only what is well is closed
	foldRanks          // tasks of one rank, and stretches of ranks, that are well in the same way are one closed box
	foldOthers         // what is not on the chain is closed
	foldStretches      // stretches of ranks off the chain are one closed box, however they are
	foldMost      = foldStretches
)

// How many siblings it takes for a box of their own: of those that are well, and of those that all wait for the same.
const (
	leastRun     = 6
	leastWaiting = 24
)

// A folder puts runs of siblings into boxes of their own.
type folder struct {
	*Picture
	level   fold
	members [][]int
	rank    []int
	needs   []string
	busy    []bool // something inside, or the box itself, is on the chain, waited for, or wrong
	run     []int  // of each box: the run that it is put into, or noBox
	first   []int  // of each run: its first member
	looks   []look // of each run
}

// folded is the picture with runs of siblings in boxes of their own, and says which boxes are closed.
func (p *Picture) folded(level fold) (q *Picture, closed []bool) {
	f := &folder{Picture: p, level: level, members: p.scene.members(), rank: p.scene.ranks(), busy: p.busy(level), run: make([]int, len(p.scene))}
	for i := range f.run {
		f.run[i] = noBox
	}
	f.needs = f.likes()
	if level >= foldRuns {
		for i := range p.scene {
			f.findRuns(i)
		}
	}
	return f.build()
}

// busy says where the chain leads and what is waited for or wrong. The highest levels keep the chain alone.
func (p *Picture) busy(level fold) []bool {
	busy := make([]bool, len(p.scene))
	for i := len(p.scene) - 1; i >= 0; i-- {
		l := &p.looks[i]
		busy[i] = busy[i] || l.chain || l.culprit || l.note != "" || level < foldOthers && l.needs != ""
		if parent := p.scene[i].parent; parent >= 0 && busy[i] {
			busy[parent] = true
		}
	}
	return busy
}

// well reports whether a phase is one that nobody has to look at.
func well(phase nodegraph.Phase) bool {
	switch phase {
	case nodegraph.PhasePlanned, nodegraph.PhaseSucceeded, nodegraph.PhaseSkipped, nodegraph.PhaseOmitted:
		return true
	}
	return false
}

// A likeness is what the members of a run share.
type likeness struct {
	rank  int
	phase nodegraph.Phase
	needs string
}

// findRuns puts what is directly inside box i into runs.
func (f *folder) findRuns(i int) {
	linked := slices.ContainsFunc(f.members[i], func(m int) bool { return len(f.scene.before(m)) > 0 })
	if linked && f.level < foldRanks {
		return
	}
	least := leastRun
	var stretch []int
	if linked {
		stretch = f.stretches(i)
		least = 2
	}
	groups, order := make(map[likeness][]int), []likeness{}
	for _, m := range f.members[i] {
		needs := f.needs[m]
		if needs == "" && (f.busy[m] || f.level < foldStretches && !well(f.looksOf(m))) {
			continue
		}
		key := likeness{f.rank[m], f.looksOf(m), needs}
		switch {
		case linked && stretch[f.rank[m]] != noBox:
			key = likeness{rank: stretch[f.rank[m]]}
		case !linked:
			key.rank = 0
		}
		if groups[key] == nil {
			order = append(order, key)
		}
		groups[key] = append(groups[key], m)
	}
	for _, key := range order {
		least := least
		if key.needs != "" {
			least = leastWaiting
		}
		if group := groups[key]; len(group) >= least && len(group) < len(f.members[i]) || len(group) > leastWaiting {
			f.addRun(group)
		}
	}
}

// likes says of each box what it, or all inside of it that waits, waits for, if that is all there is to say of it and others may
// wait for the same; else it is empty.
func (f *folder) likes() []string {
	likes, odd := make([]string, len(f.scene)), make([]bool, len(f.scene))
	for i := len(f.scene) - 1; i >= 0; i-- {
		l, parent := &f.Picture.looks[i], f.scene[i].parent
		if l.needs != "" && likes[i] != "" && likes[i] != l.needs || l.chain || l.culprit || l.note != "" || l.message != "" {
			odd[i] = true
		}
		if l.needs != "" {
			likes[i] = l.needs
		}
		if parent >= 0 {
			odd[parent] = odd[parent] || odd[i] || likes[i] != "" && likes[parent] != "" && likes[parent] != likes[i]
			if likes[i] != "" {
				likes[parent] = likes[i]
			}
		}
		if odd[i] {
			likes[i] = ""
		}
	}
	return likes
}

func (f *folder) looksOf(i int) nodegraph.Phase { return f.Picture.looks[i].phase }

// stretches says of each rank inside box i which stretch it is part of, a number below all ranks, or noBox. A stretch is ranks
// in a row of which every box can be put away: no arrow leads out of it and back.
func (f *folder) stretches(i int) []int {
	ranks := 0
	for _, m := range f.members[i] {
		ranks = max(ranks, f.rank[m]+1)
	}
	stretch, phase := make([]int, ranks), make([]nodegraph.Phase, ranks)
	known := make([]bool, ranks)
	for _, m := range f.members[i] {
		r, now := f.rank[m], f.looksOf(m)
		switch {
		case f.busy[m], f.level < foldStretches && (!well(now) || known[r] && phase[r] != now):
			stretch[r] = noBox
		}
		known[r], phase[r] = true, now
	}
	id := -2
	for r := range stretch {
		if stretch[r] == noBox {
			continue
		}
		if r == 0 || stretch[r-1] == noBox || f.level < foldStretches && phase[r-1] != phase[r] {
			id--
		}
		stretch[r] = id
	}
	return stretch
}

// addRun makes a run of siblings.
func (f *folder) addRun(group []int) {
	counts, needs := make(map[nodegraph.Phase]int), f.needs[group[0]]
	for _, m := range group {
		f.run[m] = len(f.first)
		counts[f.looksOf(m)]++
		if f.needs[m] != needs {
			needs = ""
		}
	}
	l := look{kind: nodegraph.KindTaskGroup, run: len(group), needs: needs}
	for _, phase := range []nodegraph.Phase{
		nodegraph.PhaseOmitted, nodegraph.PhaseSkipped, nodegraph.PhasePlanned, nodegraph.PhaseSucceeded, nodegraph.PhaseError,
		nodegraph.PhaseFailed, nodegraph.PhasePending, nodegraph.PhaseRunning,
	} {
		if counts[phase] > 0 {
			l.phase = phase
			if len(counts) > 1 {
				l.message = fmt.Sprintf("%d %s, %s", counts[phase], phaseName(phase), l.message)
			}
		}
	}
	if n := len(l.message); n > 2 {
		l.message = l.message[:n-2]
	}
	f.first, f.looks = append(f.first, group[0]), append(f.looks, l)
}

// build makes the picture with the runs in it: each is right before its first member.
func (f *folder) build() (q *Picture, closed []bool) {
	q = &Picture{reasons: f.reasons, waits: f.waits, findings: f.findings, complete: f.complete, pointed: f.pointed, now: f.now}
	at, runAt := make([]int, len(f.scene)), make([]int, len(f.first))
	for i := range f.scene {
		if r := f.run[i]; r != noBox && f.first[r] == i {
			b := box{kind: nodegraph.KindTaskGroup, parent: f.scene[i].parent, owner: -1, label: fmt.Sprintf("%d %s", f.looks[r].run, phaseName(f.looks[r].phase))}
			b.name = f.scene[b.parent].name + ": " + b.label
			b.id = fmt.Sprintf("run-%s", f.scene[i].id)
			b.parent, runAt[r] = at[b.parent], len(q.scene)
			q.scene, q.looks, closed = append(q.scene, b), append(q.looks, f.looks[r]), append(closed, true)
		}
		b := f.scene[i]
		at[i] = len(q.scene)
		if r := f.run[i]; r != noBox {
			b.parent = runAt[r]
		} else if b.parent >= 0 {
			b.parent = at[b.parent]
		}
		q.scene, q.looks = append(q.scene, b), append(q.looks, f.Picture.looks[i])
		closed = append(closed, len(f.members[i]) > 0 && f.closes(i))
	}
	f.connect(q, at, runAt)
	return q, closed
}

// closes reports whether box i, which holds others, is closed.
func (f *folder) closes(i int) bool {
	switch {
	case i <= 1 || f.busy[i]:
		return false
	case f.level >= foldOthers:
		return true
	}
	return f.level >= foldHealthy && well(f.looksOf(i))
}

// connect gives the boxes their arrows: those of a box in a run lead to and from the run, unless both ends are in it.
func (f *folder) connect(q *Picture, at, runAt []int) {
	q.chain = make(map[arrow]bool)
	afters := make(map[arrow]bool)
	for i := range f.scene {
		b := &q.scene[at[i]]
		after := b.after
		b.after, b.owner = nil, noBox
		join := func(from int, hook bool) {
			a := arrow{at[from], at[i]}
			if f.run[from] != f.run[i] {
				if r := f.run[from]; r != noBox {
					a.from = runAt[r]
				}
				if r := f.run[i]; r != noBox {
					a.to = runAt[r]
				}
			}
			q.chain[a] = q.chain[a] || f.Picture.chain[arrow{from, i}]
			switch to := &q.scene[a.to]; {
			case hook && a.to == at[i]:
				to.owner = a.from
			case !afters[a]:
				afters[a] = true
				to.after = append(to.after, a.from)
			}
		}
		for _, from := range after {
			join(from, false)
		}
		if owner := f.scene[i].owner; owner >= 0 {
			join(owner, true)
		}
	}
	for a, on := range q.chain {
		if !on {
			delete(q.chain, a)
		}
	}
}

// without is the picture without what is inside closed boxes.
func (p *Picture) without(closed []bool) *Picture {
	q := &Picture{reasons: p.reasons, waits: p.waits, findings: p.findings, complete: p.complete, pointed: p.pointed, now: p.now, chain: make(map[arrow]bool)}
	at := make([]int, len(p.scene))
	for i := range p.scene {
		b := p.scene[i]
		if b.parent >= 0 && (at[b.parent] == noBox || closed[b.parent]) {
			at[i] = noBox
			continue
		}
		at[i] = len(q.scene)
		q.scene, q.looks = append(q.scene, b), append(q.looks, p.looks[i])
	}
	for i := range q.scene {
		b := &q.scene[i]
		after := b.after
		b.after = nil
		for _, a := range after {
			b.after = append(b.after, at[a])
		}
		if b.parent >= 0 {
			b.parent = at[b.parent]
		}
		if b.owner >= 0 {
			b.owner = at[b.owner]
		}
	}
	for a := range p.chain {
		if at[a.from] != noBox && at[a.to] != noBox {
			q.chain[arrow{at[a.from], at[a.to]}] = true
		}
	}
	return q
}
