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
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

// boundary is one place where the operator touches the world: a request to the API server or to the service.
type boundary struct {
	// label says what is asked for, such as "api PATCH releasepackages/status" or "service pack".
	label string
	// op is the operation of the service, empty for a request to the API server.
	op simulator.Operation
	// write marks a request that changes something on the other side.
	write bool
	// cached marks a read that a manager answers from its cache, and packaged one of the ReleasePackage, which may be
	// out of date then.
	cached, packaged bool
	// object is the name of the ReleasePackage that a request to the API server names, if it names one.
	object string
	// versions is how many versions of the ReleasePackage there had been, or of all where none is named.
	versions int
	// writes is how many requests had changed something before, on either side.
	writes int
	// setup marks what leads to the state that a scenario is about, and is struck in another scenario already.
	setup bool
}

// apiBoundary describes a request to the API server.
func apiBoundary(req *http.Request, cached bool, versions int) boundary {
	resource, named := resourceOf(req.URL.Path)
	verb := req.Method
	if verb == http.MethodGet && !named {
		verb = "LIST"
	}
	b := boundary{label: fmt.Sprintf("api %s %s", verb, resource), write: req.Method != http.MethodGet, versions: versions}
	b.packaged = resource == "releasepackages" && verb == http.MethodGet
	b.cached = cached && !b.write
	if b.packaged && !cached {
		b.label += " (live)"
	}
	b.object = packageOf(req.URL.Path)
	if b.object == neighbourObject {
		b.label += " of the neighbour"
	}
	return b
}

// resourceOf names the resource of a path, with its subresource, and says whether the path names one object.
func resourceOf(path string) (resource string, named bool) {
	_, rest, found := strings.Cut(path, "/namespaces/")
	if !found {
		return path, false
	}
	parts := strings.Split(rest, "/") // namespace, resource, name, subresource
	switch len(parts) {
	case 2:
		return parts[1], false
	case 3:
		return parts[1], true
	case 4:
		return parts[1] + "/" + parts[3], true
	}
	return rest, false
}

// packageOf is the name of the ReleasePackage that a path names; empty if it names none.
func packageOf(path string) string {
	_, rest, _ := strings.Cut(path, "/releasepackages/")
	name, _, _ := strings.Cut(rest, "/")
	return name
}

// serviceBoundary describes a request to the service.
func serviceBoundary(op simulator.Operation) boundary {
	return boundary{label: "service " + string(op), op: op, write: op == simulator.OpPack || op == simulator.OpUnpack}
}

// operationOf says which operation of the service a request asks for.
func operationOf(r *http.Request) simulator.Operation {
	path := r.URL.Path
	switch {
	case strings.HasSuffix(path, "/pending-items/package"):
		return simulator.OpPack
	case strings.HasSuffix(path, "/release-packages/unpack"):
		return simulator.OpUnpack
	case strings.HasSuffix(path, "/pending-items"):
		return simulator.OpListItems
	case r.Method == http.MethodPost:
		return simulator.OpList
	}
	return simulator.OpShow
}

// journal numbers the boundaries of a run from 1, in the order in which they are reached, and says which fault
// strikes where.
type journal struct {
	strikes map[int]fault
	trace   func(format string, args ...any)

	mu      sync.Mutex
	reached []boundary
	tallies tallies
	writes  int
	struck  int
	setup   bool
	closed  bool
}

// reach takes down a boundary and returns the fault that strikes there.
func (j *journal) reach(b boundary) fault {
	j.mu.Lock()
	defer j.mu.Unlock()
	b.writes, b.setup = j.writes, j.setup
	if b.write {
		j.writes++
	}
	j.tallies.count(b)
	if j.closed {
		j.trace("      check: %s", b.label)
		return none
	}
	j.reached = append(j.reached, b)
	f := j.strikes[len(j.reached)]
	if f != none {
		j.struck++
	}
	j.trace("      #%d %s %s", len(j.reached), b.label, f)
	return f
}

// begin says what kind of step the boundaries from here on belong to.
func (j *journal) begin(setup bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.setup = setup
}

// close ends the counting: what is reached from here on is the judge's affair.
func (j *journal) close() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.closed = true
}

func (j *journal) writesSoFar() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.writes
}

// unrest counts writes and faults: as long as it stays the same, nothing happens.
func (j *journal) unrest() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.writes + j.struck
}

func (j *journal) boundaries() []boundary {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.reached
}
