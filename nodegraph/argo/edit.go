package argo

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// edit changes members of an object and remembers whether it did. It takes the object apart when it has to, and
// leaves what it was given as it is.
type edit struct {
	row     *nodeRow // the node that it is, until its text is needed
	raw     string   // the object, until it is taken apart
	before  members  // the object as it was taken apart
	members members
	own     bool // the members are a copy
	changed bool
	wrong   error // the node can't be written
}

// result is the object as it is now; was if nothing has changed.
func (e *edit) result(was string) string {
	if !e.changed {
		return was
	}
	return e.members.encode()
}

// inOrder is the object as it is now, sorted if it was before: so an API server has it, and [Workflow.Follow] recognises the bytes that
// come back.
func (e *edit) inOrder() members {
	compare := func(a, b member) int { return strings.Compare(a.key, b.key) }
	if slices.IsSortedFunc(e.before, compare) && e.own {
		slices.SortStableFunc(e.members, compare)
	}
	return e.members
}

// get returns the value of key, empty if there is none.
func (e *edit) get(key string) string {
	if e.row != nil {
		e.wrong = e.row.open()
		e.raw, e.row = e.row.now, nil
	}
	if e.raw != "" {
		e.before, _ = parts(e.raw) // of an object: can't fail
		e.raw, e.members = "", e.before
	}
	return e.members.get(key)
}

// change notes that there is one.
func (e *edit) change() {
	if !e.own {
		e.members, e.own = append(make(members, 0, len(e.members)+4), e.members...), true
	}
	e.changed = true
}

func (e *edit) set(key, value string) {
	there := e.get(key) != ""
	e.change()
	if !there {
		e.members = append(e.members, member{key, quote(key), value})
		return
	}
	for i := range e.members {
		if e.members[i].key == key {
			e.members[i].value = value
			return
		}
	}
}

func (e *edit) remove(key string) {
	if e.get(key) != "" {
		e.change()
		e.members = slices.DeleteFunc(e.members, func(m member) bool { return m.key == key })
	}
}

// setText sets a string; the empty one is left out.
func (e *edit) setText(key, value string) {
	if value == "" {
		e.remove(key)
		return
	}
	e.set(key, quote(value))
}

// setList sets a list of strings; the empty one is left out.
func (e *edit) setList(key string, list []string) {
	if len(list) == 0 {
		e.remove(key)
		return
	}
	var text strings.Builder
	for i, s := range list {
		text.WriteByte("[,"[min(i, 1)])
		text.WriteString(quote(s))
	}
	e.set(key, text.String()+"]")
}

// setTime sets a time if it differs by a second. One that is not set leaves what is there if keep.
func (e *edit) setTime(key string, was, now time.Time, keep bool) {
	switch {
	case now.Equal(was), now.IsZero() && keep:
	case now.IsZero():
		e.remove(key)
	case !now.Truncate(time.Second).Equal(was.Truncate(time.Second)):
		e.set(key, quote(now.UTC().Format(time.RFC3339)))
	}
}

// setFlag sets true; false is left out.
func (e *edit) setFlag(key string, value bool) {
	if !value {
		e.remove(key)
		return
	}
	e.set(key, "true")
}

// setNumber sets a number; 0 is left out.
func (e *edit) setNumber(key string, value int) {
	if value == 0 {
		e.remove(key)
		return
	}
	e.set(key, strconv.Itoa(value))
}

// inside changes the object under key, and removes it if nothing is left of it.
func (e *edit) inside(key string, change func(*edit)) {
	in := &edit{raw: e.get(key)} // what was read as an object is one
	change(in)
	if len(in.members) == 0 {
		e.remove(key)
		return
	}
	e.set(key, in.members.encode())
}
