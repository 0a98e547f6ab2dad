package simhost_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/simhost"
)

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// hostOf makes the host of workflows that are drawn in one line each, and begins.
func hostOf(t *testing.T, texts ...string) *simhost.Host {
	t.Helper()
	var specs []*nodegraph.Spec
	for _, text := range texts {
		spec, err := nodegraph.Parse(text)
		require.NoError(t, err)
		specs = append(specs, spec)
	}
	h, err := simhost.New(epoch, specs...)
	require.NoError(t, err)
	require.NoError(t, h.Begin())
	return h
}

// run runs the oldest errand, which is about locks.
func run(t *testing.T, h *simhost.Host) {
	t.Helper()
	e, ev := h.Run(0)
	require.NoError(t, h.Tell(e.Workflow, ev))
}

// succeed lets the pod of a node succeed.
func succeed(t *testing.T, h *simhost.Host, workflow, node string) {
	t.Helper()
	require.NoError(t, h.Tell(workflow, h.Workflow(workflow).Pod(node).Become(propagate.PodSucceeded(""))))
}

// Whether the host tells events, lists pods or tells what is new of them, a workflow goes its way.
func TestIntakes(t *testing.T) {
	for _, intake := range []simhost.Intake{simhost.Events, simhost.List, simhost.Changed} {
		h := hostOf(t, "wf: dag(a: pod(x -> y) -> b)")
		h.Intake = intake
		tell := func(node string, ev propagate.Event) {
			ev = h.Workflow("wf").Pod(node).Become(ev)
			if intake == simhost.Events {
				require.NoError(t, h.Tell("wf", ev))
			} else {
				require.NoError(t, h.Tell("wf"))
			}
		}
		phase := func(node string) string {
			p, _ := h.Workflows[0].Engine.Phase(h.Workflows[0].Engine.Graph().Find(node))
			return p.String()
		}
		tell("wf.a", propagate.PodRunning(""))
		require.Equal(t, "Running", phase("wf.a"))
		tell("wf.a", propagate.ContainerEnded("", "x", 0, ""))
		require.Equal(t, "Succeeded", phase("wf.a.x"))
		tell("wf.a", propagate.PodSucceeded(""))
		require.Equal(t, "Succeeded", phase("wf.a.y"))
		tell("wf.b", propagate.PodPending("", ""))
		tell("wf.b", propagate.PodDeleted(""))
		require.Equal(t, "uid-2", h.Workflow("wf").Pod("wf.b").UID, "the pod that vanished before it ran was made again")
		tell("wf.b", propagate.PodFailed("", "no luck"))
		require.True(t, h.Workflows[0].Engine.Complete())
		require.Equal(t, `Failed`, phase("wf.b"))
	}
}

// What is tried on a copy is not seen by the host, nor the other way round.
func TestClone(t *testing.T) {
	h := hostOf(t, "one: dag(a: mutex(m, pod))", "two: dag(a: mutex(m, pod), h: http)")
	run(t, h)
	c := h.Clone()
	run(t, c)
	require.Len(t, h.Owed, 1)
	succeed(t, c, "one", "one.a")
	require.True(t, c.Workflow("one").Engine.Complete())
	require.False(t, h.Workflow("one").Engine.Complete())
	require.Equal(t, []propagate.Holder{{Workflow: "one", Node: nodegraph.NodeID("one", "one.a")}}, h.Locks.Holders("default/Mutex/m"))
	d := h.Clone()
	require.Same(t, d.Workflow("two").Engine, h.Workflow("two").Engine, "nobody has called it")
	run(t, h)
	require.NotSame(t, d.Workflow("two").Engine, h.Workflow("two").Engine)
	require.Len(t, d.Owed, 1)
	run(t, d)
	require.Equal(t, h.Workflow("two").Engine.Save(), d.Workflow("two").Engine.Save(), "the same calls lead to the same state")
	require.Equal(t, []string{"two.h"}, d.Workflow("two").Served)
}

// A controller that is killed goes on with what it has stored: pods are there, locks are held, and what was asked is asked again.
func TestRestart(t *testing.T) {
	for _, record := range []bool{false, true} {
		h := hostOf(t, "one: dag(a: mutex(m, pod), s: suspend(9s))", "two: dag(a: mutex(m, pod))")
		run(t, h)
		run(t, h)
		require.Empty(t, h.Owed)
		unknown, err := h.Restart(record)
		require.NoError(t, err)
		require.Empty(t, unknown)
		require.Equal(t, 1, h.Workflow("one").Pod("one.a").Number, "the pod is not made twice")
		require.Equal(t, epoch.Add(9*time.Second), h.NextWake())
		succeed(t, h, "one", "one.a")
		run(t, h)
		require.NotNil(t, h.Workflow("two").Pod("two.a"), "the mutex was handed on")
		h.Now = h.NextWake()
		require.NoError(t, h.Tell("one"))
		require.True(t, h.Workflow("one").Engine.Complete())
		require.Zero(t, h.NextWake())
	}
}

