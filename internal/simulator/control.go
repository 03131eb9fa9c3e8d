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
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

const maxControlBytes = 1 << 20

// consoleSteps are the steps that need nothing but the id of a package.
var consoleSteps = map[string]func(*Console, string) error{
	"deploy":        (*Console).Deploy,
	"start-deploy":  (*Console).StartDeploy,
	"finish-deploy": (*Console).FinishDeploy,
	"fail-deploy":   (*Console).FailDeploy,
	"withdraw":      (*Console).Withdraw,
	"vanish":        (*Console).Vanish,
}

// Control returns the control side as a JSON API. It asks nobody who they are: serve it where only the
// people of the simulation can reach it.
func (s *Server) Control() http.Handler {
	const workspacePath = "/projects/{project}/workspaces/{workspace}"
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+workspacePath+"/items", func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, http.StatusOK, map[string]any{"items": s.consoleOf(r).Items()})
	})
	mux.HandleFunc("GET "+workspacePath+"/packages", func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, http.StatusOK, map[string]any{"packages": s.consoleOf(r).Packages()})
	})
	mux.HandleFunc("POST "+workspacePath+"/items", s.controlSubmit)
	mux.HandleFunc("POST "+workspacePath+"/packages", s.controlPack)
	mux.HandleFunc("POST "+workspacePath+"/packages/{id}/set-state", s.controlSetState)
	for name, step := range consoleSteps {
		mux.HandleFunc("POST "+workspacePath+"/packages/{id}/"+name, func(w http.ResponseWriter, r *http.Request) {
			writeResult(w, step(s.consoleOf(r), r.PathValue("id")))
		})
	}
	mux.HandleFunc("GET /limits", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, controlLimitsFrom(s.Limits()))
	})
	mux.HandleFunc("PUT /limits", s.controlSetLimits)
	mux.HandleFunc("GET /faults", s.controlFaults)
	mux.HandleFunc("POST /faults", s.controlInject)
	mux.HandleFunc("GET /requests", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]any{"requests": s.Requests()})
	})
	mux.HandleFunc("GET /counts", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, s.Counts())
	})
	mux.HandleFunc("POST /reset", func(w http.ResponseWriter, _ *http.Request) {
		s.Reset()
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}

func (s *Server) consoleOf(r *http.Request) *Console {
	return s.Console(r.PathValue("project"), r.PathValue("workspace"))
}

func (s *Server) controlSubmit(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Items []NewItem `json:"items"`
	}
	if err := readJSON(w, r, &body); err != nil {
		writeResult(w, err)
		return
	}
	ids, err := s.consoleOf(r).Submit(body.Items...)
	if err != nil {
		writeResult(w, err)
		return
	}
	writeJSON(w, http.StatusCreated, map[string]any{"ids": ids})
}

func (s *Server) controlPack(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Name      string   `json:"name"`
		Applicant string   `json:"applicant"`
		Approvers []string `json:"approvers"`
		Items     []string `json:"items"`
	}
	if err := readJSON(w, r, &body); err != nil {
		writeResult(w, err)
		return
	}
	id, err := s.consoleOf(r).Pack(body.Name, body.Applicant, body.Approvers, body.Items)
	if err != nil {
		writeResult(w, err)
		return
	}
	writeJSON(w, http.StatusCreated, map[string]string{"id": id})
}

func (s *Server) controlSetState(w http.ResponseWriter, r *http.Request) {
	var body struct {
		State State `json:"state"`
	}
	if err := readJSON(w, r, &body); err != nil {
		writeResult(w, err)
		return
	}
	writeResult(w, s.consoleOf(r).SetState(r.PathValue("id"), body.State))
}

// controlFault is a [Fault] whose durations are written as "1.5s".
type controlFault struct {
	Fault
	RetryAfter textDuration `json:"retryAfter,omitzero"`
	Delay      textDuration `json:"delay,omitzero"`
	Lag        textDuration `json:"lag,omitzero"`
}

type textDuration time.Duration

// MarshalText writes the duration as [time.Duration.String] does.
func (d textDuration) MarshalText() ([]byte, error) {
	return []byte(time.Duration(d).String()), nil
}

// UnmarshalText reads what [time.ParseDuration] reads.
func (d *textDuration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = textDuration(parsed)
	return err
}

// controlLimits are [Limits] whose durations are written as "20ms".
type controlLimits struct {
	RateLimit  int          `json:"rateLimit"`
	OtherCalls float64      `json:"otherCalls"`
	RetryAfter textDuration `json:"retryAfter"`
	Latency    textDuration `json:"latency"`

	ItemLag     textDuration `json:"itemLag"`
	ListLag     textDuration `json:"listLag"`
	ShowLag     textDuration `json:"showLag"`
	ClockOffset textDuration `json:"clockOffset"`
}

func controlLimitsFrom(l Limits) controlLimits {
	return controlLimits{
		RateLimit: l.RateLimit, OtherCalls: l.OtherCalls,
		RetryAfter: textDuration(l.RetryAfter), Latency: textDuration(l.Latency),
		ItemLag: textDuration(l.ItemLag), ListLag: textDuration(l.ListLag), ShowLag: textDuration(l.ShowLag),
		ClockOffset: textDuration(l.ClockOffset),
	}
}

func (c controlLimits) limits() Limits {
	return Limits{
		RateLimit: c.RateLimit, OtherCalls: c.OtherCalls,
		RetryAfter: time.Duration(c.RetryAfter), Latency: time.Duration(c.Latency),
		ItemLag: time.Duration(c.ItemLag), ListLag: time.Duration(c.ListLag), ShowLag: time.Duration(c.ShowLag),
		ClockOffset: time.Duration(c.ClockOffset),
	}
}

func (s *Server) controlSetLimits(w http.ResponseWriter, r *http.Request) {
	var body controlLimits
	if err := readJSON(w, r, &body); err != nil {
		writeResult(w, err)
		return
	}
	writeResult(w, s.SetLimits(body.limits()))
}

func (s *Server) controlFaults(w http.ResponseWriter, _ *http.Request) {
	faults := []controlFault{}
	for _, f := range s.Faults() {
		faults = append(faults, controlFault{f, textDuration(f.RetryAfter), textDuration(f.Delay), textDuration(f.Lag)})
	}
	writeJSON(w, http.StatusOK, map[string]any{"faults": faults})
}

func (s *Server) controlInject(w http.ResponseWriter, r *http.Request) {
	var body controlFault
	if err := readJSON(w, r, &body); err != nil {
		writeResult(w, err)
		return
	}
	f := body.Fault
	f.RetryAfter, f.Delay, f.Lag = time.Duration(body.RetryAfter), time.Duration(body.Delay), time.Duration(body.Lag)
	writeResult(w, s.Inject(f))
}

// readJSON refuses unknown fields, so that a typing mistake does not inject another fault than meant.
func readJSON(w http.ResponseWriter, r *http.Request, into any) error {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxControlBytes))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("reading the request body: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("the request body is more than one JSON value")
	}
	return nil
}

// writeResult answers a step that returns nothing but an error.
func writeResult(w http.ResponseWriter, err error) {
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	status := http.StatusBadRequest
	if errors.Is(err, ErrNotFound) {
		status = http.StatusNotFound
	}
	if errors.Is(err, ErrState) {
		status = http.StatusConflict
	}
	writeJSON(w, status, map[string]string{"error": err.Error()})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	a := jsonAnswer(status, body)
	w.Header().Set("Content-Type", a.contentType)
	w.WriteHeader(a.status)
	// The client may be gone; there is nobody to tell.
	_, _ = w.Write(a.body)
}
