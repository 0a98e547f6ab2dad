package rule

import (
	"fmt"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/internal/store"
	"github.com/nodestatus/nodestatus/retry"
)

// Words puts a Message into words. It allocates for the kinds whose words name a node, a time or an error.
func (e *Evaluator) Words(m Message) string {
	i := nodegraph.Index(m.of)
	switch m.kind {
	case messageSaid:
		return e.facts.Text(store.Phrase(m.of))
	case messageTemplate:
		return e.graph.Node(i).Template.Err
	case messageWhenInvalid:
		_, err := nodegraph.EvalWhen(e.When(i))
		return err.Error()
	case messageHookInvalid:
		return e.hookError(i).Error()
	case messageWhenFalse:
		return "when '" + e.When(i) + "' evaluated false"
	case messageUnresolved:
		return "only the host knows " + e.Question(i)
	case messageChildFailed:
		return fmt.Sprintf("child '%s' failed", e.graph.Node(i).ID())
	case messageExpressionError:
		var few [8]retry.Attempt
		return e.inTask(i) + e.graph.Node(i).Template.Retry.Decide(e.attempts(i, few[:0]), e.environment(i)).Message
	}
	return m.text()
}

// inTask is what Argo puts before the words about an error while it carries out node i, if that is a task of a DAG or an item of
// one (Argo: executeDAGTask).
func (e *Evaluator) inTask(i nodegraph.Index) string {
	n := e.graph.Node(i)
	if n.Role == nodegraph.RoleTask || n.Role == nodegraph.RoleItem && e.graph.Node(n.Parent).Kind == nodegraph.KindTaskGroup {
		return fmt.Sprintf("task '%s' errored: ", n.Name())
	}
	return ""
}

// MessageWords is the Message of the verdict on node i in words.
func (e *Evaluator) MessageWords(i nodegraph.Index) string { return e.Words(e.messages[i]) }

// Spell returns a Ruling as others see it.
func (e *Evaluator) Spell(r Ruling) Verdict {
	return Verdict{
		Phase: r.Phase(), Message: e.Words(r.Message), Fulfilled: r.Fulfilled(), Daemoned: r.Daemoned(), Rule: r.Rule(), Line: r.line().String(), By: r.By,
		Wake: r.Wake.Time(), Check: r.check(),
	}
}
