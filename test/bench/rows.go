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
	"fmt"
	"math"
	"strconv"
	"time"
)

// row is one line of the verdict.
type row struct {
	Name   string  `json:"name"`
	Value  float64 `json:"value"`
	Op     string  `json:"op"`
	Target float64 `json:"target"`
	OK     bool    `json:"ok"`
}

// String is what scripts read.
func (r row) String() string {
	verdict := "short"
	if r.OK {
		verdict = "ok"
	}
	return fmt.Sprintf("bench: %s value=%s target=%s%s %s", r.Name, number(r.Value), r.Op, number(r.Target), verdict)
}

func number(v float64) string { return strconv.FormatFloat(rounded(v), 'f', -1, 64) }

// rounded leaves three decimals. A number that there is none of, JSON has no word for, either.
func rounded(v float64) float64 {
	if math.IsInf(v, 0) || math.IsNaN(v) {
		return -1
	}
	return math.Round(v*1000) / 1000
}

func atMost(name string, value, target float64) row {
	return row{name, rounded(value), "<=", rounded(target), value <= target}
}

func atLeast(name string, value, target float64) row {
	return row{name, rounded(value), ">=", rounded(target), value >= target}
}

// provided makes the row short if what it is about did not come to its end: then its value says little.
func (r row) provided(complete bool) row {
	r.OK = r.OK && complete
	return r
}

// The targets are those for 1,000 packages, or for 10,000 where the scenario is about many. Other sizes have targets
// in proportion, with something for what does not depend on the size.

// packSeconds is what the limit itself takes, and five seconds.
func packSeconds(size int) float64 { return 5 + float64(size)/documentedRate }

// deleteCalls are two calls for each hundred, and five.
func deleteCalls(size int) float64 { return 5 + 2*pages(size) }

func deleteSeconds(size int) float64 { return 5 + float64(size)/100 }

// pollCalls is a call for each hundred, and one.
func pollCalls(size int) float64 { return 1 + pages(size) }

// restartCalls are those of one poll, and ten: the approvals, and a workspace that is tried out.
func restartCalls(size int) float64 { return 10 + pages(size) }

// decisionSeconds is how soon a decision has to be shown: within ten seconds for up to 400 packages in review, within
// four minutes for 10,000.
func decisionSeconds(size int) float64 { return max(10, 240*float64(size)/10_000) }

func restartSeconds(size int) float64 { return 5 + 15*float64(size)/10_000 }

// memoryMiB is what an idle manager has, and eight kibibytes for each package.
func memoryMiB(size int) float64 { return 40 + 80*float64(size)/10_000 }

func pages(size int) float64 { return math.Ceil(float64(size) / rowsPerCall) }

func pollRow(size int, calls float64) row {
	return atMost(sized("poll", size, "calls"), calls, pollCalls(size))
}

// grows is the exponent e of growth: ten times the packages take 10^e times as much. Somewhat more than 1 is allowed
// for what is not exact.
func grows(what string, small, large float64) row {
	const most = 1.1
	if small <= 0 {
		return atMost("growth-"+what, math.Inf(1), most)
	}
	return atMost("growth-"+what, math.Log10(large/small)/math.Log10(growth), most)
}

func sized(what string, size int, unit string) string {
	return fmt.Sprintf("%s-%d-%s", what, size, unit)
}

// perPackage is a number for one of so many.
func perPackage(n, size int) float64 { return float64(n) / float64(size) }

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
