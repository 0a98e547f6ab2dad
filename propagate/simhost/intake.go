package simhost

import (
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph/enum"

	"github.com/nodestatus/nodestatus/propagate"
)

// An Intake is how a host tells an engine of its pods.
type Intake uint8

// The ways.
const (
	Events  Intake = iota // by the events that the test tells
	List                  // all pods in each call
	Changed               // the pods that look different, and those that are gone, in each call after the first
)

var intakeNames = enum.Names{Type: "Intake", Of: []string{"events", "list", "changed"}}

// String names the way.
func (i Intake) String() string { return intakeNames.String(uint8(i)) }

// MarshalText is the name as text. The error is an [*enum.Error].
func (i Intake) MarshalText() ([]byte, error) { return intakeNames.Marshal(uint8(i)) }

// UnmarshalText reads a name. The error is an [*enum.Error].
func (i *Intake) UnmarshalText(text []byte) error { return enum.Unmarshal(&intakeNames, text, i) }

// A call is one call of an engine, as it can be made once more.
type call struct {
	now           time.Time
	intake        Intake
	changed, gone []propagate.PodStatus
	events        []propagate.Event
}

func (c *call) make(e *propagate.Engine) (propagate.Result, error) {
	switch c.intake {
	case List:
		return e.SyncPods(c.now, c.changed, c.events...)
	case Changed:
		return e.SyncChanged(c.now, c.changed, c.gone, c.events...)
	}
	return e.Apply(c.now, c.events...)
}

// Call tells the engine of a workflow events at the present time, with the pods as they look now if that is the intake. It
// notes when the engine wants to be called again.
func (h *Host) Call(workflow string, events []propagate.Event) (propagate.Result, error) {
	w := h.Workflow(workflow)
	w.own()
	c := call{now: h.Now, intake: h.Intake, events: events}
	if w.Relist || c.intake == Changed && w.told == nil {
		c.intake = List
	}
	var listed []propagate.PodStatus
	if c.intake != Events {
		listed = w.Listed()
	}
	if c.changed = listed; c.intake == Changed {
		c.changed, c.gone = w.differing(listed)
	}
	r, err := c.make(w.Engine)
	if err != nil {
		return r, err
	}
	w.calls, w.Relist = append(w.calls, c), false
	if c.intake != Events {
		w.told = make(map[string]propagate.PodStatus, len(listed))
		for _, p := range listed {
			w.told[p.Node] = p
		}
	}
	if !w.Wake.After(h.Now) {
		w.Wake = time.Time{}
	}
	for _, a := range r.Actions {
		if a.Type == propagate.ActionWake {
			w.Wake = a.At
		}
	}
	return r, nil
}

// differing returns the pods that look otherwise than when the engine last heard of them, and those that do not exist any
// more, in the order of their nodes' names.
func (w *Workflow) differing(listed []propagate.PodStatus) (changed, gone []propagate.PodStatus) {
	left := maps.Clone(w.told)
	for _, p := range listed {
		old, told := w.told[p.Node]
		if !told || !reflect.DeepEqual(old, p) {
			changed = append(changed, p)
		}
		if told && old.UID == p.UID {
			delete(left, p.Node)
		}
	}
	for _, node := range slices.Sorted(maps.Keys(left)) {
		gone = append(gone, left[node])
	}
	return changed, gone
}
