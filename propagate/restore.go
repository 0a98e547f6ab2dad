package propagate

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/retry"
)

// Restore returns the engine of a workflow that a controller has recorded, and the ids of recorded nodes that the
// specification never asks for; those are ignored. What a record leaves open, the pods that exist above all, is
// learned from the next observations. A composite that is recorded to have ended stays as it ended, unless something
// inside it is open: then it ends so once nothing is, and nothing starts inside it. Any other follows from its members.
func Restore(spec *nodegraph.Spec, s nodegraph.Snapshot) (*Engine, []string, error) {
	return RestoreLimited(spec, s, nodegraph.Limits{})
}

// RestoreLimited is Restore with the host's own limits.
func RestoreLimited(spec *nodegraph.Spec, s nodegraph.Snapshot, limits nodegraph.Limits) (*Engine, []string, error) {
	e, err := NewLimited(spec, limits)
	if err != nil {
		return nil, nil, err
	}
	r := &restorer{e: e, source: recordSource(s.Nodes), record: true}
	e.facts.shutdown, e.facts.held = s.Shutdown, s.Held
	if e.uses.workflowStatus {
		e.facts.setStatus(s.Phase)
	}
	if len(s.Nodes) > 0 || s.Phase > nodegraph.Pending {
		e.facts.started = s.Started
		if e.facts.started.IsZero() {
			e.facts.started = time.Unix(0, 1).UTC()
		}
		if len(spec.Locks) > 0 && !s.Phase.Completed() {
			e.facts.setLock(nodegraph.Root, LockHeld)
		}
	} else if s.Phase == nodegraph.Pending && len(spec.Locks) > 0 {
		e.facts.waitFor(nodegraph.Root, "", s.Message)
	}
	e.facts.setNow(latest(e.facts.started, s.Finished))
	if s.Phase.Completed() {
		e.facts.end(nodegraph.Root, s.Phase, s.Message, s.Finished)
	}
	if err := r.restore(); err != nil {
		return nil, nil, err
	}
	e.restored.completionUnreported = e.Complete() && !s.Phase.Completed()
	return e, r.source.rest(), nil
}

// endRecorded keeps composites as they are recorded to have ended where the rules say otherwise, from the deepest up: a record
// does not tell all that was decided from what is in it, and a controller may decide otherwise than the rules (see the
// deviations). One with something open inside it ends so once nothing is (I1). Nothing starts because of either.
func (r *restorer) endRecorded() {
	e := r.e
	for i := nodegraph.Index(e.graph.Len()) - 1; i > nodegraph.Root; i-- {
		f := &e.facts.nodes[i]
		switch {
		case !f.Phase.Completed() || f.Stage == StageEnded && !f.Unsynced:
			continue
		case f.kind.Composite() && e.eval.openMember(i) != nodegraph.None:
			e.facts.close(i)
			continue
		case f.kind.Composite():
			group := f.kind == nodegraph.TaskGroup || f.kind == nodegraph.StepGroup
			if group && !e.facts.nodes[f.parent].Phase.Completed() && e.saysAsRecorded(i) {
				continue // hooks of items may still be due, and a daemon be tried again: neither is inside what has ended as a whole
			}
			e.facts.endAsRecorded(i)
		case f.Unsynced && (e.lateAttempt(i) || e.facts.nodes[f.parent].Phase.Completed() && e.facts.nodes[f.parent].kind.Composite()):
			e.facts.endResults(i)
		default:
			continue
		}
		e.sweep(0)
	}
	for i := range e.facts.nodes { // from now on its members alone say what a composite is, unless the workflow is complete
		if f := &e.facts.nodes[i]; f.kind.Composite() && f.Stage < StageStopped && e.facts.root().Stage != StageEnded {
			e.facts.forgetRecorded(nodegraph.Index(i))
		}
	}
	if e.facts.closing {
		e.wakeEverybody()
		e.sweep(0)
		e.stopWaitsInside()
	}
}

