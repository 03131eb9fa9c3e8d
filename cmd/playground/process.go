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
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// stopTimeout is how long a process may take to end by itself: longer than the manager's longest call.
const stopTimeout = 100 * time.Second

// process is one of this repository's commands, running.
type process struct {
	name string
	log  string
	cmd  *exec.Cmd
	done chan struct{}
}

// startProcess starts a command that stands beside this one. It has a process group of its own, so that a Ctrl-C in
// the terminal reaches this program alone, which then ends the others in order.
func startProcess(dir, name string, args ...string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{name: name, log: filepath.Join(dir, name+".log"), done: make(chan struct{})}
	out, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer func() { _ = out.Close() }() // The process has its own handle.
	//nolint:gosec,noctx // Our own commands; stop ends them.
	p.cmd = exec.Command(filepath.Join(filepath.Dir(self), name), args...)
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the %s: %w", name, err)
	}
	go func() {
		_ = p.cmd.Wait() // How it ended is in its log.
		close(p.done)
	}()
	return p, nil
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

// kubectl runs kubectl as a user would.
type kubectl struct {
	path, kubeconfig string
}

// show runs kubectl and lets the reader see the command and its output.
func (k kubectl) show(ctx context.Context, args ...string) error {
	return k.showWith(ctx, "", args...)
}

// showWith is show with something on the standard input, written as the reader would type it.
func (k kubectl) showWith(ctx context.Context, input string, args ...string) error {
	fmt.Printf("\n$ kubectl %s", strings.Join(args, " "))
	if input != "" {
		fmt.Printf(" <<'EOF'\n%sEOF", input)
	}
	fmt.Println()
	cmd := k.command(ctx, args...)
	cmd.Stdin = strings.NewReader(input)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stdout
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("kubectl %s: %w", args[0], err)
	}
	return nil
}

// run runs kubectl silently, unless it fails.
func (k kubectl) run(ctx context.Context, args ...string) error {
	if out, err := k.command(ctx, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("kubectl %s: %w\n%s", args[0], err, out)
	}
	return nil
}

// output returns what kubectl prints.
func (k kubectl) output(ctx context.Context, args ...string) (string, error) {
	out, err := k.command(ctx, args...).Output()
	if err != nil {
		return "", fmt.Errorf("kubectl %s: %w", args[0], err)
	}
	return strings.TrimSpace(string(out)), nil
}

func (k kubectl) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, k.path, args...) //nolint:gosec // The path is the control plane's own kubectl.
	cmd.Env = append(os.Environ(), "KUBECONFIG="+k.kubeconfig)
	return cmd
}

func headline(text string) { fmt.Printf("\n=== %s\n", text) }

func indent(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n    ") + "\n"
}
