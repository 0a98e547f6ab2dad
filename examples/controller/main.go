// Command controller runs Argo Workflows in a cluster with package propagate: it watches Workflow objects and their
// pods, stores what the library says of the nodes, and does what the library asks for. It is an example of how a
// controller embeds the library, and small: it keeps no outputs and orders no containers, and refuses by name what it does not do.
//
// The parts, in the order in which data flows: observe.go (pods), reconcile.go (the loop), load.go (what is in memory),
// effects.go (what is done), locks.go, shard.go (several leaders), metrics.go. What a workflow looks like is in workflow.go, what
// of it is carried out in fields.go, values.go and pod.go.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	registry "sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"
)

// options are what the command line says.
type options struct {
	shards         int
	instance       string
	namespace      string // watched; all if empty
	leaseNamespace string
	metricsAddress string
	metricsSecure  bool
	workers        int
	manager        manager.Options // leases, probes and pprof
}

func main() {
	var o options
	m := &o.manager
	m.LeaseDuration, m.RenewDeadline, m.RetryPeriod = new(time.Duration), new(time.Duration), new(time.Duration)
	flag.IntVar(&o.shards, "shards", 1, "into how many `shards` workflows are divided; the same for all replicas")
	flag.StringVar(&o.instance, "instance", "", "the `id` that workflows name in the label "+labelInstance+"; without an id those that name none are run")
	flag.StringVar(&o.namespace, "namespace", "", "the only `namespace` that is served")
	flag.StringVar(&o.leaseNamespace, "lease-namespace", "", "the `namespace` of the leases; that of -namespace, or default")
	flag.StringVar(&o.metricsAddress, "metrics", ":8080", "the `address` that serves metrics; 0 for none")
	flag.BoolVar(&o.metricsSecure, "metrics-secure", false, "serve metrics by TLS to those alone who may get /metrics")
	flag.StringVar(&m.HealthProbeBindAddress, "probes", ":8081", "the `address` that serves /healthz and /readyz; 0 for none")
	flag.StringVar(&m.PprofBindAddress, "pprof", "", "the `address` that serves profiles; none if empty")
	flag.DurationVar(m.LeaseDuration, "lease-duration", 15*time.Second, "how long a lease lasts that is not renewed")
	flag.DurationVar(m.RenewDeadline, "renew-deadline", 10*time.Second, "how long a leader tries to renew its lease before it stops")
	flag.DurationVar(m.RetryPeriod, "retry-period", 2*time.Second, "how long is waited between tries")
	flag.IntVar(&o.workers, "workers", 8, "how many workflows of a shard are looked at at a time")
	flag.Parse() // -kubeconfig is a flag of controller-runtime
	o.leaseNamespace = cmp.Or(o.leaseNamespace, o.namespace, "default")
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
	group, ctx := errgroup.WithContext(ctx)
	for k := range o.shards {
		mgr, err := newShardManager(config, o, shard{k, o.shards, o.instance}, m)
		if err != nil {
			return err
		}
		group.Go(func() error { return mgr.Start(ctx) })
	}
	if o.shards > 1 {
		mgr, err := newAssignerManager(config, o)
		if err != nil {
			return err
		}
		group.Go(func() error { return mgr.Start(ctx) })
	}
	return group.Wait()
}

// managerOptions are what all managers have in common.
func (o *options) managerOptions(lease string) (manager.Options, error) {
	opts := o.manager
	opts.Scheme = runtime.NewScheme()
	if o.instance != "" {
		lease = o.instance + "-" + lease
	}
	opts.LeaderElection, opts.LeaderElectionID, opts.LeaderElectionNamespace = true, lease, o.leaseNamespace
	opts.LeaderElectionReleaseOnCancel = true // nothing is done after Start has returned
	opts.Metrics = server.Options{BindAddress: "0"}
	opts.Cache.DefaultTransform = cache.TransformStripManagedFields()
	if o.namespace != "" {
		opts.Cache.DefaultNamespaces = map[string]cache.Config{o.namespace: {}}
	}
	// A Workflow is read from the cache too, although it is unstructured.
	opts.Client.Cache = &client.CacheOptions{Unstructured: true}
	return opts, corev1.AddToScheme(opts.Scheme)
}

