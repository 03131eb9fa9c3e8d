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
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
	"github.com/dataarts-operator/dataarts-operator/internal/workspace"
)

// recordPause brings a pause that the service asked for up to date, and says when to look again. One that has become
// a little longer is not worth a write.
func (r *DataArtsWorkspaceReconciler) recordPause(ws *v1alpha1.DataArtsWorkspace,
	conn *workspace.Connection) time.Duration {
	var until time.Time
	if conn != nil {
		until = conn.ThrottledUntil()
	}
	if until.IsZero() {
		ws.Status.ThrottledUntil = nil
		return recheckInterval
	}
	if recorded := ws.Status.ThrottledUntil; recorded == nil || until.Sub(recorded.Time).Abs() > pauseTolerance {
		ws.Status.ThrottledUntil = new(metav1.NewTime(until.Add(time.Second - 1).Truncate(time.Second)))
	}
	return min(max(until.Sub(r.Clock.Now()), minDelay), recheckInterval)
}

// pollIntervals are what status.pollInterval is rounded up to.
var pollIntervals = []time.Duration{
	5 * time.Second, 10 * time.Second, 15 * time.Second, 20 * time.Second, 30 * time.Second, 45 * time.Second,
	time.Minute, 90 * time.Second, 2 * time.Minute, 3 * time.Minute, 4 * time.Minute, 5 * time.Minute,
	7 * time.Minute, 10 * time.Minute,
}

// recordPollInterval brings the interval of the polls up to date. One that has become a little shorter is not worth a
// write.
func recordPollInterval(ws *v1alpha1.DataArtsWorkspace, conn *workspace.Connection) {
	if conn == nil {
		return
	}
	interval := conn.LatestPollInterval()
	if ws.Spec.PollInterval.Duration == 0 {
		if recorded := ws.Status.PollInterval; recorded != nil && slices.Contains(pollIntervals, recorded.Duration) &&
			interval <= recorded.Duration && 2*interval > recorded.Duration {
			return
		}
		at, _ := slices.BinarySearch(pollIntervals, interval)
		interval = pollIntervals[min(at, len(pollIntervals)-1)]
	}
	ws.Status.PollInterval = &metav1.Duration{Duration: interval}
}

func (r *DataArtsWorkspaceReconciler) summarize(ws *v1alpha1.DataArtsWorkspace, problem *lifecycle.Problem) {
	ws.Status.ObservedGeneration = ws.Generation
	ready := metav1.Condition{
		Type:               v1alpha1.ConditionReady,
		Status:             metav1.ConditionTrue,
		Reason:             v1alpha1.ReasonAvailable,
		Message:            "The service answers for this workspace",
		ObservedGeneration: ws.Generation,
		LastTransitionTime: metav1.NewTime(r.Clock.Now().Truncate(time.Second)),
	}
	if problem != nil {
		ready.Status, ready.Reason, ready.Message = metav1.ConditionFalse, problem.Reason, problem.Message
	}
	meta.SetStatusCondition(&ws.Status.Conditions, ready)
}

func (r *DataArtsWorkspaceReconciler) count(ctx context.Context, ws *v1alpha1.DataArtsWorkspace) error {
	packages, err := packagesOf(ctx, r.Client, ws)
	if err != nil {
		return err
	}
	ws.Status.Packages, ws.Status.InFlight = 0, 0
	for i := range packages {
		ws.Status.Packages++
		if inFlight(&packages[i]) {
			ws.Status.InFlight++
		}
	}
	return nil
}

// publish tells of a change of the verdict, and of the begin of a pause.
func (r *DataArtsWorkspaceReconciler) publish(ctx context.Context, before, ws *v1alpha1.DataArtsWorkspace) {
	if before.Status.ThrottledUntil == nil && ws.Status.ThrottledUntil != nil {
		tell(ctx, r.Events, ws, lifecycle.Event{Reason: v1alpha1.ReasonThrottled, Warning: true,
			Message: "The service asks for fewer calls; the operator goes on by itself. " +
				"If this lasts, lower spec.requestsPerSecond, or use credentials that nothing else uses"})
	}
	was := meta.FindStatusCondition(before.Status.Conditions, v1alpha1.ConditionReady)
	is := meta.FindStatusCondition(ws.Status.Conditions, v1alpha1.ConditionReady)
	if was != nil && was.Reason == is.Reason && was.Message == is.Message {
		return
	}
	tell(ctx, r.Events, ws, lifecycle.Event{Reason: is.Reason, Message: is.Message,
		Warning: is.Status != metav1.ConditionTrue})
}
