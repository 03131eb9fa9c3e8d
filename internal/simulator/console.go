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
	"fmt"
	"slices"
	"time"
)

// Errors of the console.
var (
	// ErrNotFound means that the workspace has no such item or package, or does not exist.
	ErrNotFound = errors.New("not found")
	// ErrState means that the state of the package does not allow the step.
	ErrState = errors.New("not possible in this state")
)

// Console is what people can do to one workspace in the web console, and what can befall it. None of
// it is authenticated, throttled, logged or subject to faults.
type Console struct {
	s   *Server
	key workspaceKey
}

// Console returns the console of a workspace. Its methods fail with [ErrNotFound], or return nothing,
// if the workspace does not exist.
func (s *Server) Console(projectID, workspaceID string) *Console {
	return &Console{s, workspaceKey{projectID, workspaceID}}
}

// NewItem is a job or script version that somebody submits.
type NewItem struct {
	Name string `json:"name"`
	// TaskType is a job if it is zero.
	TaskType TaskType `json:"taskType,omitempty"`
	// UpdateType is an addition if it is zero.
	UpdateType UpdateType `json:"updateType,omitempty"`
	// SubmitUserID is the user the service expects as the applicant of a package.
	SubmitUserID string `json:"submitUserId"`
	// Version is 1 if it is zero.
	Version         int `json:"version,omitempty"`
	DeployedVersion int `json:"deployedVersion,omitempty"`
}

// Item is a snapshot of a pending item.
type Item struct {
	ID string `json:"id"`
	NewItem
	// Packages are the ids of the packages that hold the item, without withdrawn and released ones.
	Packages []string `json:"packages,omitempty"`
	// Gone says that the item was released, or was lost with a withdrawn package.
	Gone bool `json:"gone,omitempty"`
}

// Package is a snapshot of a package.
type Package struct {
	ID        string   `json:"id"`
	Name      string   `json:"name"`
	State     State    `json:"state"`
	Applicant string   `json:"applicant"`
	Approvers []string `json:"approvers"`
	Items     []string `json:"items"`
	// Withdrawn says that the package was unpacked, Gone that its row does not exist any more.
	Withdrawn bool      `json:"withdrawn,omitempty"`
	Gone      bool      `json:"gone,omitempty"`
	Packed    time.Time `json:"packed"`
	Deployer  string    `json:"deployer,omitempty"`
	Deployed  time.Time `json:"deployed,omitzero"`
}

// Live says that somebody who looks for the package finds it, and that it has not been withdrawn.
func (p Package) Live() bool {
	return !p.Withdrawn && !p.Gone
}

// Submit adds pending items and returns their ids.
func (c *Console) Submit(items ...NewItem) ([]string, error) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	w := c.s.workspaces[c.key]
	if w == nil {
		return nil, fmt.Errorf("workspace %q: %w", c.key.id, ErrNotFound)
	}
	ids := make([]string, 0, len(items))
	for _, n := range items {
		ids = append(ids, c.s.submit(w, n).id)
	}
	return ids, nil
}

// Pack packs items like the API does, but whatever the assumptions refuse.
func (c *Console) Pack(name, applicant string, approvers, items []string) (string, error) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	w := c.s.workspaces[c.key]
	if w == nil {
		return "", fmt.Errorf("workspace %q: %w", c.key.id, ErrNotFound)
	}
	var packed []*item
	for _, id := range items {
		i := w.itemsByID[id]
		if i == nil || i.gone {
			return "", fmt.Errorf("item %q: %w", id, ErrNotFound)
		}
		packed = append(packed, i)
	}
	return c.s.add(w, name, applicant, slices.Clone(approvers), packed).id, nil
}

// Deploy approves a package and lets the deployment succeed at once.
func (c *Console) Deploy(id string) error {
	return c.step(id, func(p *releasePackage) bool {
		if !c.s.approve(p) {
			return false
		}
		c.s.endDeploy(p, c.s.opts.Now(), StateDeployed)
		return true
	})
}

// StartDeploy approves a package in review, or one that failed, in the name of its first approver.
func (c *Console) StartDeploy(id string) error {
	return c.step(id, c.s.approve)
}

// FinishDeploy lets a deployment succeed.
func (c *Console) FinishDeploy(id string) error {
	return c.step(id, func(p *releasePackage) bool { return c.s.endIfDeploying(p, StateDeployed) })
}

// FailDeploy lets a deployment fail.
func (c *Console) FailDeploy(id string) error {
	return c.step(id, func(p *releasePackage) bool { return c.s.endIfDeploying(p, StateFailed) })
}

// Withdraw revokes a package in any state but deployed.
func (c *Console) Withdraw(id string) error {
	return c.step(id, func(p *releasePackage) bool {
		if v := p.current(); v.withdrawn || v.state == StateDeployed {
			return false
		}
		c.s.withdraw(p)
		return true
	})
}

// Vanish removes the row of a package without a trace. Its items may be packed again.
func (c *Console) Vanish(id string) error {
	return c.step(id, func(p *releasePackage) bool {
		c.s.vanish(p)
		return true
	})
}

// SetState makes the service report any number as the state of a package, documented or not. Nothing
// else about the package changes.
func (c *Console) SetState(id string, state State) error {
	return c.step(id, func(p *releasePackage) bool {
		c.s.setState(p, state)
		return true
	})
}

// step does something to a package that exists.
func (c *Console) step(id string, do func(*releasePackage) bool) error {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.s.settle()
	w := c.s.workspaces[c.key]
	if w == nil || w.packagesByID[id] == nil || w.packagesByID[id].current().gone {
		return fmt.Errorf("package %q: %w", id, ErrNotFound)
	}
	if !do(w.packagesByID[id]) {
		return fmt.Errorf("package %q: %w", id, ErrState)
	}
	return nil
}

// Items returns all items ever submitted, in the order of their submission.
func (c *Console) Items() []Item {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.s.settle()
	w := c.s.workspaces[c.key]
	if w == nil {
		return nil
	}
	items := make([]Item, 0, len(w.items))
	for _, i := range w.items {
		it := Item{ID: i.id, NewItem: i.NewItem, Gone: i.gone}
		for _, p := range i.packages {
			it.Packages = append(it.Packages, p.id)
		}
		items = append(items, it)
	}
	return items
}

// Packages returns all packages ever packed, in the order of their packing.
func (c *Console) Packages() []Package {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.s.settle()
	w := c.s.workspaces[c.key]
	if w == nil {
		return nil
	}
	packages := make([]Package, 0, len(w.packages))
	for _, p := range w.packages {
		packages = append(packages, p.snapshot())
	}
	return packages
}

func (p *releasePackage) snapshot() Package {
	v := p.current()
	snap := Package{
		ID: p.id, Name: p.name, State: v.state,
		Applicant: p.applicant, Approvers: slices.Clone(p.approvers),
		Withdrawn: v.withdrawn, Gone: v.gone,
		Packed: p.packed, Deployer: v.deployer, Deployed: v.deployEnd,
	}
	for _, i := range p.items {
		snap.Items = append(snap.Items, i.id)
	}
	return snap
}
