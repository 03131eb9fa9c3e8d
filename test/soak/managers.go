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
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/dataarts-operator/dataarts-operator/test/harness"
)

const (
	replicas = 2

	// settleTime is far below what a real service needs; the workspaces' callTimeout leaves room in it.
	settleTime = 10 * time.Second

	// restartDelay is how long a replica that ended is away, as with a kubelet.
	restartDelay = 500 * time.Millisecond

	// stopTimeout is how long a manager may take to end by itself: longer than its longest call and the record of it.
	stopTimeout = 60 * time.Second
)

// managers are the replicas of the operator: the built command, kept running as a kubelet does.
type managers struct {
	replicas []*replica
	trace    *trace
	killed   atomic.Int32
}

type replica struct {
	name, command string
	args          []string
	logs          string
	trace         *trace

	quit chan struct{} // closed to end the replica for good
	done chan struct{} // closed when it has ended for good

	mu  sync.Mutex
	cmd *exec.Cmd // nil while it is away
	run *term
}

// startManagers starts the manager that stands beside this command.
func startManagers(kubeconfig, logs string) (*managers, error) {
	command, err := harness.Beside("manager")
	if err != nil {
		return nil, err
	}
	m := &managers{trace: newTrace()}
	for i := range replicas {
		r := &replica{
			name: fmt.Sprintf("manager-%d", i), logs: logs, trace: m.trace,
			command: command,
			quit:    make(chan struct{}), done: make(chan struct{}),
			args: []string{
				"--kubeconfig", kubeconfig, "--metrics-bind-address", "0", "--health-probe-bind-address", "0",
				"--leader-elect", "--leader-election-namespace", harness.SystemNamespace,
				"--leader-elect-lease-duration", "4s", "--leader-elect-renew-deadline", "3s", "--leader-elect-retry-period",
				"500ms",
				"--allow-insecure-endpoints", "--settle-time", settleTime.String(), "--max-concurrent-reconciles", "16",
				"--zap-log-level", traceLevel,
			},
		}
		m.replicas = append(m.replicas, r)
		go r.keepRunning()
	}
	return m, nil
}

// keepRunning starts the replica whenever it is not there, until it is told to quit.
func (r *replica) keepRunning() {
	defer close(r.done)
	for run := 1; ; run++ {
		ended, err := r.start(run)
		if err != nil {
			fmt.Printf("soak: starting %s: %v\n", r.name, err)
		} else {
			r.await(ended)
		}
		select {
		case <-r.quit:
			return
		case <-time.After(restartDelay):
		}
	}
}

// start starts a process with a group of its own, so that a Ctrl-C in the terminal reaches this program alone. Every
// run has a log.
func (r *replica) start(run int) (ended chan struct{}, err error) {
	file, err := os.Create(filepath.Join(r.logs, fmt.Sprintf("%s.%d.log", r.name, run)))
	if err != nil {
		return nil, err
	}
	log, output, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	defer func() { _ = output.Close() }()     // The process has its own handle.
	cmd := exec.Command(r.command, r.args...) //nolint:gosec,noctx // Our own command; stop ends it.
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(err, file.Close(), log.Close())
	}
	t := r.trace.begin(cmd.Process.Pid)
	r.set(cmd, t)
	ended = make(chan struct{})
	go func() {
		defer close(ended)
		r.trace.follow(log, file, t)                           // Until the process has ended.
		_ = errors.Join(log.Close(), file.Close(), cmd.Wait()) // How it ended is in its log.
		r.trace.end(t)
		r.set(nil, nil)
	}()
	return ended, nil
}

// await returns when the process has ended, by itself or because the replica is to quit.
func (r *replica) await(ended chan struct{}) {
	select {
	case <-ended:
		return
	case <-r.quit:
	}
	r.signal(syscall.SIGTERM)
	select {
	case <-ended:
	case <-time.After(stopTimeout):
		r.signal(syscall.SIGKILL)
		<-ended
	}
}

func (r *replica) set(cmd *exec.Cmd, run *term) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cmd, r.run = cmd, run
}

// signal reports whether there was a process to get it. Either signal ends its term.
func (r *replica) signal(s os.Signal) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cmd == nil || r.cmd.Process.Signal(s) != nil {
		return false
	}
	r.trace.end(r.run)
	return true
}

// kill crashes a replica.
func (m *managers) kill(i int) {
	if m.replicas[i].signal(syscall.SIGKILL) {
		m.killed.Add(1)
	}
}

// terminate ends a replica as a rolling update does.
func (m *managers) terminate(i int) { m.replicas[i].signal(syscall.SIGTERM) }

func (m *managers) kills() int { return int(m.killed.Load()) }

// stop ends all replicas for good, both at the same time.
func (m *managers) stop() {
	for _, r := range m.replicas {
		close(r.quit)
	}
	for _, r := range m.replicas {
		<-r.done
	}
}
