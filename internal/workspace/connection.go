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

// Package workspace keeps live connections to the service for workspace objects: their credentials, their budgets of
// calls, and their views of packages. Objects that say the same share a connection, and connections of the same user
// share a budget.
package workspace

import (
	"cmp"
	"context"
	"math"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/pending"
	"github.com/dataarts-operator/dataarts-operator/internal/poll"
	"github.com/dataarts-operator/dataarts-operator/internal/quota"
	"github.com/dataarts-operator/dataarts-operator/internal/unpack"
)

// BusyError sends a caller away for whom there is no room to wait.
type BusyError = quota.BusyError

// Connection is a way to one workspace with one set of credentials. It is safe for concurrent use.
type Connection struct {
	client      *caller
	budget      *quota.Budget
	leaveBudget func()
	target      v1alpha1.PinnedWorkspace
	timeout     time.Duration
	// pollInterval is zero where polls keep to their share of the budget.
	pollInterval time.Duration
	// latestInterval is for LatestPollInterval, in nanoseconds.
	latestInterval atomic.Int64
	doubtful       atomic.Bool
	items          *pending.Items
	packages       *pending.Packages
	unpacking      *unpack.Batcher
	clock          clock.PassiveClock
	poller         *poll.Poller
	pageSizes      pageSizes
	spare          *rate.Limiter

	// id and users belong to those who share the connection.
	id    fingerprint
	users map[types.NamespacedName]int
}

// Target says where the connection leads.
func (c *Connection) Target() v1alpha1.PinnedWorkspace { return c.target }

// Timeout bounds each call.
func (c *Connection) Timeout() time.Duration { return c.timeout }

// PollInterval is how long to wait at this time before the packages in review are looked at again.
func (c *Connection) PollInterval() time.Duration {
	if c.pollInterval > 0 {
		return c.pollInterval
	}
	return c.budget.PollInterval()
}

// Polled implements poll.Source. Polls at a set interval are not held back, but others make room for them.
func (c *Connection) Polled(calls int) time.Duration {
	least := c.budget.Polled(calls)
	if c.pollInterval > 0 {
		return 0
	}
	c.latestInterval.Store(int64(c.budget.PollInterval()))
	// Half of the share is for what is looked at more often than the rest, such as a deployment.
	return 2 * least
}

// LatestPollInterval is PollInterval as it was after the latest poll, when it is the whole time between two.
func (c *Connection) LatestPollInterval() time.Duration {
	if c.pollInterval > 0 {
		return c.pollInterval
	}
	return max(time.Duration(c.latestInterval.Load()), quota.MinPollInterval)
}

// RetryAfter says how long the connection holds calls back because of an error that it returned; zero when it does not.
func (c *Connection) RetryAfter() time.Duration { return c.budget.RetryAfter() }

// ThrottledUntil is the end of a pause that the service asked for with 429. It is zero if there is none, or one of a
// moment only.
func (c *Connection) ThrottledUntil() time.Time { return c.budget.ThrottledUntil() }

// TryNow ends a pause that the service asked for, because a person does: one call finds out whether it is over. It
// does nothing where that was done a moment ago.
func (c *Connection) TryNow() { c.budget.HalfOpen() }

// AcquirePack waits for the turn of a call of Pack, or says at once why none is to be made now: a *BusyError if too
// many wait already. The other calls wait by themselves; Pack does not, so that its caller can wait before it records
// the attempt, and not between the record and the request. Where too many wait, those stay who have been there for
// longer.
func (c *Connection) AcquirePack(ctx context.Context, there time.Time) error {
	if !c.client.readable.begin() {
		return c.budget.Busy()
	}
	err := c.budget.AcquireUnlessBusy(ctx, c.trialTime(), there)
	if err != nil {
		c.client.readable.end()
	}
	return err
}

// ReleasePack hands back what AcquirePack gave, where no request is sent after all.
func (c *Connection) ReleasePack() {
	c.client.readable.end()
	c.budget.Release()
}

