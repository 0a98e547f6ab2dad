package propagate_test

import (
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

// A host is the way in which a controller tells an engine of its pods, and what it keeps over a restart.
type host struct {
	dates     dates
	intake    intake
	snapshots bool             // a restart reads the Workflow object, not the saved state
	nameless  bool             // it does not tell the pods of a node apart
	lively    bool             // answers are given once more, results come late, agents end, time passes, and Wake is relied on
	limits    nodegraph.Limits // of its engines: so many nodes, or templates inside templates, and no more
}

// hostOf takes the hosts in turn. A host that keeps the Workflow object lists its pods, since that does not name them.
func hostOf(seed uint64) host {
	h := host{dates: dates(seed % 3), intake: intake(seed / 3 % 3), lively: true}
	h.snapshots = seed/9%2 == 1 && h.intake != intakeEvents
	h.nameless = seed/18%3 == 0 && h.dates == datesNone && h.intake != intakeChanged
	switch seed / 108 % 4 {
	case 0:
		h.limits.Nodes = 3 + int(seed%37)
	case 1:
		h.limits.Nesting = 1 + int(seed%5)
	}
	return h
}

// dates says what a host tells of the times at which its pods were created.
type dates uint64

const (
	datesNone   dates = iota
	datesExact        // no two pods have the same
	datesSecond       // whole seconds, as Kubernetes
)

// intake says how a host tells of its pods.
type intake uint64

const (
	intakeEvents  intake = iota
	intakeList           // all of them in each call
	intakeChanged        // those that look different
)

// date is when the pod that is created now is said to have been created.
func (c *cluster) date() time.Time {
	switch c.host.dates {
	case datesExact:
		return c.now.Add(time.Duration(c.serial))
	case datesSecond:
		return c.now.Truncate(time.Second)
	}
	return time.Time{}
}

// tell gives events to the engine in the way of the host, with the pods as they look now.
func (c *cluster) tell(events []propagate.Event) (propagate.Result, error) {
	if c.host.intake == intakeEvents {
		return c.e.Apply(c.now, events...)
	}
	listed := make(map[string]propagate.PodStatus)
	var all, changed, gone []propagate.PodStatus
	for _, name := range c.names {
		p := c.pods[name].listed()
		if p.Phase == "" {
			continue
		}
		listed[name], all = p, append(all, p)
		if old, told := c.told[name]; !told || !reflect.DeepEqual(old, p) {
			changed = append(changed, p)
		}
	}
	for _, name := range c.names {
		now, exists := listed[name]
		if old, told := c.told[name]; told && (!exists || now.UID != old.UID) {
			gone = append(gone, old)
		}
	}
	var result propagate.Result
	var err error
	if c.host.intake == intakeList || c.told == nil {
		result, err = c.e.SyncPods(c.now, all, events...)
	} else {
		result, err = c.e.SyncChanged(c.now, changed, gone, events...)
	}
	if err == nil {
		c.told = listed
	}
	return result, err
}

// listed is what a list of pods shows of it.
func (p *pod) listed() propagate.PodStatus {
	switch {
	case p.phase == "gone":
		return propagate.PodStatus{}
	case p.phase == "new":
		return p.before
	}
	return p.status
}

// show makes the pod look as an event says.
func (p *pod) show(ev *propagate.Event) {
	s := &p.status
	s.Containers = slices.Clone(s.Containers)
	k := slices.IndexFunc(s.Containers, func(c propagate.ContainerStatus) bool { return c.Name == ev.Container })
	switch ev.Type {
	case propagate.EventPodPending:
		s.Phase = "Pending"
	case propagate.EventPodRunning:
		if s.Phase != "Running" {
			s.Phase, s.Containers = "Running", p.running()
		}
		for k := range s.Containers {
			s.Containers[k].Ready = ev.Ready
		}
	case propagate.EventPodEnded:
		s.Phase, s.Reason, s.Message = ev.Phase.String(), ev.Reason, ev.Message
	case propagate.EventContainerEnded:
		s.Containers[k] = propagate.ContainerStatus{Name: ev.Container, Terminated: true, ExitCode: ev.ExitCode}
	case propagate.EventContainerRetried:
		s.Containers[k] = propagate.ContainerStatus{Name: ev.Container, Running: true}
	}
}

// running is how the containers of a pod look that has begun to run.
func (p *pod) running() []propagate.ContainerStatus {
	names := slices.Sorted(maps.Keys(p.containers))
	if len(names) == 0 {
		names = []string{"main"}
	}
	var list []propagate.ContainerStatus
	for _, name := range names {
		list = append(list, propagate.ContainerStatus{Name: name, Running: true})
	}
	return list
}

// restart replaces the engine by one that is loaded from its saved state.
func (c *cluster) restart() {
	loaded, err := c.loaded()
	require.NoError(c.t, err)
	c.log = append(c.log, "restart")
	c.restarts++
	c.e, c.told, c.wake = loaded, nil, time.Time{}
	if err := c.e.Check(); err != nil && !c.host.snapshots { // the first call ends daemons inside what a record shows to have ended
		require.NoError(c.t, err, "%s\n%s", c.history(), c.table())
	}
	c.owed = nil // it asks again
	if c.host.snapshots {
		for _, p := range c.pods {
			p.before = propagate.PodStatus{} // what is listed is what there is
		}
		c.said, c.locks = nil, propagate.LockTable{}
		c.locks.Adopt("", loaded)
	}
	c.apply()
	for _, h := range c.locks.Grant() {
		c.apply(propagate.LockGranted(h.Node))
	}
}

// deletePods deletes the pods of nodes that run anew.
func (c *cluster) deletePods() {
	for name, p := range c.pods {
		if i := c.e.Graph().Find(name); i == nodegraph.None || !c.e.Verdict(i).Fulfilled {
			if p.phase != "new" {
				p.phase = "gone"
			}
		}
	}
}

// loaded makes an engine from what the host keeps of it: its state, or the Workflow object.
func (c *cluster) loaded() (*propagate.Engine, error) {
	if c.host.snapshots {
		e, unknown, err := propagate.RestoreLimited(c.spec, inSeconds(c.e.Snapshot()), c.host.limits)
		if err == nil {
			c.checkUnknown(unknown)
			c.checkItems(e)
		}
		return e, err
	}
	e, unknown, err := propagate.LoadLimited(c.spec, c.e.Save(), c.host.limits)
	for _, id := range unknown {
		require.Fail(c.t, "it is not known any more", "%s\n%s\n%s", c.e.Graph().Node(c.e.Graph().Find(id)).Name(), c.history(), c.table())
	}
	return e, err
}

// checkUnknown: only attempts of a Retry that failed may have been left out, since a record does not say that an attempt
// did not count, and a controller may have made one too many. They may be made once more.
func (c *cluster) checkUnknown(unknown []string) {
	c.vague = c.vague || len(unknown) > 0 || c.host.limits.Nodes > 0 // nor does it name hooks that wait to start: others may take their room
	for _, id := range unknown {
		g := c.e.Graph()
		i := g.Find(id)
		for g.Node(i).Role != nodegraph.RoleAttempt && g.Node(i).Parent > nodegraph.Entry {
			i = g.Node(i).Parent
		}
		require.Equal(c.t, nodegraph.RoleAttempt, g.Node(i).Role, "%s is not known any more\n%s", g.Node(i).Name(), c.history())
		require.True(c.t, c.e.Verdict(g.Node(i).Parent).Phase.Unsuccessful(), "%s is not known any more\n%s", g.Node(i).Name(), c.history())
	}
}

// checkItems: a restored engine knows every item of a loop that has begun, or an attempt around it was left out.
func (c *cluster) checkItems(restored *propagate.Engine) {
	g := c.e.Graph()
	for i := nodegraph.Entry; int(i) < g.Len() && !c.vague; i++ {
		if n := g.Node(i); n.Role == nodegraph.RoleItem && n.Task.Loop.Unresolved != "" && !c.e.Fact(n.Parent).Created.IsZero() && restored.Graph().Find(n.ID()) == nodegraph.None {
			require.Fail(c.t, "it was forgotten", "%s\n%s\n%s", n.Name(), c.history(), c.table())
		}
	}
}

// inSeconds is the record as Kubernetes keeps it.
func inSeconds(s nodegraph.Snapshot) nodegraph.Snapshot {
	s.Started, s.Finished = s.Started.Truncate(time.Second), s.Finished.Truncate(time.Second)
	for k := range s.Nodes {
		n := &s.Nodes[k]
		n.Started, n.Finished = n.Started.Truncate(time.Second), n.Finished.Truncate(time.Second)
	}
	return s
}
