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

package simulator

import (
	"crypto/hmac"
	"crypto/subtle"
	"net/http"
	"slices"
	"time"
)

const (
	authorizationHeader = "Authorization"
	authTokenHeader     = "X-Auth-Token"
	securityTokenHeader = "X-Security-Token"

	maxClockSkew    = 15 * time.Minute
	allowedFailures = 5
	lockDuration    = 5 * time.Minute
)

func (u *User) mayEnter(project string) bool {
	return slices.Contains(u.Projects, project)
}

// authenticate sets the user of the call. Its messages name neither keys nor tokens nor signatures.
func (s *Server) authenticate(r *http.Request, c *call) *refusal {
	if value := r.Header.Get(authorizationHeader); value != "" {
		return s.authenticateSigned(r, c, value)
	}
	token := r.Header.Get(authTokenHeader)
	if token == "" {
		return unauthorized("no authentication information in the request")
	}
	for _, u := range s.users {
		if u.Token != "" && sameSecret(u.Token, token) {
			c.user = u
			return nil
		}
	}
	return unauthorized("decrypt token fail")
}

func (s *Server) authenticateSigned(r *http.Request, c *call, value string) *refusal {
	auth, ok := parseAuthorization(value)
	if !ok {
		return unauthorized("malformed authorization header")
	}
	var user *User
	for _, u := range s.users {
		if u.AccessKey == auth.accessKey {
			user = u
		}
	}
	if user == nil {
		return unauthorized("Get secretKey failed, ak not exist")
	}
	problem := s.verify(r, c.body, auth, user)

	s.mu.Lock()
	defer s.mu.Unlock()
	if no := s.countFailure(auth.accessKey, problem != ""); no != nil {
		return no
	}
	if problem != "" {
		return unauthorized(problem)
	}
	c.user = user
	return nil
}

// verify says what is wrong with a signed request, or nothing.
func (s *Server) verify(r *http.Request, body []byte, auth authorization, u *User) string {
	date, err := time.Parse(sdkDateLayout, r.Header.Get(sdkDateHeader))
	if err != nil {
		return "malformed X-Sdk-Date"
	}
	if s.opts.Now().Sub(date).Abs() > maxClockSkew {
		return "X-Sdk-Date differs from the server time by more than 15 minutes"
	}
	if !sameSecret(u.SecurityToken, r.Header.Get(securityTokenHeader)) {
		return "ak not exist" // what the gateway says when a temporary key comes without its token
	}
	if !hmac.Equal(auth.signature, signatureOf(r, body, auth.signedHeaders, u.SecretKey)) {
		return "verify aksk signature fail"
	}
	return ""
}

func sameSecret(a, b string) bool {
	return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}

// lockout counts the failures of one access key.
type lockout struct {
	failures int
	until    time.Time
}

// countFailure records one attempt and refuses it while the key is locked. A right signature does not
// open a lock, and the attempts during a lock do not extend it.
func (s *Server) countFailure(accessKey string, failed bool) *refusal {
	l := s.lockouts[accessKey]
	if l == nil {
		l = &lockout{}
		s.lockouts[accessKey] = l
	}
	now := s.opts.Now()
	if now.Before(l.until) {
		return unauthorized("AK access failed to reach the limit,forbidden")
	}
	if !failed {
		l.failures = 0
		return nil
	}
	l.failures++
	if l.failures > allowedFailures {
		*l = lockout{until: now.Add(lockDuration)}
	}
	return nil
}
