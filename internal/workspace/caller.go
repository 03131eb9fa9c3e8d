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
	"github.com/dataarts-operator/dataarts-operator/internal/quota"
)

// caller makes the calls of one connection. The budget, the metrics and what is known of the answers' shape are told
// what came of each, so that nobody can forget to.
type caller struct {
	client   *dataarts.Client
	budget   *quota.Budget
	readable *readability
}

// Pack is dataarts.Client.Pack, and so on.
func (c *caller) Pack(ctx context.Context, req dataarts.PackRequest) (string, error) {
	return watched(ctx, c, dataarts.OpPack, func() (string, int, error) {
		id, err := c.client.Pack(ctx, req)
		return id, 1, err
	})
}

func (c *caller) Unpack(ctx context.Context, ids []string) error {
	_, err := watched(ctx, c, dataarts.OpUnpack,
		func() (struct{}, int, error) { return struct{}{}, 0, c.client.Unpack(ctx, ids) })
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

func (c *caller) ListPendingItems(ctx context.Context,
	opts dataarts.PendingItemOptions) (dataarts.Page[dataarts.PendingItem], error) {
	return watched(ctx, c, dataarts.OpListPendingItems, func() (dataarts.Page[dataarts.PendingItem], int, error) {
		page, err := c.client.ListPendingItems(ctx, opts)
		return page, 0, err
	})
}

func (c *caller) Close() { c.client.Close() }

// watched makes a call that returns how many packages its answer names.
func watched[T any](ctx context.Context, c *caller, op dataarts.Op, do func() (T, int, error)) (T, error) {
	call, begin := c.budget.Begin(ctx), time.Now()
	answer, packages, err := do()
	c.readable.note(op, err, packages)
	call.End(outcomeOf(err, ctx.Err() != nil))
	count(op, err, time.Since(begin))
	return answer, err
}

// outcomeOf is what the budget is told of a call; abandoned tells that its caller gave it up.
func outcomeOf(err error, abandoned bool) quota.Outcome {
	o := quota.Outcome{Kind: quota.Answered, Err: err}
	e, failed := errors.AsType[*dataarts.Error](err)
	switch {
	case err == nil:
	case !failed:
		o.Kind = quota.Inconclusive
	case e.Status == 0:
		o.Kind = quota.Inconclusive
		if lost := e.Kind == dataarts.Unreachable || e.Kind == dataarts.Unknown; lost && !abandoned {
			o.Kind = quota.Unreachable
		}
	case e.Kind == dataarts.Unauthorized:
		o.Kind = quota.Rejected
	case e.Kind == dataarts.Throttled:
		o.Kind, o.RetryAfter = quota.Throttled, e.RetryAfter
	}
	return o
}

// maxThrottled is how often in a row a call of a series is made again that the service throttles. More is trouble,
// which those who wait have to tell of.
const maxThrottled = 3

// fetch makes the next call of a series in its turn. Where the service asks for fewer calls, and a pause is over
// soon, it is made again: what was fetched before is not lost, and who waits for it need not begin anew.
func fetch[T any](ctx context.Context, s *quota.Series, call func() (T, error)) (answer T, err error) {
	for again := 0; ; again++ {
		if err := s.Acquire(ctx); err != nil {
			return answer, err
		}
		answer, err = call()
		if dataarts.KindOf(err) != dataarts.Throttled || again == maxThrottled {
			return answer, err
		}
	}
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
