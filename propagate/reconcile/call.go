package reconcile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// A call is one call of a Reconciler, and the host's side of [propagate.Drive] for its workflow.
type call struct {
	*Reconciler
	Outcome
	now    time.Time
	pods   []propagate.PodStatus
	listed bool                // pods are still to be told
	locks  propagate.LockTable // as they are if the call succeeds
}

// failed is the error for a stage of the call.
func (c *call) failed(stage Stage, err error) error {
	return &Error{Workflow: c.Workflow, Stage: stage, Err: err}
}

// restore reads the object and makes the engine of what is on record.
func (c *call) restore(object []byte) error {
	var err error
	if c.Object, err = argo.Read(object); err != nil {
		return c.failed(StageRead, err)
	}
	c.Workflow = c.Object.Namespace + "/" + c.Object.Name
	if err := c.fillLimits(c.Object.Spec); err != nil {
		return c.failed(StageAnswer, err)
	}
	if c.Engine, c.Unknown, err = propagate.FromSnapshot(c.Object.Spec, c.Object.Snapshot); err != nil {
		return c.failed(StageRestore, err)
	}
	return nil
}

// refuse refuses events of which the next call would know nothing.
func (c *call) refuse(events []propagate.Event) error {
	for k, ev := range events {
		field := ""
		switch {
		case ev.Type == propagate.EventShutdown:
			field = "spec.shutdown"
		case ev.Type == propagate.EventSuspended:
			field = "spec.suspend"
		case ev.Type == propagate.EventManualRetry && ev.Spec != nil:
			field = "spec"
		default:
			continue
		}
		return c.failed(StageEvents, &propagate.EventError{Index: k, Event: ev, Field: field, Value: ev.Reason, Err: ErrInObject})
	}
	return nil
}

// adopt enters what is on record about locks in place of what the table has of the workflow: an earlier call may not have been
// stored. It returns the word for the engine that locks are free now. Those who are in front get theirs, too.
func (c *call) adopt() ([]propagate.Event, error) {
	switch {
	case !c.Engine.Graph().Features().Locks:
		return nil, nil
	case !c.adopted:
		return nil, c.failed(StageAnswer, ErrNotAdopted)
	}
	c.locks = c.Reconciler.locks.Clone()
	c.locks.Adopt(c.Workflow, c.Engine)
	var own []propagate.Event
	for _, h := range c.locks.Grant() {
		own = append(own, c.forOwn(h.Granted())...)
	}
	return own, nil
}

// forOwn returns the event of a notice for this workflow. Another workflow hears of it in a call of its own.
func (c *call) forOwn(n propagate.Notice) []propagate.Event {
	if n.Workflow == c.Workflow {
		return []propagate.Event{n.Event}
	}
	if !slices.Contains(c.Others, n.Workflow) {
		c.Others = append(c.Others, n.Workflow)
	}
	return nil
}

// shutdown tells the strategy that stands in the specification, which may not have been carried out yet.
func (c *call) shutdown() []propagate.Event {
	if strategy := c.Object.Snapshot.Shutdown; strategy != "" && !c.Engine.Complete() {
		return []propagate.Event{propagate.Shutdown(strategy)}
	}
	return nil
}

// settle tells the engine what there is, and answers until nothing more follows.
func (c *call) settle(events []propagate.Event) error {
	err := propagate.Drive(c, c.Workflow, events...)
	if own := (*Error)(nil); err != nil && !errors.As(err, &own) {
		return c.failed(StageEvents, err)
	}
	c.Actions = slices.DeleteFunc(c.Actions, c.void)
	completes := func(a propagate.Action) bool { return a.Type == propagate.ActionComplete }
	if c.Engine.Complete() && !slices.ContainsFunc(c.Actions, completes) { // who was told before may have crashed
		c.Actions = append(c.Actions, propagate.Action{Type: propagate.ActionComplete, Node: nodegraph.Root})
	}
	return err
}

// Call implements [propagate.Host]: the pods that exist are told with the first events.
func (c *call) Call(_ string, events []propagate.Event) (r propagate.Result, err error) {
	if c.listed {
		r, err = c.Engine.SyncPods(c.now, c.pods, events...)
	} else {
		r, err = c.Engine.Apply(c.now, events...)
	}
	if err == nil {
		c.listed = false
		c.Changes, c.Unknown = append(c.Changes, r.Changes...), append(c.Unknown, r.Unknown...)
	}
	return r, err
}

// Do implements [propagate.Host]: it answers what can be answered, and keeps all else until the status is stored.
func (c *call) Do(_ string, a *propagate.Action) ([]propagate.Notice, error) {
	switch a.Type {
	case propagate.ActionWake:
		c.Wake = a.At
		return nil, nil
	case propagate.ActionStart, propagate.ActionRecreate:
		served := a.Kind == nodegraph.KindPod || a.Kind == nodegraph.KindHTTP || a.Kind == nodegraph.KindPlugin
		if waits := a.Type == propagate.ActionStart && a.Message != ""; waits || !served {
			return nil, nil // the status says all of it
		}
	case propagate.ActionAcquire, propagate.ActionResolve, propagate.ActionExpand, propagate.ActionLookup:
		answered, err := c.ask(a)
		if err != nil || len(answered) > 0 {
			return c.notices(answered), err
		}
	}
	c.Actions = append(c.Actions, *a)
	return nil, nil
}

