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
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/dataarts-operator/dataarts-operator/test/harness"
)

const (
	// ticksPerSecond is the unit of the times in /proc: the same on every Linux that Go runs on.
	ticksPerSecond = 100

	// userTime and systemTime are the fields of /proc/<pid>/stat after the command's name.
	userTime, systemTime = 11, 12
)

// usage is what a process has used of the machine.
type usage struct {
	cpuSeconds float64
	// residentMiB is the memory that is resident now, peakMiB the most that ever was.
	residentMiB, peakMiB float64
}

// usage reads it from /proc, where a process is found only while it runs.
func usageOf(p *harness.Process) (usage, error) {
	if err := p.Alive(); err != nil {
		return usage{}, err
	}
	dir := fmt.Sprintf("/proc/%d/", p.PID())
	stat, err := os.ReadFile(dir + "stat") //nolint:gosec // Of our own process.
	if err != nil {
		return usage{}, err
	}
	status, err := os.ReadFile(dir + "status") //nolint:gosec // As above.
	if err != nil {
		return usage{}, err
	}
	// The name is in parentheses and may hold anything.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) <= systemTime {
		return usage{}, fmt.Errorf("%sstat has %d fields", dir, len(fields))
	}
	var ticks float64
	for _, field := range []string{fields[userTime], fields[systemTime]} {
		n, err := strconv.ParseFloat(field, 64)
		if err != nil {
			return usage{}, fmt.Errorf("%sstat: %w", dir, err)
		}
		ticks += n
	}
	return usage{cpuSeconds: ticks / ticksPerSecond, residentMiB: mebibytes(status, "VmRSS"),
		peakMiB: mebibytes(status, "VmHWM")}, nil
}

// mebibytes finds a line such as "VmRSS:	  12345 kB".
func mebibytes(status []byte, name string) float64 {
	for line := range strings.SplitSeq(string(status), "\n") {
		value, found := strings.CutPrefix(line, name+":")
		if !found {
			continue
		}
		kibibytes, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(value, "kB")), 64)
		if err == nil {
			return kibibytes / 1024
		}
	}
	return 0
}
