package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
)

// envChaos set to "long" makes TestChaos five times as large, with four times as many kills.
const envChaos = "NODESTATUS_CHAOS"

// kinds are workflows of ten kinds, with the phase that each ends in. NUMBER is put in: workflows with one number share locks.
// A pod says in LOCK what it runs under, and how many may: "name:limit", with "workflow " before it where the workflow holds it.
var kinds = []struct{ phase, spec string }{
	{"Succeeded", `
spec:
  entrypoint: main
  templates:
    - name: main
      dag: {tasks: [{name: a, template: one}, {name: b, template: set, dependencies: [a]}, {name: c, template: locked, depends: "b.Succeeded"}]}
    - {name: set, RETRY, containerSet: {containers: [{name: x, image: busybox}, {name: main, image: busybox, dependencies: [x]}]}}
    - {name: locked, synchronization: {mutexes: [{name: m-NUMBER}]}, RETRY, container: {image: busybox, env: [{name: LOCK, value: "m-NUMBER:1"}]}}
    - {name: one, RETRY, container: {image: busybox}}`},
	{"Succeeded", `
spec:
  entrypoint: main
  onExit: one
  templates:
    - name: main
      steps: [[{name: a, template: one, withSequence: {count: "3"}}], [{name: b, template: bad, continueOn: {failed: true}}, {name: skipped, template: one, when: "1 == 2"}]]
    - {name: bad, container: {image: fail}}
    - {name: one, RETRY, container: {image: busybox}}`},
	{"Succeeded", `
spec:
  entrypoint: main
  templates:
    - name: main
      dag: {tasks: [{name: server, template: server}, {name: client, template: one, dependencies: [server]}]}
    - {name: server, daemon: true, container: {image: hold}}
    - {name: one, RETRY, container: {image: busybox}}`},
	{"Succeeded", `
spec:
  entrypoint: main
  templates:
    - {name: main, steps: [[{name: a, template: one}], [{name: wait, template: wait}], [{name: b, template: one}]]}
    - {name: wait, suspend: {duration: "2"}}
    - {name: one, RETRY, container: {image: busybox}}`},
	{"Succeeded", `
spec:
  entrypoint: main
  hooks: {exit: {template: one}, running: {expression: 'workflow.status == "Running"', template: one}}
  templates:
    - name: main
      dag: {tasks: [{name: a, template: one, hooks: {exit: {template: one}, well: {expression: 'tasks.a.status == "Succeeded"', template: one}}}, {name: b, template: one, depends: "a.Succeeded"}]}
    - {name: one, RETRY, container: {image: busybox}}`},
	{"Succeeded", `
spec:
  entrypoint: main
  synchronization: {semaphores: [{configMapKeyRef: {name: limits, key: two}}]}
  templates:
    - {name: main, steps: [[{name: a, template: one}], [{name: b, template: one}]]}
    - {name: one, RETRY, container: {image: busybox, env: [{name: LOCK, value: "workflow two:2"}]}}`},
	{"Succeeded", `
spec:
  entrypoint: main
  synchronization: {mutexes: [{name: w-NUMBER}]}
  templates:
    - {name: main, steps: [[{name: a, template: one}], [{name: b, template: one}]]}
    - {name: one, RETRY, container: {image: busybox, env: [{name: LOCK, value: "workflow w-NUMBER:1"}]}}`},
	{"Failed", `
spec:
  entrypoint: main
  onExit: one
  templates:
    - name: main
      dag: {tasks: [{name: a, template: one}, {name: b, template: bad, dependencies: [a]}, {name: c, template: one, dependencies: [b]}]}
    - {name: bad, synchronization: {mutexes: [{name: b-NUMBER}]}, retryStrategy: {limit: "2", backoff: {duration: "1"}}, container: {image: fail, env: [{name: LOCK, value: "b-NUMBER:1"}]}}
    - {name: one, RETRY, container: {image: busybox}}`},
	{"Failed", `
spec:
  entrypoint: main
  activeDeadlineSeconds: 30
  templates:
    - {name: main, steps: [[{name: a, template: hang}]]}
    - {name: hang, synchronization: {mutexes: [{name: d-NUMBER}]}, container: {image: hold, env: [{name: LOCK, value: "d-NUMBER:1"}]}}`},
	{"Succeeded", `
spec:
  entrypoint: main
  parallelism: 2
  templates:
    - {name: main, dag: {tasks: [{name: a, template: one, withItems: [1, 2, 3, 4]}, {name: b, template: one, depends: a}]}}
    - {name: one, RETRY, container: {image: busybox}}`},
}

