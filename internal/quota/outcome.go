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

package quota

import "time"

// Outcome is what came of a call.
type Outcome struct {
	Kind Kind
	// RetryAfter is how long the service asks to wait, with Throttled; zero if it does not say.
	RetryAfter time.Duration
	// Err is what others are told whose calls would fare no better.
	Err error
}

// Kind is what an outcome says about the calls to come. The first ones open the circuit breaker; where several have, the first of them is told.
type Kind int

const (
	// Rejected means that the credentials were not accepted.
	Rejected Kind = iota
	// Throttled means that the service asks for fewer calls.
	Throttled
	// Unreachable means that there was no answer.
	Unreachable
	// Answered is every other answer, whatever it says.
	Answered
	// Inconclusive is the end of a call that its caller gave up, or that was never sent.
	Inconclusive
)

// breaking is how many kinds open the circuit breaker.
const breaking = Unreachable + 1

// String is the value of a label.
func (k Kind) String() string {
	return [...]string{"rejected", "throttled", "unreachable", "answered", "inconclusive"}[k]
}