// ask returns what answers an action, nothing if nobody has an answer.
func (c *call) ask(a *propagate.Action) (events []propagate.Event, err error) {
	if c.Answer != nil {
		ev, err := c.Answer(c.Object, c.Engine, a)
		switch {
		case err != nil:
			return nil, c.failed(StageAnswer, err)
		case ev.Type != propagate.Event{}.Type:
			return []propagate.Event{ev}, nil
		}
	}
	if a.Type == propagate.ActionAcquire {
		for _, n := range c.locks.Answer(c.Workflow, a) {
			events = append(events, c.forOwn(n)...)
		}
	}
	return events, nil
}

func (c *call) notices(events []propagate.Event) []propagate.Notice {
	var notices []propagate.Notice
	for _, ev := range events {
		notices = append(notices, propagate.Notice{Workflow: c.Workflow, Event: ev})
	}
	return notices
}

// void reports whether an action is needless, which may follow from what came after it in the call: a pod is not made for a node
// that has ended, locks that are held again are not given back, and of a node that is on record as ended no pod is ended that is
// not there.
func (c *call) void(a propagate.Action) bool {
	i := c.Engine.Graph().Find(a.ID)
	if a.ID == "" || i == nodegraph.None {
		return false
	}
	switch a.Type {
	case propagate.ActionStart, propagate.ActionRecreate:
		phase, _ := c.Engine.Phase(i)
		return c.Engine.Complete() || phase.Settled()
	case propagate.ActionTerminate:
		return c.endedBefore(a.ID) && !c.lives(i)
	case propagate.ActionRelease:
		return c.Engine.Fact(i).Lock != fact.LockNone && c.Engine.Fact(i).Lock != fact.LockReturned
	}
	return false
}

// endedBefore reports whether a node is on record as ended: the end of its pod was asked for when that was stored.
func (c *call) endedBefore(id string) bool {
	return slices.ContainsFunc(c.Object.Snapshot.Nodes, func(n nodegraph.NodeStatus) bool { return n.ID == id && n.Phase.Settled() })
}

// lives reports whether a pod of node i is listed that has not ended.
func (c *call) lives(i nodegraph.Index) bool {
	return slices.ContainsFunc(c.pods, func(p propagate.PodStatus) bool {
		return c.Engine.Graph().Find(p.Node) == i && p.Phase != "Succeeded" && p.Phase != "Failed"
	})
}

// write makes the patch that stores the status. Events are those that the host told.
func (c *call) write(events []propagate.Event) error {
	s := c.Engine.Snapshot()
	children := argo.Children(c.Engine.Graph(), c.Engine.Exists)
	for k := range s.Nodes {
		s.Nodes[k].Children = children(c.Engine.Graph().Find(s.Nodes[k].ID))
	}
	if slices.ContainsFunc(events, func(ev propagate.Event) bool { return ev.Type == propagate.EventManualRetry }) {
		c.Reset = c.reset()
		c.Object.RemoveNodes(c.Reset...)
		c.Object.ClearShutdown()
	}
	if err := c.Object.SetStatus(s); err != nil {
		return c.failed(StageWrite, err)
	}
	patch, err := c.Object.Patch()
	if err != nil {
		return c.failed(StageWrite, err)
	}
	c.Patch = versioned(patch, c.Object.ResourceVersion)
	return nil
}

// reset lists the nodes on record that a manual retry has reset: those that do not exist any more, and what ended and is open
// again without anything inside it.
func (c *call) reset() []string {
	var ids []string
	for k := range c.Object.Snapshot.Nodes {
		was := &c.Object.Snapshot.Nodes[k]
		i := c.Engine.Graph().Find(was.ID)
		if slices.Contains(c.Unknown, was.ID) {
			continue
		}
		if i == nodegraph.None || !c.Engine.Exists(i) {
			ids = append(ids, was.ID)
			continue
		}
		if phase, _ := c.Engine.Phase(i); was.Phase.Settled() && !phase.Settled() && c.Engine.Graph().First(i) == nodegraph.None {
			ids = append(ids, was.ID)
		}
	}
	return ids
}

// versioned puts the resourceVersion into a patch; it is nil for one that changes nothing.
func versioned(patch []byte, version string) []byte {
	if string(patch) == "{}" {
		return nil
	}
	if version == "" {
		return patch
	}
	quoted, _ := json.Marshal(version) // of a string: can't fail
	return slices.Concat(fmt.Appendf(nil, `{"metadata":{"resourceVersion":%s},`, quoted), bytes.TrimPrefix(patch, []byte("{")))
}
