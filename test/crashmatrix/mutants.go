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
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// mutant is a way to break the operator. A matrix that does not notice proves nothing.
type mutant struct {
	name string
	// why says what is wrong with it.
	why string
	// file has old exactly once; new takes its place.
	file, old, new string
	// runs are where the matrix may notice, in the form of --only.
	runs string
}

// errMutant means that a mutant could not be tried.
var errMutant = errors.New("the mutant cannot be tried")

// catchAll breaks the operator in each known way, and reports whether the matrix notices every time.
func catchAll(ctx context.Context, p *plane, only selection, seed uint64) (bool, error) {
	dir, err := os.MkdirTemp("", "crash-matrix-")
	if err != nil {
		return false, err
	}
	defer func() { _ = os.RemoveAll(dir) }() // What is left is in the system's directory for such things.
	if p.kubeconfig == "" {
		if err := p.share(); err != nil {
			return false, fmt.Errorf("sharing the control plane: %w", err)
		}
	}
	caught, tried := 0, 0
	for _, m := range mutants {
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		if !only.includes(m.name) {
			continue
		}
		tried++
		if m.report(ctx, dir, p, seed) {
			caught++
		}
	}
	fmt.Printf("mutants: caught=%d of %d\n", caught, tried)
	return caught == tried && tried > 0, nil
}

// report tries a mutant, tells what came of it, and reports whether it was caught.
func (m mutant) report(ctx context.Context, dir string, p *plane, seed uint64) bool {
	how, err := m.catch(ctx, dir, p, seed)
	switch {
	case err != nil:
		fmt.Printf("FAIL mutant %s (%s): %v\n", m.name, m.why, err)
	case how == "":
		fmt.Printf("FAIL mutant %s survives, although %s; tried: make crash-matrix ARGS='--full --only=%s' with its "+
			"change of %s\n",
			m.name, m.why, m.runs, m.file)
	default:
		fmt.Printf("mutant %s is caught: %s\n", m.name, how)
	}
	return err == nil && how != ""
}

// catch looks for a run that fails with the mutant, and not with the operator as it is.
func (m mutant) catch(ctx context.Context, dir string, p *plane, seed uint64) (string, error) {
	binary, err := m.build(ctx, dir)
	if err != nil {
		return "", err
	}
	args := []string{"--full", "--only=" + m.runs, "--kubeconfig=" + p.kubeconfig, fmt.Sprintf("--seed=%d", seed)}
	for _, more := range [][]string{{"--fail-fast"}, nil} {
		failures, err := try(ctx, binary, append(args, more...))
		if err != nil {
			return "", err
		}
		for _, f := range failures {
			if sound(ctx, p, f, seed) {
				return f, nil
			}
		}
		if len(failures) == 0 {
			break // The first time, too, nothing was left out.
		}
	}
	return "", nil
}

// try runs this program with a mutant in it, and returns the failures that it names.
func try(ctx context.Context, binary string, args []string) ([]string, error) {
	out, err := exec.CommandContext(ctx, binary, args...).Output() //nolint:gosec // It is this program.
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || exit.ExitCode() != 1) {
		return nil, fmt.Errorf("%w: running it: %w", errMutant, err)
	}
	var failures []string
	for line := range strings.Lines(string(out)) {
		for _, k := range []kind{duplicate, leak, stuck, wrongStatus, restless} {
			if strings.HasPrefix(line, "FAIL ") && strings.Contains(line, ": "+string(k)+": ") {
				failures = append(failures, strings.TrimSpace(strings.TrimPrefix(line, "FAIL ")))
				break
			}
		}
	}
	if err != nil && len(failures) == 0 {
		return nil, fmt.Errorf("%w: it ends with an error and names no failure:\n%s", errMutant, out)
	}
	return failures, nil
}

// sound reports whether the operator as it is comes through the run that a failure names.
func sound(ctx context.Context, p *plane, failure string, seed uint64) bool {
	_, id, _ := strings.Cut(failure, "--only=")
	id, _, _ = strings.Cut(id, " ")
	only, control := selection{id}, &matrix{options: options{seed: seed, parallel: 1}, plane: p}
	outcomes := control.runAll(ctx, recordings(only))
	if len(outcomes) == 1 && outcomes[0].testCase.id != id {
		outcomes = control.runAll(ctx, faulty(&outcomes[0], only, true))
	}
	return len(outcomes) == 1 && outcomes[0].testCase.id == id && len(outcomes[0].verdicts) == 0
}

// build compiles this program with the mutant in the place of the file.
func (m mutant) build(ctx context.Context, dir string) (string, error) {
	source, err := os.ReadFile(m.file)
	if err != nil {
		return "", err
	}
	if n := bytes.Count(source, []byte(m.old)); n != 1 {
		return "", fmt.Errorf("%w: %s has its old text %d times", errMutant, m.file, n)
	}
	broken := filepath.Join(dir, m.name+".go")
	//nolint:gosec // The names are ours.
	if err := os.WriteFile(broken, bytes.Replace(source, []byte(m.old), []byte(m.new), 1), 0o600); err != nil {
		return "", err
	}
	original, err := filepath.Abs(m.file)
	if err != nil {
		return "", err
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {original: broken}})
	if err != nil {
		return "", err
	}
	list := filepath.Join(dir, m.name+".json")
	if err := os.WriteFile(list, overlay, 0o600); err != nil {
		return "", err
	}
	binary := filepath.Join(dir, m.name)
	//nolint:gosec // All of it is ours.
	build := exec.CommandContext(ctx, "go", "build", "-overlay", list, "-o", binary, "./test/crashmatrix")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: building it: %w\n%s", errMutant, err, out)
	}
	return binary, nil
}
