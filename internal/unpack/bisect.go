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

package unpack

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
)

var unpackBatchSize = prometheus.NewHistogram(prometheus.HistogramOpts{
	Name:    "dataarts_operator_unpack_batch_size",
	Help:    "Packages in each call to withdraw packages.",
	Buckets: []float64{1, 2, 5, 10, 25, 50, 100},
})

func init() {
	metrics.Registry.MustRegister(unpackBatchSize)
}

// group are requests that share a call.
type group struct {
	requests []*request
	// refusal is the answer because of which the group is bisected.
	refusal error
}

// run sees a batch through. A group that is refused as a whole is sent again in halves, until each package has an
// answer of its own.
func (u *Batcher) run(b *batch) {
	defer func() {
		if b.admitted { // All who asked have gone.
			u.service.Release()
		}
	}()
	b.linger(u.linger)
	err := u.acquire(b)
	groups := u.close(b)
	if err != nil {
		u.answerAll(b, err)
		return
	}
	b.admitted = true
	refused := u.sendAll(b, groups)
	for look := true; len(refused) > 0; look = len(refused) > 1 {
		// One look is enough where only one package is at fault. Where both halves of a group are refused, some of it may
		// have been withdrawn.
		if look {
			refused = u.keepUnpackable(b, refused)
		}
		refused = u.sendAll(b, bisect(refused))
	}
}

// acquire waits for the turn of a call, unless the batch has one.
func (u *Batcher) acquire(b *batch) error {
	if b.admitted {
		b.admitted = false
		return nil
	}
	return u.service.Acquire(b.context)
}

// close lets nobody join a batch any more, and shares its requests out among calls.
func (u *Batcher) close(b *batch) []group {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.open == b {
		u.open = nil
	}
	var groups []group
	for part := range slices.Chunk(slices.Clone(b.waiting), maxUnpack) {
		groups = append(groups, group{requests: part})
	}
	return groups
}

// sendAll sends each group and returns those that have to be bisected. An answer that speaks of the way to the service
// goes to all that have none yet: they would get the same.
func (u *Batcher) sendAll(b *batch, groups []group) (refused []group) {
	for _, g := range groups {
		if err := u.acquire(b); err != nil {
			u.answerAll(b, err)
			return nil
		}
		ids := u.markSent(&g)
		if len(ids) == 0 {
			b.admitted = true
			continue
		}
		unpackBatchSize.Observe(float64(len(ids)))
		err := u.service.Unpack(context.WithoutCancel(b.context), ids)
		switch {
		case err == nil:
			u.settle(g.requests, func(*request) error { return nil })
		case !ofPackages(err):
			u.answerAll(b, err)
			return nil
		case len(ids) == 1:
			u.settle(g.requests, func(*request) error { return err })
		default:
			g.refusal = err
			if g.requests = u.dropAbandoned(g.requests); len(g.requests) > 0 {
				refused = append(refused, g)
			}
		}
	}
	return refused
}

// ofPackages reports whether a failure may be due to the packages that were named, and not to the way to the service
// or to who asks.
func ofPackages(err error) bool {
	switch dataarts.KindOf(err) {
	case dataarts.Refused, dataarts.NotFound, dataarts.AlreadyDeployed:
		return true
	case dataarts.Forbidden:
		e, ok := errors.AsType[*dataarts.Error](err)
		return ok && e.Status != http.StatusForbidden // The gateway's, which knows nothing of packages.
	case dataarts.Unknown:
		return dataarts.MayDeny(err)
	case dataarts.Unauthorized, dataarts.Throttled, dataarts.Unreachable:
	}
	return false
}

// markSent leaves in a group what is still asked for, and returns the ids to send.
func (u *Batcher) markSent(g *group) []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	g.requests = u.unanswered(g.requests)
	ids := make([]string, 0, len(g.requests))
	for _, r := range g.requests {
		r.sent = true
		ids = append(ids, r.id)
	}
	return ids
}

// unanswered are those requests that still wait for an answer. Its caller holds the lock.
func (u *Batcher) unanswered(requests []*request) []*request {
	return slices.DeleteFunc(slices.Clone(requests), func(r *request) bool { return u.asked[r.id] != r })
}

// settle gives each request an answer of its own.
func (u *Batcher) settle(requests []*request, answer func(*request) error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, r := range u.unanswered(requests) {
		u.answer(r, answer(r))
	}
}

// dropAbandoned answers those requests of a refused group that nobody waits for any more, and returns the others.
func (u *Batcher) dropAbandoned(requests []*request) []*request {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, r := range requests {
		r.sent = false
		if r.callers == 0 {
			u.answer(r, ErrRefusedTogether)
		}
	}
	return u.unanswered(requests)
}

// keepUnpackable looks once for all refused groups, and lets those packages go that are not listed as waiting to be
// withdrawn. That is no proof that they are withdrawn, but to send them again at once is likely to be in vain. A look
// that fails changes nothing, unless it may be the way to the service that refuses.
func (u *Batcher) keepUnpackable(b *batch, groups []group) []group {
	n := 0
	for _, g := range groups {
		n += len(g.requests)
	}
	unpackable, err := u.unpackable(b.context, n)
	if err != nil && dataarts.KindOf(groups[0].refusal) == dataarts.Unknown {
		u.answerAll(b, groups[0].refusal)
		return nil
	}
	if unpackable == nil {
		return groups
	}
	var kept []group
	for _, g := range groups {
		var gone []*request
		g.requests = slices.DeleteFunc(slices.Clone(g.requests), func(r *request) bool {
			if !unpackable[r.id] {
				gone = append(gone, r)
			}
			return !unpackable[r.id]
		})
		u.settle(gone, func(*request) error { return ErrRefusedTogether })
		if len(g.requests) > 0 {
			kept = append(kept, g)
		}
	}
	return kept
}

// unpackable are the packages that may be withdrawn; nil where it takes more calls to list them than there are
// packages to look for.
func (u *Batcher) unpackable(ctx context.Context, wanted int) (map[string]bool, error) {
	found := map[string]bool{}
	for page, err := range u.service.ListUnpackable(ctx) {
		if err != nil {
			return nil, err
		}
		if len(found) == 0 && page.Pages() > wanted {
			return nil, nil
		}
		for i := range page.Rows {
			found[page.Rows[i].ID] = !page.Rows[i].Deleted
		}
	}
	return found, nil
}

// bisect halves groups.
func bisect(groups []group) []group {
	var halves []group
	for _, g := range groups {
		for part := range slices.Chunk(g.requests, (len(g.requests)+1)/2) {
			halves = append(halves, group{requests: part})
		}
	}
	return halves
}
