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

package lifecycle

import (
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

const (
	// deployingInterval is how often a package is looked at while its deployment runs, which takes seconds to minutes.
	deployingInterval = 5 * time.Second
	// minLookDelay and maxLookDelay bound how soon to look again for something that should have happened by now.
	minLookDelay = time.Second
	maxLookDelay = time.Minute
)

// lookDelay is how long to wait before the next look for something that was under way at the time of the last pass
// too: half as long as it has taken so far.
func lookDelay(rp *v1alpha1.ReleasePackage, reason string, now time.Time) time.Duration {
	return halfOf(sinceReason(rp, reason, now))
}

// sinceReason is how long the operator has been at something; zero if it was at something else.
func sinceReason(rp *v1alpha1.ReleasePackage, reason string, now time.Time) time.Duration {
	c := meta.FindStatusCondition(rp.Status.Conditions, v1alpha1.ConditionReconciling)
	if c == nil || c.Reason != reason {
		return 0
	}
	return now.Sub(c.LastTransitionTime.Time)
}

func halfOf(elapsed time.Duration) time.Duration {
	return min(max(elapsed/2, minLookDelay), maxLookDelay)
}
