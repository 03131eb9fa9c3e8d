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
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dataarts-operator/dataarts-operator/internal/controller"
	"github.com/dataarts-operator/dataarts-operator/internal/workspace"
)

// operator is one life of the manager, from its start to its crash. Nothing that it has in memory outlives it.
type operator struct {
	world *world
	// id names this life to the service, so that a request is known for the one of a dead process.
	id          int
	reconciler  *controller.ReleasePackageReconciler
	connections *workspace.Connections

	// queue belongs to the driver.
	queue queue
	// told are the objects whose packages have changed.
	mu   sync.Mutex
	told []string

	dead atomic.Bool
	// ended delivers the end of each task, frozen says that one is held at a boundary, and thaw lets it go on.
	ended  chan taskEnd
	frozen chan struct{}
	thaw   chan struct{}
}

// taskEnd is what came of a pass. A round has no result: it tells those whom it concerns.
type taskEnd struct {
	result ctrl.Result
	err    error
}

// errDied is the end of a task whose process crashed.
var errDied = errors.New("the process has crashed")

// start begins a life of the manager. The initial list makes one pass due for each object that exists.
func (w *world) start() (*operator, error) {
	o := &operator{
		world: w, queue: newQueue(w.objects), ended: make(chan taskEnd, 1), frozen: make(chan struct{}),
		thaw: make(chan struct{}),
	}
	w.mu.Lock()
	w.lives = append(w.lives, o)
	o.id = len(w.lives)
	w.mu.Unlock()
	if err := w.equip(o); err != nil {
		return nil, err
	}
	for _, object := range w.objects {
		if object.rp != nil {
			o.wake(object)
		}
	}
	w.trace("   manager %d starts", o.id)
	return o, nil
}

// equip makes the reconciler. This is the one place that knows its fields.
func (w *world) equip(o *operator) error {
	cached, err := w.plane.client(&apiWire{base: w.plane.transport, operator: o, cached: true})
	if err != nil {
		return err
	}
	live, err := w.plane.client(&apiWire{base: w.plane.transport, operator: o})
	if err != nil {
		return err
	}
	o.connections = &workspace.Connections{
		Objects: cached, Secrets: live, AllowInsecure: true, UserAgent: userAgent + strconv.Itoa(o.id), Clock: w.clock,
		Linger: -1, // There is one package, and no other to wait for.
	}
	o.connections.Poller().OnChange(o.tell)
	o.reconciler = &controller.ReleasePackageReconciler{
		Client:     &indexed{Client: cached, namespace: w.namespace, indexes: controller.Indexes()},
		Live:       live,
		Workspaces: o.connections,
		Events:     w.events,
		Clock:      w.clock,
		SettleTime: settleTime,
	}
	return nil
}

const userAgent = "crash-matrix/"

// operatorOf finds out which life of the manager sent a request to the service.
func (w *world) operatorOf(r *http.Request) *operator {
	_, number, _ := strings.Cut(r.UserAgent(), userAgent) // The SDK writes its own name before it.
	id, err := strconv.Atoi(number)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil || id < 1 || id > len(w.lives) {
		return nil
	}
	return w.lives[id-1]
}

// begin starts a task in a goroutine of its own, so that a crash can end it anywhere.
func (o *operator) begin(t task) {
	ctx := ctrl.LoggerInto(context.Background(), o.world.logger())
	go func() {
		end := taskEnd{err: errDied}
		defer func() {
			if p := recover(); p != nil {
				end = taskEnd{err: fmt.Errorf("panic: %v", p)} // A manager recovers too, and tries again.
				if t.round() {
					o.dead.Store(true) // But not in a round.
				}
			}
			o.ended <- end
		}()
		end = o.do(ctx, t)
	}()
}

func (o *operator) do(ctx context.Context, t task) (end taskEnd) {
	switch {
	case t.round():
		o.connections.Poller().RunNext(ctx)
		return taskEnd{}
	case t.gone != "":
		end.result, end.err = o.reconciler.ClearUp(ctx, t.gone)
		return end
	}
	key := client.ObjectKey{Namespace: o.world.namespace, Name: t.object.name}
	end.result, end.err = o.reconciler.Reconcile(ctx, ctrl.Request{NamespacedName: key})
	return end
}

// await waits until the task ends, or is frozen at a boundary.
func (o *operator) await() (end taskEnd, froze bool) {
	select {
	case end = <-o.ended:
		return end, false
	case <-o.frozen:
		return taskEnd{}, true
	}
}

// freeze holds the task where it is until it is let go.
func (o *operator) freeze() {
	o.frozen <- struct{}{}
	<-o.thaw
}

// letGo ends a freeze and waits for the end of the task. No other task follows.
func (o *operator) letGo() {
	o.thaw <- struct{}{}
	<-o.ended
	o.dead.Store(true)
}

// watches reports whether a look at the package of an object is due, and made.
func (o *operator) watches(object *object) bool {
	key := client.ObjectKey{Namespace: o.world.namespace, Name: object.name}
	return o.connections.Poller().Subscribed(key) && !o.queue.round.IsZero()
}

// crash ends the process within a request to the API server. It does not return.
func (o *operator) crash() {
	o.dead.Store(true)
	runtime.Goexit()
}

// logger shows the operator's own log in a traced run, and nothing otherwise.
func (w *world) logger() logr.Logger {
	if w.settings.trace == nil {
		return logr.Discard()
	}
	return logr.New(&logSink{trace: w.trace})
}

// logSink writes the operator's log lines into the trace.
type logSink struct {
	trace func(format string, args ...any)
}

func (s *logSink) Init(logr.RuntimeInfo)  {}
func (s *logSink) Enabled(level int) bool { return level <= 0 }
func (s *logSink) Info(_ int, msg string, kv ...any) {
	s.trace("        log: %s %v", msg, kv)
}

func (s *logSink) Error(err error, msg string, kv ...any) {
	s.trace("        log: error: %s: %v %v", msg, err, kv)
}
func (s *logSink) WithValues(...any) logr.LogSink { return s }
func (s *logSink) WithName(string) logr.LogSink   { return s }
