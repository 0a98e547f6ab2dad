package store

import "strings"

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
