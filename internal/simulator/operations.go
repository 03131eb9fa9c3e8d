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
	"fmt"
	"slices"
)

// maxDeploy is the documented number of packages in one deploy call.
const maxDeploy = 100

// decode reads the JSON body. The zero value stands for an empty one.
func (c *call) decode(into any) *refusal {
	if len(c.body) == 0 {
		return nil
	}
	if err := json.Unmarshal(c.body, into); err != nil {
		return invalidParameter()
	}
	return nil
}

type packRequest struct {
	Applicant string   `json:"apply_user_id"`
	Name      string   `json:"package_name"`
	Items     []string `json:"pending_item_list"`
	Approvers []string `json:"approver_ids"`
}

type packResponse struct {
	Name string `json:"package_name"`
	ID   wireID `json:"release_package_id"`
}

func (s *Server) pack(c *call) (any, *refusal) {
	var req packRequest
	if no := c.decode(&req); no != nil {
		return nil, no
	}
	c.record.Items = req.Items
	items, ok := s.packable(c.workspace, req.Items)
	if !ok || !s.validPack(c.workspace, req, items) {
		return nil, invalidParameter()
	}
	p := s.add(c.workspace, req.Name, req.Applicant, req.Approvers, items)
	c.record.Packages = []string{p.id}
	return packResponse{Name: p.name, ID: s.writeID(p.id)}, nil
}

// packable returns the named items if each may be packed. Naming one twice is naming it once.
func (s *Server) packable(w *workspace, ids []string) ([]*item, bool) {
	var items []*item
	for _, id := range ids {
		i := w.itemsByID[id]
		if i == nil || i.gone {
			return nil, false
		}
		if len(i.packages) > 0 && s.opts.Assumptions.SharedItem == Refuse {
			return nil, false
		}
		if !slices.Contains(items, i) {
			items = append(items, i)
		}
	}
	return items, true
}

func (s *Server) validPack(w *workspace, req packRequest, items []*item) bool {
	rules := s.opts.Assumptions
	if req.Applicant == "" || req.Name == "" || len(items) == 0 || len(req.Approvers) == 0 {
		return false
	}
	if exceeds(len(req.Items), rules.MaxItems) || exceeds(len(req.Approvers), rules.MaxApprovers) {
		return false
	}
	submitted := slices.ContainsFunc(items, func(i *item) bool { return i.SubmitUserID == req.Applicant })
	if rules.Applicant == Refuse && !submitted {
		return false
	}
	if rules.SelfReview == Refuse && slices.Contains(req.Approvers, req.Applicant) {
		return false
	}
	if w.hasNamed(req.Name, rules.DuplicateName) {
		return false
	}
	return !slices.ContainsFunc(req.Approvers, func(id string) bool { return !s.mayApprove(w, id) })
}

func (s *Server) mayApprove(w *workspace, userID string) bool {
	if s.opts.Assumptions.Approvers == Anyone {
		return userID != ""
	}
	return s.mayReview(w, userID)
}

// exceeds compares with a bound that does not exist when it is zero.
func exceeds(n, bound int) bool {
	return bound > 0 && n > bound
}

type unpackRequest struct {
	Packages []string `json:"package_ids"`
}

func (s *Server) unpack(c *call) (any, *refusal) {
	var req unpackRequest
	if no := c.decode(&req); no != nil {
		return nil, no
	}
	c.record.Packages = req.Packages
	rules := s.opts.Assumptions
	if len(req.Packages) == 0 && rules.UnpackEmpty == Accept {
		return nil, nil
	}
	if len(req.Packages) == 0 || exceeds(len(req.Packages), rules.MaxUnpack) {
		return nil, invalidParameter()
	}
	var first *refusal
	var accepted []*releasePackage
	for _, id := range req.Packages {
		p, no := s.unpackable(c, id)
		if no != nil && first == nil {
			first = no
		}
		if p != nil && !slices.Contains(accepted, p) {
			accepted = append(accepted, p)
		}
	}
	if first != nil && rules.MixedUnpack == BatchAtomic {
		return nil, first
	}
	for _, p := range accepted {
		s.withdraw(p)
		c.record.WorkDone = true
	}
	return nil, first
}

