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

package quota

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

// Identity stands for a user of the service, who has one quota and one key to be locked, whichever workspaces the calls
// are for. It is a hash and gives nothing away.
type Identity [32]byte

// Budgets has one budget for each identity. It is a prometheus.Collector, to be registered once.
type Budgets struct {
	clock   clock.PassiveClock
	pace    clock.WithDelayedExecution
	workers int
	onPause func(*Budget)

	mu  sync.Mutex
	all map[Identity]*Budget
}

// NewBudgets makes Budgets without any budget. The first clock tells how old something is, and calls wait by the second
// one. Workers is how many callers of AcquireUnlessBusy there are at most, 0 if that is not known: no budget keeps more
// than half of them waiting. OnPause is called when a budget begins or prolongs a pause that people should know of.
func NewBudgets(
	passive clock.PassiveClock, pace clock.WithDelayedExecution, workers int, onPause func(*Budget),
) *Budgets {
	return &Budgets{clock: passive, pace: pace, workers: workers, onPause: onPause, all: map[Identity]*Budget{}}
}

// Join returns the budget of an identity. Until leave is called, it allows no more than so many calls a second.
func (bs *Budgets) Join(id Identity, perSecond int) (b *Budget, leave func()) {
	bs.mu.Lock()
	defer bs.mu.Unlock()
	bs.prune()
	b = bs.all[id]
	if b == nil {
		b = &Budget{
			pace: bs.pace, workers: bs.workers, onPause: bs.onPause,
			pacer: newPacer(), breaker: breaker{clock: bs.clock, pace: bs.pace},
		}
		bs.all[id] = b
	}
	b.update(func() { b.pacer.join(perSecond) })
	return b, func() {
		b.update(func() { b.pacer.leave(perSecond) })
		bs.mu.Lock()
		defer bs.mu.Unlock()
		bs.prune()
	}
}

// prune drops the budgets that nobody uses. One that holds calls back stays until that is over: a new connection must
// not be a way around it.
func (bs *Budgets) prune() {
	for id, b := range bs.all {
		if b.idle() {
			delete(bs.all, id)
		}
	}
}

func (b *Budget) idle() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.pacer.asked) == 0 && b.breaker.retryAfter() == 0
}

// No label tells of a user, a key or a place.
var (
	waited = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "dataarts_operator_budget_wait_seconds",
		Help:    "How long calls waited for the budget before they were made, by priority.",
		Buckets: []float64{.01, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120},
	}, []string{"priority"})
	waiting = prometheus.NewDesc("dataarts_operator_budget_waiting",
		"Calls that wait for a budget, by priority.", []string{"priority"}, nil)
	heldBack = prometheus.NewDesc("dataarts_operator_budget_held_back",
		"Users of the service whose calls are held back, by reason.", []string{"reason"}, nil)
)

func init() {
	metrics.Registry.MustRegister(waited)
}

// Describe implements prometheus.Collector.
func (*Budgets) Describe(to chan<- *prometheus.Desc) {
	to <- waiting
	to <- heldBack
}

// Collect implements prometheus.Collector. It asks the budgets, since nothing happens when a pause ends.
func (bs *Budgets) Collect(to chan<- prometheus.Metric) {
	bs.mu.Lock()
	defer bs.mu.Unlock()
	gauge := func(desc *prometheus.Desc, label string, of func(*Budget) int) {
		n := 0
		for _, b := range bs.all {
			n += of(b)
		}
		to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(n), label)
	}
	for p := range priorities {
		gauge(waiting, p.String(), func(b *Budget) int { return b.Waiting(p) })
	}
	for k := range breaking {
		gauge(heldBack, k.String(), func(b *Budget) int {
			if b.IsOpen(k) {
				return 1
			}
			return 0
		})
	}
}
