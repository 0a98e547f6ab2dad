package sched

import (
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/internal/store"
)

// timers are the times at which nodes must be judged again, as a heap, the soonest first.
type timers struct {
	list []timer
	told store.Stamp // the time the host was last asked to wake the engine
}

type timer struct {
	at   store.Stamp
	node nodegraph.Index
}

func (t timer) before(o timer) bool { return t.at < o.at || t.at == o.at && t.node < o.node }

func (t *timers) add(at store.Stamp, node nodegraph.Index) {
	t.list = append(t.list, timer{at, node})
	for k := len(t.list) - 1; k > 0; {
		up := (k - 1) / 2
		if !t.list[k].before(t.list[up]) {
			break
		}
		t.list[k], t.list[up] = t.list[up], t.list[k]
		k = up
	}
}

// next removes and returns the next node whose time has come.
func (t *timers) next(now store.Stamp) (nodegraph.Index, bool) {
	if len(t.list) == 0 || t.list[0].at > now {
		return nodegraph.None, false
	}
	first, last := t.list[0], len(t.list)-1
	t.list[0] = t.list[last]
	t.list = t.list[:last]
	for k := 0; ; {
		down := 2*k + 1
		if down+1 < last && t.list[down+1].before(t.list[down]) {
			down++
		}
		if down >= last || !t.list[down].before(t.list[k]) {
			break
		}
		t.list[k], t.list[down] = t.list[down], t.list[k]
		k = down
	}
	return first.node, true
}
