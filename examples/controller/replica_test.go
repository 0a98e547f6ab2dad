package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	coordination "k8s.io/api/coordination/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/podstatus/kube/shards"
)

// envReplica makes the test binary a replica of the controller: it names a file with what it runs with.
const envReplica = "NODESTATUS_REPLICA"

type replicaConfig struct {
	Kubeconfig []byte
	Namespace  string
	Shards     int
	Chaos      bool // its writes fail, and its leases are short
}

// replica runs the controller in this process, as main does, until it is killed.
func replica(file string) int {
	ctrl.SetLogger(logr.FromSlogHandler(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})))
	var r replicaConfig
	data, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(data, &r)
	}
	if err == nil {
		err = r.serve()
	}
	fmt.Fprintln(os.Stderr, "replica:", err)
	return 1
}

func (r *replicaConfig) serve() error {
	config, err := clientcmd.RESTConfigFromKubeConfig(r.Kubeconfig)
	if err != nil {
		return err
	}
	config.QPS = -1
	o := options{Division: shards.Division{Count: r.Shards, Namespace: r.Namespace, LeaseNamespace: r.Namespace}, metricsAddress: "0", workers: 4, lull: time.Second}
	o.manager.HealthProbeBindAddress = "0"
	// A successor is to take over within seconds.
	o.manager.LeaseDuration, o.manager.RenewDeadline, o.manager.RetryPeriod = new(15*time.Second), new(10*time.Second), new(time.Second)
	if r.Chaos {
		o.manager.LeaseDuration, o.manager.RenewDeadline, o.manager.RetryPeriod = new(5*time.Second), new(4*time.Second), new(500*time.Millisecond)
		config.Wrap(func(next http.RoundTripper) http.RoundTripper { return &faulty{next} })
	}
	return serve(context.Background(), config, o, newMetrics(prometheus.NewRegistry()))
}

// startReplica runs a replica in a process of its own.
func (c *cluster) startReplica(name string, count int) *exec.Cmd {
	c.Helper()
	cmd := c.replicaCommand(name, replicaConfig{control.kubeconfig, c.namespace, count, false})
	require.NoError(c, cmd.Start())
	c.Cleanup(func() {
		_ = cmd.Process.Kill() // it may be dead already
		_ = cmd.Wait()
	})
	return cmd
}

// replicaCommand is what runs a replica.
func (c *cluster) replicaCommand(name string, r replicaConfig) *exec.Cmd {
	dir := c.TempDir()
	data, err := json.Marshal(r)
	require.NoError(c, err)
	file := filepath.Join(dir, "replica.json")
	require.NoError(c, os.WriteFile(file, data, 0o600))
	self, err := os.Executable()
	require.NoError(c, err)
	program, err := mortal(dir, name, self)
	require.NoError(c, err)
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), envReplica+"="+file)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	return cmd
}

// leaders returns who holds the leases, by their names.
func (c *cluster) leaders() map[string]string {
	c.Helper()
	var list coordination.LeaseList
	require.NoError(c, c.client.List(c.Context(), &list, client.InNamespace(c.namespace)))
	holders := make(map[string]string)
	for _, l := range list.Items {
		if l.Spec.HolderIdentity != nil && *l.Spec.HolderIdentity != "" {
			holders[l.Name] = *l.Spec.HolderIdentity
		}
	}
	return holders
}

// Two replicas, two shards. The one that leads both is killed in the middle; the other takes over, and in the end nothing
// was lost and nothing was done twice.
func TestReplicaKilled(t *testing.T) {
	const n, parts, seed = 40, 2, 3
	c := newCluster(t)
	k := c.startKubelet(seed, true)
	first := c.startReplica("first", parts)
	c.await("the first replica leads", func() bool { return len(c.leaders()) == parts+1 })
	leaders := c.leaders()
	c.startReplica("second", parts)

	names := c.submitMany(n)
	c.await("some are complete", func() bool { return c.complete() > 0 })
	require.NoError(t, first.Process.Kill())
	require.Less(t, c.complete(), n, "it is to be killed in the middle")
	c.awaitAll(k, names)
	k.once()
	for lease, leader := range c.leaders() {
		require.NotEqual(t, leaders[lease], leader, lease)
	}
	count := make(map[string]int)
	for _, name := range names {
		object, _ := c.workflow(name)
		count[object.GetLabels()[shards.Label]]++
	}
	require.Len(t, count, parts, "workflows by shard: %v", count)
}

// asking counts how often a replica has asked for leases.
type asking struct {
	next   http.RoundTripper
	leases *atomic.Int64
}

