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

import "slices"

// workspaceKey identifies a workspace.
type workspaceKey struct{ project, id string }

// workspace owns everything that other workspaces must not see.
type workspace struct {
	Workspace
	items    []*item           // in the order of submission
	packages []*releasePackage // in the order of packing
	revision int               // counts changes to packages

	itemsByID    map[string]*item
	packagesByID map[string]*releasePackage

	counters counters // used with [IDsPerWorkspace]
}

func newWorkspace(w Workspace) *workspace {
	return &workspace{
		Workspace:    w,
		itemsByID:    map[string]*item{},
		packagesByID: map[string]*releasePackage{},
	}
}

// longID is what the service calls project_id in items and packages.
func (w *workspace) longID() string {
	return w.ProjectID + "-workspace-" + w.ID
}

// hasNamed says whether a name is taken, as the rule about names has it.
func (w *workspace) hasNamed(name string, rule Verdict) bool {
	return rule != Accept && slices.ContainsFunc(w.packages, func(p *releasePackage) bool {
		return p.name == name && (rule == RefuseEver || p.live())
	})
}

// enterWorkspace finds the workspace of a call.
func (s *Server) enterWorkspace(c *call) *refusal {
	id := c.header.Get(workspaceHeader)
	if id != "" {
		c.workspace = s.workspaces[workspaceKey{c.project, id}]
	}
	if id == "" && s.opts.Assumptions.MissingWorkspace == Accept {
		c.workspace = s.defaultWorkspace(c.project)
	}
	if c.workspace == nil {
		return refuse(s.opts.Assumptions.UnknownWorkspace, "The workspace does not exist.")
	}
	c.record.Workspace = c.workspace.ID
	return nil
}

func (s *Server) defaultWorkspace(project string) *workspace {
	for key, w := range s.workspaces {
		if key.project == project && w.Default {
			return w
		}
	}
	return nil
}

// mayReview says whether the user is an administrator or deployer of the workspace.
func (s *Server) mayReview(w *workspace, userID string) bool {
	if len(w.Reviewers) > 0 {
		return slices.Contains(w.Reviewers, userID)
	}
	u := s.users[userID]
	return u != nil && u.mayEnter(w.ProjectID)
}

// mayAct says whether the user of the call belongs to the people who may act on a package.
func (s *Server) mayAct(c *call, who Actors, p *releasePackage) bool {
	switch who {
	case Anyone:
		return true
	case Reviewers:
		return s.mayReview(c.workspace, c.user.ID)
	case Approvers:
	}
	return slices.Contains(p.approvers, c.user.ID)
}

// userName is empty for people the server was not told about.
func (s *Server) userName(id string) string {
	if u := s.users[id]; u != nil {
		return u.Name
	}
	return ""
}

// counters number items and packages.
type counters struct {
	items, packages int
}

// countersFor returns the counters that a workspace takes its ids from.
func (s *Server) countersFor(w *workspace) *counters {
	if s.opts.Assumptions.IDs == IDsPerWorkspace {
		return &w.counters
	}
	return &s.counters
}
