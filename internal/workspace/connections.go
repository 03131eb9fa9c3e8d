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

package workspace

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/pending"
	"github.com/dataarts-operator/dataarts-operator/internal/poll"
	"github.com/dataarts-operator/dataarts-operator/internal/quota"
	"github.com/dataarts-operator/dataarts-operator/internal/unpack"
)

// Error says why there is no connection, in words for a condition: the same for the same situation, and free of
// secrets.
type Error struct {
	// Reason is one of the API's condition reasons.
	Reason string
	// Message says what is wrong, and what to do about it.
	Message string
}

// Error implements error.
func (e *Error) Error() string { return e.Message }

// Lasting tells that someone has to act first: see poll.Resolve.
func (e *Error) Lasting() bool { return true }

// Connections finds or makes the connection of a workspace object. The zero value of its optional fields is usable.
type Connections struct {
	// Objects reads workspace objects, by habit from a cache.
	Objects client.Reader
	// Secrets reads Secrets, one by one and not from a cache.
	Secrets client.Reader
	// AllowInsecure permits endpoints that are plain http or loopback.
	AllowInsecure bool
	// UserAgent names the operator to the service.
	UserAgent string
	// Clock is the real one if nil. It tells how old something is.
	Clock clock.PassiveClock
	// Pace is the real clock if nil. It is what calls wait by.
	Pace clock.WithDelayedExecution
	// Workers is how many callers of Connection.AcquirePack there are at most. Half of them are kept free of waiting for
	// any one budget. 0: not known.
	Workers int
	// Linger is how long a package that is to be withdrawn waits for others to share its call with, since the latest of
	// them, and four times that in all. It is half a second if zero; if negative, only those share a call that wait for
	// the budget together.
	Linger time.Duration

	mu       sync.Mutex
	slots    map[types.NamespacedName]*slot
	registry registry

	once       sync.Once
	poller     *poll.Poller
	quotaOnce  sync.Once
	allBudgets *quota.Budgets
}

// OnThrottled sets who is told of each workspace object whose calls are paused, as the service asked for that, or
// whose pause has changed. It has to return at once.
func (c *Connections) OnThrottled(tell func(types.NamespacedName)) {
	c.registry.mu.Lock()
	defer c.registry.mu.Unlock()
	c.registry.tellThrottled = tell
}

// Connect returns the connection of the workspace object that ref names in the namespace. It is the same one until
// what the object or its Secret says changes, and the same for all objects that say the same. A missing or unusable
// object or Secret is an *Error.
func (c *Connections) Connect(ctx context.Context, namespace string,
	ref v1alpha1.WorkspaceReference) (*Connection, error) {
	key := types.NamespacedName{Namespace: namespace, Name: ref.Name}
	ws := &v1alpha1.DataArtsWorkspace{}
	if err := c.Objects.Get(ctx, key, ws); err != nil {
		if !apierrors.IsNotFound(err) {
			return nil, fmt.Errorf("reading DataArtsWorkspace %q: %w", key.Name, err)
		}
		return nil, &Error{v1alpha1.ReasonWorkspaceNotFound, fmt.Sprintf(
			"DataArtsWorkspace %q does not exist in namespace %q; create it or, as long as nothing was packed, correct "+
				"spec.workspaceRef", key.Name, key.Namespace)}
	}
	return c.ConnectTo(ctx, ws)
}

// ConnectTo is Connect for an object that was read already.
func (c *Connections) ConnectTo(ctx context.Context, ws *v1alpha1.DataArtsWorkspace) (*Connection, error) {
	for {
		s := c.slot(client.ObjectKeyFromObject(ws))
		if conn, err := c.connect(ctx, s, ws); !errors.Is(err, errForgotten) {
			return conn, err
		}
	}
}

// open finds or makes the connection. It makes no call.
func (c *Connections) open(ws *v1alpha1.DataArtsWorkspace, secret *corev1.Secret) (*Connection, error) {
	endpoint, err := c.endpoint(ws)
	if err != nil {
		return nil, err
	}
	credentials, err := credentialsFrom(ws, secret)
	if err != nil {
		return nil, err
	}
	cfg := dataarts.Config{
		Endpoint:    endpoint,
		ProjectID:   ws.Spec.ProjectID,
		WorkspaceID: ws.Spec.WorkspaceID,
		Credentials: credentials,
		CABundle:    ws.Spec.CABundle,
		ProxyURL:    ws.Spec.ProxyURL,
		AllowLocal:  c.AllowInsecure,
		Timeout:     ws.Spec.Timeout.Duration,
		UserAgent:   c.UserAgent,
	}
	return c.registry.connection(connectionKey(&cfg, &ws.Spec), client.ObjectKeyFromObject(ws),
		func() (*Connection, error) {
			dc, err := dataarts.New(cfg)
			if err != nil {
				return nil, invalidConfig(ws, err)
			}
			return c.newConnection(&cfg, &ws.Spec, dc), nil
		})
}

