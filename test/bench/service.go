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
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
	"github.com/dataarts-operator/dataarts-operator/test/harness"
)

const (
	projectID   = "62099355b894428e8916573ae635f1f9"
	workspaceID = "ab12c3d4e5f647a8b9c0d1e2f3a4b5c6"
	engineer    = "f8ccc2ff3c7748e8a7bfede38ae1cffa"
	approver    = "7b71e498e75d44048c9a22dd3c54f978"
	accessKey   = "BENCHACCESSKEY"
	secretKey   = "bench-secret-key"
	floorToken  = "bench-token"

	// itemsAtOnce keeps a request well below the megabyte that the control API takes.
	itemsAtOnce = 2000
)

// limits are how much the service takes and how fast it is.
type limits struct {
	rate int
	// others are the calls a second that someone else makes as the same user.
	others  float64
	latency time.Duration
}

// service is the simulator as a process of its own.
type service struct{ *harness.Simulator }

// startService starts the simulator with one workspace and nothing in it.
func startService(ctx context.Context, dir, logs, name string, l limits) (*service, error) {
	config, err := json.Marshal(simulator.Options{
		Users: []simulator.User{
			{ID: engineer, Name: "engineer", AccessKey: accessKey, SecretKey: secretKey, Token: floorToken,
				Projects: []string{projectID}},
			{ID: approver, Name: "approver", Projects: []string{projectID}},
		},
		Workspaces: []simulator.Workspace{{ProjectID: projectID, ID: workspaceID, Reviewers: []string{approver}}},
	})
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, name+"-simulator.json")
	if err := os.WriteFile(path, config, 0o600); err != nil {
		return nil, err
	}
	sim, err := harness.StartSimulator(ctx, filepath.Join(logs, name+"-simulator.log"), "--config", path,
		"--deploy-duration", "1s")
	if err != nil {
		return nil, err
	}
	s := &service{sim}
	if err := s.limit(ctx, l); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

// limit changes how much the service takes and how fast it is.
func (s *service) limit(ctx context.Context, l limits) error {
	return s.call(ctx, http.MethodPut, "/limits",
		map[string]any{"rateLimit": l.rate, "otherCalls": l.others, "latency": l.latency.String()}, nil)
}

// inject has calls fail.
func (s *service) inject(ctx context.Context, f *simulator.Fault) error {
	return s.call(ctx, http.MethodPost, "/faults", f, nil)
}

// counts are the calls that have arrived, by operation.
func (s *service) counts(ctx context.Context) (map[simulator.Operation]int, error) {
	var counts map[simulator.Operation]int
	err := s.call(ctx, http.MethodGet, "/counts", nil, &counts)
	return counts, err
}

// submit adds pending items and returns their ids.
func (s *service) submit(ctx context.Context, n int) ([]string, error) {
	var ids []string
	for len(ids) < n {
		items := make([]simulator.NewItem, min(n-len(ids), itemsAtOnce))
		for i := range items {
			items[i] = simulator.NewItem{Name: fmt.Sprintf("job_%05d", len(ids)+i), SubmitUserID: engineer}
		}
		var answer struct {
			IDs []string `json:"ids"`
		}
		if err := s.call(ctx, http.MethodPost, inWorkspace("/items"), map[string]any{"items": items}, &answer); err != nil {
			return nil, err
		}
		if len(answer.IDs) != len(items) {
			return nil, fmt.Errorf("the simulator took %d items of %d", len(answer.IDs), len(items))
		}
		ids = append(ids, answer.IDs...)
	}
	return ids, nil
}

// deploy approves a package in the console, and its deployment succeeds at once.
func (s *service) deploy(ctx context.Context, id string) error {
	return s.call(ctx, http.MethodPost, inWorkspace("/packages/"+id+"/deploy"), nil, nil)
}

func inWorkspace(path string) string {
	return "/projects/" + projectID + "/workspaces/" + workspaceID + path
}

// call makes a call of the control API.
func (s *service) call(ctx context.Context, method, path string, body, into any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, s.Control+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	answer, err := send(http.DefaultClient, req)
	if err != nil {
		return fmt.Errorf("the simulator's control API: %w", err)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer, into)
}

// send returns the body of the answer, which has to be a success.
func send(through *http.Client, req *http.Request) ([]byte, error) {
	resp, err := through.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // All of it was read.
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode >= http.StatusMultipleChoices {
		return nil, fmt.Errorf("%s %s: %s: %s", req.Method, req.URL.Path, resp.Status, answer)
	}
	return answer, nil
}
