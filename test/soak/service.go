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
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

const (
	projectID = "62099355b894428e8916573ae635f1f9"
	engineer  = "f8ccc2ff3c7748e8a7bfede38ae1cffa"
	accessKey = "SOAKACCESSKEY"
	secretKey = "soak-secret-key"

	// callTimeout bounds a call; latency and deployDuration are the service's.
	callTimeout    = 2 * time.Second
	latency        = 5 * time.Millisecond
	deployDuration = time.Second
)

// approvers may deploy in every workspace.
var approvers = []string{"7b71e498e75d44048c9a22dd3c54f978", "0f3bc1d2a4c94a25b7c3d1e80a6f5b42"}

// service is the simulated service over HTTP. Within this process it can be asked for the truth.
type service struct {
	*simulator.Server
	url  string
	http *http.Server
	past []simulator.Request
}

// assumptions are one of the ways in which the service may behave where its reference is silent. Items may be packed twice in all of them:
// what would be refused otherwise becomes visible as a duplicate.
func assumptions(random *rand.Rand) simulator.Assumptions {
	return simulator.Assumptions{
		SharedItem:       simulator.Accept,
		Offset:           oneOf(random, simulator.OffsetPage, simulator.OffsetRow),
		Keyword:          oneOf(random, simulator.MatchContains, simulator.MatchExact),
		PackedItem:       oneOf(random, simulator.Accept, simulator.Refuse),
		UnpackAgain:      oneOf(random, simulator.Refuse, simulator.Accept),
		UnknownPackage:   oneOf(random, simulator.CodeNoTask, simulator.CodeNoTaskLong),
		WithdrawnPackage: oneOf(random, simulator.PackageFlagged, simulator.PackageUnlisted, simulator.PackageGone),
	}
}

// inWords names them as docs/simulator.md does.
func inWords(a simulator.Assumptions) string {
	text, err := json.Marshal(a)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func oneOf[T any](random *rand.Rand, all ...T) T { return all[random.IntN(len(all))] }

func startService(workspaces int, a simulator.Assumptions) (*service, error) {
	o := simulator.Options{
		Users:       []simulator.User{{ID: engineer, Name: "engineer", AccessKey: accessKey, SecretKey: secretKey, Projects: []string{projectID}}},
		Assumptions: a,
		Latency:     latency, DeployDuration: deployDuration, LogLimit: 5_000_000,
	}
	for i, id := range approvers {
		o.Users = append(o.Users, simulator.User{ID: id, Name: fmt.Sprintf("approver-%d", i), Projects: []string{projectID}})
	}
	for i := range workspaces {
		o.Workspaces = append(o.Workspaces, simulator.Workspace{ProjectID: projectID, ID: workspaceID(i), Reviewers: approvers})
	}
	sim, err := simulator.New(o)
	if err != nil {
		return nil, err
	}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &service{Server: sim, url: "http://" + l.Addr().String(), http: &http.Server{Handler: sim, ReadHeaderTimeout: time.Minute}}
	go func() { _ = s.http.Serve(l) }() // It ends when stop closes the server.
	return s, nil
}

func (s *service) stop() {
	s.Close() // First: what it holds is cut off.
	_ = s.http.Close()
}

func workspaceID(i int) string { return fmt.Sprintf("ab12c3d4e5f647a8b9c0d1e2f3a4%04d", i) }

// armed is how many faults wait for calls of an operation.
func (s *service) armed(operation simulator.Operation) int {
	n := 0
	for _, f := range s.Faults() {
		if f.Operation == operation {
			n++
		}
	}
	return n
}

// calm disarms all faults. What was asked until then is kept.
func (s *service) calm() {
	s.past = append(s.past, s.Requests()...)
	s.Reset()
}

// asked is every request there ever was.
func (s *service) asked() []simulator.Request { return append(slices.Clone(s.past), s.Requests()...) }

// struck is how many calls a fault has struck.
func (s *service) struck() int {
	n := 0
	for _, r := range s.asked() {
		if r.Fault != "" {
			n++
		}
	}
	return n
}
