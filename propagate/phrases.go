package propagate

// A phrase is the number of a message. An engine holds each message once: nodes share most of theirs, and whether two are
// the same is a comparison of numbers.
type phrase uint32

// The phrases of the library's own, in Argo's words.
const (
	noMessage phrase = iota
	podDeleted
	containerDeleted
	podFailedUnder
	omitted
	noItems
	tooDeep
	failedFast
	deadlineExceeded
	stoppedStop
	stoppedTerminate
	noMoreRetries
	expressionFalse
	maxDuration
	backoffTooLong
	closedAround
	endOfOwn // the messages of a workflow's own begin here
)

var ownPhrases = [endOfOwn]string{
	podDeleted:       "pod deleted",
	containerDeleted: "container deleted",
	podFailedUnder:   "Pod Failed whilst container running",
	omitted:          "omitted: depends condition not met",
	noItems:          "Skipped, empty params",
	tooDeep:          "Maximum recursion depth exceeded",
	failedFast:       "template has failed or errored children and failFast enabled",
	deadlineExceeded: "Step exceeded its deadline",
	stoppedStop:      "Stopped with strategy 'Stop'",
	stoppedTerminate: "Stopped with strategy 'Terminate'",
	noMoreRetries:    "No more retries left",
	expressionFalse:  "retryStrategy.expression evaluated to false",
	maxDuration:      "Max duration limit exceeded",
	backoffTooLong:   "Backoff would exceed max duration limit",
	closedAround:     "closed: what it is inside of has ended",
}

// own is the text of a phrase of the library's own.
func (p phrase) own() string { return ownPhrases[p] }

// phrases are the messages of one workflow. The zero value has those of the library's own.
type phrases struct {
	texts   []string // by number, from endOfOwn on
	numbers map[string]phrase
	room    int // how many there may be before those that nobody uses any more are forgotten
}

// text is the message with this number.
func (p *phrases) text(n phrase) string {
	if n < endOfOwn {
		return ownPhrases[n]
	}
	return p.texts[n-endOfOwn]
}

// say is the number of a message. It allocates for one that is new.
func (p *phrases) say(message string) phrase {
	if message == "" {
		return noMessage
	}
	n, known := p.numbers[message]
	if known {
		return n
	}
	if p.numbers == nil {
		p.numbers = make(map[string]phrase)
		for n, text := range ownPhrases {
			p.numbers[text] = phrase(n)
		}
		return p.say(message)
	}
	n = endOfOwn + phrase(len(p.texts))
	p.texts = append(p.texts, message)
	p.numbers[message] = n
	return n
}

// minRoom is how many messages a small workflow may have before any is forgotten.
const minRoom = 256

// full tells whether it is time to forget the messages that nobody uses. So many have come since the last time that going
// through all nodes costs little for each.
func (p *phrases) full(nodes int) bool {
	return len(p.texts) >= max(p.room+nodes/8, minRoom)
}

// keep forgets every message but those whose numbers eachUsed shows to renumber, which gives their new ones.
func (p *phrases) keep(eachUsed func(renumber func(*phrase))) {
	old := p.texts
	moved := make([]phrase, len(old))
	p.texts = nil
	clear(p.numbers)
	for n, text := range ownPhrases {
		p.numbers[text] = phrase(n)
	}
	eachUsed(func(n *phrase) {
		if *n < endOfOwn {
			return
		}
		if m := &moved[*n-endOfOwn]; *m == noMessage {
			*m = p.say(old[*n-endOfOwn])
		}
		*n = moved[*n-endOfOwn]
	})
	p.room = 2 * len(p.texts)
}

// forgetPhrases forgets the messages that no node has any more.
func (e *Engine) forgetPhrases() {
	e.facts.phrases.keep(func(renumber func(*phrase)) {
		for i := range e.eval.verdicts {
			renumber(&e.eval.messages[i].text)
		}
		for i := range e.facts.details {
			renumber(&e.facts.details[i].message)
		}
	})
}
