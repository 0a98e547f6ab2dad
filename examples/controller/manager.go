package main

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/nodestatus/nodestatus/propagate/podstatus/kube/expiry"
	"github.com/nodestatus/nodestatus/propagate/podstatus/kube/shards"
	"github.com/nodestatus/nodestatus/propagate/podstatus/semaphore"
	coordination "k8s.io/api/coordination/v1"
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
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"
)

// managerOptions are what all managers have in common.
func (o *options) managerOptions(lease string) (manager.Options, error) {
	opts := o.manager
	opts.Scheme = runtime.NewScheme()
	opts.LeaderElection, opts.LeaderElectionID, opts.LeaderElectionNamespace = true, lease, o.LeaseNamespace
	opts.LeaderElectionReleaseOnCancel = true // nothing is done after Start has returned
	opts.Metrics = server.Options{BindAddress: "0"}
	opts.Cache.DefaultTransform = cache.TransformStripManagedFields()
	if o.Namespace != "" {
		opts.Cache.DefaultNamespaces = map[string]cache.Config{o.Namespace: {}}
	}
	// A Workflow is read from the cache too, although it is unstructured.
	opts.Client.Cache = &client.CacheOptions{Unstructured: true}
	return opts, errors.Join(corev1.AddToScheme(opts.Scheme), coordination.AddToScheme(opts.Scheme))
}

// newShardManager makes the manager of one shard.
func newShardManager(config *rest.Config, o options, s shards.Shard, replica *shards.Replica, m *metrics) (manager.Manager, error) {
	opts, err := o.managerOptions(s.LeaseName())
	if err != nil {
		return nil, err
	}
	if opts.LeaderElectionResourceLockInterface, err = replica.Lease(config, s, *opts.RenewDeadline); err != nil {
		return nil, err
	}
	if s.Index > 0 { // the servers of the process are those of the first
		opts.HealthProbeBindAddress, opts.PprofBindAddress = "0", ""
	} else if opts.Metrics.BindAddress = o.metricsAddress; o.metricsSecure {
		opts.Metrics.SecureServing, opts.Metrics.FilterProvider = true, filters.WithAuthenticationAndAuthorization
	}
	opts.Cache.ByObject = map[client.Object]cache.ByObject{
		newWorkflow():       {Label: s.Unfinished()},
		&corev1.Pod{}:       {Label: s.Watched()},
		&corev1.ConfigMap{}: {Transform: semaphore.NumbersOnly},
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
		addReconciler(mgr, o, s, m), expiry.Add(mgr, s))
	return mgr, err
}

// addReconciler adds what runs the workflows of a shard.
func addReconciler(mgr manager.Manager, o options, s shards.Shard, m *metrics) error {
	r := newReconciler(mgr.GetClient(), mgr.GetAPIReader(), mgr.GetEventRecorder("nodestatus"))
	r.shard, r.metrics, r.lull, r.subresource = s, m, o.lull, o.subresource
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

// newAssignerManager makes the manager that labels workflows with their shards.
func newAssignerManager(config *rest.Config, o options) (manager.Manager, error) {
	opts, err := o.managerOptions(o.LeaseName("nodestatus-shards"))
	if err != nil {
		return nil, err
	}
	opts.HealthProbeBindAddress, opts.PprofBindAddress = "0", ""
	opts.Cache.ByObject = o.AssignerCache()
	mgr, err := ctrl.NewManager(config, opts)
	if err != nil {
		return nil, err
	}
	return mgr, o.AddAssigners(mgr, asWorkflow)
}
