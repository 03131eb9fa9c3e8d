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
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"
)

// memory holds every version of the ReleasePackages that a wire has seen, for answers that are out of date. And as
// all who write have a wire, it knows what the API server would answer to a read: what nobody has written to since is
// not asked for again, which halves the time of a run.
type memory struct {
	clock clock.PassiveClock

	mu      sync.Mutex
	aliases aliases
	known   map[string]bool
	all     map[string][][]byte
	cache   map[string]answer
}

// versions is how many there were of the ReleasePackage of a name, or of all if it is empty.
func (m *memory) versions(name string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for of, all := range m.all {
		if name == "" || name == of {
			n += len(all)
		}
	}
	return n
}

// previous is the version before the latest.
func (m *memory) previous(name string) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.all[name][max(0, len(m.all[name])-2)]
}

// newsAhead reports whether the latest version differs from the one before in what the manager's predicates let
// through.
func (m *memory) newsAhead(name string) bool {
	var was, is metav1.PartialObjectMetadata
	m.mu.Lock()
	defer m.mu.Unlock()
	all := m.all[name]
	if n := len(all); n < 2 || json.Unmarshal(all[n-2], &was) != nil || json.Unmarshal(all[n-1], &is) != nil {
		return false
	}
	return news(&was, &is)
}

// ask does a request, or answers a read as the API server did the last time.
func (m *memory) ask(base http.RoundTripper, req *http.Request) (*http.Response, error) {
	if req.Method == http.MethodGet {
		if known, ok := m.cached(req.URL.Path); ok {
			return known.reply(req), nil
		}
	}
	return m.forward(base, req)
}

func (m *memory) cached(path string) (answer, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	known, ok := m.cache[path]
	return known, ok
}

// refresh takes down the answer to a request. A read is good until the next write, and a write answers with what a
// read would show.
func (m *memory) refresh(req *http.Request, a answer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cache == nil {
		m.cache = map[string]answer{}
	}
	object := strings.TrimSuffix(req.URL.Path, "/status")
	_, named := resourceOf(req.URL.Path)
	switch {
	case req.Method == http.MethodPost:
		clear(m.cache) // Who makes an object does not name it.
	case !named: // A list is asked for each time.
	case req.Method == http.MethodPatch && a.code == http.StatusOK && !leaves(a.body),
		req.Method == http.MethodGet && (a.code == http.StatusOK || a.code == http.StatusNotFound):
		m.cache[object] = a
	default:
		delete(m.cache, object)
	}
}

// leaves reports whether an object was written for the last time: nothing keeps it any more.
func leaves(body []byte) bool {
	var object metav1.PartialObjectMetadata
	return json.Unmarshal(body, &object) != nil || object.DeletionTimestamp != nil && len(object.Finalizers) == 0
}

// forward does a request and remembers the version that its answer shows.
func (m *memory) forward(base http.RoundTripper, req *http.Request) (*http.Response, error) {
	resp, err := base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	if closeErr := resp.Body.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, err
	}
	body = m.alias(body)
	resp.Body = io.NopCloser(bytes.NewReader(body))
	m.refresh(req, answer{resp.StatusCode, resp.Header.Get("Content-Type"), body})
	if resp.StatusCode < http.StatusMultipleChoices && strings.Contains(req.URL.Path, "/releasepackages/") {
		m.learn(body)
	}
	return resp, nil
}

// alias puts UIDs that are no matter of chance into what the API server says.
func (m *memory) alias(body []byte) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.aliases.learn(body, m.clock.Now())
	return m.aliases.put(body)
}

func (m *memory) learn(body []byte) {
	var object metav1.PartialObjectMetadata
	if json.Unmarshal(body, &object) != nil || object.Kind != "ReleasePackage" {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known == nil {
		m.known, m.all = map[string]bool{}, map[string][][]byte{}
	}
	if !m.known[object.ResourceVersion] {
		m.known[object.ResourceVersion] = true
		m.all[object.Name] = append(m.all[object.Name], body)
	}
}
