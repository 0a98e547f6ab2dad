package replay

import (
	"fmt"
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// around has others hold the locks that they held when a frame began, and no others. Those of the workflow that get what is free
// now hear of it in the next step.
func (p *Player) around(f *Frame) {
	if len(f.Around) == 0 && len(p.others) == 0 {
		return
	}
	var others []propagate.Holder
	for k, key := range f.Around {
		h := propagate.Holder{Workflow: "around the recording", Node: fmt.Sprint(key, " ", len(keysBefore(f.Around, k)))}
		others = append(others, h)
		if !slices.Contains(p.others, h) {
			p.host.Locks.Acquire(h, []nodegraph.Lock{p.lock(key)})
		}
	}
	for _, h := range p.others {
		if slices.Contains(others, h) {
			continue
		}
		for _, free := range p.host.Locks.Release(h) {
			p.host.later = append(p.host.later, propagate.LockGranted(free.Node))
		}
	}
	p.others = others
}

// keysBefore are those before key k that are the same.
func keysBefore(keys []string, k int) []string {
	return slices.DeleteFunc(slices.Clone(keys[:k]), func(key string) bool { return key != keys[k] })
}

// lock is the lock of the workflow with this key.
func (p *Player) lock(key string) (found nodegraph.Lock) {
	found.Key = key
	p.spec.EachLock(func(l *nodegraph.Lock) {
		if l.Key == key {
			found = *l
		}
	})
	return found
}