// saysAsRecorded reports whether the rules say of composite i what is on record.
func (e *Engine) saysAsRecorded(i nodegraph.Index) bool {
	f, v := &e.facts.nodes[i], e.eval.verdicts[i]
	return v.fulfilled() && v.phase() == f.Phase && e.eval.message(i) == e.facts.phrases.text(e.facts.details[i].message)
}

// stopWaitsInside stops what waits for a lock inside something that only ends: it is not to start any more.
func (e *Engine) stopWaitsInside() {
	for i := nodegraph.Entry; int(i) < e.graph.Len(); i++ {
		if e.facts.nodes[i].Lock == LockWaits && e.eval.withinClosing(i) {
			e.stopLeaf(i, closedAround.own(), closedAround.own())
		}
	}
	e.sweep(0)
}

// source is where the facts of nodes come from when an engine is made from what was stored.
type source struct {
	has  func(id, name string) bool         // an id is a hash, which a node that does not exist may have too
	take func(e *Engine, i nodegraph.Index) // fills in facts of node i
	// bare tells of node i, which was created, whether nothing was added inside it.
	bare func(e *Engine, i nodegraph.Index) bool
	// items returns the items of a loop that only the host could resolve, false where they are not known.
	items   func(loop *nodegraph.Node) ([]nodegraph.Item, bool)
	attempt func(id string) retry.Attempt // how an attempt ended
	rest    func() []string               // ids that were never taken
}

// isNamed tells whether what was stored under a name, or under none, is of the node with this name.
func isNamed(stored, name string) bool { return stored == name || stored == "" }

// restorer walks the graph from the top, adding what the source says exists.
type restorer struct {
	e      *Engine
	source source
	record bool // of a controller: of a composite it has the phase alone
}

func (r *restorer) restore() error {
	stack := []nodegraph.Index{nodegraph.Entry}
	if err := r.addHooks(nodegraph.Entry); err != nil {
		return err
	}
	for m := r.e.graph.Next(nodegraph.Entry); m != nodegraph.None; m = r.e.graph.Next(m) {
		stack = append(stack, m)
	}
	for len(stack) > 0 {
		i := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if n := r.e.graph.Node(i); r.source.has(n.ID(), n.Name()) {
			r.source.take(r.e, i)
			if err := r.addMembers(i); err != nil {
				return err
			}
		}
		before := r.e.graph.Len()
		if i != nodegraph.Entry {
			if err := r.addHooks(i); err != nil {
				return err
			}
		}
		for m := r.e.graph.First(i); m != nodegraph.None; m = r.e.graph.Next(m) {
			if int(m) < before {
				stack = append(stack, m)
			}
		}
		for m := before; m < r.e.graph.Len(); m++ {
			stack = append(stack, nodegraph.Index(m))
		}
	}
	e := r.e
	e.grow()
	for i := range nodegraph.Index(e.graph.Len()) {
		e.facts.setNow(latest(e.facts.now, e.facts.details[i].created.time(), e.facts.finished[i].time()))
	}
	e.out.result = new(Result) // nothing of it is new to the host
	e.judgeAll()
	if r.record {
		r.endRecorded()
	}
	e.out.changed = e.out.changed[:0]
	for i := range nodegraph.Index(e.graph.Len()) {
		e.facts.nodes[i].marks &^= markChanged
		f := &e.facts.nodes[i]
		if e.facts.daemons && e.eval.verdicts[i].rule() == RuleOmitted {
			e.facts.setAnswer(i, AnswerOmit)
		}
		if f.Answer == AnswerAsked || f.Lock == LockAsked || e.facts.details[i].memo == AnswerAsked {
			e.restored.pendingQuestions = append(e.restored.pendingQuestions, i)
		}
		if (f.Lock == LockHeld || f.Lock == LockAsked) && !f.created() && i != nodegraph.Root {
			e.waiting.asked[i] = struct{}{}
		}
		if r := e.eval.verdicts[i].rule(); r == RuleStartOwed || r == RulePodRecreate {
			e.restored.pendingRecreate = append(e.restored.pendingRecreate, i)
		}
		if f.created() && e.graph.Node(i).Template != nil {
			e.watchTimeouts(i)
		}
	}
	if d := e.eval.deadline(); !d.IsZero() && !e.facts.overdue {
		e.sched.timers.add(stampOf(d), nodegraph.Root)
	}
	e.out.result = nil
	return nil
}

