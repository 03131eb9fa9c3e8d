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

package main

import (
	"context"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// lateError is what the manager logs when it gives up its lease because it was told to stop.
const lateError = "error received after stop sequence was engaged"

// calm logs at level 1 what libraries log as errors although nothing is wrong: the API server takes no events from
// a namespace that is being deleted, and a manager that was told to stop leads no more.
type calm struct {
	logr.LogSink
	running context.Context // It tells whether the manager was told to stop.
}

// Error implements logr.LogSink.
func (c calm) Error(err error, message string, keysAndValues ...any) {
	isNone := apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) ||
		message == lateError && c.running.Err() != nil
	switch {
	case !isNone:
		c.LogSink.Error(err, message, keysAndValues...)
	case c.Enabled(1):
		c.Info(1, message, append(keysAndValues, "cause", err.Error())...)
	}
}

// WithValues implements logr.LogSink.
func (c calm) WithValues(keysAndValues ...any) logr.LogSink {
	return calm{c.LogSink.WithValues(keysAndValues...), c.running}
}

// WithName implements logr.LogSink.
func (c calm) WithName(name string) logr.LogSink { return calm{c.LogSink.WithName(name), c.running} }
