package propagate

import "github.com/nodestatus/nodestatus/nodegraph"

// wakeReaders marks for evaluation whoever reads a fact that has changed: the node itself; what is directly inside it, since a
// container reads its pod's and a planned node whether its parent exists; and the Retry of an attempt that has ended, since
// why it ended may be learned later than that it did.
func (e *Engine) wakeReaders() {
	for _, i := range e.written {
		n := &e.nodes[i]
		n.marks &^= markWritten
		e.touchNode(i, n)
		if n.traits&traitAlone == 0 && i != nodegraph.Root {
			for m := e.g.First(i); m != nodegraph.None; m = e.g.Next(m) {
				e.touch(m)
			}
		}
		if n.traits&traitAttempt != 0 && e.verdicts[i].fulfilled() {
			e.touch(n.parent)
		}
	}
	e.written = e.written[:0]
}
