package propagate

// Reference returns what the reference evaluator says.
func (e *Engine) Reference() []Verdict {
	var verdicts []Verdict
	for _, r := range reference(e.inputs) {
		verdicts = append(verdicts, e.spelled(r))
	}
	return verdicts
}

// TakeByIndex makes the engine take nodes as it does in a large workflow.
func (e *Engine) TakeByIndex() { e.queue.large = true }