// askAgain forgets what the host was asked and has not answered before the engine was loaded, so that it is asked again.
func (e *Engine) askAgain() {
	for _, i := range e.restored.pendingQuestions {
		if e.facts.nodes[i].Answer == AnswerAsked {
			e.facts.setAnswer(i, AnswerNone)
		}
		if e.facts.nodes[i].Lock == LockAsked {
			e.facts.setLock(i, LockNone)
		}
		if e.facts.details[i].memo == AnswerAsked {
			e.facts.setMemo(i, AnswerNone)
		}
	}
	e.restored.pendingQuestions = nil
}

// addMembers adds what is inside node i: of a loop what is known of its items, of any other node what it has if it was
// created.
func (r *restorer) addMembers(i nodegraph.Index) error {
	e := r.e
	n := e.graph.Node(i)
	var err error
	switch {
	case e.facts.details[i].hit: // it ended as a whole
	case e.facts.nodes[i].created() && r.source.bare(e, i): // what the graph refused once it may take now, and then refuse what it took
	case n.Kind == nodegraph.TaskGroup:
		err = r.addItems(i)
	case !e.facts.nodes[i].created(), e.facts.nodes[i].Lock == LockWaits: // what waits for a lock has nothing inside it yet
	case n.Kind == nodegraph.Retry:
		err = r.addAttempts(i)
	case n.Kind == nodegraph.Pod:
		if len(n.Template.Containers) > 0 {
			err = e.graph.Expand(i)
		}
	default:
		if err = e.graph.Expand(i); err == nil && n.Kind == nodegraph.StepGroup {
			err = r.addStepItems(i)
		}
	}
	e.grow()
	return err
}

// addItems adds the items of TaskGroup i of a DAG, and of a step where they are nodes of their own.
func (r *restorer) addItems(i nodegraph.Index) error {
	e := r.e
	n := *e.graph.Node(i)
	if n.Task.Loop.Unresolved == "" {
		if !e.facts.nodes[i].created() {
			return nil
		}
		return e.graph.AddItems(i, n.Task, n.Task.Loop.Items)
	}
	items, known := r.source.items(&n)
	switch {
	case n.Expanded():
		return nil
	case !known:
		if f := e.facts.fact(i); f.created() && r.record {
			if f.Phase.Completed() {
				f.Stage = StageEnded
			} else {
				f = Fact{} // the host is asked for them again
			}
			e.facts.put(i, &f)
		}
		return nil
	case n.Role != nodegraph.RoleStep || len(items) == 0:
		return e.graph.AddItems(i, n.Task, items)
	}
	return nil // addStepItems has done it
}

// addAttempts adds the attempts of Retry i that exist, as far as the Retry has not ended with those before them in the way
// that is recorded: a controller may have made one too many.
func (r *restorer) addAttempts(i nodegraph.Index) error {
	n := *r.e.graph.Node(i)
	var before []retry.Attempt
	for number := 0; ; number++ {
		name := nodegraph.AttemptName(n.Name(), number)
		id := nodegraph.NodeID(r.e.graph.Spec().Name, name)
		if !r.source.has(id, name) {
			return nil
		}
		switch d := n.Template.Retry.Decide(before, retry.Environment{Key: n.ID()}); d.Verb {
		case retry.Succeed:
			return nil
		case retry.Stop: // the record does not say why a pod failed, so that those before may not have counted
			if f := r.e.facts.fact(i); f.Phase == phaseOf(d.Outcome) && f.Message == d.Message {
				return nil
			}
		}
		if _, err := r.e.graph.AddAttempt(i); err != nil {
			return err
		}
		before = append(before, r.source.attempt(id))
	}
}

