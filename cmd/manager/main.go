/*
Copyright 2026 The DataArts Operator Authors.

Licensed under the Apache License, Version 2.0 (the "License");
you may not use this file except in compliance with the License.
You may obtain a copy of the License at

    http://www.apache.org/licenses/LICENSE-2.0

Unless required by applicable law or agreed to in writing, software
distributed under the License is distributed on an "AS IS" BASIS,
WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
See the License for the specific language governing permissions and
limitations under the License.
*/

// Command manager runs the operator: the controllers of ReleasePackages and DataArtsWorkspaces.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"go.uber.org/zap/zapcore"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/controller"
	"github.com/dataarts-operator/dataarts-operator/internal/workspace"
)

// version is set by the linker.
var version = "dev"

const (
	leaderElectionID = "manager.release.dataarts-operator.io"

	// gcPercent is a quarter of what Go sets. Most of the memory is a cache that hardly changes, so collecting
	// more often costs little and leaves less garbage.
	gcPercent = 25

	// longestCall is the highest spec.timeout of a workspace. A request to pack whose record has begun when the
	// manager is told to stop is made and awaited, and its outcome recorded, for as long as gracePeriod: 10
	// seconds for the first record, and half a minute for the second.
	longestCall = time.Minute
	gracePeriod = longestCall + 45*time.Second

	// shortestSettleTime keeps a request from taking effect after it was given up: a call may take as long as
	// spec.timeout, and the service some time more. Where no real service is called, tests need not wait so
	// long: a request whose spec.timeout does not end within the settle time is never sent.
	shortestSettleTime         = 2 * longestCall
	shortestInsecureSettleTime = 5 * time.Second
)

// options are what the flags say.
type options struct {
	metricsAddress, probeAddress string
	leaderElect                  bool
	leaderElectionNamespace      string
	leaseDuration, renewDeadline time.Duration
	retryPeriod                  time.Duration
	allowInsecureEndpoints       bool
	settleTime                   time.Duration
	maxConcurrentReconciles      int
	watchNamespaces              string
	zap                          zap.Options
}

func main() {
	o := options{zap: zap.Options{TimeEncoder: zapcore.ISO8601TimeEncoder, StacktraceLevel: zapcore.DPanicLevel}}
	flags := flag.CommandLine // --kubeconfig is registered there by controller-runtime.
	o.bind(flags)
	showVersion := flags.Bool("version", false, "Print the version and exit.")
	flag.Parse()
	if *showVersion {
		fmt.Println(version)
		return
	}
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(gcPercent)
	}
	if err := run(o); err != nil {
		fmt.Fprintf(os.Stderr, "manager: %v\n", err)
		os.Exit(1)
	}
}

func (o *options) bind(flags *flag.FlagSet) {
	flags.StringVar(&o.metricsAddress, "metrics-bind-address", ":8080",
		"The address that serves metrics, as plain http on /metrics. 0 serves none.")
	flags.StringVar(&o.probeAddress, "health-probe-bind-address", ":8081",
		"The address that serves the probes /healthz and /readyz.")
	flags.BoolVar(&o.leaderElect, "leader-elect", false,
		"Work only while holding a lease, so that several replicas can stand by. The lease is released on exit.")
	flags.StringVar(&o.leaderElectionNamespace, "leader-election-namespace", "",
		"The namespace of the lease. Empty means the operator's own, which it knows inside a cluster only.")
	flags.DurationVar(&o.leaseDuration, "leader-elect-lease-duration", 15*time.Second,
		"How long the replicas that stand by respect a lease that is not renewed. A failover takes so long after a crash.")
	flags.DurationVar(&o.renewDeadline, "leader-elect-renew-deadline", 10*time.Second,
		"How long the leader tries to renew its lease before it gives up and exits. Less than the lease's duration.")
	flags.DurationVar(&o.retryPeriod, "leader-elect-retry-period", 2*time.Second,
		"How long a replica waits between two tries to get or to renew the lease. Well below the renew deadline.")
	flags.BoolVar(&o.allowInsecureEndpoints, "allow-insecure-endpoints", false,
		"Allow workspaces whose endpoint is plain http, and connections to loopback, link-local and metadata addresses. "+
			"For development only: others can read and change credentials and requests on the way.")
	flags.DurationVar(&o.settleTime, "settle-time", 3*time.Minute,
		"How long a request to pack whose answer was lost may still take effect. A package is packed again only after it, "+
			"and only if the service shows no such package and the items as unpacked. "+
			"At least 2m, or 5s with --allow-insecure-endpoints. "+
			"Nothing is packed through a workspace whose spec.timeout is longer.")
	flags.IntVar(&o.maxConcurrentReconciles, "max-concurrent-reconciles", 100,
		"How many ReleasePackages are worked on at the same time. Most of that time they wait. "+
			"As many withdrawals share a call, up to 100.")
	flags.StringVar(&o.watchNamespaces, "watch-namespaces", "",
		"Comma-separated namespaces to watch. Empty means all. Those that the operator may not read are left out "+
			"until it may; the log and a metric tell of them.")
	o.zap.BindFlags(flags)
}

