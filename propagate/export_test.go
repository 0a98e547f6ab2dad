package propagate

// Reference returns what the reference evaluator says.
func (e *Engine) Reference() []Verdict {
	var verdicts []Verdict
	for _, r := range reference(e.graph, e.facts) {
		verdicts = append(verdicts, e.eval.spelled(r))
	}
	return verdicts
}
