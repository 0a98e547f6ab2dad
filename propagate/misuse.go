package propagate

import "fmt"

// A UseError says why a call of an engine can't be made. Nothing was changed.
type UseError struct {
	Field  string // what is wrong: "engine", "graph", "result" or "now"
	Reason string // what is wrong with it, for people
}

// Error names what is wrong.
func (e *UseError) Error() string { return fmt.Sprintf("propagate: %s: %s", e.Field, e.Reason) }

// noCopy makes go vet report copies of what has it.
type noCopy struct{}

func (*noCopy) Lock()   {}
func (*noCopy) Unlock() {}

// noNode is what a panic says of an index of no node.
func noNode(i, nodes int) string {
	return fmt.Sprintf("propagate: there is no node %d of %d; Graph.Find returns nodegraph.None, -1, for a name that no node has", i, nodes)
}
