package nodegraph

import "hash/maphash"

// A slotTable finds the tasks of a DAG by their names. A DAG may have as many tasks as its workflow has nodes, and each is
// looked for once for each edge.
type slotTable struct {
	tasks []Task
	table hashTable // of slots and one
	seed  maphash.Seed
	next  int32 // the slot after the one that was found last
}

func newSlotTable(tasks []Task) *slotTable {
	return &slotTable{tasks: tasks, table: newHashTable(len(tasks)), seed: maphash.MakeSeed()}
}

func (s *slotTable) hash(name string) uint32 { return uint32(maphash.String(s.seed, name)) }

// withHash returns the slot of the task with this hash and name; false if there is none.
func (s *slotTable) withHash(hash uint32, name string) (int32, bool) {
	for after, at := s.table.next(hash, hash); after != 0; after, at = s.table.next(hash, at+1) {
		if s.tasks[after-1].Name == name {
			return int32(after) - 1, true
		}
	}
	return 0, false
}

// add enters the task of a slot, or reports that another has its name.
func (s *slotTable) add(slot int) (twice bool) {
	name := s.tasks[slot].Name
	hash := s.hash(name)
	if _, twice = s.withHash(hash, name); !twice {
		s.table.add(hash, uint32(slot)+1)
	}
	return twice
}

// find returns the slot of the task with this name. Most lists name tasks in the order in which they are declared, so the
// one after the task that was found last is tried first.
func (s *slotTable) find(name string) (slot int32, known bool) {
	if slot = s.next; int(slot) >= len(s.tasks) || s.tasks[slot].Name != name {
		if slot, known = s.withHash(s.hash(name), name); !known {
			return 0, false
		}
	}
	s.next = slot + 1
	return slot, true
}