// addStepItems adds the items of steps whose loops only the host could resolve.
func (r *restorer) addStepItems(i nodegraph.Index) error {
	e := r.e
	for m := e.graph.First(i); m != nodegraph.None; m = e.graph.Next(m) {
		n := *e.graph.Node(m)
		if n.Kind != nodegraph.TaskGroup || n.Task.Loop.Unresolved == "" {
			continue
		}
		items, known := r.source.items(&n)
		if !known || len(items) == 0 {
			continue
		}
		if err := e.graph.AddItems(i, n.Task, items); err != nil {
			return err
		}
		e.graph.MarkExpanded(m)
		e.grow()
		e.facts.setAnswer(m, AnswerRun)
	}
	return nil
}

// addHooks adds the hook nodes of i that exist. They may although i does not: it ended when a daemon was ready that has
// begun anew since.
func (r *restorer) addHooks(i nodegraph.Index) error {
	e := r.e
	hooks := e.eval.hooksOf(i)
	all := make([]*nodegraph.Hook, 0, len(hooks)+1)
	for k := range hooks {
		all = append(all, &hooks[k])
	}
	if i == nodegraph.Entry && e.graph.OnExit() != nil {
		all = append(all, e.graph.OnExit())
	}
	for _, h := range all {
		if name := nodegraph.HookName(e.graph.Node(i).Name(), h); !r.source.has(nodegraph.NodeID(e.graph.Spec().Name, name), name) {
			continue
		}
		if _, err := e.graph.AddHook(i, h); err != nil {
			return err
		}
		e.grow()
	}
	return nil
}

func latest(times ...time.Time) time.Time {
	var l time.Time
	for _, t := range times {
		if t.After(l) {
			l = t
		}
	}
	return l
}

// recordSource reads facts out of recorded nodes.
func recordSource(nodes []nodegraph.Recorded) source {
	byID := make(map[string]*nodegraph.Recorded, len(nodes))
	numbered := make(map[string]bool) // names of nodes that have attempts or items
	for k := range nodes {
		byID[nodes[k].ID] = &nodes[k]
		if name := nodes[k].Name; strings.HasSuffix(name, ")") {
			numbered[name[:max(strings.LastIndexByte(name, '('), 0)]] = true
		}
	}
	taken := make(map[string]bool, len(nodes))
	has := func(id, name string) bool { return byID[id] != nil && isNamed(byID[id].Name, name) }
	bare := func(e *Engine, n *nodegraph.Node) bool {
		return !numbered[n.Name()] && !slices.ContainsFunc(memberNames(n), func(name string) bool {
			return numbered[name] || has(nodegraph.NodeID(e.graph.Spec().Name, name), name)
		})
	}
	return source{
		has: has,
		take: func(e *Engine, i nodegraph.Index) {
			n := e.graph.Node(i)
			taken[n.ID()] = true
			f := recordedFact(e, i, byID[n.ID()], func() bool { return bare(e, n) })
			e.facts.put(i, &f)
		},
		bare: func(e *Engine, i nodegraph.Index) bool {
			f := &e.facts.nodes[i]
			return f.Stage == StageEnded && f.Phase == nodegraph.Error && bare(e, e.graph.Node(i))
		},
		items: func(loop *nodegraph.Node) ([]nodegraph.Item, bool) {
			items := recordedItems(nodes, loop.Name())
			return items, len(items) > 0
		},
		attempt: func(id string) retry.Attempt {
			r := byID[id]
			a := retry.Attempt{Message: r.Message, HasExitCode: r.HasExit, ExitCode: r.ExitCode, Started: r.Started, Finished: r.Finished}
			a.Outcome = outcomeOf(newVerdict(r.Phase, RuleComplete))
			if r.Message == podDeleted.own() {
				a.Reason = retry.ReasonPodDeleted
			}
			return a
		},
		rest: func() []string {
			var rest []string
			for k := range nodes {
				if !taken[nodes[k].ID] {
					rest = append(rest, nodes[k].ID)
				}
			}
			return rest
		},
	}
}

