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
	"iter"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/quota"
	"github.com/dataarts-operator/dataarts-operator/internal/unpack"
)

// ErrUnpackShared means that a package was to be withdrawn with others and may have been, although the service
// refused the call: see unpack.
var ErrUnpackShared = unpack.ErrRefusedTogether

// Unpack withdraws a package. Callers that ask at about the same time share a call, and each gets the answer for its
// own package. A caller whose context ends is let go, unless the call is on its way: that one is not cut off, and its
// answer is waited for.
func (c *Connection) Unpack(ctx context.Context, id string) error {
	if err := c.budget.Err(); err != nil {
		return err
	}
	return c.unpacking.Unpack(ctx, id)
}

// unpackService is what a connection does for its withdrawals.
type unpackService struct{ *Connection }

// Acquire implements unpack.Service, as the methods below do.
func (s unpackService) Acquire(ctx context.Context) error { return s.acquire(ctx, quota.Change) }

func (s unpackService) Release() { s.budget.Release() }

func (s unpackService) Unpack(ctx context.Context, ids []string) error {
	err := s.note(s.client.Unpack(ctx, ids))
	s.poller.NoteWrite(s.target, ids...)
	return err
}

func (s unpackService) ListUnpackable(ctx context.Context) iter.Seq2[dataarts.Page[dataarts.Package], error] {
	states := []dataarts.DeployStatus{dataarts.StatusPendingReview, dataarts.StatusDeployFailed, dataarts.StatusDeploying}
	return dataarts.EachPage(s.pages(ctx, s.series(quota.Change), dataarts.ListOptions{States: states}))
}
