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

// slotBlock is how many tasks are entered at once: a processor looks for the entries of several in a short loop at the same
// time, none of which may be in its cache.
const slotBlock = 64

// add enters a block of tasks, or returns one whose name another has.
func (s *slotTable) add(from, to int) (twice *Task) {
	var hashes [slotBlock]uint32
	block := s.tasks[from:to]
	for k := range block {
		hashes[k] = s.hash(block[k].Name)
	}
	for k := range block {
		after, entry := s.seek(block[k].Name, hashes[k])
		if after != 0 {
			return &block[k]
		}
		s.table.put(hashes[k], uint32(from+k)+1, entry)
	}
	return nil
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
