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
	"net/http"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/quota"
)

// minLearned is the least that the limit of packages in a call is lowered to. That the halves of a small batch are accepted may as well be chance,
// and a service whose limit is still lower costs calls and nothing else.
const minLearned = 10

var unpackBatchSize = prometheus.NewHistogram(prometheus.HistogramOpts{
	Name:    "dataarts_operator_unpack_batch_size",
	Help:    "Packages in each call to withdraw packages.",
	Buckets: []float64{1, 2, 5, 10, 25, 50, 100},
})

func init() {
	metrics.Registry.MustRegister(unpackBatchSize)
}

// unpackGroup are requests that share a call.
type unpackGroup struct {
	requests []*unpackRequest
	// half is what the group is a half of; nil if it is none, or if that says nothing about the limit.
	half *unpackHalves
	// refusal is the answer that leads to taking the group apart.
	refusal error
}

// unpackHalves counts which halves of a refused group are accepted.
type unpackHalves struct {
	size, accepted int
}

// run sees a batch through. What is refused as a whole is taken apart, round by round, each with the halves of what the one before left over.
func (u *unpacking) run(b *batch) {
	defer func() {
		if b.admitted { // All who asked have gone.
			u.conn.budget.Release()
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
		// One look suffices where only one package is at fault. Where both halves of a group are refused, some of it may have been withdrawn.
		if look {
			refused = u.lookAfter(b, refused)
		}
		refused = u.sendAll(b, u.halves(refused))
	}
}

// turn waits for the budget, unless it has been waited for already.
func (u *unpacking) turn(b *batch) error {
	if b.admitted {
		b.admitted = false
		return nil
	}
	return u.conn.admit(b.context, quota.Change)
}

// fix closes a batch to further requests, and shares those that it has out among calls.
func (u *unpacking) fix(b *batch) []unpackGroup {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.open == b {
		u.open = nil
	}
	var groups []unpackGroup
	for part := range slices.Chunk(slices.Clone(b.waiting), u.limit) {
		groups = append(groups, unpackGroup{requests: part})
	}
	return groups
}

// sendAll sends each group and returns those that have to be taken apart. An answer that speaks of the way to the service is everyone's: who is not
// answered by then would get it too.
func (u *unpacking) sendAll(b *batch, groups []unpackGroup) (refused []unpackGroup) {
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
		err := u.conn.note(u.conn.client.Unpack(context.WithoutCancel(b.context), ids))
		u.conn.poller.NoteWrite(u.conn.target, ids...)
		switch {
		case err == nil:
			u.accepted(g)
		case !ofPackages(err):
			u.answerAll(b, err)
			return nil
		case len(ids) == 1:
			u.settle(g.requests, func(*unpackRequest) error { return err })
		default:
			g.refusal = err
			if g = u.refused(g); len(g.requests) > 0 {
				refused = append(refused, g)
			}
		}
	}
	return refused
}

// ofPackages reports whether a failure may be due to the packages that were named, and not to the way to the service or to who asks.
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
func (u *unpacking) depart(g *unpackGroup) []string {
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
func (u *unpacking) unanswered(requests []*unpackRequest) []*unpackRequest {
	return slices.DeleteFunc(slices.Clone(requests), func(r *unpackRequest) bool { return u.asked[r.id] != r })
}

// settle gives each request an answer of its own.
func (u *unpacking) settle(requests []*unpackRequest, answer func(*unpackRequest) error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, r := range u.unanswered(requests) {
		u.answer(r, answer(r))
	}
}

// accepted answers a group that was accepted. Where the other half was accepted too, as it is, the size of the whole was what the service refused.
func (u *unpacking) accepted(g unpackGroup) {
	u.settle(g.requests, func(*unpackRequest) error { return nil })
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
func (u *unpacking) refused(g unpackGroup) unpackGroup {
	u.mu.Lock()
	defer u.mu.Unlock()
	g.half = &unpackHalves{size: len(g.requests)}
	if dataarts.KindOf(g.refusal) != dataarts.Refused {
		g.half = nil // It speaks of a package, and not of their number.
	}
	for _, r := range g.requests {
		r.sent = false
		if r.callers == 0 {
			u.answer(r, ErrUnpackShared)
			g.half = nil
		}
	}
	g.requests = u.unanswered(g.requests)
	return g
}

// lookAfter looks once for all refused groups, and lets those packages go that are not listed as waiting to be withdrawn. That is no proof that
// they are withdrawn, but to send them again at once is likely to be in vain. A look that fails changes nothing, unless it may be the way to the
// service that refuses.
func (u *unpacking) lookAfter(b *batch, groups []unpackGroup) []unpackGroup {
	n := 0
	for _, g := range groups {
		n += len(g.requests)
	}
	left, err := u.conn.listLeft(b.context, n)
	if err != nil && !errors.Is(err, errNotWorthwhile) && dataarts.KindOf(groups[0].refusal) == dataarts.Unknown {
		u.answerAll(b, groups[0].refusal)
		return nil
	}
	if err != nil {
		return groups
	}
	var remaining []unpackGroup
	for _, g := range groups {
		gone := slices.DeleteFunc(slices.Clone(g.requests), func(r *unpackRequest) bool { return left[r.id] })
		if len(gone) > 0 {
			g.half = nil
			u.settle(gone, func(*unpackRequest) error { return ErrUnpackShared })
			g.requests = slices.DeleteFunc(slices.Clone(g.requests), func(r *unpackRequest) bool { return !left[r.id] })
		}
		if len(g.requests) > 0 {
			remaining = append(remaining, g)
		}
	}
	return remaining
}

// halves halves groups.
func (u *unpacking) halves(groups []unpackGroup) []unpackGroup {
	var halves []unpackGroup
	for _, g := range groups {
		for part := range slices.Chunk(g.requests, (len(g.requests)+1)/2) {
			halves = append(halves, unpackGroup{requests: part, half: g.half})
		}
	}
	return halves
}
