package store

import (
	"maps"
)

// CloneTo makes c a copy of the store that shares nothing with it. What c held is overwritten, and its memory is used again.
func (s *Store) CloneTo(c *Store) {
	old := *c
	*c = *s
	c.nodes, c.finished, c.details = Copied(old.nodes, s.nodes), Copied(old.finished, s.finished), Copied(old.details, s.details)
	c.written = append(old.written[:0], s.written...)
	c.uids.list, c.rare.list = append(old.uids.list[:0], s.uids.list...), append(old.rare.list[:0], s.rare.list...)
	c.phrases.texts, c.phrases.numbers = append(old.phrases.texts[:0], s.phrases.texts...), maps.Clone(s.phrases.numbers)
}
