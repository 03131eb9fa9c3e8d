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
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// report is what the program finds out, as it is written to --out.
type report struct {
	Began        time.Time     `json:"began"`
	Seconds      float64       `json:"seconds"`
	Processors   int           `json:"processors"`
	Packages     int           `json:"packages"`
	Workers      int           `json:"workers"`
	Rows         []row         `json:"rows"`
	Measurements []measurement `json:"measurements"`
}

// say tells what goes on.
func (b *bench) say(format string, args ...any) {
	fmt.Printf("%5.0fs  %s\n", time.Since(b.report.Began).Seconds(), fmt.Sprintf(format, args...))
}

func (b *bench) measured(m measurement) { b.report.Measurements = append(b.report.Measurements, m) }

func (b *bench) row(r row) { b.report.Rows = append(b.report.Rows, r) }

// print shows the table and the verdicts.
func (r *report) print() error {
	fmt.Println()
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	lines := []string{"MEASURED\tPACKAGES\tSECONDS\tPER SECOND\tCPU s\tRSS MiB\tPEAK MiB\tCALLS\tNOTE"}
	for i := range r.Measurements {
		lines = append(lines, r.Measurements[i].line())
	}
	if _, err := fmt.Fprintln(table, strings.Join(lines, "\n")); err != nil {
		return err
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Println("\nAPI-server writes, all that were made until what was measured was over and everything told:")
	for i := range r.Measurements {
		if m := &r.Measurements[i]; len(m.Writes) > 0 {
			fmt.Printf("  %s: %d (%d of them for packages, %d refused): %s\n",
				m.Name, sum(m.Writes), m.packageWrites(), m.Conflicts, inWords(m.Writes))
		}
	}
	fmt.Println()
	for _, row := range r.Rows {
		fmt.Println(row)
	}
	return nil
}

func (m *measurement) line() string {
	perSecond := "-"
	if m.Seconds > 0 && m.Packages > 0 {
		perSecond = fmt.Sprintf("%.1f", float64(m.Packages)/m.Seconds)
	}
	return fmt.Sprintf("%s\t%d\t%.1f\t%s\t%.1f\t%.0f\t%.0f\t%s\t%s",
		m.Name, m.Packages, m.Seconds, perSecond, m.CPUSeconds, m.ResidentMiB, m.PeakMiB, inWords(m.Calls), m.Note)
}

// inWords lists counts, the largest first.
func inWords(counts map[string]int) string {
	var parts []string
	for _, name := range slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		if d := counts[b] - counts[a]; d != 0 {
			return d
		}
		return strings.Compare(a, b)
	}) {
		parts = append(parts, fmt.Sprintf("%s=%d", name, counts[name]))
	}
	return strings.Join(parts, " ")
}

// write writes the report as JSON.
func (r *report) write(path string) error {
	r.Processors, r.Seconds = runtime.NumCPU(), time.Since(r.Began).Seconds()
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o600)
}

// short reports whether a target was missed.
func (r *report) short() bool { return slices.ContainsFunc(r.Rows, func(r row) bool { return !r.OK }) }
