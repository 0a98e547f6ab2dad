package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// Workflows that are complete cost no request at the start and next to no memory, however many there are.
func TestCompletedWorkflowsCostNothing(t *testing.T) {
	const n = 2000
	c := newCluster(t)
	c.startKubelet(1, false)
	done := strings.Replace(innocent, "spec:", `{metadata: {labels: {`+labelCompleted+`: "true"}}, status: {phase: Succeeded, message: "`+strings.Repeat("x", 20_000)+`"}, spec:`, 1) + "}"
	var submitted sync.WaitGroup
	for part := range 8 {
		submitted.Go(func() {
			for k := part; k < n; k += 8 {
				c.submit(fmt.Sprintf("old-%d", k), done)
			}
		})
	}
	submitted.Wait()
	before, began := heap(), time.Now()
	running := c.start(1, nil)
	c.submit("new", innocent)
	c.awaitPhase("new", nodegraph.PhaseSucceeded)
	took := time.Since(began).Round(10 * time.Millisecond)
	t.Logf("%s from the start to the end of a new one, %d MB more on the heap, requests: %s", took, (heap()-before)>>20, running.writes)
	require.Less(t, heap()-before, int64(n*20_000/8), "all of them would be %d", n*20_000)
	require.LessOrEqual(t, running.writes.count["PATCH workflows"], 4, "those of the new one")
	require.Less(t, running.writes.reads.Load(), int64(100))
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// All writes fail for a while. When it is over everything goes on within the longest time that is waited between tries: the wide
// factor is for a machine that is busy.
func TestOutage(t *testing.T) {
	c := newCluster(t)
	k := c.startKubelet(1, false)
	var out atomic.Bool
	running := c.start(1, func(req *http.Request) error {
		if out.Load() && !strings.Contains(req.URL.Path, "/leases") {
			return errors.New("the API server takes no writes")
		}
		return nil
	})
	var names []string
	submit := func(prefix string, n int) {
		for i := range n {
			names = append(names, fmt.Sprintf("%s-%d", prefix, i))
			c.submit(names[len(names)-1], strings.Replace(nightly, "MUTEX", "m", 1))
		}
	}
	submit("before", 20)
	c.await("some pods", func() bool { return len(c.pods("")) > 0 })
	out.Store(true)
	submit("during", 10)
	length := 20 * time.Second
	if os.Getenv(envChaos) == "long" {
		length = time.Minute
	}
	time.Sleep(length)
	require.Less(t, c.complete(), len(names))
	out.Store(false)
	over := time.Now()
	c.await("all complete", func() bool { return c.complete() == len(names) })
	took := time.Since(over).Round(100 * time.Millisecond)
	t.Logf("all complete %s after the end of an outage of %s: %s", took, length, running.writes)
	c.awaitAll(k, names)
	k.once()
	if length == time.Minute { // nobody measures on a machine that is busy
		require.Less(t, took, 15*time.Second)
	}
}

// A kubelet's clock is an hour ahead. That ends nothing before its time, whoever writes the workflow then.
func TestSkewedClock(t *testing.T) {
	c := newCluster(t)
	running := c.start(1, nil)
	c.submit("skewed", `
spec:
  entrypoint: main
  activeDeadlineSeconds: 1800
  templates:
    - name: main
      dag: {tasks: [{name: a, template: one}, {name: b, template: one, dependencies: [a]}]}
    - {name: one, container: {image: busybox}}`)
	pod := c.awaitPod("skewed", "skewed.a", nil)
	ahead := metav1.NewTime(time.Now().Add(time.Hour))
	c.report(pod, corev1.PodSucceeded, corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{StartedAt: ahead, FinishedAt: ahead}})
	pod = c.awaitPod("skewed", "skewed.b", nil)
	c.runs(pod)
	c.awaitNode("skewed", "skewed.b", "Running")
	c.patch("skewed", `{"metadata": {"labels": {"touched": "yes"}}}`)
	running.stop()
	c.start(1, nil)
	c.patch("skewed", `{"metadata": {"labels": {"touched": "again"}}}`)
	c.succeeds(pod)
	c.awaitPhase("skewed", nodegraph.PhaseSucceeded)
}
