// Package truth checks what somebody says of a workflow: that nothing that failed is reported as success, and that no
// bound was exceeded. It is a second hand beside the rules of package propagate and shares nothing with them. It reads
// the graph, the phases that are claimed and the facts of the leaves, and never asks the engine why.
//
// A [Claim] is what is said at one moment. [Of] makes the claim of an engine, [OfRecord] that of a controller.
// [Claim.Check] tests the claim by the definitions below. A [Watch] tests what an engine asks for, call by call.
//
// # Truth
//
// A node that is Succeeded, not from the cache, is true if:
//
//   - I8.1 Leaf: its fact says so. A pod is judged by its own end; containers inside it are not asked.
//   - I8.2 Retry: its last attempt is Succeeded; that covers the earlier ones.
//   - I8.3 TaskGroup: no item is Failed or Error. StepGroup: no step is, save where its continueOn covers that. Steps:
//     no group is.
//   - I8.4 DAG: no target is Failed or Error, save where its own continueOn covers that. No path of the order leads back
//     from a skipped or omitted target to a task that is Failed or Error, unless the continueOn of both covers it. Such a
//     path goes through skipped and omitted tasks alone.
//   - I8.5 A task that ran ends such a path, whatever its phase.
//   - I8.6 A ready daemon counts as Succeeded for whatever was judged while it was ready. Its later death counts only
//     where it is itself a target, or a step of Steps that are open.
//   - I8.7 Hooks of tasks, steps and the workflow never count, either way.
//   - I8.8 Workflow: its entry is not Failed or Error, and neither is its exit handler.
//   - I8.9 A false when, an empty loop, an unmet depends is no failure; a node stopped by a shutdown, deadline or
//     timeout is one.
//
// Lines 5, 6 and 7 say what the others count, so no violation names them. Two things follow from line 9. A part that
// was never started is none of what it excuses: what needs the part is not Succeeded. A leaf that ran and failed was
// neither skipped nor omitted.
//
// # Bounds
//
//   - I9.1 Active pods never exceed the parallelism of the workflow.
//   - I9.2 Active members never exceed the parallelism of their DAG or Steps.
//   - I9.3 Holders of a lock never exceed its limit.
//   - I9.4 No pod is asked for without the locks of the node and of everything that the node is inside of.
//   - I9.5 No pod is asked for inside something that has ended, itself included. A StepGroup or TaskGroup that counted a
//     ready daemon stays ended while the daemon is retried.
//   - I9.6 No pod is asked for after a shutdown that applies to it.
//   - I9.7 No pod is asked for after the deadline of the workflow, save in exit handlers.
//   - I9.8 No pod is asked for twice for an attempt that ran.
package truth

import (
	"fmt"
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/fact"
)

// A Violation is a claim that is not true, or a bound that was exceeded.
type Violation struct {
	Line   string // the line of the definitions that is broken, such as "I8.4"
	Node   string // the name of the node, empty for the workflow
	Detail string // what is the case instead, for people
}

// Error names the line and the node.
func (v *Violation) Error() string {
	node := "the workflow"
	if v.Node != "" {
		node = fmt.Sprintf("node %q", v.Node)
	}
	return fmt.Sprintf("truth: %s: %s: %s", v.Line, node, v.Detail)
}

// Check returns the first violation of the claim as a [*Violation], nil if there is none.
func (c *Claim) Check() error {
	if all := c.Violations(); len(all) > 0 {
		return &all[0]
	}
	return nil
}

// Violations returns every violation of the claim: those of truth in the order of the nodes, then those of bounds.
func (c *Claim) Violations() []Violation { return append(c.Truth(), c.Bounds()...) }

// Truth returns every violation of the lines I8.1 to I8.9, in the order of the nodes.
func (c *Claim) Truth() []Violation {
	var all []Violation
	for i := range nodegraph.Index(c.Graph.Len()) {
		line, detail := c.judge(i)
		if line != "" {
			all = append(all, Violation{Line: line, Node: c.Graph.Node(i).Name(), Detail: detail})
		}
	}
	return all
}

