package propagate

// Reference returns what the reference evaluator says.
func (e *Engine) Reference() []Verdict {
	var verdicts []Verdict
	for _, r := range reference(e.inputs) {
		verdicts = append(verdicts, e.spelled(r))
	}
	return verdicts
}

// EndOneByOne makes the engine do what follows from the end of a node for each node, where it does so for several at once.
func (e *Engine) EndOneByOne() { e.plain = false }
