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
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"syscall"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// apiWire stands between one life of the manager and the API server. Every request is a boundary.
type apiWire struct {
	base     http.RoundTripper
	operator *operator
	cached   bool
}

// RoundTrip implements http.RoundTripper. It runs in the goroutine of the pass or round, which is what lets a crash
// end that.
func (t *apiWire) RoundTrip(req *http.Request) (*http.Response, error) {
	o, w := t.operator, t.operator.world
	if o.dead.Load() {
		o.crash()
	}
	name := packageOf(req.URL.Path)
	f := w.journal.reach(apiBoundary(req, t.cached, w.memory.versions(name)))
	switch {
	case f == crashBefore:
		o.crash()
	case f == failed:
		return refusal(req, http.StatusServiceUnavailable, metav1.StatusReasonServiceUnavailable), nil
	case f == stale:
		if about := w.objectNamed(name); about != nil && w.memory.newsAhead(name) {
			w.wake(about) // The watch brings the change that the cache has not seen yet.
		}
		return answer{code: http.StatusOK, body: w.memory.previous(name)}.reply(req), nil
	case f == conflict:
		w.meddle(req.Context(), name)
	case f.in(frozenBefore):
		o.freeze()
	}
	resp, err := w.memory.ask(t.base, req)
	if f == crashAfter || f == overtaken {
		o.crash()
	}
	if f == lostReply {
		return nil, fmt.Errorf("reading the answer: %w", syscall.ECONNRESET)
	}
	if f == overtakenAfter {
		o.freeze()
	}
	return resp, err
}

// refusal is the API server's way to say no.
func refusal(req *http.Request, code int, reason metav1.StatusReason) *http.Response {
	body, err := json.Marshal(metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"},
		Status:   metav1.StatusFailure, Reason: reason, Code: int32(code), //nolint:gosec // A status code is a small number.
		Message: "crash matrix: " + string(reason),
	})
	if err != nil {
		panic(err) // Plain fields always marshal.
	}
	return answer{code: code, body: body}.reply(req)
}

// answer is what the API server says. Without a type it is JSON.
type answer struct {
	code        int
	contentType string
	body        []byte
}

func (a answer) reply(req *http.Request) *http.Response {
	return &http.Response{
		StatusCode: a.code, Status: http.StatusText(a.code), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req,
		Header:        http.Header{"Content-Type": {cmp.Or(a.contentType, "application/json")}},
		Body:          io.NopCloser(bytes.NewReader(a.body)),
		ContentLength: int64(len(a.body)),
	}
}

// userWire stands between the users and the API server: nothing goes wrong there, but versions are remembered.
type userWire struct {
	base   http.RoundTripper
	memory *memory
}

// RoundTrip implements http.RoundTripper.
func (t *userWire) RoundTrip(req *http.Request) (*http.Response, error) {
	return t.memory.ask(t.base, req)
}