func (c *Connections) newConnection(cfg *dataarts.Config, spec *v1alpha1.DataArtsWorkspaceSpec,
	dc *dataarts.Client) *Connection {
	b, leave := c.quota().Join(credentialKey(cfg), perSecond(spec))
	conn := &Connection{
		client:      &caller{client: dc, budget: b, readable: newReadability(c.clock())},
		budget:      b,
		leaveBudget: leave,
		target: v1alpha1.PinnedWorkspace{Endpoint: cfg.Endpoint, ProjectID: cfg.ProjectID,
			WorkspaceID: cfg.WorkspaceID},
		timeout:      cfg.Timeout,
		pollInterval: spec.PollInterval.Duration,
		clock:        c.clock(),
		poller:       c.Poller(),
		spare:        rate.NewLimiter(rate.Every(spareEvery), spareLooks),
	}
	conn.items = pending.NewItems(c.clock(), conn.listItems)
	conn.packages = pending.NewPackages(c.clock(), conn.listPackages)
	conn.unpacking = unpack.NewBatcher(unpackService{conn}, c.Linger)
	return conn
}

func invalidConfig(ws *v1alpha1.DataArtsWorkspace, err error) error {
	reason := v1alpha1.ReasonWorkspaceInvalid
	if ce, ok := errors.AsType[*dataarts.ConfigError](err); ok && ce.Field == "Credentials" {
		reason = v1alpha1.ReasonCredentialsInvalid
	}
	return &Error{reason, fmt.Sprintf("DataArtsWorkspace %q cannot be used: %s; correct it", ws.Name, err)}
}

// endpoint is the address to call, if the operator may call it and go through the proxy.
func (c *Connections) endpoint(ws *v1alpha1.DataArtsWorkspace) (string, error) {
	invalid := func(format string, args ...any) error {
		return &Error{v1alpha1.ReasonWorkspaceInvalid, fmt.Sprintf("DataArtsWorkspace %q cannot be used: ", ws.Name) +
			fmt.Sprintf(format, args...)}
	}
	endpoint := strings.TrimSuffix(ws.Spec.Endpoint, "/")
	if endpoint == "" {
		known, err := dataarts.EndpointForRegion(ws.Spec.Region)
		if err != nil {
			return "", invalid("spec.region %q is not known; set spec.endpoint instead", ws.Spec.Region)
		}
		endpoint = known
	}
	u, err := url.Parse(endpoint)
	if err != nil {
		return "", invalid("spec.endpoint is not a URL; write https:// and the host")
	}
	if c.AllowInsecure {
		return endpoint, nil
	}
	if u.Scheme != "https" {
		return "", invalid("spec.endpoint is not https, so that credentials and requests could be read and changed on the " +
			"way; use https, or start the operator with --allow-insecure-endpoints for development")
	}
	const ownHost = "names the operator's own host or link, or a metadata service; name the %s's host, " +
		"or start the operator with --allow-insecure-endpoints for development"
	if dataarts.IsLocalHost(u.Hostname()) {
		return "", invalid("spec.endpoint "+ownHost, "service")
	}
	if proxy, err := url.Parse(ws.Spec.ProxyURL); err == nil && dataarts.IsLocalHost(proxy.Hostname()) {
		return "", invalid("spec.proxyURL "+ownHost, "proxy")
	}
	return endpoint, nil
}

func (c *Connections) clock() clock.PassiveClock {
	if c.Clock != nil {
		return c.Clock
	}
	return clock.RealClock{}
}

// Poller looks at packages with these connections.
func (c *Connections) Poller() *poll.Poller {
	c.once.Do(func() { c.poller = poll.New(c.clock(), c.resolve) })
	return c.poller
}

// quota returns the budgets, whose clocks are those of the first time that one was needed.
func (c *Connections) quota() *quota.Budgets {
	c.quotaOnce.Do(func() { c.allBudgets = quota.NewBudgets(c.clock(), c.pace(), c.Workers, c.registry.throttled) })
	return c.allBudgets
}

// Metrics are the gauges of the budgets.
func (c *Connections) Metrics() prometheus.Collector { return c.quota() }

func (c *Connections) pace() clock.WithDelayedExecution {
	if c.Pace != nil {
		return c.Pace
	}
	return clock.RealClock{}
}

func (c *Connections) now() time.Time { return c.clock().Now() }