// check returns what is wrong with the flags.
func (o *options) check() error {
	shortest := shortestSettleTime
	if o.allowInsecureEndpoints {
		shortest = shortestInsecureSettleTime
	}
	if o.settleTime < shortest {
		return fmt.Errorf("--settle-time is %s, within which a request whose answer was lost may still take effect: "+
			"set at least %s", o.settleTime, shortest)
	}
	if err := o.checkLease(); err != nil {
		return err
	}
	if o.maxConcurrentReconciles < 1 {
		return fmt.Errorf("--max-concurrent-reconciles is %d: set at least 1", o.maxConcurrentReconciles)
	}
	if flag.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q: see --help", flag.Arg(0))
	}
	return nil
}

// checkLease asks for what the leader election needs: a leader must know that it has lost the lease before
// another replica begins.
func (o *options) checkLease() error {
	switch {
	case !o.leaderElect:
		return nil
	case o.leaseDuration < time.Second:
		return fmt.Errorf("--leader-elect-lease-duration is %s: set at least 1s, as a lease counts in seconds",
			o.leaseDuration)
	case o.leaseDuration <= o.renewDeadline:
		return fmt.Errorf("--leader-elect-renew-deadline is %s: set less than --leader-elect-lease-duration, which is %s",
			o.renewDeadline, o.leaseDuration)
	case o.retryPeriod <= 0 || o.renewDeadline < 2*o.retryPeriod:
		return fmt.Errorf("--leader-elect-retry-period is %s: set at most half of --leader-elect-renew-deadline, which is %s",
			o.retryPeriod, o.renewDeadline)
	}
	return nil
}

func run(o options) error {
	if err := o.check(); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctrl.SetupSignalHandler())
	defer stop()
	logger := zap.New(zap.UseFlagOptions(&o.zap))
	ctrl.SetLogger(logger.WithSink(calm{logger.GetSink(), ctx}))
	log := ctrl.Log.WithName("setup")

	config, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("finding the cluster (set --kubeconfig or run in a pod): %w", err)
	}
	config.UserAgent = "dataarts-operator/" + version
	opts := o.managerOptions()
	namespaces, err := o.namespaces(ctx, config, &opts, stop)
	if err != nil {
		return err
	}
	mgr, err := ctrl.NewManager(config, opts)
	if err != nil {
		return fmt.Errorf("making the manager: %w", err)
	}
	if namespaces != nil {
		if err := mgr.Add(namespaces); err != nil {
			return fmt.Errorf("adding the look at namespaces: %w", err)
		}
	}
	connections, err := o.addControllers(mgr)
	if err != nil {
		return err
	}
	defer connections.Close()
	if err := mgr.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return err
	}
	if err := addReadiness(ctx, mgr); err != nil {
		return err
	}
	log.Info("Manager starts", "version", version, "settleTime", o.settleTime.String(),
		"allowInsecureEndpoints", o.allowInsecureEndpoints)
	if err := mgr.Start(ctx); err != nil {
		return fmt.Errorf("running the manager: %w", err)
	}
	log.Info("Manager stopped")
	return nil
}

func (o *options) managerOptions() manager.Options {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(v1alpha1.AddToScheme(scheme))

	grace := gracePeriod
	opts := manager.Options{
		Scheme:                        scheme,
		Metrics:                       metricsserver.Options{BindAddress: o.metricsAddress},
		HealthProbeBindAddress:        o.probeAddress,
		LeaderElection:                o.leaderElect,
		LeaderElectionID:              leaderElectionID,
		LeaderElectionNamespace:       o.leaderElectionNamespace,
		LeaderElectionReleaseOnCancel: true,
		LeaseDuration:                 &o.leaseDuration,
		RenewDeadline:                 &o.renewDeadline,
		RetryPeriod:                   &o.retryPeriod,
		GracefulShutdownTimeout:       &grace,
		Cache:                         cache.Options{DefaultTransform: controller.StripUnused},
	}
	return opts
}

