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

package harness

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

// stopTimeout is how long a process may take to end by itself: longer than the manager's longest call and the record
// of it.
const stopTimeout = 100 * time.Second

var errEnded = errors.New("the process ended")

// Process is one of this repository's commands, running.
type Process struct {
	// Log is the file that has what it says.
	Log string

	name string
	cmd  *exec.Cmd
	done chan struct{}
}

// StartProcess starts a command that stands beside this one, with a log of its own. It has a process group of its
// own, so that a Ctrl-C in the terminal reaches this program alone, which then ends the others in order.
func StartProcess(command, log string, args ...string) (*Process, error) {
	path, err := Beside(command)
	if err != nil {
		return nil, err
	}
	p := &Process{Log: log, name: command, done: make(chan struct{})}
	out, err := os.Create(log) //nolint:gosec // In a directory of the caller's.
	if err != nil {
		return nil, err
	}
	defer func() { _ = out.Close() }()    // The process has its own handle.
	p.cmd = exec.Command(path, args...)   //nolint:gosec,noctx // Our own commands; Stop ends them.
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

// Beside is where a command stands that was built with this one.
func Beside(command string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	return filepath.Join(filepath.Dir(self), command), nil
}

// PID is the process's number.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Stop asks a process to end, and ends it if it does not. One that was not started is ended already.
func (p *Process) Stop() {
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

// Alive returns an error once the process has ended. A process that was not started has not ended.
func (p *Process) Alive() error {
	if p == nil {
		return nil
	}
	select {
	case <-p.done:
		return fmt.Errorf("%s: %w; its log is %s", p.name, errEnded, p.Log)
	default:
		return nil
	}
}

// Await waits until something is so while the process lives, and not for longer than a minute.
func (p *Process) Await(ctx context.Context, is func(context.Context) (bool, error)) error {
	err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, time.Minute, true,
		func(ctx context.Context) (bool, error) {
			if err := p.Alive(); err != nil {
				return false, err
			}
			return is(ctx)
		})
	if err != nil {
		return fmt.Errorf("waiting for the %s: %w; its log is %s", p.name, err, p.Log)
	}
	return nil
}

// Answers waits until a process answers well at a URL.
func (p *Process) Answers(ctx context.Context, url string) error {
	return p.Await(ctx, func(ctx context.Context) (bool, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return false, err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return false, nil //nolint:nilerr // Not yet.
		}
		return resp.StatusCode == http.StatusOK, resp.Body.Close()
	})
}

// announced is what the simulator prints when it listens.
var announced = regexp.MustCompile(`service API: (http://\S+)\ncontrol API: (http://\S+)\n`)

// Simulator is the simulated service as a process of its own.
type Simulator struct {
	*Process
	// Service is what the operator calls, and Control what people do at the console.
	Service, Control string
}

// StartSimulator starts the simulator on free ports, and returns when it listens.
func StartSimulator(ctx context.Context, log string, args ...string) (*Simulator, error) {
	p, err := StartProcess("simulator", log,
		append([]string{"--listen", "127.0.0.1:0", "--control-listen", "127.0.0.1:0"}, args...)...)
	if err != nil {
		return nil, err
	}
	s := &Simulator{Process: p}
	err = p.Await(ctx, func(context.Context) (bool, error) {
		said, err := os.ReadFile(log) //nolint:gosec // In a directory of the caller's.
		if err != nil {
			return false, err
		}
		found := announced.FindSubmatch(said)
		if found == nil {
			return false, nil
		}
		s.Service, s.Control = string(found[1]), string(found[2])
		return true, nil
	})
	if err != nil {
		p.Stop()
		return nil, err
	}
	return s, nil
}
