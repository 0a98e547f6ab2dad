package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// writes counts what a controller writes, by method and resource.
type writes struct {
	before func(*http.Request) error
	reads  atomic.Int64
	mu     sync.Mutex
	count  map[string]int
}

type counted struct {
	*writes
	next http.RoundTripper
}

func (w *counted) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method == http.MethodGet {
		w.reads.Add(1)
		return w.next.RoundTrip(req)
	}
	if w.before != nil {
		if err := w.before(req); err != nil {
			return nil, err
		}
	}
	w.mu.Lock()
	w.count[req.Method+" "+resourceOf(req.URL.Path)]++
	w.mu.Unlock()
	return w.next.RoundTrip(req)
}

// resourceOf is the resource in the path of a namespaced request.
func resourceOf(path string) string {
	_, rest, _ := strings.Cut(path, "/namespaces/")
	if parts := strings.Split(rest, "/"); len(parts) > 1 {
		return parts[1]
	}
	return path
}

func (w *writes) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return fmt.Sprint(w.count, " and ", w.reads.Load(), " reads")
}

// Twenty pods that run at once cost two writes of their workflow, one create and one removal of a finalizer each: what nothing
// follows from is stored with what comes next.
func TestWrites(t *testing.T) {
	const n = 20
	c := newCluster(t)
	c.startKubelet(1, false)
	running := c.startAs(control.config, 1, nil, func(o *options) { o.lull = time.Minute })
	c.submit("wide", fmt.Sprintf(`
spec:
  entrypoint: main
  templates:
    - {name: main, steps: [[{name: t, template: one, withSequence: {count: "%d"}}]]}
    - {name: one, retryStrategy: {limit: "2"}, container: {image: busybox}}`, n))
	c.awaitPhase("wide", nodegraph.PhaseSucceeded)
	c.await("all pods are let go", func() bool {
		return !slices.ContainsFunc(c.pods(""), func(pod corev1.Pod) bool { return len(pod.Finalizers) > 0 })
	})
	running.stop()
	t.Logf("%d parallel pods: %s", n, running.writes)
	require.Equal(t, n, running.writes.count["POST pods"])
	require.Equal(t, n, running.writes.count["PATCH pods"])
	require.LessOrEqual(t, running.writes.count["PATCH workflows"], 2)
	require.Equal(t, "20/20", c.stored("wide", "progress"))
}
