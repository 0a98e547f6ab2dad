package replay

import (
	"strconv"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// namedLimits are the limits that the recorder gave the keys of its ConfigMap.
var namedLimits = map[string]int{"one": 1, "two": 2, "three": 3}

// limits are how many may hold each semaphore, as far as the record shows it.
type limits struct {
	said map[string]int // by the messages of those who waited
	held map[string]int // at once, at most
}

// recordedLimits reads the limits off all frames.
func (r *Recording) recordedLimits() *limits {
	l := &limits{said: make(map[string]int), held: make(map[string]int)}
	for k := range r.Frames {
		f := &r.Frames[k]
		readLimit(f.Recorded.Message, l.said)
		for n := range f.Recorded.Nodes {
			readLimit(f.Recorded.Nodes[n].Message, l.said)
		}
		for key, n := range f.holders {
			l.held[key] = max(l.held[key], n)
		}
	}
	return l
}

// of is the limit of one semaphore: what was said of it, else what it is called, but no less than held it; 0 where
// the record does not show it.
func (l *limits) of(key string) int {
	if n, said := l.said[key]; said {
		return n
	}
	return max(l.held[key], namedLimits[key[strings.LastIndexByte(key, '/')+1:]])
}

// fill fills in what the specification does not say of its semaphores.
func (l *limits) fill(spec *nodegraph.Spec) {
	spec.EachLock(func(lock *nodegraph.Lock) {
		if lock.Limit == 0 {
			lock.Limit = l.of(lock.Key)
		}
	})
}

// readLimit reads what Argo says of a lock that is waited for.
func readLimit(message string, limits map[string]int) {
	rest, ok := strings.CutPrefix(message, "Waiting for ")
	key, status, waits := strings.Cut(rest, " lock. Lock status: ")
	_, limit, both := strings.Cut(status, "/")
	if n, err := strconv.Atoi(limit); ok && waits && both && err == nil {
		limits[key] = n
	}
}
