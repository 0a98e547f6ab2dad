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

// seek returns the slot of the task with this name and hash, and one. If there is none it returns 0 and the entry of the table
// in which it belongs.
func (s *slotTable) seek(name string, hash uint32) (after, entry uint32) {
	for entry = s.table.first(hash); ; entry++ {
		after, entry = s.table.next(hash, entry)
		if after == 0 || s.tasks[after-1].Name == name {
			return after, entry
		}
	}
}

// add enters the task of a slot, or reports that another has its name.
func (s *slotTable) add(slot int) (twice bool) {
	hash := s.hash(s.tasks[slot].Name)
	after, entry := s.seek(s.tasks[slot].Name, hash)
	if after == 0 {
		s.table.put(hash, uint32(slot)+1, entry)
	}
	return after != 0
}

// find returns the slot of the task with this name. Most lists name tasks in the order in which they are declared, so the
// one after the task that was found last is tried first.
func (s *slotTable) find(name string) (int32, bool) {
	slot := s.next
	if int(slot) >= len(s.tasks) || s.tasks[slot].Name != name {
		after, _ := s.seek(name, s.hash(name))
		if after == 0 {
			return 0, false
		}
		slot = int32(after) - 1
	}
	s.next = slot + 1
	return slot, true
}
