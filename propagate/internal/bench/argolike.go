package main

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/retry"
)

// An argoLike re-evaluates a whole workflow in each reconcile, as the controller of Argo Workflows (read at v4,
// f016ad89) does. It was written from what that controller does and in its order: the pods first, one by one, then the
// templates from the entry node down, a DAG from its targets to what they depend on, and last a walk over the children
// of the DAG to find its phase. What makes the cost is kept:
//
//   - nodes are structs in a map by string id, and every look-up by name formats the name and hashes it;
//   - a pod's node is copied, computed anew and compared by reflection;
//   - what a task depends on is found by a regular expression, once per task and reconcile;
//   - a depends expression is compiled each time it is evaluated, once what it names has ended;
//   - tasks are found by name by running over the list of tasks, unless indexed is set;
//   - a child is added after a search in the list of children;
//   - the walk that assesses a DAG formats a key for every node it meets.
//
// It is faster than the real controller, because it leaves out what is not about phases: the API server, the informers,
// writing the workflow back, logs, traces, metrics and events; the goroutine and the locks of each pod; the copies of
// all nodes before the pass; the resolution of templates and of their arguments, which encode each task as JSON and back
// and, for the scope of its parameters, visit everything that a task comes after; outputs; the JSON in the expansion of
// loops; pod creation. Its nodes have 11 fields where Argo's have more than 30.
//
// Of the language it knows DAGs, loops with known items, retries with a limit, pods and container sets: what the shapes
// use. newArgoLike refuses the rest. Of a deleted pod it marks the node but not the containers.
type argoLike struct {
	spec     *nodegraph.Spec
	nodes    map[string]nodeStatus
	now      time.Time
	evaluate func(text string, results map[string]taskResults) (bool, error)
	indexed  bool // find tasks in a map, which the controller does not do

	// ended says which pods end well at once: it puts a workflow into a state without a reconcile for each pod.
	ended   func(id string) bool
	created []string // ids of the pods that this reconcile created
}

// A nodeStatus is what is stored of a node.
type nodeStatus struct {
	ID, Name  string
	Kind      nodegraph.Kind
	Phase     nodegraph.Phase
	Message   string
	Template  string
	Boundary  string
	Attempt   bool // of a Retry
	Started   time.Time
	Finished  time.Time
	Children  []string
	Outbounds []string
}

func (n *nodeStatus) fulfilled() bool { return n.Phase.Settled() }

func (n *nodeStatus) clone() *nodeStatus {
	c := *n
	c.Children, c.Outbounds = slices.Clone(n.Children), slices.Clone(n.Outbounds)
	return &c
}

// newArgoLike returns the controller of a workflow that was not looked at yet.
func newArgoLike(spec *nodegraph.Spec) (*argoLike, error) {
	refuse := spec.OnExit != "" || spec.Hooks != nil || spec.Parallelism != 0 || spec.ActiveDeadline != 0 ||
		spec.Locks != nil || spec.Suspended
	for _, t := range spec.Templates {
		refuse = refuse || t.Kind != nodegraph.KindDAG && t.Kind != nodegraph.KindPod || t.Daemon || t.Locks != nil ||
			t.Memoize != "" || t.Parallelism != 0 || t.FailFast || t.Timeout != 0 || t.PendingTimeout != 0 || t.Err != ""
		if s := t.Retry; s != nil {
			refuse = refuse || s.Backoff != nil || s.Expression != nil || s.IgnoreDisruptions || s.Rules != nil || s.Policy != ""
		}
		for _, task := range t.Tasks {
			refuse = refuse || task.Inline != nil || task.When != "" || task.Hooks != nil ||
				task.Loop != nil && task.Loop.Unresolved != ""
		}
	}
	if refuse {
		return nil, fmt.Errorf("workflow %s uses what the Argo-like evaluator leaves out", spec.Name)
	}
	return &argoLike{spec: spec, nodes: map[string]nodeStatus{}, evaluate: evalExpr}, nil
}

// reconcile takes the pods that exist and that no earlier reconcile saw to have ended: the controller labels those and
// its informer leaves them out. It returns the ids of the pods that it created and the phase of the workflow.
func (c *argoLike) reconcile(now time.Time, pods []propagate.PodStatus) ([]string, nodegraph.Phase) {
	c.now, c.created = now, c.created[:0]
	if len(c.nodes) > 0 {
		c.reconcilePods(pods)
	}
	node := c.execute(c.spec.Name, c.template(c.spec.Entrypoint), "", false)
	return c.created, node.Phase
}