// Two replicas of four shards are killed and start again, a quarter of their writes fail in six ways, and the API server is killed
// and stops answering for a while. In the end every workflow is as it should be, no pod was made twice and no lock was held twice.
func TestChaos(t *testing.T) {
	n, kills, seed := 100, 25, uint64(time.Now().Unix())
	if os.Getenv(envChaos) == "long" {
		n, kills = 500, 100
	}
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	c := newCluster(t)
	k := c.startKubelet(seed, true)
	c.limits("two", "2")
	replicas := []*supervised{c.supervise("first"), c.supervise("second")}
	began := time.Now()
	want := make(map[string]string)
	for i := range n {
		kind := kinds[i%len(kinds)]
		name := fmt.Sprintf("chaos-%d", i)
		spec := strings.NewReplacer("NUMBER", strconv.Itoa(i/len(kinds)%5), "RETRY", `retryStrategy: {limit: "30", retryPolicy: Always}`).Replace(kind.spec)
		c.submit(name, spec)
		want[name] = kind.phase
	}
	killed := 0
	for ; killed < kills && c.complete() < n; killed++ {
		time.Sleep(time.Second + time.Duration(random.IntN(2000))*time.Millisecond)
		replicas[random.IntN(len(replicas))].kill()
		switch killed % 25 {
		case 8:
			c.signalAPIServer(syscall.SIGKILL)
		case 16:
			c.freezeAPIServer(5 * time.Second)
		}
	}
	last, since := -1, time.Now()
	for done := 0; done < n; done = c.complete() {
		if done != last {
			last, since = done, time.Now()
		}
		if time.Since(since) > patience {
			c.unfinished()
			require.Fail(t, "stuck", "%d of %d complete", done, n)
		}
		time.Sleep(200 * time.Millisecond)
	}
	for name, phase := range want {
		require.Equal(t, phase, c.stored(name, "phase"), "%s, seed %d: %v", name, seed, c.nodes(name))
		c.healthy(name)
	}
	k.once()
	t.Logf("%d workflows, %d kills, %d pods: %s", n, killed, len(k.created), time.Since(began).Round(time.Second))
}

// A supervised replica is started again whenever it has ended.
type supervised struct {
	mu      sync.Mutex
	process *os.Process
	stopped bool
}

func (c *cluster) supervise(name string) *supervised {
	c.Helper()
	s := &supervised{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for round := 0; ; round++ {
			s.mu.Lock()
			if s.stopped {
				s.mu.Unlock()
				return
			}
			cmd := c.replicaCommand(fmt.Sprintf("%s-%d", name, round), replicaConfig{control.kubeconfig, c.namespace, 4, true})
			err := cmd.Start()
			s.process = cmd.Process
			s.mu.Unlock()
			if err == nil {
				_ = cmd.Wait() // it was killed, or lost its lease
			}
		}
	}()
	c.Cleanup(func() {
		s.mu.Lock()
		s.stopped = true
		s.mu.Unlock()
		s.kill()
		<-done
	})
	return s
}

func (s *supervised) kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.process.Kill() // it may be dead already
}

// freezeAPIServer stops the API server for a while, so that requests get no answer meanwhile.
func (c *cluster) freezeAPIServer(d time.Duration) {
	c.Helper()
	c.signalAPIServer(syscall.SIGSTOP)
	time.Sleep(d)
	c.signalAPIServer(syscall.SIGCONT)
}

// faulty fails a quarter of all writes, but those of leases.
type faulty struct{ next http.RoundTripper }

func (f *faulty) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method == http.MethodGet || strings.Contains(req.URL.Path, "/leases") || rand.IntN(4) > 0 {
		return f.next.RoundTrip(req)
	}
	switch rand.IntN(6) {
	case 0:
		return nil, errors.New("the connection was refused")
	case 1:
		return refusal(req, http.StatusServiceUnavailable, "ServiceUnavailable"), nil
	case 2:
		return refusal(req, http.StatusInternalServerError, "InternalError"), nil
	case 3:
		return refusal(req, http.StatusConflict, "Conflict"), nil
	case 4: // it is done, and nobody hears of it
		resp, err := f.next.RoundTrip(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		return nil, errors.Join(errors.New("the connection was reset"), err)
	}
	select { // it comes late
	case <-time.After(time.Second):
	case <-req.Context().Done():
		return nil, context.Cause(req.Context())
	}
	return f.next.RoundTrip(req)
}

func refusal(req *http.Request, code int, reason string) *http.Response {
	body := fmt.Sprintf(`{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": %q, "code": %d, "message": "a fault"}`, reason, code)
	return &http.Response{
		StatusCode: code, Request: req, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(body)),
	}
}

// holds takes note of what a pod runs under, or not any more, and fails the test where too many do.
func (k *kubelet) holds(pod *corev1.Pod, runs bool) {
	for _, env := range pod.Spec.Containers[0].Env {
		lock, limit, _ := strings.Cut(env.Value, ":")
		most, err := strconv.Atoi(limit)
		if env.Name != "LOCK" || err != nil {
			continue
		}
		holder := pod.Name
		if strings.HasPrefix(lock, "workflow ") {
			holder = pod.Labels[labelWorkflow]
		}
		if k.holders[lock] == nil {
			k.holders[lock] = make(map[string]bool)
		}
		if runs {
			k.holders[lock][holder] = true
		} else {
			delete(k.holders[lock], holder)
		}
		if len(k.holders[lock]) > most {
			k.c.Errorf("%s is held by %v", env.Value, k.holders[lock])
		}
	}
}
