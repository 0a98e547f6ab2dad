package rule

import (
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/internal/store"
)

// A Message is what a verdict says in words, as a value: rules make it and compare it, and [Evaluator.Words] puts it into
// words where somebody reads it. The zero Message says nothing.
type Message struct {
	kind   messageKind
	of     uint32 // messageSaid: the phrase; messageTemplate and what follows: the node that it is about
	number int64  // nanoseconds, or seconds since 1970
}

// messageKind says how the words of a Message are made.
type messageKind uint8

const (
	messageSaid messageKind = iota // the words of a fact

	// The words of these are in texts.

	messagePodDeleted
	messageContainerDeleted
	messagePodFailedUnder
	messageOmitted
	messageNoItems
	messageTooDeep
	messageFailedFast
	messageStop
	messageTerminate
	messageNoMoreRetries
	messageExpressionFalse
	messageMaxDuration
	messageBackoffTooLong
	messageClosed

	// The words of these are made by Words.

	messageTemplate        // the template of the node can't run
	messageWhenInvalid     // the node's when is no condition
	messageHookInvalid     // the expression of a hook of the node is none
	messageWhenFalse       // the node's when is false
	messageUnresolved      // the node's template has fields that only the host knows
	messageChildFailed     // a StepGroup: the node failed
	messageBackoff         // a Retry waits: number is how long in all
	messageRetryDeadline   // a Retry ends with the workflow's deadline, at number
	messageExpressionError // the expression of the Retry can't be evaluated over its attempts
)

// The words that the library and its hosts recognize, as Argo puts them.
const (
	TextPodDeleted      = "pod deleted"                            // a pod that ran and is gone without a result, in Error
	TextClosed          = "closed: what it is inside of has ended" // what was open and can't end by itself; Argo has no such words
	textNoItems         = "Skipped, empty params"
	textExpressionFalse = "retryStrategy.expression evaluated to false"
	textBackoffTooLong  = "Backoff would exceed max duration limit"
)

// texts are the words of messages that say the same of every node.
var texts = [...]string{
	messagePodDeleted:       TextPodDeleted,
	messageContainerDeleted: "container deleted",
	messagePodFailedUnder:   "Pod Failed whilst container running",
	messageOmitted:          "omitted: depends condition not met",
	messageNoItems:          textNoItems,
	messageTooDeep:          "Maximum recursion depth exceeded. See https://argo-workflows.readthedocs.io/en/latest/scaling/#maximum-recursion-depth",
	messageFailedFast:       "template has failed or errored children and failFast enabled",
	messageStop:             "Stopped with strategy 'Stop'",
	messageTerminate:        "Stopped with strategy 'Terminate'",
	messageNoMoreRetries:    "No more retries left",
	messageExpressionFalse:  textExpressionFalse,
	messageMaxDuration:      "Max duration limit exceeded",
	messageBackoffTooLong:   textBackoffTooLong,
	messageClosed:           TextClosed,
}

// said is the Message with words that were said.
func said(words store.Phrase) Message { return Message{of: uint32(words)} }

// Said is the Message with words that no rule has made.
func (e *Evaluator) Said(words store.Phrase) Message { return said(words) }

// about is the Message of a kind about node i.
func about(kind messageKind, i nodegraph.Index) Message { return Message{kind: kind, of: uint32(i)} }

// Message is the Message of the verdict on node i.
func (e *Evaluator) Message(i nodegraph.Index) Message { return e.messages[i] }

// EachSaid shows to do every phrase in a Message, which it may renumber.
func (e *Evaluator) EachSaid(do func(*store.Phrase)) {
	for i := range e.messages {
		if m := &e.messages[i]; m.kind == messageSaid {
			words := store.Phrase(m.of)
			do(&words)
			m.of = uint32(words)
		}
	}
}
