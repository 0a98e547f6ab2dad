package propagatetest

import (
	"fmt"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/simhost"
)

// A randomHost is the way in which a controller tells an engine of its pods, and what it keeps over a restart.
type randomHost struct {
	dates     dates
	intake    simhost.Intake
	snapshots bool             // a restart reads the Workflow object, not the saved state
	nameless  bool             // it does not tell the pods of a node apart
	lively    bool             // answers are given once more, results come late, agents end, time passes, and Wake is relied on
	limits    nodegraph.Limits // of its engines: so many nodes, or templates inside templates, and no more
}

// hostOf takes the hosts in turn. A host that keeps the Workflow object lists its pods, since that does not name them.
func hostOf(seed uint64) randomHost {
	h := randomHost{dates: dates(seed % 3), intake: simhost.Intake(seed / 3 % 3), lively: true}
	h.snapshots = seed/9%2 == 1 && h.intake != simhost.Events
	h.nameless = seed/18%3 == 0 && h.dates == datesNone && h.intake != simhost.Changed
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

// stamp names a pod that is made now, and says when that is.
func (h randomHost) stamp(c *simhost.Host, p *simhost.Pod) {
	p.UID, p.Created = fmt.Sprint("uid-", p.Serial), time.Time{}
	if h.nameless {
		p.UID = ""
	}
	switch h.dates {
	case datesExact:
		p.Created = c.Now.Add(time.Duration(p.Serial))
	case datesSecond:
		p.Created = c.Now.Truncate(time.Second)
	}
}

// restart replaces the engine by one that is loaded from its saved state.
func (c *randomCluster) restart() {
	locks := c.Locks
	c.Kill() // it asks again
	require.NoError(c.t, c.load())
	c.log = append(c.log, "restart")
	c.count.Restarts++
	c.e = c.flow.Engine
	if err := c.e.Check(); err != nil && !c.host.snapshots { // the first call ends daemons inside what a record shows to have ended
		require.NoError(c.t, err, "%s\n%s", c.history(), c.table())
	}
	if c.Locks = locks; c.host.snapshots {
		for _, p := range c.flow.Pods {
			p.Before = propagate.PodStatus{} // what is listed is what there is
		}
		c.said, c.Locks = nil, propagate.LockTable{}
		c.Locks.Adopt("", c.e)
	}
	c.apply()
	for _, h := range c.Locks.Grant() {
		c.apply(propagate.LockGranted(h.Node))
	}
}

// deletePods deletes the pods of nodes that run anew, but those that were made since.
func (c *randomCluster) deletePods() {
	for _, p := range c.flow.Pods {
		i := c.e.Graph().Find(p.Node)
		if old := p.State != simhost.PodNew || p.Terminating; old && (i == nodegraph.None || !c.e.Verdict(i).Fulfilled) {
			p.State = simhost.PodGone
		}
	}
}

// load makes an engine from what the host keeps of it: its state, or the Workflow object.
func (c *randomCluster) load() error {
	if c.host.snapshots {
		unknown, err := c.flow.Restore(c.e.Snapshot())
		if err == nil {
			c.checkUnknown(unknown)
			c.checkItems(c.flow.Engine)
		}
		return err
	}
	unknown, err := c.flow.Load(throughJSON(c.t, c.e.Save()))
	for _, id := range unknown {
		require.Fail(c.t, "it is not known any more", "%s\n%s\n%s", c.e.Graph().Node(c.e.Graph().Find(id)).Name(), c.history(), c.table())
	}
	return err
}

// checkUnknown: only attempts of a Retry that failed may have been left out, since a record does not say that an attempt
// did not count, and a controller may have made one too many. They may be made once more.
func (c *randomCluster) checkUnknown(unknown []string) {
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
func (c *randomCluster) checkItems(restored *propagate.Engine) {
	g := c.e.Graph()
	for i := nodegraph.Entry; int(i) < g.Len() && !c.vague; i++ {
		if n := g.Node(i); n.Role == nodegraph.RoleItem && n.Task.Loop.Unresolved != "" && !c.e.Fact(n.Parent).Created.IsZero() && restored.Graph().Find(n.ID()) == nodegraph.None {
			require.Fail(c.t, "it was forgotten", "%s\n%s\n%s", n.Name(), c.history(), c.table())
		}
	}
}
