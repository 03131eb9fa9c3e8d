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

package simulator

import (
	"errors"
	"net/http"
	"slices"
	"time"
)

// FaultKind is what goes wrong with a call.
type FaultKind string

// The kinds of faults. All but FaultStall and FaultStale strike before the work or, with
// [Fault.AfterWork], between the work and its answer.
const (
	// FaultError answers Status with an error envelope of Code and Message, and with RetryAfter if
	// that is set.
	FaultError FaultKind = "error"
	// FaultRaw answers Status, ContentType, Body and RetryAfter as they are.
	FaultRaw FaultKind = "raw"
	// FaultDelay lets Delay pass and then goes on as if nothing had happened.
	FaultDelay FaultKind = "delay"
	// FaultHang never answers: the call ends when the client leaves or the server closes.
	FaultHang FaultKind = "hang"
	// FaultDrop closes the connection. A client built on net/http repeats a GET by itself when this
	// happens to a reused connection, and the repetition is a call of its own.
	FaultDrop FaultKind = "drop"
	// FaultStall does the work, sends the head and half of the body, and then hangs.
	FaultStall FaultKind = "stall"
	// FaultStale answers OpList with the packages as they were Behind changes or Lag ago.
	FaultStale FaultKind = "stale"
)

// Forever as [Fault.Times] keeps a fault armed until [Server.Reset].
const Forever = -1

// Fault describes calls that shall go wrong. Every call that passed the gateway's checks is offered
// to the armed faults in the order of their injection; the first one that wants it gets it, and later
// faults do not see it.
type Fault struct {
	// Operation limits the fault to one operation; empty means any.
	Operation Operation `json:"operation,omitempty"`
	Kind      FaultKind `json:"kind"`
	AfterWork bool      `json:"afterWork,omitempty"`
	// Skip is how many calls pass unharmed first.
	Skip int `json:"skip,omitempty"`
	// Times is how many calls are struck after that, or [Forever]; zero means one.
	Times int `json:"times,omitempty"`

	// The rest belongs to single kinds, as said there.

	Status      int           `json:"status,omitempty"`
	Code        Code          `json:"code,omitempty"`
	Message     string        `json:"message,omitempty"`
	RetryAfter  time.Duration `json:"-"` // whole seconds
	ContentType string        `json:"contentType,omitempty"`
	Body        string        `json:"body,omitempty"`
	Delay       time.Duration `json:"-"`
	Behind      int           `json:"behind,omitempty"`
	Lag         time.Duration `json:"-"`
}

// armedFault counts down what is left of a fault.
type armedFault struct {
	Fault
	skip, times int
}

// Inject arms a fault. It returns an error, and does nothing, when a fault of that kind could not strike.
func (s *Server) Inject(f Fault) error {
	if err := f.validate(); err != nil {
		return err
	}
	times := f.Times
	if times == 0 {
		times = 1
	}
	if f.Kind == FaultStall {
		f.AfterWork = true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &armedFault{Fault: f, skip: f.Skip, times: times})
	return nil
}

// Faults returns the armed faults, with what is left of Skip and Times.
func (s *Server) Faults() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	faults := make([]Fault, 0, len(s.faults))
	for _, a := range s.faults {
		f := a.Fault
		f.Skip, f.Times = a.skip, a.times
		faults = append(faults, f)
	}
	return faults
}

func (f *Fault) validate() error {
	if f.Operation != "" && operations[f.Operation] == nil {
		return errors.New("fault: unknown operation")
	}
	if f.Skip < 0 || f.Times < Forever || f.RetryAfter < 0 || f.Delay < 0 || f.Behind < 0 || f.Lag < 0 {
		return errors.New("fault: counts and durations must not be negative")
	}
	return f.validateKind()
}

// validateKind asks for what the kind cannot do without.
func (f *Fault) validateKind() error {
	switch f.Kind {
	case FaultError, FaultRaw:
		if f.Status < 200 || f.Status > 599 {
			return errors.New("fault: a status from 200 to 599 is needed")
		}
	case FaultDelay:
		if f.Delay == 0 {
			return errors.New("fault: a delay is needed")
		}
	case FaultStale:
		if f.Operation != OpList || (f.Behind == 0 && f.Lag == 0) {
			return errors.New("fault: stale needs the operation list, and behind or lag")
		}
	case FaultHang, FaultDrop, FaultStall:
	default:
		return errors.New("fault: unknown kind")
	}
	return nil
}

// takeFault returns the fault that strikes the call, if any, and counts it down.
func (s *Server) takeFault(c *call) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, a := range s.faults {
		if a.Operation != "" && a.Operation != c.op {
			continue
		}
		if a.skip > 0 {
			a.skip--
			continue
		}
		if a.times != Forever {
			a.times--
		}
		if a.times == 0 {
			s.faults = slices.Delete(s.faults, i, i+1)
		}
		c.record.Fault = a.Kind
		if a.Kind == FaultStale {
			c.stale = &a.Fault
		}
		return &a.Fault
	}
	return nil
}

// strike lets a fault happen and reports whether the call ends with it. The answer is the one that
// the client would otherwise have got; it is empty before the work.
func (s *Server) strike(w http.ResponseWriter, r *http.Request, c *call, f *Fault, a answer) bool {
	switch f.Kind {
	case FaultError:
		no := &refusal{f.Status, f.Code, f.Message, f.RetryAfter}
		s.reply(w, c, no.answer(c.requestID))
	case FaultRaw:
		s.reply(w, c, answer{f.Status, f.ContentType, f.RetryAfter, []byte(f.Body)})
	case FaultDelay:
		if s.pause(r.Context(), f.Delay) {
			return false
		}
		cutOff()
	case FaultHang:
		s.hang(r)
	case FaultDrop:
		cutOff()
	case FaultStall:
		s.stall(w, r, c, a)
	case FaultStale:
		return false
	}
	return true
}

// stall leaves out the length, so that not even an empty body looks complete.
func (s *Server) stall(w http.ResponseWriter, r *http.Request, c *call, a answer) {
	s.head(w, c, a)
	// The client may be gone, in which case hang ends at once.
	_, _ = w.Write(a.body[:len(a.body)/2])
	_ = http.NewResponseController(w).Flush()
	s.hang(r)
}

// hang holds the connection and then cuts it off: returning would send an empty answer.
func (s *Server) hang(r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-s.closed:
	}
	cutOff()
}