// namespaces restricts the cache to those namespaces of the flag that may be read; nil means that all are watched.
func (o *options) namespaces(
	ctx context.Context, config *rest.Config, opts *manager.Options, stop func(),
) (*controller.Namespaces, error) {
	var wanted []string
	for name := range strings.SplitSeq(o.watchNamespaces, ",") {
		if name = strings.TrimSpace(name); name != "" && !slices.Contains(wanted, name) {
			wanted = append(wanted, name)
		}
	}
	if wanted == nil {
		return nil, nil
	}
	reviews, err := client.New(config, client.Options{Scheme: opts.Scheme})
	if err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	n := &controller.Namespaces{Reviews: reviews, Wanted: wanted, Regained: stop}
	served, err := n.Serve(ctx)
	if err != nil {
		return nil, err
	}
	opts.Cache.DefaultNamespaces = map[string]cache.Config{}
	for _, name := range served {
		opts.Cache.DefaultNamespaces[name] = cache.Config{}
	}
	return n, nil
}

// addReadiness lets the manager be ready once its caches are filled.
func addReadiness(ctx context.Context, mgr manager.Manager) error {
	for _, kind := range []client.Object{&v1alpha1.ReleasePackage{}, &v1alpha1.DataArtsWorkspace{}} {
		// A replica that stands by fills its caches, too: otherwise it would be ready with none.
		if _, err := mgr.GetCache().GetInformer(ctx, kind, cache.BlockUntilSynced(false)); err != nil {
			return fmt.Errorf("watching %T: %w", kind, err)
		}
	}
	var filled atomic.Bool
	if err := mgr.Add(whileStandingBy(func(ctx context.Context) error {
		filled.Store(mgr.GetCache().WaitForCacheSync(ctx))
		return nil
	})); err != nil {
		return err
	}
	return mgr.AddReadyzCheck("caches", func(*http.Request) error {
		if !filled.Load() {
			return errors.New("the caches are not filled: see the log for what the operator may not read")
		}
		return nil
	})
}

// whileStandingBy runs without the lease.
type whileStandingBy func(context.Context) error

// Start implements manager.Runnable.
func (run whileStandingBy) Start(ctx context.Context) error { return run(ctx) }

// NeedLeaderElection implements manager.LeaderElectionRunnable.
func (whileStandingBy) NeedLeaderElection() bool { return false }

func (o *options) addControllers(mgr manager.Manager) (*workspace.Connections, error) {
	connections := &workspace.Connections{
		Objects:       mgr.GetClient(),
		Secrets:       mgr.GetAPIReader(),
		AllowInsecure: o.allowInsecureEndpoints,
		UserAgent:     userAgent(),
		Workers:       o.maxConcurrentReconciles,
	}
	if err := mgr.Add(connections.Poller()); err != nil {
		return nil, fmt.Errorf("adding the looks at packages: %w", err)
	}
	if err := metrics.Registry.Register(connections.Metrics()); err != nil {
		return nil, fmt.Errorf("registering the metrics of the budgets: %w", err)
	}
	packages := &controller.ReleasePackageReconciler{
		Client:     mgr.GetClient(),
		Live:       mgr.GetAPIReader(),
		Workspaces: connections,
		Events:     mgr.GetEventRecorder(controller.ReleasePackageController),
		Clock:      clock.RealClock{},
		SettleTime: o.settleTime,
	}
	if err := packages.SetupWithManager(mgr, o.maxConcurrentReconciles); err != nil {
		return nil, fmt.Errorf("setting up the ReleasePackage controller: %w", err)
	}
	workspaces := &controller.DataArtsWorkspaceReconciler{
		Client:     mgr.GetClient(),
		Workspaces: connections,
		Events:     mgr.GetEventRecorder(controller.DataArtsWorkspaceController),
		Clock:      clock.RealClock{},
		Needed:     packages.HasRemains,
	}
	if err := workspaces.SetupWithManager(mgr); err != nil {
		return nil, fmt.Errorf("setting up the DataArtsWorkspace controller: %w", err)
	}
	return connections, nil
}

// userAgent names the operator to the service, which takes up to 50 characters.
func userAgent() string {
	name := "dataarts-operator/" + version
	return name[:min(len(name), 50)]
}
