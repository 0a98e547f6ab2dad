package propagate

// Reference returns what the reference evaluator says.
func (e *Engine) Reference() []Verdict { return reference(e.inputs) }
