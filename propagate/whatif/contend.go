package whatif

import (
	"slices"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// Whether pods can be lost apart, as apart.go does it, or have to make their steps together. What only decides when a pod starts,
// and never whether, is no reason: limits of parallelism and locks. Nor is a template that fails fast: a pod that fails makes it
// fail, in whatever order, and only what had begun by then differs.

// anyTemplate reports whether something is true of a template or of one inside it.
func anyTemplate(spec *nodegraph.Spec, is func(*nodegraph.Template) bool) bool {
	return slices.ContainsFunc(spec.Templates, func(t *nodegraph.Template) bool { return t != nil && (is(t) || anyInline(t, is)) })
}

// anyInline reports whether something is true of a template that is written inside t.
func anyInline(t *nodegraph.Template, is func(*nodegraph.Template) bool) bool {
	within := func(list []nodegraph.Task) bool {
		return slices.ContainsFunc(list, func(task nodegraph.Task) bool {
			return task.Inline != nil && (is(task.Inline) || anyInline(task.Inline, is))
		})
	}
	return within(t.Tasks) || slices.ContainsFunc(t.Steps, within)
}

// clocked reports whether a template says how long something may take, or asks how long it has taken.
func clocked(t *nodegraph.Template) bool {
	r := t.Retry
	return t.Timeout != 0 || t.PendingTimeout != 0 || r != nil && (r.Expression != nil || r.Backoff != nil && r.Backoff.MaxDuration != 0)
}

func limitsPods(t *nodegraph.Template) bool { return t.Parallelism != 0 }

func locks(t *nodegraph.Template) bool { return len(t.Locks) > 0 }

func failsFast(t *nodegraph.Template) bool { return t.FailFast }

func daemon(t *nodegraph.Template) bool { return t.IsDaemon() }

// suspends reports whether nodes of a template wait for people.
func suspends(t *nodegraph.Template) bool { return t.Kind == nodegraph.KindSuspend }

// unlimited is a specification without limits of parallelism, and in which nobody says how many may hold a lock.
func unlimited(spec *nodegraph.Spec) *nodegraph.Spec {
	free := *spec
	free.Parallelism, free.Locks = 0, anyNumber(spec.Locks)
	free.Templates = slices.Clone(spec.Templates)
	for k, t := range free.Templates {
		if t.Parallelism != 0 || len(t.Locks) > 0 {
			other := *t
			other.Parallelism, other.Locks = 0, anyNumber(t.Locks)
			free.Templates[k] = &other
		}
	}
	return &free
}

// anyNumber are locks without their limits.
func anyNumber(list []nodegraph.Lock) []nodegraph.Lock {
	list = slices.Clone(list)
	for k := range list {
		list[k].Limit = 0
	}
	return list
}

// locksOf are all locks that a specification names.
func locksOf(spec *nodegraph.Spec) []nodegraph.Lock {
	var list []nodegraph.Lock
	spec.EachLock(func(l *nodegraph.Lock) { list = append(list, *l) })
	return list
}

// independent reports whether the pod of a node can be lost apart: it is no daemon, on which others rely while it runs, not the
// agent, which serves many, and not inside a hook that runs beside a step, for which hooks of later steps wait while these run.
func independent(g *nodegraph.Graph, i nodegraph.Index) bool {
	if n := g.Node(i); n.Kind != nodegraph.KindPod || n.Template.IsDaemon() {
		return false
	}
	for ; i > nodegraph.Root; i = g.Node(i).Parent {
		owner, hook := g.Owner(i)
		if owner > nodegraph.Root && hook.Name != nodegraph.ExitHook && g.Node(g.Node(owner).Parent).Kind == nodegraph.KindStepGroup {
			return false
		}
	}
	return true
}
