package propagate

import (
	"fmt"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/retry"
)

// A message is what a verdict says in words, as a value: rules make it and compare it, and words are put where somebody
// reads it. The zero message says nothing.
type message struct {
	kind   messageKind
	text   phrase          // messageText: the words of a fact, or the library's own
	node   nodegraph.Index // whom it is about
	number int64           // nanoseconds, or seconds since 1970
}

// messageKind says how the words of a message are made.
type messageKind uint8

const (
	messageText            messageKind = iota // the words are in text
	messageTemplate                           // the template of the node can't run
	messageWhenInvalid                        // the node's when is no condition
	messageWhenFalse                          // the node's when is false
	messageChildFailed                        // a StepGroup: the node failed
	messageBackoff                            // a Retry waits: number is how long in all
	messageRetryDeadline                      // a Retry ends with the workflow's deadline, at number
	messageExpressionError                    // the expression of the Retry can't be evaluated over its attempts
)

// said is the message with these words.
func said(text phrase) message { return message{text: text} }

// told is the message with the words of what is known of node i.
func (w *store) told(i nodegraph.Index) message { return said(w.details[i].message) }

// words puts a message into words.
func (w *evalContext) words(m message) string {
	switch m.kind {
	case messageTemplate:
		return w.graph.Node(m.node).Template.Err
	case messageWhenInvalid:
		_, err := nodegraph.EvalWhen(w.when(m.node))
		return err.Error()
	case messageWhenFalse:
		return "when '" + w.when(m.node) + "' evaluated false"
	case messageChildFailed:
		return fmt.Sprintf("child '%s' failed", w.graph.Node(m.node).ID())
	case messageBackoff:
		return "Backoff for " + retry.HumanDuration(time.Duration(m.number))
	case messageRetryDeadline:
		return fmt.Sprintf("retry exceeded workflow deadline %s", time.Unix(m.number, 0).UTC())
	case messageExpressionError:
		var few [8]retry.Attempt
		return w.graph.Node(m.node).Template.Retry.Decide(w.attempts(m.node, few[:0]), w.environment(m.node)).Message
	}
	return w.facts.phrases.text(m.text)
}

// when is the condition of node i with its item filled in.
func (w *evalContext) when(i nodegraph.Index) string {
	return withItem(w.graph.Node(i).Task.When, w.graph.Item(i))
}

// message is the message of node i in words.
func (w *evalContext) message(i nodegraph.Index) string { return w.words(w.messages[i]) }