// judge returns the line that the claim about node i breaks and how; an empty line if it breaks none. Only success is
// judged, and what hides a failure.
func (c *Claim) judge(i nodegraph.Index) (line, detail string) {
	n, said := c.Graph.Node(i), &c.Nodes[i]
	switch {
	case said.Phase == nodegraph.PhaseSkipped, said.Phase == nodegraph.PhaseOmitted:
		return c.judgePassedOver(i)
	case said.Phase != nodegraph.PhaseSucceeded:
		return "", ""
	case said.Fact.CacheHit:
		return "", "" // from the cache: nothing ran, and the cache keeps no failures
	}
	// Of the composites that ended as a whole only the cached are exempt. One that a manual retry kept is judged like any
	// other: its members were kept with it. One that was closed is Failed, and no success.
	switch n.Kind {
	case nodegraph.KindPod, nodegraph.KindContainer, nodegraph.KindSuspend, nodegraph.KindHTTP, nodegraph.KindPlugin:
		return c.judgeLeaf(i)
	case nodegraph.KindRetry:
		return c.judgeRetry(i)
	case nodegraph.KindTaskGroup, nodegraph.KindStepGroup, nodegraph.KindSteps:
		return c.judgeGroup(i)
	case nodegraph.KindDAG:
		return c.judgeDAG(i)
	case nodegraph.KindWorkflow:
		return c.judgeWorkflow()
	}
	return "", ""
}

// judgeLeaf is line I8.1: the fact of a leaf says that it succeeded.
func (c *Claim) judgeLeaf(i nodegraph.Index) (line, detail string) {
	phase, why := c.ended(i)
	if phase == nodegraph.PhaseSucceeded {
		return "", ""
	}
	return "I8.1", "it is Succeeded, but " + why
}

// judgePassedOver is line I8.9: what ran and failed was not passed over.
func (c *Claim) judgePassedOver(i nodegraph.Index) (line, detail string) {
	if c.Graph.Node(i).Kind.Composite() {
		return "", ""
	}
	if phase, why := c.ended(i); phase.Unsuccessful() {
		return "I8.9", fmt.Sprintf("it is %s, but %s", c.Nodes[i].Phase, why)
	}
	return "", ""
}

// ended returns how leaf i ended by its fact, Planned if it did not, and says why.
func (c *Claim) ended(i nodegraph.Index) (phase nodegraph.Phase, why string) {
	n, f := c.Graph.Node(i), &c.Nodes[i].Fact
	if n.Kind == nodegraph.KindContainer && (f.Stage < fact.StageEnded || f.Serial < c.Nodes[n.Parent].Fact.Serial) { // of an older pod
		return c.endedWithPod(i)
	}
	switch {
	case f.Stage == fact.StageEnded && n.Kind == nodegraph.KindPod && n.Template.IsDaemon() && !f.Released:
		// I8.6: a daemon runs until its boundary ends. One that ends by itself failed, whatever its exit code.
		if f.Phase == nodegraph.PhaseError {
			return nodegraph.PhaseError, "the daemon ended by itself, in Error"
		}
		return nodegraph.PhaseFailed, "the daemon ended by itself"
	case f.Stage == fact.StageEnded:
		return f.Phase, fmt.Sprintf("its fact says %s", f.Phase)
	case f.Stage == fact.StageStopped: // I8.9
		return nodegraph.PhaseFailed, "it was stopped"
	case f.Stage == fact.StageGone && n.Kind != nodegraph.KindPod: // the agent that served it is gone
		return nodegraph.PhaseError, "who served it is gone"
	case f.Stage == fact.StageGone && f.Ran:
		return nodegraph.PhaseError, "its pod ran and was deleted"
	case n.Kind == nodegraph.KindSuspend && n.Template.Suspend > 0 && !f.Created.IsZero() &&
		(n.Template.Suspend == nodegraph.AtOnce || !c.Now.Before(f.Created.Truncate(time.Second).Add(n.Template.Suspend))):
		return nodegraph.PhaseSucceeded, "its duration has passed"
	}
	return nodegraph.PhasePlanned, fmt.Sprintf("it has not ended: its fact says %s", f.Stage)
}

