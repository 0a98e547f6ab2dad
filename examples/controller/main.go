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
	"k8s.io/client-go/tools/events"
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
	lull           time.Duration
	subresource    bool
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
	flag.DurationVar(&o.lull, "lull", time.Second, "how long is waited before what nothing follows from is stored, such as that a pod runs")
	flag.BoolVar(&o.subresource, "status-subresource", false, "the resource has a status subresource, which Argo's Workflow has not")
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
	opts.Cache.DefaultNamespaces = o.namespaces()
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
		mgr.GetFieldIndexer().IndexField(context.Background(), &corev1.Pod{}, indexOwner, ownerOf),
		addReconciler(mgr, o, s, m), addExpirer(mgr, o, s))
	return mgr, err
}

// addReconciler adds what runs the workflows of a shard.
func addReconciler(mgr manager.Manager, o options, s shard, m *metrics) error {
	r := newReconciler(mgr.GetClient(), mgr.GetAPIReader(), mgr.GetEventRecorder("nodestatus"))
	r.shard, r.metrics, r.namespace, r.lull, r.subresource = s, m, o.namespace, o.lull, o.subresource
	queue := source.Func(func(_ context.Context, q queue) error {
		r.locks.wake = func(requests ...reconcile.Request) {
			for _, request := range requests {
				q.Add(request)
			}
		}
		return nil
	})
	owner := handler.EnqueueRequestForOwner(mgr.GetScheme(), mgr.GetRESTMapper(), newWorkflow(), handler.OnlyControllerOwner())
	return builder.ControllerManagedBy(mgr).
		Named("workflow-"+s.String()).
		For(newWorkflow()).
		Watches(&corev1.Pod{}, gathering{owner}).
		Watches(&corev1.ConfigMap{}, handler.EnqueueRequestsFromMapFunc(r.locks.waiting)).
		WatchesRawSource(queue).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: o.workers, SkipNameValidation: new(true),
			RateLimiter: workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](50*time.Millisecond, longestWait),
		}).
		Complete(r)
}

type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// gathering has a workflow wait a little when one of its pods looks different, for others to do the same.
type gathering struct{ handler.EventHandler }

// Update has the workflow wait.
func (g gathering) Update(ctx context.Context, e event.UpdateEvent, q queue) {
	g.EventHandler.Update(ctx, e, patient{q})
}

// A patient queue adds everything later.
type patient struct{ queue }

// Add adds a workflow later.
func (p patient) Add(request reconcile.Request) { p.AddAfter(request, gathered) }

// newReconciler makes a reconciler of all workflows, which are all the cluster has.
func newReconciler(c client.Client, live client.Reader, recorder events.EventRecorder) *reconciler {
	return &reconciler{
		client: c, live: live, recorder: recorder, locks: &locks{configs: c}, now: time.Now, atOnce: 16,
		runs: make(map[types.NamespacedName]*run),
	}
}

// addExpirer adds what deletes workflows whose time has come. It has a cache of its own, of their metadata.
func addExpirer(mgr manager.Manager, o options, s shard) error {
	opts := cache.Options{
		HTTPClient: mgr.GetHTTPClient(), Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper(),
		DefaultNamespaces: o.namespaces(), DefaultLabelSelector: s.expiring(), DefaultTransform: cache.TransformStripManagedFields(),
	}
	expiring, err := cache.New(mgr.GetConfig(), opts)
	if err != nil {
		return err
	}
	return errors.Join(mgr.Add(expiring), builder.ControllerManagedBy(mgr).
		Named("expiry-"+s.String()).
		WatchesRawSource(source.Kind[client.Object](expiring, newMetadata(), &handler.EnqueueRequestForObject{})).
		WithOptions(controller.Options{SkipNameValidation: new(true)}).
		Complete(&expirer{expiring, mgr.GetClient()}))
}

// namespaces are those that are served, none for all.
func (o *options) namespaces() map[string]cache.Config {
	if o.namespace == "" {
		return nil
	}
	return map[string]cache.Config{o.namespace: {}}
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