// reconcilePods brings the nodes of all pods up to date, and marks those whose pod is missing.
func (c *argoLike) reconcilePods(pods []propagate.PodStatus) {
	seen := make(map[string]*propagate.PodStatus)
	for k := range pods {
		pod := &pods[k]
		seen[pod.Node] = pod
		if node := c.get(pod.Node); node != nil {
			if updated := c.assessPod(pod, node); updated != nil {
				c.nodes[pod.Node] = *updated
			}
		}
	}
	for id, node := range c.nodes {
		if node.Kind != nodegraph.KindPod || node.fulfilled() || node.Started.IsZero() {
			continue
		}
		if _, ok := seen[id]; !ok && node.Phase != nodegraph.PhasePending {
			c.mark(node.Name, nodegraph.PhaseError, "pod deleted")
		}
	}
}

// assessPod returns the node as its pod has it, nil where nothing changed.
func (c *argoLike) assessPod(pod *propagate.PodStatus, old *nodeStatus) *nodeStatus {
	updated := old.clone()
	template := c.template(old.Template)
	switch pod.Phase {
	case "Pending":
		updated.Phase, updated.Message = nodegraph.PhasePending, pod.Message
	case "Running":
		updated.Phase = nodegraph.PhaseRunning
	case "Succeeded":
		updated.Phase = nodegraph.PhaseSucceeded
	case "Failed":
		updated.Phase, updated.Message = failure(pod, template)
	}
	for k := range pod.Containers {
		s := &pod.Containers[k]
		name := fmt.Sprintf("%s.%s", old.Name, s.Name)
		if c.byName(name) == nil {
			continue
		}
		switch {
		case s.Terminated:
			message := fmt.Sprintf("%s: %s (exit code %d): %s", s.Name, s.Reason, s.ExitCode, s.Message)
			switch s.ExitCode {
			case 0:
				c.mark(name, nodegraph.PhaseSucceeded, "")
			case 64:
				c.mark(name, nodegraph.PhaseError, message)
			default:
				c.mark(name, nodegraph.PhaseFailed, message)
			}
		case pod.Phase == "Failed":
			c.mark(name, nodegraph.PhaseFailed, "the pod failed")
		case s.Waiting:
			c.mark(name, nodegraph.PhasePending, "")
		case s.Running:
			c.mark(name, nodegraph.PhaseRunning, "")
		}
	}
	if updated.fulfilled() && updated.Finished.IsZero() {
		updated.Finished = c.now
	}
	if reflect.DeepEqual(old, updated) {
		return nil
	}
	return updated
}

// failure says how a pod failed: as the first of its main containers that did not end well.
func failure(pod *propagate.PodStatus, template *nodegraph.Template) (nodegraph.Phase, string) {
	if pod.Message != "" {
		return nodegraph.PhaseFailed, pod.Message
	}
	for k := range pod.Containers {
		s := &pod.Containers[k]
		if !s.Terminated || s.ExitCode == 0 || !template.IsMain(s.Name) {
			continue
		}
		message := fmt.Sprintf("%s: %s (exit code %d)", s.Name, s.Reason, s.ExitCode)
		if s.ExitCode == 64 {
			return nodegraph.PhaseError, message
		}
		return nodegraph.PhaseFailed, message
	}
	return nodegraph.PhaseFailed, ""
}

// execute looks at the node of a template and all inside it. It creates the node if it is not there.
func (c *argoLike) execute(name string, t *nodegraph.Template, boundary string, attempt bool) *nodeStatus {
	node := c.byName(name)
	if node != nil && node.fulfilled() {
		return node
	}
	if t.Retry == nil {
		return c.executeKind(name, t, boundary, attempt)
	}
	if node == nil {
		node = c.create(name, nodegraph.KindRetry, t, boundary, nodegraph.PhaseRunning, "")
	}
	if node = c.assessRetry(node, t.Retry); node.fulfilled() {
		return node
	}
	attempts, last := c.attempts(node)
	child := fmt.Sprintf("%s(%d)", name, len(attempts))
	if last != nil && !last.fulfilled() {
		child = last.Name
	} else {
		c.connect(name, child)
	}
	if c.executeKind(child, t, boundary, true).fulfilled() {
		return c.execute(name, t, boundary, attempt)
	}
	return c.byName(name)
}