// endedWithPod is ended for a container that did not report its own end: it ends as its pod did.
func (c *Claim) endedWithPod(i nodegraph.Index) (phase nodegraph.Phase, why string) {
	pod := c.Graph.Node(i).Parent
	if c.Nodes[pod].Fact.CacheHit {
		return nodegraph.PhaseSucceeded, "its pod came from the cache"
	}
	phase, why = c.ended(pod)
	return phase, "it has no end of its own, and of its pod: " + why
}

// judgeRetry is line I8.2: the last attempt is Succeeded. The earlier ones are not looked at.
func (c *Claim) judgeRetry(i nodegraph.Index) (line, detail string) {
	last := nodegraph.None
	for m := range c.Graph.Members(i) {
		if c.Graph.Node(m).Role == nodegraph.RoleAttempt { // I8.7: a hook is no attempt
			last = m
		}
	}
	switch {
	case last == nodegraph.None:
		return "I8.2", "it is Succeeded without an attempt"
	case c.Nodes[last].Phase == nodegraph.PhaseSucceeded:
		return "", ""
	case c.readyDaemon(last): // I8.6
		return "", ""
	}
	return "I8.2", "it is Succeeded, but its last attempt " + c.show(last)
}

// judgeGroup is line I8.3: no item of a TaskGroup, no step of a StepGroup and no group of Steps is Failed or Error.
func (c *Claim) judgeGroup(i nodegraph.Index) (line, detail string) {
	group := c.Graph.Node(i).Kind
	for m := range c.Graph.Members(i) {
		n, phase := c.Graph.Node(m), c.Nodes[m].Phase
		switch {
		case n.Role == nodegraph.RoleHook: // I8.7
		case c.standsForItems(m): // a step with a loop: its items are beside it, in the same StepGroup
		case phase == nodegraph.PhasePlanned: // I8.9
			return "I8.3", fmt.Sprintf("it is Succeeded, but %s was never started", n.Name())
		case !phase.Unsuccessful():
		case group == nodegraph.KindStepGroup && n.Task.ContinueOn.Covers(phase):
		// I8.6: a step that is a daemon always counts. Daemons end with their Steps, so one that died did so in open Steps.
		case group == nodegraph.KindTaskGroup && c.diedAfter(m, c.lastEnd(i, m)): // I8.6: an item is no target and no step
		default:
			return "I8.3", "it is Succeeded, but " + c.show(m)
		}
	}
	return "", ""
}

// standsForItems reports whether node i is the node of a step whose items are members of its StepGroup.
func (c *Claim) standsForItems(i nodegraph.Index) bool {
	n := c.Graph.Node(i)
	return n.Role == nodegraph.RoleStep && n.Kind == nodegraph.KindTaskGroup && n.Expanded() && !c.Nodes[i].Exists
}

// judgeDAG is line I8.4, with I8.5 and I8.6 for what counts.
func (c *Claim) judgeDAG(i nodegraph.Index) (line, detail string) {
	for _, target := range c.targets(i) {
		n, phase := c.Graph.Node(target), c.Nodes[target].Phase
		switch {
		case phase == nodegraph.PhasePlanned: // I8.9
			return "I8.4", fmt.Sprintf("it is Succeeded, but its target %s was never started", n.Name())
		case phase.Unsuccessful() && !n.Task.ContinueOn.Covers(phase): // I8.6: the death of a daemon counts here
			return "I8.4", "it is Succeeded, but its target " + c.show(target)
		case phase == nodegraph.PhaseSkipped || phase == nodegraph.PhaseOmitted:
			if path := c.pathToFailure(target); path != nil {
				return "I8.4", "it is Succeeded, but " + c.showPath(path)
			}
		}
	}
	return "", ""
}

// targets returns the tasks that decide how DAG i ends: those that the template names, else those that nothing comes
// after.
func (c *Claim) targets(i nodegraph.Index) []nodegraph.Index {
	named := make(map[string]bool)
	for _, name := range c.Graph.Node(i).Template.Targets {
		named[name] = true
	}
	var targets []nodegraph.Index
	for m := range c.Graph.Members(i) {
		n := c.Graph.Node(m)
		if n.Role != nodegraph.RoleTask { // I8.7
			continue
		}
		isTarget := named[n.Task.Name]
		if len(named) == 0 {
			isTarget = true
			for range c.Graph.Dependents(m) {
				isTarget = false
			}
		}
		if isTarget {
			targets = append(targets, m)
		}
	}
	return targets
}

