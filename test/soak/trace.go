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
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

const (
	// traceLevel makes controller-runtime log each pass, with its object.
	traceLevel = "5"

	packagesController = "releasepackage-controller"

	// mostTold bounds what is kept of one object's story, since it may repeat.
	mostTold = 30
)

// trace is what the managers' logs tell while they are written: the passes that were made of each object, what was
// told of it, and who was in office when.
type trace struct {
	mu     sync.Mutex
	passes map[string]int      // by kind, namespace and name
	told   map[string][]string // what packages were left, by namespace and name of the ReleasePackage
	terms  []*term
}

// term is one run of a manager.
type term struct {
	pid     int
	started time.Time // its workers have: it is in office; zero before
	ended   time.Time // the process has, or was told to
}

func newTrace() *trace { return &trace{passes: map[string]int{}, told: map[string][]string{}} }

// line is what is read of a line of a log.
type line struct {
	Message    string `json:"msg"`
	Controller string `json:"controller"`
	Kind       string `json:"controllerKind"`
	Namespace  string `json:"namespace"`
	Name       string `json:"name"`
}

func (t *trace) begin(pid int) *term {
	t.mu.Lock()
	defer t.mu.Unlock()
	run := &term{pid: pid}
	t.terms = append(t.terms, run)
	return run
}

func (t *trace) end(run *term) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if run.ended.IsZero() {
		run.ended = time.Now()
	}
}

// follow reads a log until its end, and keeps it in a file.
func (t *trace) follow(log io.Reader, file io.Writer, run *term) {
	lines := bufio.NewReaderSize(log, 1<<16)
	for {
		text, err := lines.ReadBytes('\n')
		if !bytes.Contains(text, []byte(`"msg":"workqueue_items"`)) { // Long, and told every ten seconds.
			_, _ = file.Write(text) // A full disk shows elsewhere.
			t.read(text, run)
		}
		if err != nil {
			return
		}
	}
}

func (t *trace) read(text []byte, run *term) {
	var l line
	if json.Unmarshal(text, &l) != nil {
		return // Not all that a process prints is a log line.
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	object := l.Namespace + "/" + l.Name
	switch {
	case l.Message == "Reconciling":
		t.passes[cmp.Or(l.Kind, l.Controller)+" "+object]++ // Not every controller's requests are objects.
	case l.Message == "Starting workers" && l.Controller == packagesController:
		run.started = time.Now()
	case l.Message == v1alpha1.EventOrphaned && len(t.told[object]) < mostTold:
		t.told[object] = append(t.told[object], string(text))
	}
}

// passesMade are how many passes were made of each object so far.
func (t *trace) passesMade() map[string]int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.passes)
}

// tells reports whether it was told that an object has left a package.
func (t *trace) tells(object, id string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.ContainsFunc(t.told[object], func(text string) bool { return names(text, id) })
}

// names reports whether a text has an id as a word of its own.
func names(text, id string) bool {
	letter := func(r rune) bool {
		return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '-' || r == '_' || r == '/' ||
			r == ':'
	}
	return slices.Contains(strings.FieldsFunc(text, func(r rune) bool { return !letter(r) }), id)
}

// inOffice reports whether one manager was at work at a moment, and for some time after it.
func (t *trace) inOffice(at time.Time, enough time.Duration) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.ContainsFunc(t.terms, func(run *term) bool {
		return !run.started.IsZero() && run.started.Before(at) && (run.ended.IsZero() || run.ended.Sub(at) > enough)
	})
}

// leader is the process that is in office now; zero if there is none.
func (t *trace) leader() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, run := range t.terms {
		if !run.started.IsZero() && run.ended.IsZero() {
			return run.pid
		}
	}
	return 0
}
