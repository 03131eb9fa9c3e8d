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
	"errors"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
)

// refusals remember which objects the API server refuses to let the operator write, as an admission policy does. The
// zero value is ready for use.
type refusals struct {
	mu sync.Mutex
	// told is what was said of each object, so that it is said once.
	told    map[reconcile.Request]string
	retries workqueue.TypedRateLimiter[reconcile.Request]
}

// refusedWords are the API server's words for a refusal of a write that stands until someone changes a policy or a
// role; empty for any other trouble.
func refusedWords(err error) string {
	var status apierrors.APIStatus
	ok := errors.As(err, &status)
	final := apierrors.IsForbidden(err) || apierrors.IsInvalid(err) || apierrors.IsRequestEntityTooLargeError(err)
	if !ok || !final || apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return ""
	}
	return status.Status().Message
}

// note reports whether the words are news about an object, and when to try again.
func (r *refusals) note(req reconcile.Request, words string) (news bool, again ctrl.Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.told == nil {
		r.told, r.retries = map[reconcile.Request]string{}, newBackoff()
	}
	news = r.told[req] != words
	r.told[req] = words
	return news, ctrl.Result{RequeueAfter: jitter(r.retries.When(req)), Priority: &background}
}

// forget is called when nothing is refused, or the object is gone.
func (r *refusals) forget(req reconcile.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, refused := r.told[req]; refused {
		delete(r.told, req)
		r.retries.Forget(req)
	}
}

// refused tells of a write that the API server has refused, by an event and, where that may be written, by a
// condition. It is tried again by backoff: nobody tells when a policy changes.
func (r *ReleasePackageReconciler) refused(ctx context.Context, p *pass, words string) ctrl.Result {
	req := ctrl.Request{NamespacedName: client.ObjectKeyFromObject(p.first)}
	news, again := r.refusals.note(req, words)
	if !news {
		return again
	}
	step := lifecycle.Step{Action: lifecycle.Wait, Reason: v1alpha1.ReasonWriteRefused, Message: fmt.Sprintf(
		"The API server refuses a write of the operator: %s. Except the operator from the policy, or give it back its "+
			"role; it tries again", words)}
	r.publish(ctx, p, lifecycle.Event{Reason: step.Reason, Message: step.Message, Warning: true})
	told := p.first.DeepCopy()
	lifecycle.Summarize(told, step, r.Clock.Now())
	if equality.Semantic.DeepEqual(told.Status, p.first.Status) {
		return again
	}
	// The version is that of the pass's latest write: what was refused has not changed it.
	told.ResourceVersion = p.before.ResourceVersion
	base := p.first.DeepCopy()
	base.ResourceVersion = told.ResourceVersion
	if err := r.Status().Patch(ctx, told,
		client.MergeFromWithOptions(base, client.MergeFromWithOptimisticLock{})); err != nil {
		ctrl.LoggerFrom(ctx).V(1).Info("Status is refused, too", "cause", err.Error())
	}
	return again
}
