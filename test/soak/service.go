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
	"sync"
	"time"

	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

const (
	projectID = "62099355b894428e8916573ae635f1f9"
	engineer  = "f8ccc2ff3c7748e8a7bfede38ae1cffa"
	deputy    = "5d0f6ab21c3e4f7f9a8b7c6d5e4f3a2b"

	callsPerSecond = 100 // of a user
	latency        = 5 * time.Millisecond
	deployDuration = time.Second

	// logLimit is far more than is asked for while all is at rest; nobody reads what was asked before.
	logLimit = 50_000
	// manyTimes is for good: with simulator.Forever nobody could count the calls that were struck.
	manyTimes = 1_000_000
)

// approvers may deploy in every workspace.
var approvers = []string{"7b71e498e75d44048c9a22dd3c54f978", "0f3bc1d2a4c94a25b7c3d1e80a6f5b42"}

// service is the simulated service over HTTP. Within this process it can be asked for the truth.
type service struct {
	*simulator.Server
	url   string
	http  *http.Server
	ahead time.Duration // by which its clock is
	rules simulator.Assumptions

	mu     sync.Mutex
	struck int // calls, by faults that were disarmed since
	dealt  int // how many calls the faults since then may strike
}

// assumptions are one of the ways in which the service may behave where its reference is silent. Items may be packed
// twice in all of them: what would be refused otherwise becomes visible as a duplicate.
func assumptions(random *rand.Rand) simulator.Assumptions {
	return simulator.Assumptions{
		SharedItem:  simulator.Accept,
		Offset:      oneOf(random, simulator.OffsetPage, simulator.OffsetRow),
		Keyword:     oneOf(random, simulator.MatchContains, simulator.MatchExact),
		PackedItem:  oneOf(random, simulator.Accept, simulator.Refuse),
		UnpackAgain: oneOf(random, simulator.Refuse, simulator.Accept),
		UnknownPackage: oneOf(random, simulator.CodeNoTask, simulator.CodeNoTaskLong, simulator.CodeInvalidParameter,
			simulator.NoCode),
		IDForm:           oneOf(random, simulator.IDText, simulator.IDNumber),
		MixedUnpack:      oneOf(random, simulator.BatchAtomic, simulator.BatchPartial),
		RateWindow:       oneOf(random, simulator.WindowSecond, simulator.WindowBucket),
		RetryAfterForm:   oneOf(random, simulator.RetrySeconds, simulator.RetryDate),
		ItemLag:          oneOf(random, 0, 0, 2),
		ListLag:          oneOf(random, 0, 0, 1),
		ShowLag:          oneOf(random, 0, 0, 1),
		ClockOffset:      oneOf(random, 0, 0, 8*3600, -8*3600),
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
		Users: []simulator.User{
			{ID: engineer, Name: "engineer", AccessKey: "ENGINEERKEY", SecretKey: "soak-engineer", Token: "soak-engineer-token",
				Projects: []string{projectID}},
			{ID: deputy, Name: "deputy", AccessKey: "DEPUTYKEY", SecretKey: "soak-deputy", Token: "soak-deputy-token",
				Projects: []string{projectID}},
		},
		Assumptions: a,
		RateLimit:   callsPerSecond, Latency: latency, DeployDuration: deployDuration, LogLimit: logLimit,
	}
	for i, id := range approvers {
		o.Users = append(o.Users, simulator.User{ID: id, Name: fmt.Sprintf("approver-%d", i), Projects: []string{projectID}})
	}
	for i := range workspaces {
		o.Workspaces = append(o.Workspaces, simulator.Workspace{ProjectID: projectID, ID: workspaceID(i),
			Reviewers: approvers})
	}
	sim, err := simulator.New(o)
	if err != nil {
		return nil, err
	}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &service{
		Server: sim, url: "http://" + l.Addr().String(), http: &http.Server{Handler: sim, ReadHeaderTimeout: time.Minute},
		ahead: time.Duration(a.ClockOffset) * time.Second, rules: a,
	}
	go func() { _ = s.http.Serve(l) }() // It ends when stop closes the server.
	return s, nil
}

func (s *service) stop() {
	s.Close() // First: what it holds is cut off.
	_ = s.http.Close()
}

// packagesOf are all packages of a workspace, with the time of packing by our clock.
func (s *service) packagesOf(workspace string) []simulator.Package {
	all := s.Console(projectID, workspace).Packages()
	for i := range all {
		all[i].Packed = all[i].Packed.Add(-s.ahead)
	}
	return all
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

// inject arms a fault, for a number of calls.
func (s *service) inject(f simulator.Fault) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dealt += max(f.Times, 1)
	return s.Inject(f)
}

// calm disarms all faults, and forgets what was asked.
func (s *service) calm() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.struck, s.dealt = s.struck+s.dealt-s.left(), 0
	s.Reset()
}

// faults are how many calls a fault has struck.
func (s *service) faults() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.struck + s.dealt - s.left()
}

func (s *service) left() int {
	n := 0
	for _, f := range s.Faults() {
		n += f.Times
	}
	return n
}
