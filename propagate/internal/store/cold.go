package store

import (
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// A sideTable holds what not every node has, such as the UID of its pod. A node's record has the number of it, 0 for none, so that
// it is small and the garbage collector need not look at it.
type sideTable[T comparable] struct {
	none T   // stays as it is: what is without a number
	list []T // by number, from 1 on
}

// at is what has this number. It is read only, and stays where it is until the next put.
func (s *sideTable[T]) at(number uint32) *T {
	if number == 0 {
		return &s.none
	}
	return &s.list[number-1]
}

// put replaces what has this number, and gives a number to what has none. A number is kept for good.
func (s *sideTable[T]) put(number *uint32, value T) {
	switch {
	case *number != 0:
		s.list[*number-1] = value
	case value != s.none:
		s.list = append(s.list, value)
		*number = uint32(len(s.list))
	}
}

// A coldFact is the part of a Fact that is read when something happens to the node. It has no pointer, see sideTable.
type coldFact struct {
	serial            int64
	created           Stamp
	uid, rare         uint32 // numbers in the View
	message           Phrase
	attempt, exitCode int32
	memo              fact.Answer
	hasExit           bool
	synced            bool
	hit               bool
}

// A rareFact is the part of a Fact that few nodes have.
type rareFact struct {
	reason     string
	conditions string
	halted     string
	remade     int64
	restarts   int
	undated    bool
}

// more is what few nodes have.
func (v *View) more(i nodegraph.Index) *rareFact { return v.rare.at(v.details[i].rare) }

// A Phrase is the number of words that somebody said, 0 for none. A store holds the same words once, so that whether two
// nodes say the same is a comparison of numbers.
type Phrase uint32

// An interner holds the words that were said of one workflow. The zero value has none.
type interner struct {
	texts   []string // by number, from 1 on
	numbers map[string]Phrase
	room    int // how many there may be before those that nobody uses any more are forgotten
}

// say is the number of words. It allocates for those that are new.
func (p *interner) say(words string) Phrase {
	if words == "" {
		return 0
	}
	n, known := p.numbers[words]
	if known {
		return n
	}
	if p.numbers == nil {
		p.numbers = make(map[string]Phrase)
	}
	words = strings.Clone(words) // it may be part of a large text
	p.texts = append(p.texts, words)
	n = Phrase(len(p.texts))
	p.numbers[words] = n
	return n
}

// minRoom is how many phrases a small workflow may have before any is forgotten.
const minRoom = 256

// PhrasesFull reports whether it is time to forget the words that nobody uses. So many have come since the last time that
// going through all nodes costs little for each.
func (s *Store) PhrasesFull() bool {
	return len(s.phrases.texts) >= max(s.phrases.room+len(s.nodes)/8, minRoom)
}

// ForgetPhrases forgets all words but those that facts have and those that eachOther shows to renumber, which gives their
// new numbers.
func (s *Store) ForgetPhrases(eachOther func(renumber func(*Phrase))) {
	p := &s.phrases
	old, moved := p.texts, make([]Phrase, len(p.texts))
	p.texts = nil
	clear(p.numbers)
	renumber := func(n *Phrase) {
		if *n == 0 {
			return
		}
		if m := &moved[*n-1]; *m == 0 {
			*m = p.say(old[*n-1])
		}
		*n = moved[*n-1]
	}
	eachOther(renumber)
	for i := range s.details {
		renumber(&s.details[i].message)
	}
	p.room = 2 * len(p.texts)
}

// Intern is the number of words that no fact has, for a message of before.
func (s *Store) Intern(words string) Phrase { return s.phrases.say(words) }

// text is the words with this number.
func (p *interner) text(n Phrase) string {
	if n == 0 {
		return ""
	}
	return p.texts[n-1]
}
