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
	"maps"
	"time"
)

// Request is an entry of the request log.
type Request struct {
	// Operation is empty for a path that is not published.
	Operation Operation `json:"operation"`
	Method    string    `json:"method"`
	Path      string    `json:"path"`
	// User is the id of the authenticated user, empty before authentication.
	User      string    `json:"user,omitempty"`
	Project   string    `json:"project,omitempty"`
	Workspace string    `json:"workspace,omitempty"`
	Time      time.Time `json:"time"`
	// Status is zero while there is no answer, and for good if none was sent.
	Status int `json:"status"`
	// WorkDone says that the service did what was asked, or part of it, whatever the client was told.
	WorkDone bool `json:"workDone"`
	// Packages are the ids the call named or, in the case of [OpPack], got.
	Packages []string `json:"packages,omitempty"`
	// Items are the ids named by [OpPack].
	Items []string `json:"items,omitempty"`
	// Fault is the kind of the injected fault that struck the call.
	Fault FaultKind `json:"fault,omitempty"`
}

// requestLog keeps at least the newest limit requests, and counts all of them.
type requestLog struct {
	limit    int
	total    int // never reset: request ids come from it
	requests []*Request
	counts   map[Operation]int
}

func newRequestLog(limit int) requestLog {
	return requestLog{limit: limit, counts: map[Operation]int{}}
}

func (l *requestLog) add(r Request) *Request {
	l.total++
	l.counts[r.Operation]++
	if len(l.requests) >= 2*l.limit {
		l.requests = append([]*Request(nil), l.requests[l.limit:]...)
	}
	l.requests = append(l.requests, &r)
	return &r
}

func (l *requestLog) reset() {
	l.requests = nil
	clear(l.counts)
}

// Requests returns the logged requests in the order of their arrival, unanswered ones included.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	requests := make([]Request, 0, len(s.log.requests))
	for _, r := range s.log.requests {
		requests = append(requests, *r)
	}
	return requests
}

// Counts returns how many calls arrived for each operation, refused ones included.
func (s *Server) Counts() map[Operation]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.log.counts)
}

// Reset empties the request log and disarms all faults. Items, packages and locked keys stay.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log.reset()
	s.faults = nil
}