// After a manual retry pods of what is reset are deleted before others are made.
func TestDeletePods(t *testing.T) {
	h := hostOf(t, "wf: dag(a, b)")
	succeed(t, h, "wf", "wf.a")
	require.NoError(t, h.Tell("wf", h.Workflow("wf").Pod("wf.b").Become(propagate.PodFailed("", ""))))
	r, err := h.Call("wf", []propagate.Event{propagate.ManualRetry()})
	require.NoError(t, err)
	h.Workflow("wf").DeletePods()
	require.NoError(t, propagate.Follow(h, "wf", r))
	require.Equal(t, 1, h.Workflow("wf").Pod("wf.a").Number)
	require.Equal(t, 2, h.Workflow("wf").Pod("wf.b").Number)
	require.True(t, h.Workflow("wf").Pod("wf.b").Alive())
}

// An executor runs a container again: those that come after it begin anew, and count on from the same number.
func TestContainersRunAgain(t *testing.T) {
	h := hostOf(t, "wf: pod(x -> y, z)")
	p := h.Workflow("wf").Pod("wf")
	p.Become(propagate.ContainerEnded("", "x", 1, ""))
	p.Become(propagate.ContainerEnded("", "z", 0, ""))
	c := h.Clone().Workflow("wf").Pod("wf")
	require.Equal(t, 2, p.Become(propagate.ContainerRetried("", "x")).Pod.Attempt)
	require.Equal(t, 2, p.Become(propagate.ContainerEnded("", "y", 0, "")).Pod.Attempt)
	require.Equal(t, 1, p.Become(propagate.ContainerEnded("", "z", 0, "")).Pod.Attempt)
	require.Equal(t, 3, p.Become(propagate.ContainerRetried("", "y")).Pod.Attempt)
	require.Equal(t, 1, c.Named(propagate.ContainerEnded("", "x", 0, "")).Pod.Attempt, "the copy knows nothing of that")
	require.True(t, c.Status.Containers[0].Terminated)
}

// A cluster keeps pods, what was stored and timers. A pod of the same name is not made twice, and one that is deleted is listed until
// it is gone.
func TestCluster(t *testing.T) {
	c := simhost.NewCluster(epoch)
	require.NoError(t, c.CreatePod("wf", "wf.a", "a", nodegraph.ContainerSpec{Name: "x"}, nodegraph.ContainerSpec{Name: "y"}))
	require.ErrorIs(t, c.CreatePod("wf", "wf.a", "a"), simhost.ErrExists)
	require.NoError(t, c.CreatePod("other", "wf.a", "a"), "another workflow has pods of its own")
	p := c.PodsOf("wf", "wf.a")[0]
	p.Become(propagate.PodRunning(""))
	listed := c.Pods("wf")
	require.Len(t, listed, 1)
	require.Equal(t, "a", listed[0].Name)
	require.Equal(t, "y", listed[0].Containers[1].Name)
	c.DeletePod("wf", "a")
	require.True(t, p.Terminating)
	require.Len(t, c.Pods("wf"), 1, "it is listed until it is gone")
	p.Become(propagate.PodDeleted(""))
	require.Empty(t, c.Pods("wf"))
	require.NoError(t, c.CreatePod("wf", "wf.a", "a"))
	require.Equal(t, 2, c.PodsOf("wf", "")[1].Number)
	c.PodsOf("wf", "")[1].Become(propagate.PodSucceeded(""))
	c.DeletePod("wf", "a")
	require.Empty(t, c.Pods("wf"), "what has ended is gone at once")
	c.DeletePod("wf", "none")

	c.Store("wf", []byte("state"))
	require.Equal(t, "state", string(c.Stored("wf")))
	require.Nil(t, c.Stored("other"))
	c.WakeAt("wf", epoch.Add(2*time.Second))
	c.WakeAt("other", epoch.Add(time.Second))
	require.Equal(t, epoch.Add(time.Second), c.NextTimer())
	c.Pass(epoch.Add(time.Second))
	c.Pass(epoch)
	require.Equal(t, epoch.Add(time.Second), c.Now())
	require.Equal(t, epoch.Add(2*time.Second), c.NextTimer())
	require.Equal(t, c.Timer("wf"), c.NextTimer())
	c.ForgetTimers()
	require.Zero(t, c.NextTimer())
}
