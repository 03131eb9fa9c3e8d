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
	"math"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/quota"
)

// Waiting is how many calls wait for the connection's budget.
func (c *Connection) Waiting() int {
	return c.budget.Waiting(quota.Change) + c.budget.Waiting(quota.Lookup) + c.budget.Waiting(quota.Background)
}

// Budgets is how many budgets the open connections have.
func (c *Connections) Budgets() int {
	c.registry.mu.Lock()
	defer c.registry.mu.Unlock()
	budgets := map[*quota.Budget]bool{}
	for _, conn := range c.registry.connections {
		budgets[conn.budget] = true
	}
	return len(budgets)
}

// HasRead lets the connection have read the id of a package, as by a list of them.
func (c *Connection) HasRead() { c.client.readable.note(dataarts.OpList, nil, 1) }

// UnpackForNobody hands back the turn of a batch, as one does whose callers have all gone.
func (c *Connection) UnpackForNobody(ctx context.Context) error {
	s := unpackService{c}
	defer s.Release()
	return s.Acquire(ctx)
}

// PendingItems lists every pending item.
func (c *Connection) PendingItems(ctx context.Context) ([]dataarts.PendingItem, error) {
	return dataarts.AllRows(c.listItems(ctx), math.MaxInt)
}

// AcquirePackNow is AcquirePack for someone who has just come.
func (c *Connection) AcquirePackNow(ctx context.Context) error {
	return c.AcquirePack(ctx, c.clock.Now())
}
