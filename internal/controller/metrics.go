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
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

// orphanedPackages is what a platform team alerts on: each is a package that someone has to withdraw in the console.
var orphanedPackages = prometheus.NewCounter(prometheus.CounterOpts{
	Name: "dataarts_operator_orphaned_packages_total",
	Help: "ReleasePackages that went, at spec.deletionDeadline or without their finalizer, though their package may be " +
		"left at the service.",
})

// forbiddenNamespaces is what a platform team alerts on when it is not 0: what is applied there is not looked at.
var forbiddenNamespaces = prometheus.NewGaugeVec(prometheus.GaugeOpts{
	Name: "dataarts_operator_namespace_forbidden",
	Help: "1 for a namespace of --watch-namespaces in which the operator may not read its resources, 0 for the others.",
}, []string{"namespace"})

func init() {
	metrics.Registry.MustRegister(orphanedPackages, forbiddenNamespaces)
}
