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
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

// interruption is something that happens once, when an operation reaches the service: what other people do at the
// worst moment, or a lost line that belongs to the story of a scenario.
type interruption struct {
	op simulator.Operation
	// afterWork lets it happen between the work and its answer.
	afterWork bool
	do        func(w *world) error
	// cut loses the line there, without the work or without its answer.
	cut bool
}

// ServeHTTP stands between the manager and the service. Every request is a boundary.
func (w *world) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	o := w.operatorOf(r)
	if o == nil || o.dead.Load() {
		cutOff()
	}
	op := operationOf(r)
	f := w.journal.reach(serviceBoundary(op))
	w.judge.asks(o, op, r)
	cut := w.interrupt(op, false)
	w.strikeBefore(o, f)
	if f == late {
		w.keep(r)
		cutOff()
	}
	if a, struck := withoutWork[f]; struck {
		a.send(rw)
		return
	}
	if cut {
		cutOff()
	}
	answer := httptest.NewRecorder()
	w.service.ServeHTTP(answer, r)
	w.judge.looked(o, op, r)
	w.judge.watch()
	cut = w.interrupt(op, true)
	w.strikeAfter(o, f, answer)
	if cut {
		cutOff()
	}
	if f == none && op == simulator.OpPack && answer.Code == http.StatusOK {
		w.judge.delivers(answer.Body.Bytes())
	}
	maps.Copy(rw.Header(), answer.Header())
	rw.WriteHeader(answer.Code)
	_, _ = rw.Write(answer.Body.Bytes()) // Whoever asked may be gone.
}

// lateRequest is one that is still on its way when its sender has given it up.
type lateRequest struct {
	request *http.Request
	arrives time.Time
}

const lateBy = time.Minute

// keep puts a request aside.
func (w *world) keep(r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.judge.broken("keeping a request: %v", err)
	}
	kept := r.Clone(context.Background())
	kept.Body = io.NopCloser(bytes.NewReader(body))
	w.mu.Lock()
	defer w.mu.Unlock()
	w.late = &lateRequest{kept, w.clock.Now().Add(lateBy)}
}

// deliver lets the request that was put aside arrive, if it is time for it, or if nothing else is left to wait for.
// It reports whether one did.
func (w *world) deliver(anyway bool) bool {
	w.mu.Lock()
	l := w.late
	if l == nil || !anyway && w.clock.Now().Before(l.arrives) {
		w.mu.Unlock()
		return false
	}
	w.late = nil
	w.mu.Unlock()
	if wait := l.arrives.Sub(w.clock.Now()); wait > 0 {
		w.clock.Step(wait)
	}
	w.trace("   the late request arrives")
	w.service.ServeHTTP(httptest.NewRecorder(), l.request)
	w.judge.watch()
	w.interrupt(operationOf(l.request), true)
	return true
}

// strikeBefore lets happen what happens before the work, apart from refusals.
func (w *world) strikeBefore(o *operator, f fault) {
	switch {
	case f == crashBefore:
		o.dead.Store(true)
		cutOff()
	case f == stale:
		if err := w.service.Inject(simulator.Fault{Operation: simulator.OpList, Kind: simulator.FaultStale,
			Behind: 1}); err != nil {
			w.judge.broken("arming a stale list: %v", err)
		}
	case f.in(frozenBefore):
		o.freeze()
	}
}

// strikeAfter lets happen what happens between the work and its answer, which it may replace.
func (w *world) strikeAfter(o *operator, f fault, answer *httptest.ResponseRecorder) {
	if f == crashAfter || f == overtaken {
		o.dead.Store(true)
		cutOff()
	}
	if f == lostReply {
		cutOff()
	}
	if f == overtakenAfter {
		o.freeze()
	}
	if f == timedOut {
		replace(answer, http.StatusGatewayTimeout,
			`{"error_code":"APIGW.0201","error_msg":"Backend timeout","request_id":"1"}`)
	}
	if f == denied {
		replace(answer, http.StatusBadRequest,
			`{"error_code":"DLF.3051","error_msg":"The request parameter is invalid.","request_id":"1"}`)
	}
	if f == noID {
		replace(answer, http.StatusOK, `{}`)
	}
	if f == garbage {
		whole := cmp.Or(answer.Body.String(), "{}")
		replace(answer, http.StatusOK, whole[:len(whole)/2])
	}
}

func replace(answer *httptest.ResponseRecorder, code int, body string) {
	answer.Code = code
	answer.Body.Reset()
	answer.Body.WriteString(body)
	answer.Header().Del("Content-Length")
	answer.Header().Set("Content-Type", "application/json")
}

// canned is an answer without any work.
type canned struct {
	code              int
	contentType, body string
}

var withoutWork = map[fault]canned{
	hollow: {http.StatusOK, "application/json", `{}`},
	failed: {http.StatusInternalServerError, "application/json",
		`{"error_code":"DLF.6201","error_msg":"Internal error","request_id":"1"}`},
	unavailable: {http.StatusBadGateway, "text/html", "<html><body>Bad Gateway</body></html>"},
	throttled: {http.StatusTooManyRequests, "application/json",
		`{"error_code":"APIGW.0308","error_msg":"Throttled","request_id":"1"}`},
	refusedLook: {http.StatusBadRequest, "application/json",
		`{"error_code":"DLF.3051","error_msg":"The request parameter is invalid.","request_id":"1"}`},
	unauthorized: {http.StatusUnauthorized, "application/json",
		`{"error_code":"APIGW.0301","error_msg":"Incorrect IAM authentication information","request_id":"1"}`},
}

func (a canned) send(rw http.ResponseWriter) {
	rw.Header().Set("Content-Type", a.contentType)
	rw.WriteHeader(a.code)
	_, _ = rw.Write([]byte(a.body)) // Whoever asked may be gone.
}

// cutOff ends the connection without an answer; net/http reserves this panic for the purpose.
func cutOff() {
	panic(http.ErrAbortHandler)
}