func (c *argoLike) executeKind(name string, t *nodegraph.Template, boundary string, attempt bool) *nodeStatus {
	if t.Kind == nodegraph.KindDAG {
		return c.executeDAG(name, t, boundary)
	}
	return c.executePod(name, t, boundary, attempt)
}

// executePod creates the node of a pod and of its containers, once.
func (c *argoLike) executePod(name string, t *nodegraph.Template, boundary string, attempt bool) *nodeStatus {
	if node := c.byName(name); node != nil {
		return node
	}
	phase := nodegraph.PhasePending
	if c.ended != nil && c.ended(nodegraph.NodeID(c.spec.Name, name)) {
		phase = nodegraph.PhaseSucceeded
	}
	node := c.create(name, nodegraph.KindPod, t, boundary, phase, "")
	if attempt {
		node.Attempt = true
		c.nodes[node.ID] = *node
	}
	if phase == nodegraph.PhasePending {
		c.created = append(c.created, node.ID)
	}
	for _, s := range t.Containers {
		c.create(fmt.Sprintf("%s.%s", name, s.Name), nodegraph.KindContainer, t, node.ID, phase, "")
	}
	for _, s := range t.Containers {
		child := fmt.Sprintf("%s.%s", name, s.Name)
		if len(s.Dependencies) == 0 {
			c.connect(name, child)
		}
		for _, d := range s.Dependencies {
			c.connect(fmt.Sprintf("%s.%s", name, d), child)
		}
	}
	return c.byName(name)
}

// assessRetry settles a Retry from its last attempt, where that has ended and no other is due.
func (c *argoLike) assessRetry(node *nodeStatus, s *retry.Strategy) *nodeStatus {
	attempts, last := c.attempts(node)
	switch {
	case last == nil || !last.fulfilled():
		return node
	case !last.Phase.Unsuccessful():
		return c.mark(node.Name, nodegraph.PhaseSucceeded, "")
	case last.Phase == nodegraph.PhaseError: // the policy is OnFailure
		return c.mark(node.Name, last.Phase, last.Message)
	case s.Limit != nil && len(attempts) > *s.Limit:
		return c.mark(node.Name, last.Phase, "No more retries left")
	}
	return node
}

// attempts lists those of a Retry and returns the last.
func (c *argoLike) attempts(node *nodeStatus) ([]string, *nodeStatus) {
	var list []string
	for _, id := range node.Children {
		if child := c.get(id); child != nil && child.Attempt {
			list = append(list, id)
		}
	}
	if len(list) == 0 {
		return nil, nil
	}
	return list, c.get(list[len(list)-1])
}

// get returns a copy of the node with this id, nil if there is none.
func (c *argoLike) get(id string) *nodeStatus {
	node, ok := c.nodes[id]
	if !ok {
		return nil
	}
	return &node
}

func (c *argoLike) byName(name string) *nodeStatus { return c.get(nodegraph.NodeID(c.spec.Name, name)) }

func (c *argoLike) create(name string, kind nodegraph.Kind, t *nodegraph.Template, boundary string,
	phase nodegraph.Phase, message string) *nodeStatus {
	node := nodeStatus{
		ID: nodegraph.NodeID(c.spec.Name, name), Name: name, Kind: kind, Phase: phase, Message: message, Boundary: boundary,
		Template: t.Name, Started: c.now,
	}
	if phase.Settled() {
		node.Finished = c.now
	}
	c.nodes[node.ID] = node
	return &node
}

func (c *argoLike) mark(name string, phase nodegraph.Phase, message string) *nodeStatus {
	node := c.byName(name)
	if node.Phase != phase || node.Message != message {
		node.Phase, node.Message = phase, message
	}
	if node.fulfilled() && node.Finished.IsZero() {
		node.Finished = c.now
	}
	c.nodes[node.ID] = *node
	return node
}

// connect adds a child to a node's list, once.
func (c *argoLike) connect(parent, child string) {
	node, id := c.byName(parent), nodegraph.NodeID(c.spec.Name, child)
	if slices.Contains(node.Children, id) {
		return
	}
	node.Children = append(node.Children, id)
	c.nodes[node.ID] = *node
}

