package propagate

import "github.com/nodestatus/nodestatus/nodegraph"

// fifo is a queue of nodes in the order in which they came.
type fifo struct {
	nodes []nodegraph.Index
	head  int
}

func (f *fifo) push(i nodegraph.Index) { f.nodes = append(f.nodes, i) }

func (f *fifo) empty() bool { return f.head == len(f.nodes) }

func (f *fifo) pop() nodegraph.Index {
	i := f.nodes[f.head]
	if f.head++; f.empty() {
		f.nodes, f.head = f.nodes[:0], 0
	}
	return i
}
