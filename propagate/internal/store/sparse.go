package store

// sparse holds what not every node has, such as the UID of its pod. A node's record has the number of it, 0 for none, so that
// it is small and the garbage collector need not look at it.
type sparse[T comparable] struct {
	none T   // stays as it is: what is without a number
	list []T // by number, from 1 on
}

// at is what has this number. It is read only, and stays where it is until the next put.
func (s *sparse[T]) at(number uint32) *T {
	if number == 0 {
		return &s.none
	}
	return &s.list[number-1]
}

// put replaces what has this number, and gives a number to what has none. A number is kept for good.
func (s *sparse[T]) put(number *uint32, value T) {
	switch {
	case *number != 0:
		s.list[*number-1] = value
	case value != s.none:
		s.list = append(s.list, value)
		*number = uint32(len(s.list))
	}
}