func (c *argoLike) template(name string) *nodegraph.Template {
	for _, t := range c.spec.Templates {
		if t.Name == name {
			return t
		}
	}
	return nil
}

// outbound lists the nodes of what node id ends with: what comes after it hangs below them.
func (c *argoLike) outbound(id string) []string {
	node := c.get(id)
	switch node.Kind {
	case nodegraph.KindSkipped:
		return []string{node.ID}
	case nodegraph.KindRetry:
		if n := len(node.Children); n > 0 {
			return node.Children[n-1:]
		}
	case nodegraph.KindPod, nodegraph.KindContainer, nodegraph.KindTaskGroup:
		if node.Kind == nodegraph.KindPod && c.template(node.Template).Containers == nil || len(node.Children) == 0 {
			return []string{node.ID}
		}
		var all []string
		for _, child := range node.Children {
			if node.Kind == nodegraph.KindContainer && c.get(child).Boundary != node.Boundary {
				all = append(all, node.ID)
			} else {
				all = append(all, c.outbound(child)...)
			}
		}
		return all
	}
	var all []string
	for _, o := range node.Outbounds {
		all = append(all, c.outbound(o)...)
	}
	return all
}

// A dagPass is one look at a DAG, with what is found out about its tasks on the way.
type dagPass struct {
	*argoLike
	name, id string
	template *nodegraph.Template
	visited  map[string]bool
	depends  map[string][]string // what each task depends on
	logic    map[string]string   // its expression, with every result spelled out
	index    map[string]*nodegraph.Task
	groups   map[string]nodegraph.Phase // TaskGroups that the assessment found to be done
}

func (c *argoLike) executeDAG(name string, t *nodegraph.Template, boundary string) *nodeStatus {
	node := c.byName(name)
	if node == nil {
		node = c.create(name, nodegraph.KindDAG, t, boundary, nodegraph.PhaseRunning, "")
	}
	d := &dagPass{
		argoLike: c, name: name, id: node.ID, template: t, visited: map[string]bool{}, depends: map[string][]string{},
		logic: map[string]string{}, groups: map[string]nodegraph.Phase{},
	}
	if c.indexed {
		d.index = make(map[string]*nodegraph.Task, len(t.Tasks))
		for k := range t.Tasks {
			d.index[t.Tasks[k].Name] = &t.Tasks[k]
		}
	}
	targets := t.Targets
	if len(targets) == 0 {
		targets = d.leaves()
	}
	for _, target := range targets {
		d.executeTask(target)
	}
	phase := d.assess(targets)
	for group, p := range d.groups {
		c.mark(group, p, "")
	}
	if phase == nodegraph.PhaseRunning {
		return c.byName(name)
	}
	node = c.byName(name)
	for _, target := range targets {
		if n := d.node(target); n != nil {
			node.Outbounds = append(node.Outbounds, c.outbound(n.ID)...)
		}
	}
	c.nodes[node.ID] = *node
	return c.mark(name, phase, "")
}

