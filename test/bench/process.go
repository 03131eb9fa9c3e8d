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
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// stopTimeout is how long a process may take to end by itself: longer than the manager's longest call and the record
// of it.
const stopTimeout = 100 * time.Second

var errEnded = errors.New("the process ended")

// process is one of this repository's commands, running.
type process struct {
	name string
	log  string
	cmd  *exec.Cmd
	done chan struct{}
}

// startProcess starts a command that stands beside this one, with a log of its own. It has a process group of its
// own, so that a Ctrl-C in the terminal reaches this program alone, which then ends the others in order.
func startProcess(command, log string, args ...string) (*process, error) {
	path, err := beside(command)
	if err != nil {
		return nil, err
	}
	p := &process{name: command, log: log, done: make(chan struct{})}
	out, err := os.Create(log) //nolint:gosec // In our own directory.
	if err != nil {
		return nil, err
	}
	defer func() { _ = out.Close() }()    // The process has its own handle.
	p.cmd = exec.Command(path, args...)   //nolint:gosec,noctx // Our own commands; stop ends them.
	p.cmd.Stdout, p.cmd.Stderr = out, out // What it says is for people, after the fact.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the %s: %w", command, err)
	}
	go func() {
		_ = p.cmd.Wait() // How it ended is in its log.
		close(p.done)
	}()
	return p, nil
}

// beside is where a command stands that was built with this one.
func beside(command string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	return filepath.Join(filepath.Dir(self), command), nil
}

// stop asks a process to end, and ends it if it does not.
func (p *process) stop() {
	if p == nil {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // It may have ended already.
	select {
	case <-p.done:
	case <-time.After(stopTimeout):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// alive returns an error once the process has ended. A process that was not started has not ended.
func (p *process) alive() error {
	if p == nil {
		return nil
	}
	select {
	case <-p.done:
		return fmt.Errorf("%s: %w; its log is %s", p.name, errEnded, p.log)
	default:
		return nil
	}
}

// pause waits, and returns an error if the context ended first.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
