package reconcile

import (
	"errors"
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// A call is one call of a Reconciler, and the host's side of [propagate.Drive] for its workflow.
type call struct {
	host    *Reconciler // is not changed
	now     time.Time
	pods    []propagate.PodStatus // all, or those that have changed
	changes bool                  // pods are those that have changed, and gone those that do not exist any more
	gone    []propagate.PodStatus
	clean   bool                // the object said all that the engine said when the call began, and nothing else
	listed  bool                // the engine was told of the pods
	locks   propagate.LockTable // as they are if the call succeeds
	out     Outcome
}

// failed is the error for a stage of the call.
func (c *call) failed(stage Stage, err error) error {
	return &Error{Workflow: c.out.Workflow, Stage: stage, Err: err}
}

// restore makes the engine of what is on record in the object that was read, unless it could not be.
func (c *call) restore(w *argo.Workflow, err error) error {
	if c.out.Object = w; err != nil {
		return c.failed(StageRead, err)
	}
	c.out.Workflow = c.out.Object.Namespace + "/" + c.out.Object.Name
	if err := c.host.fillLimits(c.out.Object.Spec); err != nil {
		return c.failed(StageAnswer, err)
	}
	if c.out.Engine, c.out.Unknown, err = propagate.FromSnapshot(c.out.Object.Spec, c.out.Object.Snapshot); err != nil {
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
	case !c.out.Engine.Graph().Features().Locks:
		return nil, nil
	case !c.host.adopted:
		return nil, c.failed(StageAnswer, ErrNotAdopted)
	}
	c.locks = c.host.locks.Clone()
	c.locks.Adopt(c.out.Workflow, c.out.Engine)
	var own []propagate.Event
	for _, h := range c.locks.Grant() {
		own = append(own, c.forOwn(h.Granted())...)
	}
	return own, nil
}

// forOwn returns the event of a notice for this workflow. Another workflow hears of it in a call of its own.
func (c *call) forOwn(n propagate.Notice) []propagate.Event {
	if n.Workflow == c.out.Workflow {
		return []propagate.Event{n.Event}
	}
	if !slices.Contains(c.out.Others, n.Workflow) {
		c.out.Others = append(c.out.Others, n.Workflow)
	}
	return nil
}

// settle tells the engine what there is, and answers until nothing more follows.
func (c *call) settle(events []propagate.Event) error {
	err := propagate.Drive(c, c.out.Workflow, events...)
	if own := (*Error)(nil); errors.As(err, &own) {
		return err
	} else if err != nil {
		return c.failed(StageEvents, err)
	}
	c.out.Actions = slices.DeleteFunc(c.out.Actions, c.void)
	c.out.Wake = c.out.Engine.NextWake()
	if !c.out.Engine.Complete() {
		return nil
	}
	completes := func(a propagate.Action) bool { return a.Type == propagate.ActionComplete }
	if !slices.ContainsFunc(c.out.Actions, completes) { // the host that was told before may have crashed
		c.out.Actions = append(c.out.Actions, propagate.Action{Type: propagate.ActionComplete, Node: nodegraph.Root})
	}
	return nil
}

// Call implements [propagate.Host]: the pods that exist are told with the first events.
func (c *call) Call(_ string, events []propagate.Event) (r propagate.Result, err error) {
	switch {
	case c.listed:
		r, err = c.out.Engine.Apply(c.now, events...)
	case c.changes:
		r, err = c.out.Engine.SyncChanged(c.now, c.pods, c.gone, events...)
	default:
		r, err = c.out.Engine.SyncPods(c.now, c.pods, events...)
	}
	if err == nil {
		c.listed = true
		c.out.Changes, c.out.Unknown = append(c.out.Changes, r.Changes...), append(c.out.Unknown, r.Unknown...)
	}
	return r, err
}

// Do implements [propagate.Host]: it answers what can be answered, and keeps all else until the status is stored.
func (c *call) Do(_ string, a *propagate.Action) ([]propagate.Notice, error) {
	switch a.Type {
	case propagate.ActionWake, propagate.ActionWait:
		return nil, nil // the engine is asked for the first when all is settled, and the status says the second
	case propagate.ActionStart, propagate.ActionRecreate:
		if a.Kind != nodegraph.KindPod && a.Kind != nodegraph.KindHTTP && a.Kind != nodegraph.KindPlugin {
			return nil, nil // nothing is to be done for it
		}
	case propagate.ActionAcquire, propagate.ActionResolve, propagate.ActionExpand, propagate.ActionLookup:
		answered, err := c.ask(a)
		if err != nil || len(answered) > 0 {
			return c.notices(answered), err
		}
	}
	c.out.Actions = append(c.out.Actions, *a)
	return nil, nil
}

// ask returns what answers an action, nothing if nobody has an answer.
func (c *call) ask(a *propagate.Action) (events []propagate.Event, err error) {
	if c.host.Answer != nil {
		ev, err := c.host.Answer(c.out.Object, c.out.Engine, a)
		switch {
		case err != nil:
			return nil, c.failed(StageAnswer, err)
		case ev.Type != propagate.Event{}.Type:
			return []propagate.Event{ev}, nil
		}
	}
	if a.Type == propagate.ActionAcquire {
		for _, n := range c.locks.Answer(c.out.Workflow, a) {
			events = append(events, c.forOwn(n)...)
		}
	}
	return events, nil
}

func (c *call) notices(events []propagate.Event) []propagate.Notice {
	var notices []propagate.Notice
	for _, ev := range events {
		notices = append(notices, propagate.Notice{Workflow: c.out.Workflow, Event: ev})
	}
	return notices
}

// void reports whether an action is needless, which may follow from what came after it in the call: a pod is not made for a node
// that has ended, locks that are held again are not given back, and of a node that is on record as ended no pod is ended that is
// not there.
func (c *call) void(a propagate.Action) bool {
	i := c.out.Engine.Graph().Find(a.ID)
	if a.ID == "" || i == nodegraph.None {
		return false
	}
	switch a.Type {
	case propagate.ActionStart, propagate.ActionRecreate:
		phase, _ := c.out.Engine.Phase(i)
		return c.out.Engine.Complete() || phase.Settled()
	case propagate.ActionTerminate:
		return c.endedBefore(a.ID) && !c.lives(i)
	case propagate.ActionRelease:
		return c.out.Engine.Fact(i).Lock != fact.LockNone && c.out.Engine.Fact(i).Lock != fact.LockReturned
	}
	return false
}

// endedBefore reports whether a node is on record as ended: the end of its pod was asked for when that was stored.
func (c *call) endedBefore(id string) bool {
	r := c.out.Object.Record(id)
	return r != nil && r.Phase.Settled()
}

// lives reports whether a pod of node i is listed that has not ended.
func (c *call) lives(i nodegraph.Index) bool {
	return slices.ContainsFunc(c.pods, func(p propagate.PodStatus) bool {
		return c.out.Engine.Graph().Find(p.Node) == i && p.Phase != "Succeeded" && p.Phase != "Failed"
	})
}

// run does all that a call does once its object was read. Events are those that the host told.
func (c *call) run(events []propagate.Event) error {
	if err := c.refuse(events); err != nil {
		return err
	}
	own, err := c.adopt()
	if err == nil {
		err = c.settle(slices.Concat(events, own))
	}
	if err == nil {
		err = c.write(events)
	}
	return err
}