// leaves are the tasks that nothing depends on, by name.
func (d *dagPass) leaves() []string {
	leaf := map[string]bool{}
	for k := range d.template.Tasks {
		name := d.template.Tasks[k].Name
		if _, ok := leaf[name]; !ok {
			leaf[name] = true
		}
		for _, dependency := range d.dependencies(name) {
			leaf[dependency] = false
		}
	}
	var names []string
	for name, is := range leaf {
		if is {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// executeTask looks at a task, after all that it depends on.
func (d *dagPass) executeTask(name string) {
	if d.visited[name] {
		return
	}
	d.visited[name] = true
	node, task := d.node(name), d.task(name)
	if node != nil && node.fulfilled() {
		return
	}
	full := d.nodeName(name)
	if d.dependencies(name); d.logic[name] != "" {
		for _, dependency := range d.dependencies(name) {
			d.executeTask(dependency)
		}
		execute, proceed, err := d.evaluateDepends(name)
		switch {
		case err != nil:
			d.create(full, nodegraph.KindSkipped, &nodegraph.Template{}, d.id, nodegraph.PhaseError, err.Error())
			d.connectTask(name, full)
			return
		case !proceed:
			return
		case !execute:
			const message = "omitted: depends condition not met"
			d.create(full, nodegraph.KindSkipped, &nodegraph.Template{}, d.id, nodegraph.PhaseOmitted, message)
			d.connectTask(name, full)
			return
		}
	}
	if task.Loop != nil {
		d.executeLoop(task, node)
		return
	}
	if node == nil {
		d.connectTask(name, full)
	}
	d.execute(full, d.argoLike.template(task.Template), d.id, false)
}

// executeLoop looks at all the items of a task, and settles its TaskGroup once they all have ended.
func (d *dagPass) executeLoop(task *nodegraph.Task, group *nodeStatus) {
	full := d.nodeName(task.Name)
	t := d.argoLike.template(task.Template)
	if len(task.Loop.Items) == 0 {
		d.create(full, nodegraph.KindSkipped, t, d.id, nodegraph.PhaseSkipped, "Skipped, empty params")
		d.connectTask(task.Name, full)
		return
	}
	if group == nil {
		d.connectTask(task.Name, full)
		d.create(full, nodegraph.KindTaskGroup, t, d.id, nodegraph.PhaseRunning, "")
	}
	expanded := make([]string, len(task.Loop.Items))
	for k, item := range task.Loop.Items {
		expanded[k] = nodegraph.ItemName(task.Name, k, item.Text)
	}
	for _, item := range expanded {
		name := d.nodeName(item)
		if d.node(item) == nil {
			d.connect(full, name)
		}
		d.execute(name, t, d.id, false)
	}
	phase := nodegraph.PhaseSucceeded
	for _, item := range expanded {
		node := d.node(item)
		if node == nil || !node.fulfilled() {
			return
		}
		if node.Phase.Unsuccessful() {
			phase = node.Phase
		}
	}
	d.mark(full, phase, "")
}

// connectTask hangs the node of a task below the DAG, or below what it comes after.
func (d *dagPass) connectTask(task, node string) {
	dependencies := d.dependencies(task)
	if len(dependencies) == 0 {
		d.connect(d.name, node)
	}
	for _, dependency := range dependencies {
		for _, id := range d.outbound(d.node(dependency).ID) {
			d.connect(d.get(id).Name, node)
		}
	}
}

// assess walks over all that hangs below the DAG: while something is not fulfilled it is Running, then its targets
// decide. A target without a result of its own has that of the branch it was reached on.
func (d *dagPass) assess(targets []string) nodegraph.Phase {
	reached := make(map[string]nodegraph.Phase)
	for _, t := range targets {
		reached[d.nodeID(t)] = nodegraph.PhasePlanned
	}
	type visit struct {
		id     string
		branch nodegraph.Phase
	}
	var queue []visit
	seen := make(map[string]bool)
	add := func(ids []string, branch nodegraph.Phase) {
		for _, id := range ids {
			key := fmt.Sprintf("%s-%s", id, branch)
			if !seen[key] {
				seen[key] = true
				queue = append(queue, visit{id, branch})
			}
		}
	}
	add(d.get(d.id).Children, nodegraph.PhaseSucceeded)
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		node := d.get(at.id)
		if node == nil {
			return nodegraph.PhaseRunning
		}
		branch := at.branch
		if !node.fulfilled() {
			phase, done := d.groupDone(node)
			if !done {
				return nodegraph.PhaseRunning
			}
			d.groups[node.Name], branch = phase, phase
		} else if node.Phase.Completed() {
			branch = node.Phase
		}
		if before, is := reached[node.ID]; is && !before.Unsuccessful() {
			reached[node.ID] = branch
		}
		if node.Kind != nodegraph.KindRetry {
			add(node.Children, branch)
			continue
		}
		for k := len(node.Children) - 1; k >= 0; k-- { // what hangs below the attempts, not these
			if child := d.get(node.Children[k]); child != nil {
				add(child.Children, branch)
			}
		}
	}
	result := nodegraph.PhaseSucceeded
	for _, t := range targets {
		branch := reached[d.nodeID(t)]
		switch {
		case branch == nodegraph.PhasePlanned:
			result = nodegraph.PhaseRunning
			if d.template.NoFailFast {
				return result
			}
		case branch.Unsuccessful() && !d.task(t).ContinueOn.Covers(branch):
			result = branch
			if !d.template.NoFailFast {
				return result
			}
		}
	}
	return result
}

// groupDone tells how a TaskGroup ends that was left unfinished although its items have all ended.
func (d *dagPass) groupDone(node *nodeStatus) (nodegraph.Phase, bool) {
	if node.Kind != nodegraph.KindTaskGroup || len(node.Children) == 0 {
		return 0, false
	}
	phase := nodegraph.PhaseSucceeded
	for _, id := range node.Children {
		child := d.get(id)
		if child == nil || !child.fulfilled() {
			return 0, false
		}
		if child.Phase.Unsuccessful() {
			phase = child.Phase
		}
	}
	return phase, true
}

func (d *dagPass) nodeName(task string) string { return fmt.Sprintf("%s.%s", d.name, task) }

func (d *dagPass) nodeID(task string) string { return nodegraph.NodeID(d.spec.Name, d.nodeName(task)) }

func (d *dagPass) node(task string) *nodeStatus { return d.get(d.nodeID(task)) }

func (d *dagPass) task(name string) *nodegraph.Task {
	if d.index != nil {
		return d.index[name]
	}
	for k := range d.template.Tasks {
		if t := &d.template.Tasks[k]; t.Name == name {
			return t
		}
	}
	panic("no task " + name)
}

// testPattern finds the names of tasks in an expression, and the results behind them.
var testPattern = regexp.MustCompile(`([a-zA-Z0-9][-a-zA-Z0-9]*)(\.[A-Z][a-zA-Z]+)?`)

// dependencies returns what a task depends on, and remembers that and the expression with every result spelled out.
func (d *dagPass) dependencies(name string) []string {
	if list, ok := d.depends[name]; ok {
		return list
	}
	task := d.task(name)
	text := task.Depends
	if text == "" {
		var all []string
		for _, dependency := range task.Dependencies {
			all = append(all, d.spellOut(dependency))
		}
		text = strings.Join(all, " && ")
	}
	named := map[string]bool{}
	matches := testPattern.FindAllStringSubmatchIndex(text, -1)
	for _, m := range slices.Backward(matches) { // from the back, so that places before it stay
		dependency := text[m[2]:m[3]]
		named[dependency] = true
		if m[4] < 0 {
			text = text[:m[0]] + d.spellOut(dependency) + text[m[1]:]
		}
	}
	list := []string{}
	for dependency := range named {
		list = append(list, dependency)
	}
	d.depends[name], d.logic[name] = list, text
	return list
}

// spellOut returns the results that a bare name stands for.
func (d *dagPass) spellOut(name string) string {
	results := []string{name + ".Succeeded", name + ".Skipped", name + ".Daemoned"}
	goOn := d.task(name).ContinueOn
	if goOn.Error {
		results = append(results, name+".Errored")
	}
	if goOn.Failed {
		results = append(results, name+".Failed")
	}
	return "(" + strings.Join(results, " || ") + ")"
}

// evaluateDepends tells whether all that a task depends on has ended (proceed), and whether it is to run then (execute).
func (d *dagPass) evaluateDepends(name string) (execute, proceed bool, err error) {
	if d.node(name) != nil {
		return true, true, nil
	}
	results := make(map[string]taskResults)
	for _, dependency := range d.dependencies(name) {
		node := d.node(dependency)
		if node == nil || !node.fulfilled() {
			return false, false, nil
		}
		r := taskResults{
			Succeeded: node.Phase == nodegraph.PhaseSucceeded, Failed: node.Phase == nodegraph.PhaseFailed,
			Errored: node.Phase == nodegraph.PhaseError, Skipped: node.Phase == nodegraph.PhaseSkipped,
			Omitted: node.Phase == nodegraph.PhaseOmitted,
		}
		if node.Kind == nodegraph.KindTaskGroup {
			r.AllFailed = len(node.Children) > 0
			for _, id := range node.Children {
				p := d.get(id).Phase
				r.AnySucceeded = r.AnySucceeded || p == nodegraph.PhaseSucceeded
				r.AllFailed = r.AllFailed && p == nodegraph.PhaseFailed
			}
		}
		results[strings.ReplaceAll(dependency, "-", "_")] = r
	}
	execute, err = d.evaluate(strings.ReplaceAll(d.logic[name], "-", "_"), results)
	return execute, err == nil, err
}
