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
	"time"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
)

// caller makes the calls of one connection. The budget, the metrics and what is known of the answers' shape are told what came of each, so that nobody
// can forget to.
type caller struct {
	client  *dataarts.Client
	budget  *budget
	legible *legible
}

// Pack is dataarts.Client.Pack, and so on.
func (c *caller) Pack(ctx context.Context, req dataarts.PackRequest) (string, error) {
	return watched(ctx, c, dataarts.OpPack, func() (string, int, error) {
		id, err := c.client.Pack(ctx, req)
		return id, 1, err
	})
}

func (c *caller) Unpack(ctx context.Context, ids []string) error {
	_, err := watched(ctx, c, dataarts.OpUnpack, func() (struct{}, int, error) { return struct{}{}, 0, c.client.Unpack(ctx, ids) })
	return err
}

func (c *caller) Show(ctx context.Context, id string) (dataarts.PackageDetail, error) {
	return watched(ctx, c, dataarts.OpShow, func() (dataarts.PackageDetail, int, error) {
		detail, err := c.client.Show(ctx, id)
		return detail, 1, err
	})
}

func (c *caller) List(ctx context.Context, opts dataarts.ListOptions) (dataarts.Page[dataarts.Package], error) {
	return watched(ctx, c, dataarts.OpList, func() (dataarts.Page[dataarts.Package], int, error) {
		page, err := c.client.List(ctx, opts)
		return page, len(page.Rows), err
	})
}

func (c *caller) ListPendingItems(ctx context.Context, opts dataarts.PendingItemOptions) (dataarts.Page[dataarts.PendingItem], error) {
	return watched(ctx, c, dataarts.OpListPendingItems, func() (dataarts.Page[dataarts.PendingItem], int, error) {
		page, err := c.client.ListPendingItems(ctx, opts)
		return page, 0, err
	})
}

func (c *caller) Close() { c.client.Close() }

// watched makes a call that returns how many packages its answer names.
func watched[T any](ctx context.Context, c *caller, op dataarts.Op, do func() (T, int, error)) (T, error) {
	under, begin := c.budget.begin(ctx), time.Now()
	answer, packages, err := do()
	c.legible.note(op, err, packages)
	c.budget.end(under, err, ctx.Err() != nil)
	count(op, err, time.Since(begin))
	return answer, err
}

// resultOf is the value of a label.
func resultOf(err error) string {
	if err == nil {
		return "ok"
	}
	if e, ok := errors.AsType[*dataarts.Error](err); ok {
		switch e.Kind {
		case dataarts.Refused:
			return "refused"
		case dataarts.NotFound:
			return "not_found"
		case dataarts.AlreadyDeployed:
			return "already_deployed"
		case dataarts.Unauthorized:
			return "unauthorized"
		case dataarts.Forbidden:
			return "forbidden"
		case dataarts.Throttled:
			return "throttled"
		case dataarts.Unreachable:
			return "unreachable"
		case dataarts.Unknown:
		}
	}
	return "unknown"
}
