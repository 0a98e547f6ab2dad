package nodegraph

import "hash/maphash"

// A slotTable finds the tasks of a DAG by their names. A DAG may have as many tasks as its workflow has nodes, and each is
// looked for once for each edge: an open-addressed table of their slots takes less than half of the room of a map.
type slotTable struct {
	tasks   []Task
	entries []slotEntry // their number is a power of two
	seed    maphash.Seed
	next    int32 // the slot after the one that was found last
}

// slotEntry is a slot and one, 0 where the entry is free, and a part of the hash of the task's name.
type slotEntry struct {
	hash  uint32
	after int32
}

func newSlotTable(tasks []Task) *slotTable {
	size := 8
	for size*3 < len(tasks)*4 {
		size *= 2
	}
	return &slotTable{tasks: tasks, entries: make([]slotEntry, size), seed: maphash.MakeSeed()}
}

// seek returns the entry of the task with this name, or the free one in which it belongs.
func (s *slotTable) seek(name string) (entry *slotEntry, hash uint32) {
	h := maphash.String(s.seed, name)
	hash, mask := uint32(h>>32), uint32(len(s.entries)-1)
	for at := uint32(h) & mask; ; at = (at + 1) & mask {
		entry = &s.entries[at]
		if entry.after == 0 || entry.hash == hash && s.tasks[entry.after-1].Name == name {
			return entry, hash
		}
	}
}

// add enters the task at a slot, or tells that another has its name.
func (s *slotTable) add(slot int32) bool {
	entry, hash := s.seek(s.tasks[slot].Name)
	if entry.after != 0 {
		return false
	}
	*entry = slotEntry{hash: hash, after: slot + 1}
	return true
}

// find returns the slot of the task with this name. Most lists name tasks in the order in which they are declared, so the
// one after the task that was found last is tried first.
func (s *slotTable) find(name string) (int32, bool) {
	slot := s.next
	if int(slot) >= len(s.tasks) || s.tasks[slot].Name != name {
		entry, _ := s.seek(name)
		if entry.after == 0 {
			return 0, false
		}
		slot = entry.after - 1
	}
	s.next = slot + 1
	return slot, true
}
