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
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// An answer that is longer than these is not one of the service.
const (
	maxListBytes  = 8 << 20
	maxBodyBytes  = 1 << 20
	maxErrorBytes = 64 << 10
)

const (
	maxRetryAfter      = 24 * time.Hour
	maxRequestIDLength = 64
)

// undecodable is said of a body that is not the JSON it should be. What it is instead may be anything, so it is
// not shown.
const undecodable = "the answer could not be decoded"

// reply is an answer as it came, with its body read.
type reply struct {
	status int
	header http.Header
	body   []byte
	// cut says why the body is incomplete, nil if it is not.
	cut error
}

// readReply reads an answer and closes it. The body is read before anyone decodes it, and only as far as it may go.
func readReply(op Op, resp *http.Response) reply {
	defer func() { _ = resp.Body.Close() }() // an error of closing says nothing about the answer

	r := reply{status: resp.StatusCode, header: resp.Header}
	// What is neither a success nor an error has no code in its body, and that of a switched protocol would never end.
	if r.status != http.StatusOK && r.status < http.StatusBadRequest {
		return r
	}
	limit := bodyLimit(op, r.status)
	r.body, r.cut = io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if r.cut == nil && int64(len(r.body)) > limit {
		r.cut = errTooLong
	}
	r.body = idsAsText(r.body)
	return r
}

func bodyLimit(op Op, status int) int64 {
	switch {
	case status != http.StatusOK:
		return maxErrorBytes
	case op == OpList || op == OpListPendingItems:
		return maxListBytes
	}
	return maxBodyBytes
}

// envelope is how the service and its gateway report an error, and how some of the service's routes do it in a 200.
type envelope struct {
	Code      string `json:"error_code"`
	Message   string `json:"error_msg"`
	RequestID string `json:"request_id"`
	IsSuccess *bool  `json:"is_success"`
}

func (e envelope) reportsError() bool {
	return e.Code != "" || e.Message != "" || e.IsSuccess != nil && !*e.IsSuccess
}

// judge returns nil if the answer is a success as far as can be told without knowing what it should hold,
// and an *Error if it is not.
func (r reply) judge(op Op, redact redactor) error {
	env, whole := r.envelope()
	if r.status == http.StatusOK && whole && !env.reportsError() {
		return nil
	}
	code, id := normalizeCode(env.Code), r.requestID(env)
	return &Error{
		Op:         op,
		Kind:       classify(op, r.status, code),
		Status:     r.status,
		Code:       code,
		Message:    redact.line(r.explain(env, id)),
		RequestID:  id,
		RetryAfter: retryAfter(r.header),
		cause:      r.cut,
	}
}

// envelope returns what the answer reports, and whether it could be read. No body is an empty report: the
// status speaks then.
func (r reply) envelope() (env envelope, whole bool) {
	if r.cut != nil {
		return envelope{}, false
	}
	if len(r.body) == 0 {
		return envelope{}, true
	}
	if err := json.Unmarshal(r.body, &env); err != nil {
		return envelope{}, false // HTML, or JSON of another shape, of which some may have been taken over
	}
	return env, true
}

// explain says in words what is wrong with an answer, and nothing if the status already says it.
func (r reply) explain(env envelope, requestID string) string {
	switch {
	case r.cut != nil:
		return describe(r.cut)
	case env.Message != "" && requestID != "":
		return strings.ReplaceAll(env.Message, requestID, "")
	case env.Message != "":
		return env.Message
	case r.status == http.StatusOK && env.reportsError():
		return "the answer reports a failure"
	case r.status == http.StatusOK:
		return undecodable
	}
	return ""
}

// requestID returns what identifies the call to the vendor, from the header or, as the gateway does it, from the body.
func (r reply) requestID(env envelope) string {
	id := cmp.Or(r.header.Get("X-Request-Id"), env.RequestID)
	if len(id) > maxRequestIDLength || strings.ContainsFunc(id, func(c rune) bool { return !unreserved(c) }) {
		return ""
	}
	return id
}

// retryAfter reads the header of that name: seconds or a date, which is compared with the server's own clock
// where it shows one.
func retryAfter(header http.Header) time.Duration {
	value := header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 32); err == nil {
		return min(time.Duration(seconds)*time.Second, maxRetryAfter)
	}
	date, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return min(max(date.Sub(now), 0), maxRetryAfter)
}
