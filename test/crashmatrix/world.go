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
	"context"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

const (
	project     = "project-1"
	workspaceID = "workspace-1"
	developer   = "f8ccc2ff3c7748e8a7bfede38ae1cffa"
	deployer    = "7b71e498e75d44048c9a22dd3c54f978"
	token       = "a-token"

	workspaceObject = "default"
	secretObject    = "dataarts"

	settleTime   = 3 * time.Minute
	pollInterval = time.Minute
)

// settings are what one run is about.
type settings struct {
	scenario *scenario
	variant  variant
	strikes  map[int]fault
	// trace is nil where nobody wants to read along.
	trace io.Writer
}

// world is what one run plays in: a namespace, a service and a clock of its own, and the lives of the manager, one
// after the other.
type world struct {
	settings  settings
	plane     *plane
	namespace string
	users     client.Client

	clock   *clocktesting.FakeClock
	service *simulator.Server
	console *simulator.Console
	server  *httptest.Server

	journal *journal
	memory  *memory
	events  *eventLog
	judge   *judge

	mu            sync.Mutex
	lives         []*operator
	interruptions []interruption
	late          *lateRequest

	// objects are the ReleasePackages of the story, and the embedded one is that which goals and users speak of.
	objects []*object
	*object
	// gone are objects that are gone, as they were last. It belongs to the driver.
	gone []*v1alpha1.ReleasePackage
	// foreign are packages that people made in the console.
	foreign map[string]bool
}

func newWorld(ctx context.Context, p *plane, s settings) (*world, error) {
	w := &world{
		settings: s, plane: p, events: &eventLog{}, foreign: map[string]bool{},
		// The API server stamps deletions by the real clock, so this one starts there.
		clock: clocktesting.NewFakeClock(time.Now().Truncate(time.Second)),
	}
	w.memory = &memory{clock: w.clock}
	w.journal = &journal{strikes: s.strikes, trace: w.trace}
	w.judge = &judge{world: w, asked: map[withdrawal]bool{}, delivered: map[*object]string{}}
	w.cast()
	var err error
	if w.users, err = p.client(&userWire{base: p.transport, memory: w.memory}); err != nil {
		return nil, err
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "run-"}}
	if err := w.users.Create(ctx, namespace); err != nil {
		return nil, fmt.Errorf("making a namespace: %w", err)
	}
	w.namespace = namespace.Name
	if err := w.serve(); err != nil {
		return nil, err
	}
	return w, nil
}

// serve starts the service, with the variant's reading of its documentation. Connections are never used twice, so
// that no HTTP client repeats a request by itself, whatever happens to the line.
func (w *world) serve() error {
	options := simulator.Options{
		Users: []simulator.User{
			{ID: developer, Name: "dev1", Token: token, Projects: []string{project}},
			{ID: deployer, Name: "dep1", Projects: []string{project}},
		},
		Workspaces:  []simulator.Workspace{{ProjectID: project, ID: workspaceID, Reviewers: []string{deployer}}},
		Assumptions: w.settings.variant.assumptions,
		Now:         w.clock.Now,
	}
	service, err := simulator.New(options)
	if err != nil {
		return err
	}
	w.service, w.console = service, service.Console(project, workspaceID)
	for _, o := range w.objects {
		ids, err := w.console.Submit(
			simulator.NewItem{Name: "job_a of " + o.name, SubmitUserID: developer},
			simulator.NewItem{Name: "script_b of " + o.name, SubmitUserID: developer, TaskType: simulator.TaskScript},
			simulator.NewItem{Name: "job_c of " + o.name, SubmitUserID: developer})
		if err != nil {
			return err
		}
		for _, id := range ids {
			o.items = append(o.items, v1alpha1.ID(id))
		}
	}
	w.server = httptest.NewUnstartedServer(w)
	w.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	w.server.Config.SetKeepAlivesEnabled(false)
	w.server.Start()
	return nil
}

func (w *world) close() {
	for _, o := range w.lives {
		o.connections.Close()
	}
	w.service.Close()
	w.server.Close()
}

func (w *world) trace(format string, args ...any) {
	if out := w.settings.trace; out != nil {
		_, _ = fmt.Fprintf(out, w.clock.Now().Format("15:04:05.00")+" "+format+"\n", args...) // It is for reading along only.
	}
}

// restarted reports whether a manager has taken over from another, so that nothing is left of what the first one had
// in memory.
func (w *world) restarted() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.lives) > 1
}

// restart ends the process of the manager. A fresh one follows.
func (w *world) restart() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lives[len(w.lives)-1].dead.Store(true)
	return nil
}

// arm lets something happen when an operation next reaches the service.
func (w *world) arm(all []interruption) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.interruptions = all
}

// interrupt lets happen what is armed for this moment, and reports whether the line is lost.
func (w *world) interrupt(op simulator.Operation, afterWork bool) bool {
	w.mu.Lock()
	for i, it := range w.interruptions {
		if it.op != op || it.afterWork != afterWork {
			continue
		}
		w.interruptions = append(w.interruptions[:i:i], w.interruptions[i+1:]...)
		w.mu.Unlock()
		w.happen(it)
		return it.cut
	}
	w.mu.Unlock()
	return false
}

// interruptAnyway lets happen what has not happened yet although nothing else will: people do not wait for the
// operator.
func (w *world) interruptAnyway() bool {
	w.mu.Lock()
	left := w.interruptions
	w.interruptions = nil
	w.mu.Unlock()
	for _, it := range left {
		w.happen(it)
	}
	return len(left) > 0
}

func (w *world) happen(it interruption) {
	w.trace("   meanwhile, at %s", it.op)
	if it.do == nil {
		return
	}
	if err := it.do(w); err != nil {
		w.judge.broken("what happens meanwhile: %v", err)
	}
}

// eventLog is where the operator's events go. It implements events.EventRecorder.
type eventLog struct {
	mu    sync.Mutex
	notes []string
}

// Eventf implements events.EventRecorder.
func (l *eventLog) Eventf(_, _ runtime.Object, kind, reason, _, note string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.notes = append(l.notes, kind+" "+reason+" "+fmt.Sprintf(note, args...))
}

func (l *eventLog) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.notes
}
