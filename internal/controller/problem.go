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
	"errors"
	"fmt"
	"strings"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
	"github.com/dataarts-operator/dataarts-operator/internal/workspace"
)

// problemOf says in a condition's words what an error of the workspace or the service means: a cause and what to do.
// It is nil for trouble with the API server, which no condition can tell of.
func problemOf(err error) *lifecycle.Problem {
	if unusable, ok := errors.AsType[*workspace.Error](err); ok {
		return &lifecycle.Problem{Reason: unusable.Reason, Message: unusable.Message}
	}
	if e, ok := errors.AsType[*dataarts.Error](err); ok {
		return serviceProblem(e)
	}
	if _, ok := errors.AsType[*workspace.BusyError](err); ok {
		return &lifecycle.Problem{Reason: v1alpha1.ReasonThrottled, Message: longQueueMessage}
	}
	if errors.Is(err, dataarts.ErrIncomplete) {
		return &lifecycle.Problem{Reason: v1alpha1.ReasonServiceUnavailable,
			Message: fmt.Sprintf("Looking at the service failed: %s; the operator tries again", err)}
	}
	return nil
}

// answerFrom is what came of a request, in the lifecycle's words.
func answerFrom(err error) lifecycle.Answer {
	if err == nil {
		return lifecycle.Answer{}
	}
	answer := lifecycle.Answer{Kind: answerKindOf(err), Refusal: refusalFrom(err), Error: err.Error()}
	if problem := problemOf(err); problem != nil {
		answer.Problem = *problem
	}
	return answer
}

func answerKindOf(err error) lifecycle.AnswerKind {
	if errors.Is(err, workspace.ErrUnpackShared) {
		return lifecycle.AnswerShared
	}
	switch dataarts.KindOf(err) {
	case dataarts.Refused:
		return lifecycle.AnswerRefused
	case dataarts.NotFound:
		return lifecycle.AnswerNotFound
	case dataarts.AlreadyDeployed:
		return lifecycle.AnswerTooLate
	case dataarts.Unauthorized, dataarts.Forbidden, dataarts.Throttled, dataarts.Unreachable:
		return lifecycle.AnswerNotDone
	case dataarts.Unknown:
	}
	if dataarts.MayDeny(err) {
		return lifecycle.AnswerUnclear
	}
	return lifecycle.AnswerNone
}

// ofWorkspace reports whether an error is one that all packages of a workspace meet, and that the workspace object
// tells of. One that does not exist cannot.
func ofWorkspace(err error) bool {
	if unusable, ok := errors.AsType[*workspace.Error](err); ok {
		return unusable.Reason != v1alpha1.ReasonWorkspaceNotFound
	}
	if _, ok := errors.AsType[*workspace.BusyError](err); ok {
		return true // That there is much to do is no trouble.
	}
	switch dataarts.KindOf(err) {
	case dataarts.Unauthorized, dataarts.Throttled, dataarts.Unreachable:
		return true
	case dataarts.Unknown, dataarts.Refused, dataarts.NotFound, dataarts.AlreadyDeployed, dataarts.Forbidden:
	}
	return false
}

const longQueueMessage = "More packages wait to be packed than the service's limit of calls lets through in two " +
	"minutes; this one has its turn later. " +
	"spec.requestsPerSecond of the workspace is the limit"

// refusalFrom is the service's own words for a refusal, to be put into a sentence.
func refusalFrom(err error) string {
	e, ok := errors.AsType[*dataarts.Error](err)
	if !ok {
		return err.Error()
	}
	words := strings.TrimRight(e.Message, ". ")
	switch {
	case e.Code != "":
		return e.Code + ": " + words
	case words == "":
		return fmt.Sprintf("HTTP %d", e.Status)
	}
	return words
}

func serviceProblem(e *dataarts.Error) *lifecycle.Problem {
	problem := func(reason, format string) *lifecycle.Problem {
		return &lifecycle.Problem{Reason: reason, Message: fmt.Sprintf(format, e)}
	}
	if errors.Is(e, dataarts.ErrLocalAddress) {
		return problem(v1alpha1.ReasonWorkspaceInvalid,
			"The host of spec.endpoint, spec.region or spec.proxyURL of the workspace leads to the operator's own host, "+
				"its link or a metadata service (%s); name the service's or the proxy's own host, or start the operator with "+
				"--allow-insecure-endpoints for development")
	}
	switch e.Kind {
	case dataarts.Unauthorized:
		return problem(v1alpha1.ReasonCredentialsRejected,
			"The service does not accept the credentials (%s); correct the Secret of the workspace. "+
				"The operator tries the same credentials only every few minutes, as the service locks a key that fails often")
	case dataarts.Forbidden:
		return problem(v1alpha1.ReasonCredentialsRejected,
			"The credentials lack a permission (%s); give their user a DAYU role and the role of a developer, "+
				"deployer or admin in the workspace, or correct spec.projectId of the workspace. The operator tries again")
	case dataarts.Throttled:
		return problem(v1alpha1.ReasonThrottled, "The service asks for fewer calls (%s); the operator goes on by itself. "+
			"If this lasts, lower spec.requestsPerSecond of the workspace, or use credentials that nothing else uses")
	case dataarts.Unreachable:
		return problem(v1alpha1.ReasonServiceUnavailable,
			"The service cannot be reached (%s); check spec.region or spec.endpoint, spec.proxyURL and spec.caBundle "+
				"of the workspace, and the network. The operator tries again")
	case dataarts.Refused, dataarts.NotFound, dataarts.AlreadyDeployed:
		return problem(v1alpha1.ReasonRefused,
			"The service refused a call (%s); check spec.projectId and spec.workspaceId of the workspace, and the "+
				"role of the credentials' user there. The operator tries again")
	case dataarts.Unknown:
	}
	return problem(v1alpha1.ReasonServiceUnavailable,
		"The service gave no usable answer (%s); the operator tries again. If this lasts, check spec.endpoint of the "+
			"workspace and the service's health")
}