// newShardManager makes the manager of one shard.
func newShardManager(config *rest.Config, o options, s shard, m *metrics) (manager.Manager, error) {
	opts, err := o.managerOptions("nodestatus-shard-" + s.String())
	if err != nil {
		return nil, err
	}
	if s.index > 0 { // the servers of the process are those of the first
		opts.HealthProbeBindAddress, opts.PprofBindAddress = "0", ""
	} else if opts.Metrics.BindAddress = o.metricsAddress; o.metricsSecure {
		opts.Metrics.SecureServing, opts.Metrics.FilterProvider = true, filters.WithAuthenticationAndAuthorization
	}
	opts.Cache.ByObject = map[client.Object]cache.ByObject{
		newWorkflow():       {Label: s.unfinished()},
		&corev1.Pod{}:       {Label: s.watched()},
		&corev1.ConfigMap{}: {Transform: numbersOnly},
	}
	mgr, err := ctrl.NewManager(config, opts)
	if err != nil {
		return nil, err
	}
	synced := func(req *http.Request) error {
		if !mgr.GetCache().WaitForCacheSync(req.Context()) {
			return errors.New("the cache is not filled yet")
		}
		return nil
	}
	err = errors.Join(mgr.AddHealthzCheck("ping", healthz.Ping), mgr.AddReadyzCheck("cache", synced),
		mgr.GetFieldIndexer().IndexField(context.Background(), &corev1.Pod{}, indexOwner, ownerOf))
	if err != nil {
		return nil, err
	}
	woken := make(chan event.GenericEvent, 1024)
	r := newReconciler(mgr, s, m, woken)
	r.namespace = o.namespace
	owner := handler.EnqueueRequestForOwner(mgr.GetScheme(), mgr.GetRESTMapper(), newWorkflow(), handler.OnlyControllerOwner())
	return mgr, builder.ControllerManagedBy(mgr).
		Named("workflow-"+s.String()).
		For(newWorkflow()).
		Watches(&corev1.Pod{}, owner).
		Watches(&corev1.ConfigMap{}, r.locks).
		WatchesRawSource(source.Channel(woken, &handler.EnqueueRequestForObject{})).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: o.workers, SkipNameValidation: new(true),
			RateLimiter: workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](50*time.Millisecond, longestWait),
		}).
		Complete(r)
}

// newReconciler makes the reconciler of a shard. It says on woken which workflows have got a lock.
func newReconciler(mgr manager.Manager, s shard, m *metrics, woken chan<- event.GenericEvent) *reconciler {
	return &reconciler{
		client: mgr.GetClient(), live: mgr.GetAPIReader(), recorder: mgr.GetEventRecorder("nodestatus"),
		shard: s, metrics: m, runs: make(map[types.NamespacedName]*run),
		locks: newLocks(func(key types.NamespacedName) {
			object := newWorkflow()
			object.SetNamespace(key.Namespace)
			object.SetName(key.Name)
			woken <- event.GenericEvent{Object: object}
		}),
	}
}

// newAssignerManager makes the manager that labels workflows with their shards.
func newAssignerManager(config *rest.Config, o options) (manager.Manager, error) {
	opts, err := o.managerOptions("nodestatus-shards")
	if err != nil {
		return nil, err
	}
	opts.HealthProbeBindAddress, opts.PprofBindAddress = "0", ""
	opts.Cache.ByObject = map[client.Object]cache.ByObject{newWorkflow(): {Label: unassigned(o.shards, o.instance)}}
	mgr, err := ctrl.NewManager(config, opts)
	if err != nil {
		return nil, err
	}
	return mgr, builder.ControllerManagedBy(mgr).
		Named("shards").
		For(newWorkflow()).
		WithOptions(controller.Options{SkipNameValidation: new(true)}).
		Complete(&assigner{mgr.GetClient(), o.shards, o.instance})
}
