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

// minLearned is the least that the limit of packages in a call is lowered to. That the halves of a small batch are
// accepted may as well be chance, and a service whose limit is still lower costs calls and nothing else.
const minLearned = 10

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
	// half is what the group is a half of; nil if it is none, or if that says nothing about the limit.
	half *halvesOf
	// refusal is the answer that leads to taking the group apart.
	refusal error
}

// halvesOf counts which halves of a refused group are accepted.
type halvesOf struct {
	size, accepted int
}

// run sees a batch through. What is refused as a whole is taken apart, round by round, each with the halves of what
// the one before left over.
func (u *Batcher) run(b *batch) {
	defer func() {
		if b.admitted { // All who asked have gone.
			u.service.Release()
		}
	}()
	b.linger(u.linger)
	err := u.turn(b)
	groups := u.fix(b)
	if err != nil {
		u.answerAll(b, err)
		return
	}
	b.admitted = true
	refused := u.sendAll(b, groups)
	for look := true; len(refused) > 0; look = len(refused) > 1 {
		// One look suffices where only one package is at fault. Where both halves of a group are refused, some of it may
		// have been withdrawn.
		if look {
			refused = u.lookAfter(b, refused)
		}
		refused = u.sendAll(b, u.halves(refused))
	}
}

// turn waits for the budget, unless it has been waited for already.
func (u *Batcher) turn(b *batch) error {
	if b.admitted {
		b.admitted = false
		return nil
	}
	return u.service.Acquire(b.context)
}

// fix closes a batch to further requests, and shares those that it has out among calls.
func (u *Batcher) fix(b *batch) []group {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.open == b {
		u.open = nil
	}
	var groups []group
	for part := range slices.Chunk(slices.Clone(b.waiting), u.limit) {
		groups = append(groups, group{requests: part})
	}
	return groups
}

// sendAll sends each group and returns those that have to be taken apart. An answer that speaks of the way to the
// service is everyone's: who is not answered by then would get it too.
func (u *Batcher) sendAll(b *batch, groups []group) (refused []group) {
	for _, g := range groups {
		if err := u.turn(b); err != nil {
			u.answerAll(b, err)
			return nil
		}
		ids := u.depart(&g)
		if len(ids) == 0 {
			b.admitted = true
			continue
		}
		unpackBatchSize.Observe(float64(len(ids)))
		err := u.service.Unpack(context.WithoutCancel(b.context), ids)
		switch {
		case err == nil:
			u.accepted(g)
		case !ofPackages(err):
			u.answerAll(b, err)
			return nil
		case len(ids) == 1:
			u.settle(g.requests, func(*request) error { return err })
		default:
			g.refusal = err
			if g = u.refused(g); len(g.requests) > 0 {
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

// depart leaves in a group what is still asked for, and returns the ids to send.
func (u *Batcher) depart(g *group) []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	asked := len(g.requests)
	g.requests = u.unanswered(g.requests)
	if len(g.requests) < asked {
		g.half = nil
	}
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

// accepted answers a group that was accepted. Where the other half was accepted too, as it is, the size of the whole
// was what the service refused.
func (u *Batcher) accepted(g group) {
	u.settle(g.requests, func(*request) error { return nil })
	if g.half == nil {
		return
	}
	g.half.accepted++
	if g.half.accepted == 2 {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.limit = min(u.limit, max((g.half.size+1)/2, minLearned))
	}
}

// refused lets go whom nobody waits for any more, and returns what is left of a group.
func (u *Batcher) refused(g group) group {
	u.mu.Lock()
	defer u.mu.Unlock()
	g.half = &halvesOf{size: len(g.requests)}
	if dataarts.KindOf(g.refusal) != dataarts.Refused {
		g.half = nil // It speaks of a package, and not of their number.
	}
	for _, r := range g.requests {
		r.sent = false
		if r.callers == 0 {
			u.answer(r, ErrRefusedTogether)
			g.half = nil
		}
	}
	g.requests = u.unanswered(g.requests)
	return g
}

// lookAfter looks once for all refused groups, and lets those packages go that are not listed as waiting to be
// withdrawn. That is no proof that they are withdrawn, but to send them again at once is likely to be in vain. A look
// that fails changes nothing, unless it may be the way to the service that refuses.
func (u *Batcher) lookAfter(b *batch, groups []group) []group {
	n := 0
	for _, g := range groups {
		n += len(g.requests)
	}
	left, err := u.unpackable(b.context, n)
	if err != nil && dataarts.KindOf(groups[0].refusal) == dataarts.Unknown {
		u.answerAll(b, groups[0].refusal)
		return nil
	}
	if left == nil {
		return groups
	}
	var remaining []group
	for _, g := range groups {
		gone := slices.DeleteFunc(slices.Clone(g.requests), func(r *request) bool { return left[r.id] })
		if len(gone) > 0 {
			g.half = nil
			u.settle(gone, func(*request) error { return ErrRefusedTogether })
			g.requests = slices.DeleteFunc(slices.Clone(g.requests), func(r *request) bool { return !left[r.id] })
		}
		if len(g.requests) > 0 {
			remaining = append(remaining, g)
		}
	}
	return remaining
}

// unpackable are the packages that may be withdrawn; nil where it takes more calls to list them than there are
// packages to look for.
func (u *Batcher) unpackable(ctx context.Context, wanted int) (map[string]bool, error) {
	left := map[string]bool{}
	for page, err := range u.service.ListUnpackable(ctx) {
		if err != nil {
			return nil, err
		}
		if len(left) == 0 && page.Pages() > wanted {
			return nil, nil
		}
		for i := range page.Rows {
			left[page.Rows[i].ID] = !page.Rows[i].Deleted
		}
	}
	return left, nil
}

// halves halves groups.
func (u *Batcher) halves(groups []group) []group {
	var halves []group
	for _, g := range groups {
		for part := range slices.Chunk(g.requests, (len(g.requests)+1)/2) {
			halves = append(halves, group{requests: part, half: g.half})
		}
	}
	return halves
}