func (a *asking) RoundTrip(req *http.Request) (*http.Response, error) {
	if strings.Contains(req.URL.Path, "/leases/") {
		a.leases.Add(1)
	}
	return a.next.RoundTrip(req)
}

// Shards are spread over the replicas: at the start, when a replica takes the place of another, and when one comes back. While one is
// away the other leads all.
func TestShardsAreSpread(t *testing.T) {
	c := newCluster(t)
	start := func() *running {
		var leases atomic.Int64
		user := rest.CopyConfig(control.config)
		user.Wrap(func(next http.RoundTripper) http.RoundTripper { return &asking{next, &leases} })
		replica := c.startAs(user, 4, nil, func(o *options) {
			o.replicas, o.manager.RetryPeriod = 2, new(300*time.Millisecond)
		})
		c.await("it asks for leases", func() bool { return leases.Load() >= 4 })
		return replica
	}
	spread := func(want ...int) {
		t.Helper()
		c.await(fmt.Sprintf("shards by replica are to be %v", want), func() bool {
			leads := make(map[string]int)
			for name, holder := range c.leaders() {
				if strings.HasPrefix(name, "nodestatus-shard-") {
					leads[holder]++
				}
			}
			return slices.Equal(want, slices.Sorted(maps.Values(leads)))
		})
	}
	first, second := start(), start()
	spread(2, 2)
	third := start() // a rollout: the new one is there before the old one goes
	first.stop()
	spread(2, 2)
	fourth := start()
	second.stop()
	spread(2, 2)
	third.stop()
	spread(4)
	fourth.stop()
	spread()
}

// The number of shards is changed while a replica with the old one still leads. The new leaders wait for it to end, then go on with
// its workflows and pods, and no lock is held twice.
func TestMoreShards(t *testing.T) {
	c := newCluster(t)
	k, one := c.heldUnderOneShard()
	names := c.submitLocked("early", 12)
	c.start(4, nil)
	c.await("the new replica leads", func() bool { return len(c.leaders()) == 1+4+1 })
	names = append(names, c.submitLocked("late", 12)...)
	c.await("all have shards", func() bool { return c.shardOf(names[len(names)-1]) != "" })
	time.Sleep(2 * time.Second) // in which the new leaders would do something
	require.Len(t, c.pods(""), 1)
	one.stop()
	c.patch("holder", `{"spec": {"shutdown": "Terminate"}}`)
	c.awaitPhase("holder", nodegraph.PhaseFailed)
	c.awaitAll(k, names)
	k.once()
}

// While nobody leads, the number of shards is changed, and what holds a lock is to end or is gone already. Its pod, which is of no new shard,
// is ended before anybody else gets the lock, and is let go.
func TestMoreShardsWhileNobodyLeads(t *testing.T) {
	for _, does := range []struct {
		what string
		with func(c *cluster)
	}{
		{"the holder is to end", func(c *cluster) { c.patch("holder", `{"spec": {"shutdown": "Terminate"}}`) }},
		{"the holder is deleted", func(c *cluster) {
			object, _ := c.workflow("holder")
			require.NoError(c, c.client.Delete(c.Context(), object))
		}},
		{"the holder is complete, as far as its record tells", func(c *cluster) {
			c.patch("holder", `{"metadata": {"labels": {"workflows.argoproj.io/completed": "true"}}, "status": {"phase": "Failed"}}`)
		}},
	} {
		t.Run(does.what, func(t *testing.T) {
			c := newCluster(t)
			k, one := c.heldUnderOneShard()
			names := c.submitLocked("next", 3)
			one.stop()
			does.with(c)
			c.start(4, nil)
			c.awaitAll(k, names)
			k.once()
		})
	}
}

// heldUnderOneShard has a workflow hold a lock, and returns the one replica, of one shard, that has granted it.
func (c *cluster) heldUnderOneShard() (*kubelet, *running) {
	c.Helper()
	k := c.startKubelet(4, false)
	c.submit("holder", strings.NewReplacer("NUMBER", "0", ", RETRY", "", "busybox", "hold").Replace(kinds[6].spec))
	one := c.start(1, nil)
	c.awaitNode("holder", "holder[0].a", "Running")
	return k, one
}

// submitLocked submits n workflows that want the same lock.
func (c *cluster) submitLocked(prefix string, n int) (names []string) {
	c.Helper()
	for k := range n {
		name := fmt.Sprintf("%s-%d", prefix, k)
		c.submit(name, strings.NewReplacer("NUMBER", "0", ", RETRY", "").Replace(kinds[6].spec))
		names = append(names, name)
	}
	return names
}

func (c *cluster) shardOf(name string) string {
	c.Helper()
	object, _ := c.workflow(name)
	return object.GetLabels()[shards.Label]
}
