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

package lifecycle

import (
	"time"
)

// Action is what one pass does. It makes at most one call that changes something at the service.
type Action int

const (
	// Wait does nothing but record what was seen.
	Wait Action = iota
	// AddFinalizer adds the finalizer, in a write of its own. The same pass then decides again.
	AddFinalizer
	// Pack records an attempt, sends it and records its outcome.
	Pack
	// Adopt records Step.Package as this object's package.
	Adopt
	// CloseAttempt records that the open attempt has made nothing.
	CloseAttempt
	// Unpack withdraws the recorded package.
	Unpack
	// RemoveFinalizer removes the finalizer.
	RemoveFinalizer
	// Stall gives up until someone acts.
	Stall
)

// Step is the next thing to do and what the conditions say of it. Without a reason the package's own state is all
// there is to say.
type Step struct {
	Action  Action
	Reason  string
	Message string

	// Package is the one to adopt.
	Package *Package
	// Event is published when the step is done; nothing is published without a reason.
	Event Event
	// Blocked says that something is in the way that may pass: the operator backs off instead of After.
	Blocked bool
	// Proves is what the answer that led to this step proves.
	Proves Proof
	// After is when to come back though nothing happened; zero means that no one needs to.
	After time.Duration
}

// Event tells of a change, once.
type Event struct {
	Reason  string
	Message string
	Warning bool
}
