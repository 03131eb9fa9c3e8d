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

package dataarts

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Op names an operation of the Client, in errors and for metrics.
type Op string

// The operations of the Client.
const (
	OpPack             Op = "pack"
	OpUnpack           Op = "unpack"
	OpList             Op = "list packages"
	OpShow             Op = "show package"
	OpListPendingItems Op = "list pending items"
)

// Kind says what a failed call proves. Every kind but Unknown proves that the call changed nothing, with one exception:
// a refused Unpack of several packages may have withdrawn some of them.
type Kind int

// The kinds of failure.
const (
	// Unknown is everything that proves nothing: the call may have done its work, completely or in part, may be doing it
	// still, or may never have arrived. It is the zero value, so what is not understood is Unknown.
	Unknown Kind = iota
	// Refused is a documented refusal of the service or of its gateway, or a request that this package did not
	// send because it could not have been accepted. Sending the same again leads to the same answer.
	Refused
	// NotFound is the service's answer that the package named in Show or Unpack does not exist.
	NotFound
	// AlreadyDeployed is the service's answer to Unpack that the package has been released to production.
	AlreadyDeployed
	// Unauthorized means that the credentials were not accepted. A few such answers in a row lock an access key
	// for minutes.
	Unauthorized
	// Forbidden means that the credentials are valid, but may not do this.
	Forbidden
	// Throttled means that too many calls were made; Error.RetryAfter says when to come back if the service said so.
	Throttled
	// Unreachable means that the call ended, of itself or with its context, before it had a connection to send
	// the request over. The request did not leave this machine.
	Unreachable
)

// String returns the words that stand for the kind in an error's text.
func (k Kind) String() string {
	switch k {
	case Refused:
		return "refused"
	case NotFound:
		return "not found"
	case AlreadyDeployed:
		return "already deployed"
	case Unauthorized:
		return "credentials not accepted"
	case Forbidden:
		return "not permitted"
	case Throttled:
		return "throttled"
	case Unreachable:
		return "service unreachable"
	case Unknown:
		return "no clear answer"
	}
	return "no clear answer"
}

// Error is the error of every operation of the Client.
type Error struct {
	// Op is the operation that failed.
	Op Op
	// Kind is what the failure proves.
	Kind Kind
	// Status is the HTTP status of the answer, 0 if there was none.
	Status int
	// Code is the service's error code, such as "DLF.3051", empty if there was none.
	Code string
	// Message explains the failure in one short line that is free of secrets and the same whenever the failure
	// is the same.
	Message string
	// RequestID identifies the call to the vendor's support. It differs for each call, so it is not part of the text.
	RequestID string
	// RetryAfter is how long the service asks to be left alone, 0 if it did not say.
	RetryAfter time.Duration

	cause error
}

// Error returns a text that is stable: the same failure reads the same every time.
func (e *Error) Error() string {
	parts := []string{string(e.Op), e.Kind.String()}
	switch {
	case e.Code != "":
		parts = append(parts, e.Code)
	case e.Status != 0:
		parts = append(parts, fmt.Sprintf("HTTP %d", e.Status))
	}
	if e.Message != "" {
		parts = append(parts, e.Message)
	}
	return strings.Join(parts, ": ")
}

// Unwrap returns the transport's or the context's error where there is one, so that errors.Is finds context.Canceled.
func (e *Error) Unwrap() error { return e.cause }

// KindOf returns the kind of the Error within err, and Unknown if there is none.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Unknown
}

// MayDeny reports whether an answer to Show or Unpack may mean that the service knows no package of that id.
// What it says then is not documented, so every answer may that speaks of the request alone. It proves nothing
// by itself.
func MayDeny(err error) bool {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Op != OpShow && e.Op != OpUnpack {
		return false
	}
	switch e.Kind {
	case NotFound, Refused:
		return true
	case Unknown: // A status alone may come from anywhere on the way.
		return e.Status >= http.StatusBadRequest && e.Status < http.StatusInternalServerError &&
			e.Status != http.StatusRequestTimeout
	case AlreadyDeployed, Unauthorized, Forbidden, Throttled, Unreachable:
	}
	return false
}

// refuse reports a request that is not worth sending.
func refuse(op Op, format string, args ...any) error {
	return &Error{Op: op, Kind: Refused, Message: fmt.Sprintf(format, args...)}
}

// unclear reports an answer of 200 that does not deliver what was promised, so that it proves nothing.
func unclear(op Op, message string) error {
	return &Error{Op: op, Kind: Unknown, Status: http.StatusOK, Message: message}
}
