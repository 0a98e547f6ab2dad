// Command controller runs Argo Workflows in a cluster with package propagate: it watches Workflow objects and their
// pods, stores what the library says of the nodes, and does what the library asks for. It is an example of how a
// controller embeds the library: it keeps no outputs, and refuses by name what it does not do.
//
// The parts, in the order in which data flows: manager.go (who calls whom), observe.go (pods), reconcile.go and settle.go (the loop),
// run.go and load.go (what is in memory), effects.go (what is done), locks.go, metrics.go. What a workflow looks like is in
// workflow.go; what of it pods are made from is in package podspec, and who leads what is in package shards.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/go-logr/logr"
	"github.com/nodestatus/nodestatus/propagate/podstatus/kube/shards"
	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	registry "sigs.k8s.io/controller-runtime/pkg/metrics"
)

// options are what the command line says.
type options struct {
	shards.Division
	replicas       int
	metricsAddress string
	metricsSecure  bool
	workers        int
	lull           time.Duration
	subresource    bool
	manager        manager.Options // leases, probes and pprof
}

func main() {
	var o options
	m := &o.manager
	m.LeaseDuration, m.RenewDeadline, m.RetryPeriod = new(time.Duration), new(time.Duration), new(time.Duration)
	flag.IntVar(&o.Count, "shards", 1, "into how many `shards` workflows are divided; the same for all replicas")
	flag.IntVar(&o.replicas, "replicas", 1, "how many `replicas` there are, over which the shards are spread")
	flag.StringVar(&o.Instance, "instance", "", "the `id` that workflows name in the label "+shards.LabelInstance+"; without an id those that name none are run")
	flag.StringVar(&o.Namespace, "namespace", "", "the only `namespace` that is served")
	flag.StringVar(&o.LeaseNamespace, "lease-namespace", "", "the `namespace` of the leases; that of -namespace, or default")
	flag.StringVar(&o.metricsAddress, "metrics", ":8080", "the `address` that serves metrics; 0 for none")
	flag.BoolVar(&o.metricsSecure, "metrics-secure", false, "serve metrics by TLS to those alone who may get /metrics")
	flag.StringVar(&m.HealthProbeBindAddress, "probes", ":8081", "the `address` that serves /healthz and /readyz; 0 for none")
	flag.StringVar(&m.PprofBindAddress, "pprof", "", "the `address` that serves profiles; none if empty")
	flag.DurationVar(m.LeaseDuration, "lease-duration", 15*time.Second, "how long a lease lasts that is not renewed")
	flag.DurationVar(m.RenewDeadline, "renew-deadline", 10*time.Second, "how long a leader tries to renew its lease before it stops")
	flag.DurationVar(m.RetryPeriod, "retry-period", 2*time.Second, "how long is waited between tries")
	flag.IntVar(&o.workers, "workers", 8, "how many workflows of a shard are looked at at a time")
	flag.DurationVar(&o.lull, "lull", time.Second, "how long is waited before what nothing follows from is stored, such as that a pod runs")
	flag.BoolVar(&o.subresource, "status-subresource", false, "the resource has a status subresource, which Argo's Workflow has not")
	flag.Parse() // -kubeconfig is a flag of controller-runtime
	o.LeaseNamespace = cmp.Or(o.LeaseNamespace, o.Namespace, "default")
	ctrl.SetLogger(logr.FromSlogHandler(slog.NewTextHandler(os.Stderr, nil)))

	config, err := ctrl.GetConfig()
	if err == nil {
		config.QPS = -1 // the API server's priority and fairness limits us
		err = serve(ctrl.SetupSignalHandler(), config, o, newMetrics(registry.Registry))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "controller:", err)
		os.Exit(1)
	}
}

// serve runs a manager for each shard, and with several shards one that divides the workflows, until ctx ends. Each
// leads when it gets its lease. One that loses it ends the process, which starts anew.
func serve(ctx context.Context, config *rest.Config, o options, m *metrics) error {
	o.Kind = workflowKind
	replica, err := shards.NewReplica(o.Count, o.replicas, 3**o.manager.RetryPeriod)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	for k := range o.Count {
		mgr, err := newShardManager(config, o, o.Shard(k), replica, m)
		if err != nil {
			return err
		}
		group.Go(func() error { return mgr.Start(ctx) })
	}
	if o.Count > 1 {
		mgr, err := newAssignerManager(config, o)
		if err != nil {
			return err
		}
		group.Go(func() error { return mgr.Start(ctx) })
	}
	return group.Wait()
}
