package propagate

import "github.com/nodestatus/nodestatus/nodegraph"

// timers are the times at which nodes must be looked at again, as a heap, the soonest first.
type timers struct {
	list []timer
	told stamp // the time the host was last asked to wake the engine
}

type timer struct {
	at   stamp
	node nodegraph.Index
}

func (t timer) before(o timer) bool { return t.at < o.at || t.at == o.at && t.node < o.node }

// add remembers that node must be evaluated at a time.
func (t *timers) add(at stamp, node nodegraph.Index) {
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

// due removes and returns the next node whose time has come.
func (t *timers) due(now stamp) (nodegraph.Index, bool) {
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
