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
)

func init() {
	metrics.Registry.MustRegister(callsMade, callSeconds)
}

func count(op dataarts.Op, err error, took time.Duration) {
	operation := strings.ReplaceAll(string(op), " ", "_")
	callsMade.WithLabelValues(operation, resultOf(err)).Inc()
	callSeconds.WithLabelValues(operation).Observe(took.Seconds())
}