// pathToFailure looks for a path of the order that leads back from a skipped or omitted target, through skipped and
// omitted tasks alone, to a task that is Failed or Error, unless the continueOn of both covers it. It returns the
// shortest, the target first; nil if there is none. What is inside a task is not looked at, and neither are hooks.
func (c *Claim) pathToFailure(target nodegraph.Index) []nodegraph.Index {
	seen := make(map[nodegraph.Index]bool)
	paths := [][]nodegraph.Index{{target}}
	for len(paths) > 0 {
		path := paths[0]
		paths = paths[1:]
		at := path[len(path)-1]
		for before := range c.Graph.Dependencies(at) {
			if seen[before] {
				continue
			}
			longer := append(append([]nodegraph.Index{}, path...), before)
			switch phase := c.Nodes[before].Phase; {
			case phase == nodegraph.PhaseSkipped || phase == nodegraph.PhaseOmitted:
				seen[before] = true
				paths = append(paths, longer)
			case !phase.Unsuccessful(): // I8.5: it ran, and ends the path
			case c.continueOn(before).Covers(phase) && c.continueOn(target).Covers(phase):
			case c.judgedWhileReady(at, before): // I8.6
			default:
				return longer
			}
		}
	}
	return nil
}

func (c *Claim) continueOn(i nodegraph.Index) nodegraph.ContinueOn {
	return c.Graph.Node(i).Task.ContinueOn
}

// judgeWorkflow is line I8.8: neither the entry nor the exit handler is Failed or Error.
func (c *Claim) judgeWorkflow() (line, detail string) {
	entry := nodegraph.Entry
	if c.Nodes[entry].Phase.Unsuccessful() {
		return "I8.8", "it is Succeeded, but its entry " + c.show(entry)
	}
	if c.Nodes[entry].Phase == nodegraph.PhasePlanned { // I8.9
		return "I8.8", "it is Succeeded, but its entry was never started"
	}
	for _, h := range c.Graph.Hooks(entry) {
		_, hook := c.Graph.Owner(h)
		if hook.Name == nodegraph.ExitHook && c.Nodes[h].Phase.Unsuccessful() { // I8.7: other hooks never count
			return "I8.8", "it is Succeeded, but its exit handler " + c.show(h)
		}
	}
	return "", ""
}

// isDaemon reports whether node i is a daemon, or a Retry around one.
func (c *Claim) isDaemon(i nodegraph.Index) bool {
	n := c.Graph.Node(i)
	return (n.Kind == nodegraph.KindPod || n.Kind == nodegraph.KindRetry) && n.Template.IsDaemon()
}

// readyDaemon reports whether node i is a daemon that is ready and has not ended.
func (c *Claim) readyDaemon(i nodegraph.Index) bool {
	said := &c.Nodes[i]
	return c.isDaemon(i) && said.Fact.Ready && said.Phase == nodegraph.PhaseRunning
}

// wasReady reports whether node i is a daemon that was ready once, in any attempt.
func (c *Claim) wasReady(i nodegraph.Index) bool {
	if !c.isDaemon(i) {
		return false
	}
	ready := c.Nodes[i].Fact.Ready
	for m := range c.Graph.Members(i) {
		ready = ready || c.Nodes[m].Fact.Ready
	}
	return ready
}

// judgedWhileReady is line I8.6 for a task that was passed over after a daemon that died later: it reports whether the
// daemon was still ready then. A claim has no history, so what became of the task tells: it was omitted because its
// depends did not hold, or skipped although it held. Where that fits a ready daemon and a dead one alike, times tell.
func (c *Claim) judgedWhileReady(task, daemon nodegraph.Index) bool {
	if !c.wasReady(daemon) {
		return false
	}
	held := nodegraph.False // what its depends came to
	if c.Nodes[task].Phase == nodegraph.PhaseSkipped {
		held = nodegraph.True
	}
	ready := c.depends(task, daemon, nodegraph.ResultDaemoned) == held
	dead := c.depends(task, daemon, c.results(daemon)) == held
	if ready != dead {
		return ready
	}
	return c.diedAfter(daemon, c.judgedAt(task, daemon))
}

