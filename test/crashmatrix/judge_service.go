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
	"path"
	"slices"
	"strings"

	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

// withdrawal is a request of one life of the manager to withdraw a package.
type withdrawal struct {
	life int
	id   string
}

// asks checks, when a request arrives at the service, that the same manager does not ask to withdraw what it has
// asked to withdraw before, unless it has looked since: what it knew before says nothing any more.
func (j *judge) asks(o *operator, op simulator.Operation, r *http.Request) {
	if op != simulator.OpUnpack {
		return
	}
	for _, id := range j.packagesIn(r) {
		j.mu.Lock()
		again := j.asked[withdrawal{o.id, id}]
		j.asked[withdrawal{o.id, id}] = true
		j.mu.Unlock()
		if again {
			j.find(wrongStatus, "package %s is withdrawn once more, and nobody has looked since the last time", id)
		}
	}
}

// packagesIn are the packages that a request is about, which stays readable.
func (j *judge) packagesIn(r *http.Request) []string {
	body, err := io.ReadAll(r.Body)
	var request struct {
		IDs []string `json:"package_ids"`
	}
	if err == nil {
		err = json.Unmarshal(body, &request)
	}
	if err != nil {
		j.broken("reading a request to withdraw: %v", err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return request.IDs
}

// looked takes down that the service has shown a package, or the list of them.
func (j *judge) looked(o *operator, op simulator.Operation, r *http.Request) {
	if op != simulator.OpShow && op != simulator.OpList {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for w := range j.asked {
		if w.life == o.id && (op == simulator.OpList || w.id == path.Base(r.URL.Path)) {
			delete(j.asked, w)
		}
	}
}

// delivers takes down that the manager gets a whole answer to a request to pack.
func (j *judge) delivers(body []byte) {
	var answer struct {
		ID json.RawMessage `json:"release_package_id"` // A text, or a number in one reading.
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		j.broken("reading the service's answer: %v", err)
	}
	id := strings.Trim(string(answer.ID), `"`)
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, o := range j.world.objects {
		if slices.ContainsFunc(j.world.oursOf(o), func(p simulator.Package) bool { return p.ID == id }) {
			j.delivered[o] = id
		}
	}
}

// takeDelivered returns the id that was delivered for an object since the last time.
func (j *judge) takeDelivered(o *object) string {
	j.mu.Lock()
	defer j.mu.Unlock()
	id := j.delivered[o]
	delete(j.delivered, o)
	return id
}
