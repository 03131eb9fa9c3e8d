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

package controller

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
)

// forgottenAfter is how soon a pass follows one that left nothing to wake its object.
const forgottenAfter = time.Minute

// forgottenObjects counts what must not happen.
var forgottenObjects = prometheus.NewCounter(prometheus.CounterOpts{
	Name: "dataarts_operator_forgotten_objects_total",
	Help: "Passes that ended with neither a look nor another pass to come, though their object is not settled. " +
		"Each is a fault of the operator, which looks again after a minute.",
})

func init() {
	metrics.Registry.MustRegister(forgottenObjects)
}

// ensureRequeue makes sure that a pass or a look is to come, or that the object is settled. Otherwise the object would
// be forgotten, so there is another pass after a minute.
func (p *pass) ensureRequeue(ctx context.Context, result ctrl.Result) ctrl.Result {
	if result.RequeueAfter > 0 || p.watched || lifecycle.Settled(p.rp) {
		return result
	}
	forgottenObjects.Inc()
	ctrl.LoggerFrom(ctx).Error(nil,
		"A pass ended with nothing to wake its object, which is not settled; the operator looks again",
		"state", p.rp.Status.State, "conditions", p.rp.Status.Conditions, "after", forgottenAfter.String())
	return ctrl.Result{RequeueAfter: forgottenAfter, Priority: &background}
}
