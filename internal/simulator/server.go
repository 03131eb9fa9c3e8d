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

// Package simulator is the release-package service of DataArts Studio (DataArts Factory) over HTTP,
// for tests, demonstrations and measurements without a cloud account.
//
// It is written from the public API reference and shares no types with the client in this repository,
// so that one misreading cannot pass on both sides. Where the reference says nothing, the choice is a
// named option of [Assumptions].
//
// A [Server] has two faces: the service API, which it serves itself, and the control side ([Console],
// faults and the request log), for what people and bad luck do to the service. The control side is
// served as JSON by [Server.Control]. The package starts no goroutines; what happens "after a while"
// is worked out from the clock when somebody looks.
package simulator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"
)

const (
	maxBodyBytes = 12 << 20 // documented limit of signed bodies

	jsonContentType = "application/json;charset=UTF-8"
	requestIDHeader = "X-Request-Id"
	projectHeader   = "X-Project-Id"
	workspaceHeader = "workspace"
)

// Server is the simulated service. It is an [http.Handler] and safe for concurrent use.
type Server struct {
	opts   Options
	users  map[string]*User // by id
	closed chan struct{}
	close  sync.Once

	mu         sync.Mutex // guards everything below
	limits     Limits
	workspaces map[workspaceKey]*workspace
	deploying  []*releasePackage
	counters   counters            // used with [IDsGlobal]
	tasks      int                 // started deployments
	lockouts   map[string]*lockout // by access key
	windows    map[string]*window  // by user id
	faults     []*armedFault
	log        requestLog
}

// New returns a server with the given users, workspaces and pending items.
func New(opts Options) (*Server, error) {
	if err := opts.complete(); err != nil {
		return nil, fmt.Errorf("invalid simulator options: %w", err)
	}
	s := &Server{
		opts:       opts,
		users:      map[string]*User{},
		closed:     make(chan struct{}),
		limits:     limitsFrom(opts),
		workspaces: map[workspaceKey]*workspace{},
		lockouts:   map[string]*lockout{},
		windows:    map[string]*window{},
		log:        newRequestLog(opts.LogLimit),
	}
	for _, u := range opts.Users {
		s.users[u.ID] = &u
	}
	for _, w := range opts.Workspaces {
		ws := newWorkspace(w)
		s.workspaces[workspaceKey{w.ProjectID, w.ID}] = ws
		for _, n := range w.Items {
			s.submit(ws, n)
		}
	}
	return s, nil
}

// Close cuts off the calls that are being delayed or held. Call it before closing the HTTP server,
// which waits for them.
func (s *Server) Close() {
	s.close.Do(func() { close(s.closed) })
}

// call is one request on its way through the service.
type call struct {
	route
	requestID string
	header    http.Header
	query     url.Values
	body      []byte
	user      *User
	workspace *workspace
	stale     *Fault
	record    *Request // guarded by Server.mu
}

// ServeHTTP answers one call of the service API: first the gateway's checks, then an injected fault
// if one is due, then the work.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := s.arrive(r)
	if no := s.admit(w, r, c); no != nil {
		s.reply(w, c, no.answer(c.requestID))
		return
	}
	fault := s.takeFault(c)
	if !s.pause(r.Context(), s.Limits().Latency) {
		cutOff()
	}
	if fault != nil && !fault.AfterWork && s.strike(w, r, c, fault, answer{}) {
		return
	}
	a := s.work(c)
	if fault != nil && fault.AfterWork && s.strike(w, r, c, fault, a) {
		return
	}
	s.reply(w, c, a)
}

// arrive gives the request its id and its place in the log.
func (s *Server) arrive(r *http.Request) *call {
	c := &call{route: routeOf(r), header: r.Header}
	s.mu.Lock()
	defer s.mu.Unlock()
	c.record = s.log.add(Request{
		Operation: c.op,
		Method:    r.Method,
		Path:      r.URL.Path,
		Project:   c.project,
		Workspace: r.Header.Get(workspaceHeader),
		Time:      s.opts.Now(),
	})
	c.requestID = fmt.Sprintf("%032x", s.log.total)
	return c
}

// admit does what the gateway in front of the service does. It reads the body, because the signature
// covers it.
func (s *Server) admit(w http.ResponseWriter, r *http.Request, c *call) *refusal {
	if c.op == "" {
		return &refusal{
			status: http.StatusNotFound, code: CodeNoAPI,
			message: "The API does not exist or has not been published in the environment",
		}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBodyBytes))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return &refusal{status: http.StatusRequestEntityTooLarge, code: CodeBadRequest, message: "Request entity too large"}
	}
	if err != nil {
		return refuse(CodeBadRequest, "Bad request")
	}
	c.body, c.query = body, r.URL.Query()
	if no := s.authenticate(r, c); no != nil {
		return no
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c.record.User = c.user.ID
	if no := s.throttle(c.user); no != nil {
		return no
	}
	if !c.user.mayEnter(c.project) {
		return &refusal{
			status: http.StatusForbidden, code: CodeUserForbidden,
			message: "The user is not authorized to access the project",
		}
	}
	return c.checkHeaders()
}

// checkHeaders enforces the headers that the API declares.
func (c *call) checkHeaders() *refusal {
	if len(c.body) > 0 && c.header.Get("Content-Type") == "" {
		return missingHeader("Content-Type")
	}
	if len(c.user.Projects) > 1 && c.header.Get(authorizationHeader) != "" && c.header.Get(projectHeader) == "" {
		return missingHeader(projectHeader)
	}
	if c.op.needsWorkspace() && c.header.Get(workspaceHeader) == "" {
		return missingHeader(workspaceHeader)
	}
	return nil
}

// work lets the service itself answer. Every operation is one step under the lock, so a call is
// either done or not done, whatever happens to its answer.
func (s *Server) work(c *call) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
	if no := s.enterWorkspace(c); no != nil {
		return no.answer(c.requestID)
	}
	body, no := operations[c.op](s, c)
	if no != nil {
		return no.answer(c.requestID)
	}
	c.record.WorkDone = true
	if body == nil {
		return answer{status: http.StatusOK}
	}
	return jsonAnswer(http.StatusOK, body)
}

func (s *Server) reply(w http.ResponseWriter, c *call, a answer) {
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	s.head(w, c, a)
	// The client may be gone; there is nobody to tell.
	_, _ = w.Write(a.body)
}

// head logs the status before it is sent, so that whoever has the answer also finds it in the log.
func (s *Server) head(w http.ResponseWriter, c *call, a answer) {
	s.mu.Lock()
	c.record.Status = a.status
	now := s.clock()
	s.mu.Unlock()
	h := w.Header()
	h.Set("Date", writeDate(now))
	h.Set(requestIDHeader, c.requestID)
	if a.contentType != "" {
		h.Set("Content-Type", a.contentType)
	}
	if a.retryAfter > 0 {
		h.Set("Retry-After", s.writeRetryAfter(now, a.retryAfter))
	}
	w.WriteHeader(a.status)
}

func (s *Server) writeRetryAfter(now time.Time, d time.Duration) string {
	if s.opts.Assumptions.RetryAfterForm == RetryDate {
		return writeDate(now.Add(d))
	}
	return strconv.Itoa(int(d / time.Second))
}

func writeDate(t time.Time) string {
	return t.UTC().Format(http.TimeFormat)
}

// pause waits for d, and reports false if the client left or the server closed first.
func (s *Server) pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	case <-s.closed:
		return false
	}
}

// cutOff ends the connection without an answer; net/http reserves this panic for the purpose.
func cutOff() {
	panic(http.ErrAbortHandler)
}
