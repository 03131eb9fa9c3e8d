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
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
)

// No label tells of a user, a key or a place.
var (
	callsMade = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "dataarts_operator_service_calls_total",
		Help: "Calls to the service, by operation and result.",
	}, []string{"operation", "result"})
	callSeconds = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "dataarts_operator_service_call_duration_seconds",
		Help:    "How long calls to the service took, by operation.",
		Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
	}, []string{"operation"})
	waited = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "dataarts_operator_budget_wait_seconds",
		Help:    "How long calls waited for the budget before they were made, by priority.",
		Buckets: []float64{.01, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120},
	}, []string{"priority"})
	waiting = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "dataarts_operator_budget_waiting",
		Help: "Calls that wait for a budget, by priority.",
	}, []string{"priority"})
	live = &liveBudgets{all: map[*budget]bool{}}
)

func init() {
	metrics.Registry.MustRegister(callsMade, callSeconds, waited, waiting, live)
}

func count(op dataarts.Op, err error, took time.Duration) {
	operation := strings.ReplaceAll(string(op), " ", "_")
	callsMade.WithLabelValues(operation, resultOf(err)).Inc()
	callSeconds.WithLabelValues(operation).Observe(took.Seconds())
}

var heldBack = prometheus.NewDesc("dataarts_operator_budget_held_back",
	"Users of the service whose calls are held back, by reason.", []string{"reason"}, nil)

// liveBudgets counts the budgets that hold calls back at the moment it is asked, since nothing happens when a hold ends.
type liveBudgets struct {
	mu  sync.Mutex
	all map[*budget]bool
}

func (l *liveBudgets) add(b *budget) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all[b] = true
}

func (l *liveBudgets) remove(b *budget) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.all, b)
}

// Describe implements prometheus.Collector.
func (*liveBudgets) Describe(to chan<- *prometheus.Desc) { to <- heldBack }

// Collect implements prometheus.Collector.
func (l *liveBudgets) Collect(to chan<- prometheus.Metric) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for r := range reasons {
		n := 0
		for b := range l.all {
			if b.holdsBack(r) {
				n++
			}
		}
		to <- prometheus.MustNewConstMetric(heldBack, prometheus.GaugeValue, float64(n), r.String())
	}
}
