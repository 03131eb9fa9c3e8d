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

// jobs started together with a deployment, or failing to.
const (
	jobStarted     = 2
	jobStartFailed = 3
)

type packageDetail struct {
	Package packageRow `json:"release_package"`
	Tasks   []taskRow  `json:"task_details"`
}

// taskRow is an item of a package that is shown.
type taskRow struct {
	itemFacts
	ScriptID       string `json:"script_id,omitempty"`
	DeployStatus   State  `json:"deploy_status"`
	StartJobStatus int    `json:"start_job_status,omitempty"`
}

func (s *Server) show(c *call) (any, *refusal) {
	c.record.Packages = []string{c.packageID}
	p, v := s.shown(c)
	if v == nil || v.gone {
		return nil, unknownPackage(s.opts.Assumptions.UnknownShown)
	}
	detail := packageDetail{Package: s.packageRow(p, v)}
	for _, i := range p.items {
		detail.Tasks = append(detail.Tasks, s.taskRow(i, v))
	}
	return detail, nil
}

// shown is the package that a call names, in the version that its details show, if they show one.
func (s *Server) shown(c *call) (*releasePackage, *version) {
	p := c.workspace.packagesByID[c.packageID]
	if p == nil {
		return nil, nil
	}
	v, ok := p.before(s.opts.Now(), s.limits.ShowLag)
	if !ok {
		return nil, nil
	}
	return p, v
}

// taskRow gives every task the state of its package: what a package is when only some of its tasks
// fail is not documented.
func (s *Server) taskRow(i *item, v *version) taskRow {
	t := taskRow{itemFacts: s.itemFacts(i), DeployStatus: v.state}
	if i.TaskType == TaskScript {
		t.ScriptID = i.taskID
	}
	if i.TaskType == TaskJob && v.startedJobs {
		t.StartJobStatus = startJobStatus(v.state)
	}
	return t
}

// startJobStatus is zero while jobs have not been started.
func startJobStatus(s State) int {
	switch s {
	case StateDeployed:
		return jobStarted
	case StateFailed:
		return jobStartFailed
	case StateReview, StateDeploying:
	}
	return 0
}
