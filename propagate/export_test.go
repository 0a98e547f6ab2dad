package propagate

// Reference returns what the reference evaluator says.
func (e *Engine) Reference() []Verdict {
	var verdicts []Verdict
	for _, r := range reference(e.inputs) {
		verdicts = append(verdicts, e.spelled(r))
	}
	return verdicts
}

// EndOneByOne does nothing.
func (e *Engine) EndOneByOne() {}