// depends evaluates the depends of a task as if one of those before it had these results.
func (c *Claim) depends(task, one nodegraph.Index, results nodegraph.Results) nodegraph.Truth {
	condition := c.Graph.Condition(task)
	if condition == nil {
		return nodegraph.True
	}
	var deps []nodegraph.DepState
	for before := range c.Graph.Dependencies(task) {
		r := results
		if before != one {
			r = c.results(before)
		}
		deps = append(deps, nodegraph.DepState{Must: r, May: r})
	}
	return condition.Eval(deps)
}

// results returns what a depends may ask of task i and get. A daemon that ended with its boundary was ready before.
func (c *Claim) results(i nodegraph.Index) nodegraph.Results {
	var r nodegraph.Results
	switch phase := c.Nodes[i].Phase; {
	case c.readyDaemon(i), c.isDaemon(i) && phase == nodegraph.PhaseSucceeded:
		r = nodegraph.ResultDaemoned
	case phase == nodegraph.PhaseSucceeded:
		r = nodegraph.ResultSucceeded
	case phase == nodegraph.PhaseFailed:
		r = nodegraph.ResultFailed
	case phase == nodegraph.PhaseError:
		r = nodegraph.ResultErrored
	case phase == nodegraph.PhaseSkipped:
		r = nodegraph.ResultSkipped
	case phase == nodegraph.PhaseOmitted:
		r = nodegraph.ResultOmitted
	}
	some, all := false, true
	for m := range c.Graph.Members(i) {
		if c.Graph.Node(m).Role == nodegraph.RoleItem {
			some = some || c.Nodes[m].Phase == nodegraph.PhaseSucceeded
			all = all && c.Nodes[m].Phase.Unsuccessful()
		}
	}
	if c.Graph.Node(i).Kind == nodegraph.KindTaskGroup && some {
		r |= nodegraph.ResultAnySucceeded
	}
	if c.Graph.Node(i).Kind == nodegraph.KindTaskGroup && all {
		r |= nodegraph.ResultAllFailed
	}
	return r
}

// diedAfter reports whether node i is a daemon that was ready and did not die before a time. At one and the same time the
// daemon gets the benefit of the doubt.
func (c *Claim) diedAfter(i nodegraph.Index, judged time.Time) bool {
	return c.wasReady(i) && !c.Nodes[i].Fact.Finished.Before(judged)
}

// judgedAt returns when a task was passed over: when the last of the tasks before it had ended, the daemon aside.
func (c *Claim) judgedAt(task, daemon nodegraph.Index) time.Time {
	var last time.Time
	for before := range c.Graph.Dependencies(task) {
		if before == daemon || c.wasReady(before) { // when a daemon became ready no fact tells
			continue
		}
		end := c.Nodes[before].Fact.Finished
		if phase := c.Nodes[before].Phase; phase == nodegraph.PhaseSkipped || phase == nodegraph.PhaseOmitted {
			end = c.judgedAt(before, daemon)
		}
		last = later(last, end)
		for _, h := range c.Graph.Hooks(before) { // what comes after a task waits for the hooks of the task too
			last = later(last, c.Nodes[h].Fact.Finished)
		}
	}
	return last
}

// lastEnd returns when the last member of group i had ended, the daemon aside.
func (c *Claim) lastEnd(i, daemon nodegraph.Index) time.Time {
	var last time.Time
	for m := range c.Graph.Members(i) {
		if m != daemon && !c.wasReady(m) { // when a daemon became ready no fact tells
			last = later(last, c.Nodes[m].Fact.Finished)
		}
	}
	return last
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// show says which phase a node has.
func (c *Claim) show(i nodegraph.Index) string {
	phase := c.Nodes[i].Phase.String()
	if phase == "" {
		phase = "planned"
	}
	return c.Graph.Node(i).Name() + " is " + phase
}

// showPath says which phases the nodes of a path have.
func (c *Claim) showPath(path []nodegraph.Index) string {
	var steps []string
	for _, i := range path {
		steps = append(steps, c.show(i))
	}
	return strings.Join(steps, " after ")
}
