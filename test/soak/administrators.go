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
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

const (
	workspaceName = "production"
	secretName    = "dataarts"
)

// rightKeys are accepted by the service: two of one user, and two of another.
var rightKeys = []map[string]string{
	{v1alpha1.SecretKeyAccessKey: "ENGINEERKEY", v1alpha1.SecretKeySecretKey: "soak-engineer"},
	{v1alpha1.SecretKeyToken: "soak-engineer-token"},
	{v1alpha1.SecretKeyAccessKey: "DEPUTYKEY", v1alpha1.SecretKeySecretKey: "soak-deputy"},
	{v1alpha1.SecretKeyToken: "soak-deputy-token"},
}

// wrongKeys are not. None of them fails in the name of a right one, which the service would lock for that.
var wrongKeys = []map[string]string{
	{v1alpha1.SecretKeyAccessKey: "NOBODYSKEY", v1alpha1.SecretKeySecretKey: "soak-nobody"},
	{v1alpha1.SecretKeyToken: "soak-nobodys-token"},
	{v1alpha1.SecretKeyAccessKey: "ENGINEERKEY"},
	{},
}

// settings are how a workspace object says that the service is to be called.
type settings struct {
	timeout, poll time.Duration
	calls         int32 // per second
}

// inTheEnd holds once the faults are over: what follows has bounds that depend on it.
var inTheEnd = settings{timeout: 2 * time.Second, poll: 2 * time.Second, calls: callsPerSecond}

// administer lets the administrator of a namespace change its Secret and its workspace object until season ends. What
// is wrong then is put right.
func (t *team) administer(ctx, season context.Context) error {
	for pause(season, between(t.administering, 3*time.Second, 10*time.Second)) {
		if err := t.change(ctx, season); err != nil {
			return fmt.Errorf("%s: %w", t.namespace, err)
		}
	}
	return t.setWorkspace(ctx, inTheEnd)
}

// change does one thing that an administrator does.
func (t *team) change(ctx, season context.Context) error {
	dice, away := t.administering.IntN(100), between(t.administering, 200*time.Millisecond, 4*time.Second)
	right, others := oneOf(t.administering, rightKeys...), t.settings()
	switch {
	case dice < 35:
		return t.setSecret(ctx, right)
	case dice < 50:
		if err := t.setSecret(ctx, oneOf(t.administering, wrongKeys...)); err != nil {
			return err
		}
		pause(season, away)
		return t.setSecret(ctx, right)
	case dice < 60:
		if err := t.discard(ctx, &corev1.Secret{ObjectMeta: t.named(secretName)}); err != nil {
			return err
		}
		pause(season, away)
		return t.setSecret(ctx, right)
	case dice < 85:
		return t.setWorkspace(ctx, others)
	}
	if err := t.discard(ctx, &v1alpha1.DataArtsWorkspace{ObjectMeta: t.named(workspaceName)}); err != nil {
		return err
	}
	pause(season, away)
	return t.setWorkspace(ctx, others)
}

func (t *team) settings() settings {
	return settings{
		timeout: oneOf(t.administering, 1*time.Second, 2*time.Second, 3*time.Second),
		poll:    oneOf(t.administering, 0, 1*time.Second, 2*time.Second, 4*time.Second), // 0 leaves it to the cost.
		calls:   oneOf[int32](t.administering, 30, 60, 100, 200),
	}
}

func (t *team) named(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: t.namespace, Name: name}
}

func (t *team) setSecret(ctx context.Context, keys map[string]string) error {
	data := map[string][]byte{}
	for key, value := range keys {
		data[key] = []byte(value)
	}
	return t.put(ctx, &corev1.Secret{ObjectMeta: t.named(secretName), Data: data})
}

func (t *team) setWorkspace(ctx context.Context, s settings) error {
	return t.put(ctx, &v1alpha1.DataArtsWorkspace{ObjectMeta: t.named(workspaceName), Spec: v1alpha1.DataArtsWorkspaceSpec{
		Endpoint: t.service.url, ProjectID: projectID, WorkspaceID: t.workspace,
		Credentials:       v1alpha1.WorkspaceCredentials{SecretRef: v1alpha1.SecretReference{Name: secretName}},
		Timeout:           metav1.Duration{Duration: s.timeout},
		PollInterval:      metav1.Duration{Duration: s.poll},
		RequestsPerSecond: s.calls,
	}})
}