// memberNames lists the names of what a DAG, Steps, StepGroup or Pod has inside it once it is expanded; of a step with a loop,
// that which the names of its items begin with.
func memberNames(n *nodegraph.Node) []string {
	var names []string
	add := func(suffix string) { names = append(names, n.Name()+suffix) }
	switch n.Kind {
	case nodegraph.DAG:
		for k := range n.Template.Tasks {
			add("." + n.Template.Tasks[k].Name)
		}
	case nodegraph.Steps:
		for k := range n.Template.Steps {
			add("[" + strconv.Itoa(k) + "]")
		}
	case nodegraph.StepGroup:
		for _, step := range n.Template.Steps[n.Slot] {
			add("." + step.Name)
		}
	case nodegraph.Pod:
		for k := range n.Template.Containers {
			add("." + n.Template.Containers[k].Name)
		}
	}
	return names
}

// recordedItems reads the items of a loop off the names of its nodes: prefix(0:text). There are none if one is missing:
// a controller that records no items before they start does not say what it is.
func recordedItems(nodes []nodegraph.Recorded, prefix string) []nodegraph.Item {
	var items []nodegraph.Item
	known := 0
	for k := range nodes {
		rest, ok := strings.CutPrefix(nodes[k].Name, prefix+"(")
		if !ok {
			continue
		}
		number, text, ok := strings.Cut(rest, ":")
		at, err := strconv.Atoi(number)
		end := strings.IndexByte(text, ')')
		if !ok || err != nil || at < 0 || at > len(nodes) || end != len(text)-1 {
			continue
		}
		for at >= len(items) {
			items = append(items, nodegraph.Item{})
		}
		items[at] = nodegraph.Item{Text: text[:end]}
		known++
	}
	if known < len(items) {
		return nil
	}
	return items
}

// recordedFact turns the record of node i into a fact, as far as a record tells. Bare tells whether nothing inside the node
// is recorded.
func recordedFact(e *Engine, i nodegraph.Index, r *nodegraph.Recorded, bare func() bool) Fact {
	n := e.graph.Node(i)
	f := Fact{Attempt: 1, HasExit: r.HasExit, ExitCode: r.ExitCode, Restarts: r.Restarts, Unsynced: r.Unsynced}
	switch {
	case r.Phase == nodegraph.Pending && r.Started.IsZero() && r.WaitsFor == "" && e.resolvedItem(i):
		return Fact{} // still to start
	case r.Phase == nodegraph.Omitted && e.facts.daemons:
		return Fact{Answer: AnswerOmit}
	case r.Phase == nodegraph.Omitted:
		return Fact{} // follows from what it comes after
	case r.Phase == nodegraph.Skipped:
		return Fact{Answer: AnswerSkip, Message: r.Message}
	case r.Kind == nodegraph.NodeSkipped:
		return Fact{Stage: StageEnded, Phase: r.Phase, Message: r.Message, Finished: r.Finished}
	}
	f.Created, f.Finished = r.Started, r.Finished
	f.Hit = r.CacheHit && r.Phase.Completed() // what runs was not found in the cache, whatever was before a manual retry
	if f.Created.IsZero() {
		f.Created = e.facts.started
	}
	if n.Kind.Composite() && e.eval.stops(i) && (!r.Phase.Settled() || r.Phase == nodegraph.Failed) {
		f.Halted = e.facts.shutdown
	}
	if len(e.eval.locksOf(i)) > 0 && !r.Phase.Settled() {
		f.Lock = LockHeld
	}
	if r.WaitsFor != "" && r.Phase == nodegraph.Pending {
		f.Lock, f.Message, f.Reason, f.Waited = LockWaits, r.Message, r.WaitsFor, true
		return f
	}
	switch n.Kind {
	case nodegraph.Pod:
		podFact(&f, r, n.Template.Daemon)
	case nodegraph.Container:
		pod := e.facts.fact(n.Parent)
		containerFact(&f, r, &pod)
	case nodegraph.Suspend, nodegraph.HTTP, nodegraph.Plugin:
		if r.Phase.Completed() {
			endFact(&f, r)
		} else if n.Kind != nodegraph.Suspend {
			f.Message = r.Message
		}
	default:
		mayBeBare := r.Phase == nodegraph.Error || n.Kind == nodegraph.Retry || n.Kind == nodegraph.TaskGroup
		compositeFact(&f, r, mayBeBare && bare())
		f.Seen = f.Seen && !hookMissed(e, i)
	}
	return f
}

