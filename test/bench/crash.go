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
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"github.com/dataarts-operator/dataarts-operator/test/harness"
)

const (
	// crashCases are a selection for a quick answer; make crash-matrix runs everything.
	crashCases   = "pack,replace/documented,delete-in-review,delete-lost-answer/documented"
	crashTimeout = 3 * time.Minute
)

var (
	verdicts = regexp.MustCompile(`runs=(\d+) duplicates=(\d+) leaks=(\d+) stuck=(\d+)`)
	unjudged = regexp.MustCompile(`\d+ runs could not be judged`)
)

// crash runs a part of the crash matrix, with a control plane of its own.
func (b *bench) crash(ctx context.Context) error {
	b.say("crashing the operator at its requests")
	log := filepath.Join(b.logs, "crashmatrix.log")
	began := time.Now()
	p, err := harness.StartProcess("crashmatrix", log, "--only", crashCases, "--parallel", "4")
	if err != nil {
		return err
	}
	defer p.Stop()
	select {
	case <-p.Done():
	case <-time.After(crashTimeout):
		return fmt.Errorf("the crash matrix has not ended after %s", crashTimeout)
	case <-ctx.Done():
		return ctx.Err()
	}
	said, err := os.ReadFile(log) //nolint:gosec // In our own directory.
	if err != nil {
		return err
	}
	found := verdicts.FindSubmatch(said)
	if found == nil {
		return errors.New("the crash matrix gave no verdict; its log is " + log)
	}
	if unjudged.Match(said) {
		return errors.New("the crash matrix could not judge every run; its log is " + log)
	}
	var numbers [4]int
	for i := range numbers {
		if numbers[i], err = strconv.Atoi(string(found[i+1])); err != nil {
			return err
		}
	}
	b.measured(measurement{Name: "crash", Seconds: time.Since(began).Seconds(), Note: fmt.Sprintf(
		"runs=%d duplicates=%d leaks=%d stuck=%d", numbers[0], numbers[1], numbers[2], numbers[3])})
	b.row(atMost("crash-violations", float64(numbers[1]+numbers[2]+numbers[3]), 0))
	return nil
}
