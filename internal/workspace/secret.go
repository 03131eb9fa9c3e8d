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
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
)

const wantedKeys = "the keys accessKey and secretKey (and securityToken if the key is temporary), or the key token"

func (c *Connections) readSecret(ctx context.Context, ws *v1alpha1.DataArtsWorkspace) (*corev1.Secret, error) {
	key := types.NamespacedName{Namespace: ws.Namespace, Name: ws.Spec.Credentials.SecretRef.Name}
	secret := &corev1.Secret{}
	err := c.Secrets.Get(ctx, key, secret)
	switch {
	case apierrors.IsNotFound(err):
		return nil, &Error{v1alpha1.ReasonCredentialsNotFound, fmt.Sprintf(
			"Secret %q of DataArtsWorkspace %q does not exist in namespace %q; create it with %s", key.Name, ws.Name,
			key.Namespace, wantedKeys)}
	case apierrors.IsForbidden(err):
		return nil, &Error{v1alpha1.ReasonCredentialsNotFound, fmt.Sprintf(
			"The operator may not read Secret %q of DataArtsWorkspace %q in namespace %q; give its ServiceAccount the right "+
				"to get it",
			key.Name, ws.Name, key.Namespace)}
	case err != nil:
		return nil, fmt.Errorf("reading Secret %q: %w", key.Name, err)
	}
	return secret, nil
}

// credentialsFrom reads a Secret strictly: what is unclear is an error that names the key, and never shows its value.
func credentialsFrom(ws *v1alpha1.DataArtsWorkspace, secret *corev1.Secret) (dataarts.Credentials, error) {
	invalid := func(format string, args ...any) error {
		return &Error{v1alpha1.ReasonCredentialsInvalid,
			fmt.Sprintf("Secret %q of DataArtsWorkspace %q ", secret.Name, ws.Name) + fmt.Sprintf(format, args...)}
	}
	if keptByKubernetes(secret.Type) {
		return dataarts.Credentials{},
			invalid("is of type %s, which Kubernetes keeps for itself, so that nothing of it is sent to a service; "+
				"store the credentials in a Secret of type %s", secret.Type, corev1.SecretTypeOpaque)
	}
	value := func(key string) string { return string(secret.Data[key]) }
	for _, key := range []string{
		v1alpha1.SecretKeyAccessKey, v1alpha1.SecretKeySecretKey, v1alpha1.SecretKeySecurityToken, v1alpha1.SecretKeyToken,
	} {
		if v := value(key); v != strings.TrimSpace(v) {
			return dataarts.Credentials{}, invalid("has a space or line break around the value of %s; store the bare value", key)
		}
	}
	creds := dataarts.Credentials{
		AccessKey:     value(v1alpha1.SecretKeyAccessKey),
		SecretKey:     value(v1alpha1.SecretKeySecretKey),
		SecurityToken: value(v1alpha1.SecretKeySecurityToken),
		Token:         value(v1alpha1.SecretKeyToken),
	}
	switch {
	case creds.Token != "" && (creds.AccessKey != "" || creds.SecretKey != "" || creds.SecurityToken != ""):
		return dataarts.Credentials{}, invalid("holds both a token and an access key; keep either %s", wantedKeys)
	case creds.Token == "" && creds.AccessKey == "" && creds.SecretKey == "":
		return dataarts.Credentials{}, invalid("holds no credentials; it needs %s", wantedKeys)
	case creds.Token == "" && creds.AccessKey == "":
		return dataarts.Credentials{}, invalid("lacks the key accessKey; it needs %s", wantedKeys)
	case creds.Token == "" && creds.SecretKey == "":
		return dataarts.Credentials{}, invalid("lacks the key secretKey; it needs %s", wantedKeys)
	}
	return creds, nil
}

// keptByKubernetes reports whether a Secret is of one of Kubernetes' own types. The author of a workspace object, who
// need not be allowed to read Secrets, chooses the host that credentials are sent to: what serves the cluster, a
// service account's token above all, must not leave it that way.
func keptByKubernetes(kind corev1.SecretType) bool {
	domain, _, qualified := strings.Cut(string(kind), "/")
	return qualified && (domain == "kubernetes.io" || strings.HasSuffix(domain, ".kubernetes.io"))
}
