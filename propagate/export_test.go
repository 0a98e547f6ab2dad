package propagate

import "github.com/nodestatus/nodestatus/propagate/rule"

// Reference returns what the reference evaluator says.
func (e *Engine) Reference() []rule.Verdict {
	var verdicts []rule.Verdict
	for _, r := range e.rules.Reference() {
		verdicts = append(verdicts, e.rules.Spell(r))
	}
	return verdicts
}

// Enter puts the engine where it is inside a call, as another goroutine sees it. The call ends with leave.
func (e *Engine) Enter() (leave func()) {
	if err := e.enter(); err != nil {
		panic(err)
	}
	return e.leave
}
