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
	"errors"
	"math/rand/v2"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
)

// end hands out what the round has shown. Where it was cut off, it has shown nothing.
func (o *observer) end(r *round, cutOff bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	r.running, r.series = false, nil
	// Those that are looked at together stay together.
	spread := 1 + rand.Float64()/10 //nolint:gosec // No secret depends on it.
	for object, e := range r.entries {
		v := r.viewOf(e)
		switch {
		case v == nil && !cutOff && !r.unfinished && !e.due.After(r.began):
			e.due = o.clock.Now().Add(scaled(firstRetry, spread)) // Whatever kept the round from looking, the next one has to wait.
		case cutOff, v == nil:
		case v.turn <= max(e.turn, o.written[place{r.conn.target, e.ID}]):
			// It was seen or asked to change meanwhile, so that the next look counts. That is made for all together, even if it is a little later.
			if next := r.began.Add(scaled(e.After, spread)); !e.gathers() && next.Before(e.due.Add(e.After/4)) {
				e.due = next
			}
		case v.Err != nil:
			o.failed(object, e, v, spread)
		default:
			o.seen(object, e, v, spread)
		}
	}
	if len(r.entries) == 0 && o.polls[r.conn] == r.poll {
		delete(o.polls, r.conn)
	}
	o.forget()
	o.wake()
}

// viewOf is what a round has shown of a package, whether or not that was due; nil if nothing.
func (r *round) viewOf(e *entry) *View {
	if v := r.found[e.subject()]; v != nil {
		return v
	}
	if !r.shows(&e.Watch) {
		return nil
	}
	v := &View{Began: r.began, turn: r.turn}
	switch seen := r.listed[e.ID]; {
	case seen.shown != nil:
		v.Package = &dataarts.PackageDetail{Package: *seen.shown}
	case seen.Outlook != e.Known || e.Awaited || e.Trouble != "":
		return nil // More was expected of it meanwhile than to look as it did.
	}
	return v
}

// seen takes down a look that succeeded.
func (o *observer) seen(object types.NamespacedName, e *entry, v *View, spread float64) {
	e.view, e.turn, e.seenAt, e.failures, e.assumed = nil, v.turn, v.Began, 0, false
	changed := !v.unchanged() && v.outlook() != e.Known
	if e.Awaited && !changed && e.due.After(v.Began.Add(quiet)) {
		return // Others were looked at. Whoever means to come back later is told then.
	}
	e.due = v.Began.Add(scaled(e.After, spread))
	if e.Awaited || e.Trouble != "" || changed {
		e.view, e.due = v, e.due.Add(lastRetry) // The object is told, and says how it goes on.
		o.tell(object)
	}
}

// failed takes down a look that failed. Those who only watch are told when that lasts.
func (o *observer) failed(object types.NamespacedName, e *entry, v *View, spread float64) {
	e.failures++
	e.due = o.clock.Now().Add(scaled(min(firstRetry<<min(e.failures-1, 10), lastRetry), spread))
	if (e.Awaited || e.failures >= passing || lasts(v.Err)) && (e.Awaited || e.Trouble != v.Err.Error()) {
		e.view, v.Awaited = v, e.Awaited
		o.tell(object)
	}
}

func scaled(d time.Duration, by float64) time.Duration { return time.Duration(float64(d) * by) }

// lasts reports whether an error is not one of those that come and go.
func lasts(err error) bool {
	if _, unusable := errors.AsType[*Error](err); unusable {
		return true
	}
	switch dataarts.KindOf(err) {
	case dataarts.Unauthorized, dataarts.Forbidden, dataarts.Refused:
		return true
	case dataarts.Unknown, dataarts.NotFound, dataarts.AlreadyDeployed, dataarts.Throttled, dataarts.Unreachable:
	}
	return false
}