// hookMissed tells whether node i is a TaskGroup after which nothing comes and whose DAG is recorded to have ended: its
// exit hook never runs if it has not by then.
func hookMissed(e *Engine, i nodegraph.Index) bool {
	if e.graph.Node(i).Kind != nodegraph.TaskGroup || !e.facts.nodes[e.graph.Node(i).Parent].Phase.Completed() {
		return false
	}
	for range e.graph.Before(i) {
		return false
	}
	return true
}

// endFact is the fact of a leaf that ended; one that the workflow stopped may still report its own end.
func endFact(f *Fact, r *nodegraph.Recorded) {
	f.Stage, f.Phase, f.Message = StageEnded, r.Phase, r.Message
	if stopped(r.Message) && r.Phase == nodegraph.Failed {
		f.Stage = StageStopped
	}
}

func stopped(message string) bool {
	return strings.HasPrefix(message, "workflow shutdown with strategy: ") ||
		strings.HasPrefix(message, "Stopped with strategy '") || message == deadlineExceeded.own() || message == "timeout"
}

func podFact(f *Fact, r *nodegraph.Recorded, daemon bool) {
	switch {
	case r.Phase == nodegraph.Error && r.Message == podDeleted.own():
		f.Stage, f.Ran = StageGone, true
	case r.Phase.Completed():
		endFact(f, r)
		f.Ran = true
		f.Released = daemon && r.Phase == nodegraph.Succeeded
	case r.Phase == nodegraph.Running:
		f.Stage, f.Ran, f.Ready = StageRunning, true, r.Daemoned
	default:
		f.Stage, f.Message = StagePending, r.Message
	}
}

// containerFact leaves out what only the end of the pod forced: that follows from the pod's fact. An end that the pod as it is
// recorded would not force is the container's own.
func containerFact(f *Fact, r *nodegraph.Recorded, pod *Fact) {
	forced := r.Message == containerDeleted.own() && pod.Stage == StageGone ||
		r.Message == podFailedUnder.own() && pod.Stage == StageEnded && pod.Phase.Unsuccessful() ||
		r.Message == pod.Message && pod.Stage == StageStopped
	switch {
	case r.Phase.Completed() && !forced:
		f.Stage, f.Phase, f.Message = StageEnded, r.Phase, r.Message
	case r.Phase == nodegraph.Running:
		f.Stage, f.Ran = StageRunning, true
	case r.Phase == nodegraph.Pending:
		f.Stage = StagePending
	}
}

// compositeFact keeps what a composite's members can't tell: that it came from the cache, waited for a lock, was stopped
// before it had any, or could have none.
func compositeFact(f *Fact, r *nodegraph.Recorded, bare bool) {
	switch {
	case r.Phase.Completed() && (f.Hit || bare && r.Phase.Unsuccessful()):
		endFact(f, r)
		f.Stage = StageEnded
	case r.Phase.Completed():
		f.Seen, f.Phase, f.Message = true, r.Phase, r.Message
	case r.Phase == nodegraph.Pending:
		f.Waited = true
	}
}
