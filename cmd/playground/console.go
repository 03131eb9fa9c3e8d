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
	"io"
	"net/http"
	"strings"
)

// console is what people see and do in the web console of the service, played through the simulator's control API.
type console struct {
	url string
}

// remotePackage is a package as the simulator itself knows it.
type remotePackage struct {
	ID        string   `json:"id"`
	Name      string   `json:"name"`
	State     int      `json:"state"`
	Items     []string `json:"items"`
	Withdrawn bool     `json:"withdrawn"`
	Deployer  string   `json:"deployer"`
}

// The numbers of deploy_status in the API reference ("Querying Release Packages").
const (
	inReview = 1
	deployed = 2
)

func (p *remotePackage) describe() string {
	state := map[int]string{inReview: "to be reviewed", deployed: "successful", 3: "failed", 5: "being released"}[p.State]
	if p.Withdrawn {
		state = "withdrawn"
	}
	return fmt.Sprintf("package %-4s %-24s items %-8s %s", p.ID, p.Name, strings.Join(p.Items, ","), state)
}

func (c console) packages(ctx context.Context) ([]remotePackage, error) {
	var answer struct {
		Packages []remotePackage `json:"packages"`
	}
	return answer.Packages, c.call(ctx, http.MethodGet, "/packages", &answer)
}

// deploy is what an approver does with the button "Release".
func (c console) deploy(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodPost, "/packages/"+id+"/start-deploy", nil)
}

func (c console) call(ctx context.Context, method, path string, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, c.url+path, http.NoBody)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("asking the simulator: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("asking the simulator: %w", err)
	}
	if resp.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("the simulator answered %s: %s", resp.Status, body)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(body, into)
}

// show prints the service's view.
func (c console) show(ctx context.Context) error {
	packages, err := c.packages(ctx)
	if err != nil {
		return err
	}
	fmt.Println("\nThe service's view:")
	if len(packages) == 0 {
		fmt.Println("    no packages")
	}
	for i := range packages {
		fmt.Println("    " + packages[i].describe())
	}
	return nil
}

// tally counts what has become of all packages that there ever were.
type tally struct {
	packed, deployed, unpacked, live int
}

func (c console) tally(ctx context.Context) (tally, error) {
	packages, err := c.packages(ctx)
	if err != nil {
		return tally{}, err
	}
	n := tally{packed: len(packages)}
	for i := range packages {
		switch p := &packages[i]; {
		case p.Withdrawn:
			n.unpacked++
		case p.State == deployed:
			n.deployed++
		case p.State == inReview:
			n.live++
		}
	}
	return n, nil
}

func (n tally) String() string {
	return fmt.Sprintf("packed=%d deployed=%d unpacked=%d live=%d", n.packed, n.deployed, n.unpacked, n.live)
}