// unpackable returns the package to withdraw, or neither that nor a refusal if it already is.
func (s *Server) unpackable(c *call, id string) (*releasePackage, *refusal) {
	rules := s.opts.Assumptions
	p := c.workspace.packagesByID[id]
	if rules.UnpackUnknown == Accept && !s.knows(p) {
		return nil, nil
	}
	if p == nil || (p.current().gone && !p.current().withdrawn) {
		return nil, s.unknownPackage()
	}
	v := p.current()
	if v.withdrawn {
		if rules.UnpackAgain == Accept {
			return nil, nil
		}
		return nil, s.unknownPackage()
	}
	if !s.mayAct(c, rules.UnpackBy, p) {
		return nil, noPermission()
	}
	refused := v.state == StateDeployed ||
		(v.state == StateDeploying && rules.UnpackDeploying == Refuse) ||
		(v.state == StateFailed && rules.UnpackFailed == Refuse)
	if refused {
		return nil, alreadyReleased()
	}
	return p, nil
}

// knows reports whether a package would be shown, withdrawn or not.
func (s *Server) knows(p *releasePackage) bool {
	if p == nil {
		return false
	}
	v, ok := p.before(s.opts.Now(), s.limits.ShowLag)
	return ok && !v.gone
}

type deployRequest struct {
	Packages    []string `json:"package_ids"`
	StartupMode *int     `json:"startup_mode"`
}

// deployResponse has numbers where all other operations have strings.
type deployResponse struct {
	Details []deployDetail `json:"deploy_package_details"`
}

type deployDetail struct {
	Subtasks  int    `json:"asy_subtask_num"`
	TaskID    string `json:"asy_task_id"`
	PackageID int    `json:"package_id"`
}

// deploy starts all named packages or none.
func (s *Server) deploy(c *call) (any, *refusal) {
	var req deployRequest
	if no := c.decode(&req); no != nil {
		return nil, no
	}
	c.record.Packages = req.Packages
	startJobs := req.StartupMode == nil || *req.StartupMode == 1
	if len(req.Packages) == 0 || len(req.Packages) > maxDeploy || (!startJobs && *req.StartupMode != 0) {
		return nil, invalidParameter()
	}
	var packages []*releasePackage
	for _, id := range req.Packages {
		p, no := s.deployable(c, id)
		if no != nil {
			return nil, no
		}
		if !slices.Contains(packages, p) {
			packages = append(packages, p)
		}
	}
	var resp deployResponse
	for _, p := range packages {
		s.startDeploy(p, c.user.ID, startJobs)
		s.tasks++
		taskID := fmt.Sprintf("ff80%028x", s.tasks)
		resp.Details = append(resp.Details, deployDetail{len(p.items), taskID, p.number})
	}
	return resp, nil
}

func (s *Server) deployable(c *call, id string) (*releasePackage, *refusal) {
	rules := s.opts.Assumptions
	p := c.workspace.packagesByID[id]
	if p == nil || !p.live() {
		return nil, s.unknownPackage()
	}
	if !s.mayAct(c, rules.DeployBy, p) {
		return nil, noPermission()
	}
	state := p.current().state
	if state == StateReview || (state == StateFailed && rules.DeployFailed == Accept) {
		return p, nil
	}
	return nil, alreadyReleased()
}

func (s *Server) unknownPackage() *refusal {
	return unknownPackage(s.opts.Assumptions.UnknownPackage)
}

func alreadyReleased() *refusal {
	return refuse(CodeReleased, "Cannot perform the operation because the release package has been released.")
}

func noPermission() *refusal {
	return refuse(CodeNoPermission, "Invalid account permissions.")
}