// CheckAnswers returns nil unless the service has given an answer in a shape that cannot be read, and still does when
// it is asked again. Until then, nothing must be sent that changes something without a look at what it changes: it
// could not be followed.
func (c *Connection) CheckAnswers(ctx context.Context) error {
	return c.client.readable.check(ctx, c.askAgain)
}

// askAgain makes the cheapest call of a kind.
func (c *Connection) askAgain(ctx context.Context, op dataarts.Op) error {
	if err := c.acquire(ctx, quota.Change); err != nil {
		return err
	}
	var err error
	if op == dataarts.OpListPendingItems {
		_, err = c.client.ListPendingItems(ctx, dataarts.PendingItemOptions{Limit: 1})
	} else {
		_, err = c.client.List(ctx, dataarts.ListOptions{Limit: 1})
	}
	return c.note(err)
}

// acquire waits for the turn of any other call, or says at once why none is to be made now.
func (c *Connection) acquire(ctx context.Context, p quota.Priority) error {
	return c.budget.Acquire(ctx, p, c.trialTime())
}

// series begins calls that belong together.
func (c *Connection) series(p quota.Priority) *quota.Series { return c.budget.Series(p, c.trialTime()) }

// trialTime bounds a call even where the client's own default does.
func (c *Connection) trialTime() time.Duration { return cmp.Or(c.timeout, time.Minute) }

// Pack packs a package and returns its id. The caller was admitted before.
func (c *Connection) Pack(ctx context.Context, req dataarts.PackRequest) (string, error) {
	defer c.client.readable.end()
	id, err := c.client.Pack(ctx, req)
	c.items.NotePack(req.PendingItemIDs, err)
	return id, c.note(err)
}

// Look shows one package as it is now.
func (c *Connection) Look(ctx context.Context, id string) (dataarts.PackageDetail, error) {
	if err := c.acquire(ctx, quota.Lookup); err != nil {
		return dataarts.PackageDetail{}, err
	}
	detail, err := c.client.Show(ctx, id)
	return detail, c.note(err)
}

// Search lists every package whose name contains the keyword, whenever it was packed: the service's clock may be far
// from ours. The search is fuzzy and may show deleted packages: the caller compares.
func (c *Connection) Search(ctx context.Context, keyword string) ([]dataarts.Package, error) {
	found, err := dataarts.AllRows(c.pages(ctx, c.series(quota.Lookup), dataarts.ListOptions{NameKeyword: keyword}),
		math.MaxInt)
	if err != nil {
		return nil, err
	}
	return found, nil
}

// ShowsAny reports whether the service shows any package of the workspace: to a user who lost their role, it may show
// none.
func (c *Connection) ShowsAny(ctx context.Context) (bool, error) {
	page, err := c.pages(ctx, c.series(quota.Lookup), dataarts.ListOptions{})(0)
	return len(page.Rows) > 0, err
}

// Probe makes the cheapest call that shows whether endpoint, credentials and workspace fit together.
func (c *Connection) Probe(ctx context.Context) error {
	if err := c.acquire(ctx, quota.Background); err != nil {
		return err
	}
	_, err := c.client.List(ctx, dataarts.ListOptions{Limit: 1})
	c.doubtful.Store(err != nil) // Others who share the connection have not seen this failure.
	return err
}

// Doubtful reports whether the latest Probe has failed, or a call since then in a way that may be the workspace's
// trouble.
func (c *Connection) Doubtful() bool { return c.doubtful.Load() }

// note takes down what a call's answer tells about the workspace, and returns the answer as it is.
func (c *Connection) note(err error) error {
	if err == nil {
		return nil
	}
	switch dataarts.KindOf(err) {
	case dataarts.Unknown, dataarts.Unauthorized, dataarts.Forbidden, dataarts.Throttled, dataarts.Unreachable:
		c.doubtful.Store(true)
	case dataarts.Refused, dataarts.NotFound, dataarts.AlreadyDeployed:
	}
	return err
}
