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

package dataarts

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/impl"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/request"
)

const redacted = "[redacted]"

// Credentials are either an access key with its secret key, and a security token if the key is a temporary one,
// or a project-scoped token of the identity service. They do not show themselves when printed, logged or marshalled.
type Credentials struct {
	AccessKey     string
	SecretKey     string
	SecurityToken string
	Token         string
}

// String implements fmt.Stringer without revealing anything.
func (c Credentials) String() string { return redacted }

// GoString implements fmt.GoStringer without revealing anything.
func (c Credentials) GoString() string { return redacted }

// Format implements fmt.Formatter, because verbs such as %d would print the fields past String and GoString.
func (c Credentials) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte(redacted)) }

// MarshalJSON implements json.Marshaler without revealing anything.
func (c Credentials) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// LogValue implements slog.LogValuer without revealing anything.
func (c Credentials) LogValue() slog.Value { return slog.StringValue(redacted) }

func (c Credentials) check() error {
	keys := c.AccessKey != "" || c.SecretKey != "" || c.SecurityToken != ""
	switch {
	case keys && c.Token != "":
		return errors.New("must be either an access key or a token, not both")
	case keys && (c.AccessKey == "" || c.SecretKey == ""):
		return errors.New("must have both an access key and a secret key")
	case !keys && c.Token == "":
		return errors.New("must have an access key with its secret key, or a token")
	}
	for _, value := range []string{c.AccessKey, c.SecretKey, c.SecurityToken, c.Token} {
		if strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return errors.New("must not contain spaces, line breaks or non-ASCII characters")
		}
	}
	return nil
}

// secrets lists what must never be seen in a text that leaves this package.
func (s settings) secrets() []string {
	c := s.credentials
	secrets := []string{c.AccessKey, c.SecretKey, c.SecurityToken, c.Token}
	if s.proxy != nil {
		password, _ := s.proxy.User.Password()
		secrets = append(secrets, password, url.QueryEscape(password))
	}
	return secrets
}

// sdkCredential returns the credential in the SDK's terms. It is safe for concurrent use: it is static, so the SDK
// never refreshes it in place, and it is given, so the SDK never goes looking for another.
func (s settings) sdkCredential() auth.ICredential {
	c := s.credentials
	if c.Token != "" {
		return &tokenCredential{token: c.Token, projectID: s.projectID}
	}
	return &auth.BasicCredentials{
		BaseCredentials: auth.BaseCredentials{AK: c.AccessKey, SK: c.SecretKey, SecurityToken: c.SecurityToken},
		ProjectId:       s.projectID,
	}
}

// tokenCredential authenticates with X-Auth-Token, which the service accepts and the SDK has no credential for.
type tokenCredential struct {
	token     string
	projectID string
}

// ProcessAuthParams implements auth.ICredential. There is nothing to resolve: the project is known.
func (t *tokenCredential) ProcessAuthParams(*impl.DefaultHttpClient, string) (auth.ICredential, error) {
	return t, nil
}

// ProcessAuthRequest implements auth.ICredential: it fills in what auth.BasicCredentials does, with a token for
// the signature.
func (t *tokenCredential) ProcessAuthRequest(
	_ *impl.DefaultHttpClient, r *request.DefaultHttpRequest,
) (*request.DefaultHttpRequest, error) {
	return r.Builder().
		AddAutoFilledPathParam("project_id", t.projectID).
		AddHeaderParam("X-Project-Id", t.projectID).
		AddHeaderParam("X-Auth-Token", t.token).
		Build(), nil
}
