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
	"slices"
	"strings"
)

// listRequest is the body of [OpList]; every field is optional.
type listRequest struct {
	Keyword         string   `json:"key_word"`
	ApplyUserName   string   `json:"apply_user_name"`
	ApplyUserNames  []string `json:"apply_user_name_filter"`
	ApplyBegin      int64    `json:"apply_begin_time"`
	ApplyEnd        int64    `json:"apply_end_time"`
	DeployUserName  string   `json:"deploy_user_name"`
	DeployUserNames []string `json:"deploy_user_name_filter"`
	DeployBegin     int64    `json:"deploy_begin_time"`
	DeployEnd       int64    `json:"deploy_end_time"`
	States          []State  `json:"deploy_status_filter"`
	Direction       string   `json:"sorted_direction"`
	Column          string   `json:"order_column"`
	Limit           int64    `json:"limit"`
	Offset          int64    `json:"offset"`
}

const (
	ascending  = "asc"
	descending = "desc"
)

// found is a package as a list sees it.
type found struct {
	*releasePackage
	*version
}

// columns are what packages can be ordered by. Only the default is documented.
var columns = map[string]func(a, b found) int{
	"apply_timestamp":  func(a, b found) int { return a.packed.Compare(b.packed) },
	"deploy_timestamp": func(a, b found) int { return a.deployEnd.Compare(b.deployEnd) },
	"package_name":     func(a, b found) int { return strings.Compare(a.name, b.name) },
}

func newListRequest() listRequest {
	return listRequest{Direction: descending, Column: "apply_timestamp", Limit: defaultLimit}
}

// valid checks what is documented: a single user name has to be among the names of its filter.
func (r *listRequest) valid() bool {
	return r.page().valid() &&
		columns[r.Column] != nil &&
		(r.Direction == ascending || r.Direction == descending) &&
		containsIfSet(r.ApplyUserNames, r.ApplyUserName) &&
		containsIfSet(r.DeployUserNames, r.DeployUserName) &&
		!slices.ContainsFunc(r.States, func(s State) bool { return !s.known() })
}

func (r *listRequest) page() page {
	return page{limit: r.Limit, offset: r.Offset}
}

// containsIfSet is true as well where nothing is asked for or nothing is filtered.
func containsIfSet(names []string, name string) bool {
	return name == "" || len(names) == 0 || slices.Contains(names, name)
}

type packageUser struct {
	ID   string `json:"user_id"`
	Name string `json:"user_name"`
}

// packageRow is a package as it is listed and shown.
type packageRow struct {
	PackageID       wireID        `json:"package_id"`
	PackageName     string        `json:"package_name"`
	DeployStatus    State         `json:"deploy_status"`
	DeleteFlag      int           `json:"delete_flag"`
	ApplyUserID     string        `json:"apply_user_id"`
	ApplyUserName   string        `json:"apply_user_name"`
	ApplyTimestamp  int64         `json:"apply_timestamp"`
	DeployUserID    string        `json:"deploy_user_id,omitempty"`
	DeployUserName  string        `json:"deploy_user_name,omitempty"`
	DeployTimestamp int64         `json:"deploy_timestamp,omitempty"`
	Approvers       []packageUser `json:"package_approvers"`
	ProjectID       string        `json:"project_id"`
	WorkspaceID     string        `json:"workspace_id"`
}

func (s *Server) packageRow(p *releasePackage, v *version) packageRow {
	row := packageRow{
		PackageID:      s.writeID(p.id),
		PackageName:    p.name,
		DeployStatus:   v.state,
		ApplyUserID:    p.applicant,
		ApplyUserName:  s.userName(p.applicant),
		ApplyTimestamp: p.packed.UnixMilli(),
		DeployUserID:   v.deployer,
		DeployUserName: s.userName(v.deployer),
		ProjectID:      p.workspace.longID(),
		WorkspaceID:    p.workspace.ID,
	}
	if v.withdrawn {
		row.DeleteFlag = 1
	}
	if !v.deployEnd.IsZero() {
		row.DeployTimestamp = v.deployEnd.UnixMilli()
	}
	for _, id := range p.approvers {
		row.Approvers = append(row.Approvers, packageUser{id, s.userName(id)})
	}
	return row
}

type packageList struct {
	Data  []packageRow `json:"data"`
	Total int          `json:"total"`
}

func (s *Server) listPackages(c *call) (any, *refusal) {
	req := newListRequest()
	if no := c.decode(&req); no != nil {
		return nil, no
	}
	rules := s.opts.Assumptions
	over := rules.MaxLimit > 0 && req.Limit > int64(rules.MaxLimit)
	if !req.valid() || (over && rules.OverLimit == Refuse) {
		return nil, invalidParameter()
	}
	if over {
		req.Limit = int64(rules.MaxLimit)
	}
	matches := s.find(c, &req)
	rows := []packageRow{}
	for _, f := range cut(matches, s.firstRow(req.page()), req.Limit) {
		rows = append(rows, s.packageRow(f.releasePackage, f.version))
	}
	return packageList{rows, len(matches)}, nil
}

// find returns all packages that a request selects, in its order.
func (s *Server) find(c *call, req *listRequest) []found {
	var matches []found
	for _, p := range c.workspace.packages {
		if v, ok := s.seen(c, p); ok && s.selects(req, p, v) {
			matches = append(matches, found{p, v})
		}
	}
	// Packages come in the order of packing, which stays the order of equals.
	slices.SortStableFunc(matches, columns[req.Column])
	if req.Direction == descending {
		slices.Reverse(matches)
	}
	return matches
}

// seen is the version of a package that a list shows: the current one unless lists lag behind, or a fault holds
// this one back.
func (s *Server) seen(c *call, p *releasePackage) (*version, bool) {
	if c.stale == nil {
		return p.before(s.opts.Now(), s.limits.ListLag)
	}
	return p.asOf(p.workspace.revision-c.stale.Behind, s.opts.Now().Add(-c.stale.Lag))
}

func (s *Server) selects(req *listRequest, p *releasePackage, v *version) bool {
	if v.gone || (v.withdrawn && s.opts.Assumptions.WithdrawnPackage == PackageUnlisted) {
		return false
	}
	applicant, deployer := s.userName(p.applicant), s.userName(v.deployer)
	return s.matches(p.name, req.Keyword) &&
		equalIfSet(req.ApplyUserName, applicant) &&
		equalIfSet(req.DeployUserName, deployer) &&
		(len(req.ApplyUserNames) == 0 || slices.Contains(req.ApplyUserNames, applicant)) &&
		(len(req.DeployUserNames) == 0 || slices.Contains(req.DeployUserNames, deployer)) &&
		(len(req.States) == 0 || slices.Contains(req.States, v.state)) &&
		span{req.ApplyBegin, req.ApplyEnd}.contains(p.packed) &&
		span{req.DeployBegin, req.DeployEnd}.contains(v.deployEnd)
}
