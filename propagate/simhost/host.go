// Package simhost simulates one host: a controller with its workflows, the pods that their engines ask for, the locks that
// the workflows share, and a clock. Nothing in it happens by itself. A test decides what becomes of pods, which errands the
// host runs, when time passes and when the controller is killed:
//
//	h, _ := simhost.New(now, spec)
//	w := h.Workflows[0]
//	_ = h.Begin()
//	p := w.Pod("wf.build")
//	_ = h.Tell(w.Name, p.Become(propagate.PodSucceeded("")))
//
// A host is cheap to copy with [Host.Clone], so that a search can try everything that may come next.
package simhost

import (
	"slices"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// A Host is one controller and its cluster. It is a [propagate.Host]: a test that checks or changes what the host does
// embeds it, and passes itself to [propagate.Drive].
type Host struct {
	Now       time.Time           // never goes back
	Workflows []*Workflow         // in the order in which they were added
	Locks     propagate.LockTable // shared by all workflows of the host
	Owed      []Errand            // what the host has to do and has not done, the oldest first
	Intake    Intake              // how the host tells engines of pods
	Slow      bool                // pods stay [PodNew] until the test says more of them
	// Stamp, if set, gives a pod that is made another UID or time of creation.
	Stamp func(h *Host, p *Pod)

	made int // pods
}

// A Workflow is what a host knows of one workflow.
type Workflow struct {
	Name   string            // in the table of locks
	Spec   *nodegraph.Spec   // what the engine is made from, also after a restart
	Limits nodegraph.Limits  // those of its graph; the zero value means the defaults
	Engine *propagate.Engine // the one that knows the workflow now; a restart makes another
	Pods   []*Pod            // the newest of each node, in the order in which nodes got their first
	Served []string          // HTTP and Plugin nodes that an agent was told to serve, by name, sorted
	Wake   time.Time         // when the engine wants to be called again; zero for never
	Relist bool              // the next call lists all pods, whatever the intake

	told   map[string]propagate.PodStatus // how pods looked when the engine last heard of them, by node; nil after a restart
	made   map[string]int                 // pods of each node
	origin origin                         // makes the engine as it was before calls
	calls  []call                         // those that the engine took
	shared bool                           // the engine is another host's, too
}

// An Errand is something that the host does in its own time: ask for locks, tell that they were granted, or answer.
type Errand struct {
	Workflow string           // its name
	Action   propagate.Action // what asks for it; of a grant its Type and ID alone
	Granted  bool             // the locks are held, and the engine does not know it
}

// New makes the host of workflows that were not begun. They get the names of their specifications.
func New(now time.Time, specs ...*nodegraph.Spec) (*Host, error) {
	h := &Host{Now: now}
	for _, spec := range specs {
		if err := h.Add(spec.Name, spec, nodegraph.Limits{}); err != nil {
			return nil, err
		}
	}
	return h, nil
}

// Add adds a workflow that was not begun. The name is its own among those of the host.
func (h *Host) Add(name string, spec *nodegraph.Spec, limits nodegraph.Limits) error {
	w := &Workflow{Name: name, Spec: spec, Limits: limits, made: make(map[string]int)}
	_, err := w.begin(func() (*propagate.Engine, []string, error) {
		e, err := propagate.New(spec, nodegraph.WithLimits(limits))
		return e, nil, err
	})
	if err == nil {
		h.Workflows = append(h.Workflows, w)
		h.Locks.Rank(name, spec)
	}
	return err
}

// Begin calls all engines, and carries out what they ask for.
func (h *Host) Begin() error {
	for _, w := range h.Workflows {
		if err := h.Tell(w.Name); err != nil {
			return err
		}
	}
	return nil
}

// Tell tells the engine of a workflow events, and carries out what follows.
func (h *Host) Tell(workflow string, events ...propagate.Event) error {
	return propagate.Drive(h, workflow, events...)
}

// Workflow returns the workflow with this name. It must be there.
func (h *Host) Workflow(name string) *Workflow { return h.Workflows[h.Index(name)] }

// Index returns the place of a workflow among those of the host, -1 for none.
func (h *Host) Index(name string) int {
	return slices.IndexFunc(h.Workflows, func(w *Workflow) bool { return w.Name == name })
}

// Do carries out one action. Pods are made at once; locks are given back at once; questions, requests for locks and grants
// become errands.
func (h *Host) Do(workflow string, a *propagate.Action) ([]propagate.Notice, error) {
	w := h.Workflow(workflow)
	switch a.Type {
	case propagate.ActionStart, propagate.ActionRecreate:
		h.start(w, a)
	case propagate.ActionTerminate:
		if p := w.Pod(a.Name); p != nil {
			p.Terminating = true
		}
	case propagate.ActionAcquire, propagate.ActionResolve, propagate.ActionExpand, propagate.ActionLookup:
		h.Owed = append(h.Owed, Errand{Workflow: workflow, Action: *a})
	case propagate.ActionRelease:
		h.GiveBack(workflow, a.ID)
	}
	return nil, nil
}

// start makes the pod of a node unless it has one that is alive, or has a node served.
func (h *Host) start(w *Workflow, a *propagate.Action) {
	switch a.Kind {
	case nodegraph.KindHTTP, nodegraph.KindPlugin:
		if at, served := slices.BinarySearch(w.Served, a.Name); !served {
			w.Served = slices.Insert(w.Served, at, a.Name)
		}
	case nodegraph.KindPod:
		if old := w.Pod(a.Name); old == nil || !old.Alive() {
			h.Make(w.Name, a.Name)
		}
	}
}

// GiveBack releases what a node (empty: the workflow) holds or waits for. Answers from before that are void.
func (h *Host) GiveBack(workflow, node string) {
	h.Owed = slices.DeleteFunc(h.Owed, func(e Errand) bool {
		return e.Workflow == workflow && e.Action.Type == propagate.ActionAcquire && e.Action.ID == node
	})
	h.HandOn(h.Locks.Release(propagate.Holder{Workflow: workflow, Node: node}))
}

// HandOn owes those who hold their locks now the word that they do.
func (h *Host) HandOn(granted []propagate.Holder) {
	for _, to := range granted {
		h.Owed = append(h.Owed, Errand{Workflow: to.Workflow, Granted: true, Action: propagate.Action{Type: propagate.ActionAcquire, ID: to.Node}})
	}
}

// Run takes the errand at this place off the list, and runs it if it is about locks: it returns what is to be told.
func (h *Host) Run(at int) (Errand, propagate.Event) {
	e := h.Owed[at]
	h.Owed = slices.Delete(h.Owed, at, at+1)
	switch {
	case e.Action.Type != propagate.ActionAcquire:
		return e, propagate.Event{}
	case e.Granted:
		return e, propagate.LockGranted(e.Action.ID)
	}
	notices := h.Locks.Answer(e.Workflow, &e.Action)
	for _, n := range notices[1:] {
		h.HandOn([]propagate.Holder{{Workflow: n.Workflow, Node: n.Event.Node}})
	}
	return e, notices[0].Event
}

// NextWake returns the next time at which an unfinished workflow wants to be called; zero if there is none.
func (h *Host) NextWake() time.Time {
	var next time.Time
	for _, w := range h.Workflows {
		if !w.Engine.Complete() && w.Wake.After(h.Now) && (next.IsZero() || w.Wake.Before(next)) {
			next = w.Wake
		}
	}
	return next
}
