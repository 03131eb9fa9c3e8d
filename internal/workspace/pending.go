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
	"time"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/pending"
	"github.com/dataarts-operator/dataarts-operator/internal/quota"
)

// ErrTooLong means that the service has so many pending items that they are not read for the sake of a few.
var ErrTooLong = pending.ErrTooLong

// Pending is pending.Items.Show: what the pending list shows of the given items. Those that it does not show are
// missing.
func (c *Connection) Pending(ctx context.Context, ids []string) (map[string]dataarts.PendingItem, error) {
	return c.items.Show(ctx, ids)
}

// PendingSince is Pending for those who conclude from the list what the service does not check again: see
// pending.Items.ShowSince.
func (c *Connection) PendingSince(ctx context.Context, ids []string,
	since time.Time) (map[string]dataarts.PendingItem, error) {
	return c.items.ShowSince(ctx, ids, since)
}

// PendingNow is PendingSince with a list that is read after the call.
func (c *Connection) PendingNow(ctx context.Context, ids []string) (map[string]dataarts.PendingItem, error) {
	return c.PendingSince(ctx, ids, c.clock.Now())
}

// InFlight lists the packages that are neither deployed nor withdrawn, as they were at most a minute ago. A package
// that is missing may be there all the same. The list is for reading only.
func (c *Connection) InFlight(ctx context.Context) ([]dataarts.Package, error) {
	return c.packages.InFlight(ctx)
}

// Recent lists the latest packages, in whatever state, in the same way.
func (c *Connection) Recent(ctx context.Context) ([]dataarts.Package, error) {
	return c.packages.Recent(ctx)
}

// InvalidateLists says that the service did not show a package which these lists hold, so that the next who ask for
// them get new ones.
func (c *Connection) InvalidateLists() { c.packages.Invalidate() }

// Contents shows a package, and remembers which items it holds for as long as it is in flight.
func (c *Connection) Contents(ctx context.Context, id string) (dataarts.PackageDetail, error) {
	detail, err := c.Look(ctx, id)
	if err == nil {
		c.packages.KeepItems(&detail)
	}
	return detail, err
}

// KnownItems are the ids of the items that a package in flight holds, if that was seen before. They are for reading
// only.
func (c *Connection) KnownItems(id string) ([]string, bool) { return c.packages.KnownItems(id) }

// listItems begins to read the list of pending items.
func (c *Connection) listItems(ctx context.Context) func(offset int) (dataarts.Page[dataarts.PendingItem], error) {
	series := c.series(quota.Change)
	return func(offset int) (dataarts.Page[dataarts.PendingItem], error) {
		page, err := fetch(ctx, series, func() (dataarts.Page[dataarts.PendingItem], error) {
			return c.client.ListPendingItems(ctx, dataarts.PendingItemOptions{Limit: pageSize, Offset: offset})
		})
		return page, c.note(err)
	}
}

// listPackages begins to read a list of packages in some states, or of all.
func (c *Connection) listPackages(
	ctx context.Context, states ...dataarts.DeployStatus,
) func(offset int) (dataarts.Page[dataarts.Package], error) {
	return c.pages(ctx, c.series(quota.Lookup), dataarts.ListOptions{States: states})
}
