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
	"strconv"
	"time"
)

// State is the deploy_status of a package. The service documents no 4.
type State int

// The states of a package.
const (
	StateReview    State = 1
	StateDeployed  State = 2
	StateFailed    State = 3
	StateDeploying State = 5
)

func (s State) known() bool {
	switch s {
	case StateReview, StateDeployed, StateFailed, StateDeploying:
		return true
	}
	return false
}

// releasePackage is a package with its whole history, which stale lists are answered from.
type releasePackage struct {
	workspace *workspace
	number    int
	id        string // the number as text
	name      string
	applicant string   // user id
	approvers []string // user ids
	items     []*item
	packed    time.Time // of the service's clock
	history   []version
}

// version is what changes about a package. A version is never edited, only followed by another.
type version struct {
	revision int // of the workspace
	at       time.Time

	state       State
	withdrawn   bool // delete_flag
	gone        bool // the row does not exist
	deployer    string
	deployStart time.Time
	deployEnd   time.Time // of the service's clock
	startedJobs bool
}

func (p *releasePackage) current() *version {
	return &p.history[len(p.history)-1]
}

// live says that the package can be found and has not been withdrawn.
func (p *releasePackage) live() bool {
	v := p.current()
	return !v.withdrawn && !v.gone
}

// before returns the version that somebody sees who lags behind, if there was one then.
func (p *releasePackage) before(now time.Time, lag time.Duration) (*version, bool) {
	return p.asOf(p.workspace.revision, now.Add(-lag))
}

// asOf returns the newest version that is old enough, if there was one.
func (p *releasePackage) asOf(revision int, at time.Time) (*version, bool) {
	for i := range slices.Backward(p.history) {
		if v := &p.history[i]; v.revision <= revision && !v.at.After(at) {
			return v, true
		}
	}
	return nil, false
}

// change appends a version that differs from the current one by an edit.
func (p *releasePackage) change(at time.Time, edit func(*version)) {
	v := *p.current()
	edit(&v)
	p.workspace.revision++
	v.revision, v.at = p.workspace.revision, at
	p.history = append(p.history, v)
}

// add creates a package in review.
func (s *Server) add(w *workspace, name, applicant string, approvers []string, items []*item) *releasePackage {
	ids := s.countersFor(w)
	ids.packages++
	w.revision++
	now := s.opts.Now()
	p := &releasePackage{
		workspace: w, number: ids.packages, id: strconv.Itoa(ids.packages), name: name,
		applicant: applicant, approvers: approvers, items: items, packed: s.clock(),
		history: []version{{revision: w.revision, at: now, state: StateReview}},
	}
	for _, i := range items {
		i.join(p, now)
	}
	w.packages = append(w.packages, p)
	w.packagesByID[p.id] = p
	return p
}

func (s *Server) startDeploy(p *releasePackage, deployer string, startJobs bool) {
	now := s.opts.Now()
	p.change(now, func(v *version) {
		v.state, v.deployer, v.deployStart, v.startedJobs = StateDeploying, deployer, now, startJobs
	})
	s.deploying = append(s.deploying, p)
}

// approve starts a deployment in the name of the first approver, if the state allows it.
func (s *Server) approve(p *releasePackage) bool {
	v := p.current()
	if v.withdrawn || (v.state != StateReview && v.state != StateFailed) {
		return false
	}
	var deployer string
	if len(p.approvers) > 0 {
		deployer = p.approvers[0]
	}
	s.startDeploy(p, deployer, true)
	return true
}

// endIfDeploying reports whether there was a deployment to end.
func (s *Server) endIfDeploying(p *releasePackage, end State) bool {
	if v := p.current(); v.withdrawn || v.state != StateDeploying {
		return false
	}
	s.endDeploy(p, s.opts.Now(), end)
	return true
}

// endDeploy ends a deployment as deployed or failed. Released items leave the pending list; those of a failed package
// may be free again.
func (s *Server) endDeploy(p *releasePackage, at time.Time, end State) {
	p.change(at, func(v *version) { v.state, v.deployEnd = end, at.Add(s.limits.ClockOffset) })
	s.forgetDeploy(p)
	switch {
	case end == StateDeployed:
		p.release(at, true)
	case s.opts.Assumptions.FailedItem == FailedFrees:
		p.release(at, false)
	}
}

func (s *Server) forgetDeploy(p *releasePackage) {
	s.deploying = slices.DeleteFunc(s.deploying, func(q *releasePackage) bool { return q == p })
}

// settle ends the deployments whose time is up, as of the moment it was up. Everything that looks at
// packages calls it first.
func (s *Server) settle() {
	if s.opts.DeployDuration == 0 {
		return
	}
	now := s.opts.Now()
	for _, p := range slices.Clone(s.deploying) {
		if end := p.current().deployStart.Add(s.opts.DeployDuration); !end.After(now) {
			s.endDeploy(p, end, StateDeployed)
		}
	}
}

func (s *Server) withdraw(p *releasePackage) {
	rules := s.opts.Assumptions
	p.change(s.opts.Now(), func(v *version) {
		v.withdrawn, v.gone = true, rules.WithdrawnPackage == PackageGone
	})
	s.forgetDeploy(p)
	p.release(s.opts.Now(), rules.WithdrawnItem == ItemGone)
}

// vanish removes the row behind everybody's back. Its items are free again.
func (s *Server) vanish(p *releasePackage) {
	p.change(s.opts.Now(), func(v *version) { v.gone = true })
	s.forgetDeploy(p)
	p.release(s.opts.Now(), false)
}

// setState changes the number and nothing else.
func (s *Server) setState(p *releasePackage, state State) {
	p.change(s.opts.Now(), func(v *version) { v.state = state })
	s.forgetDeploy(p)
}

func (p *releasePackage) release(at time.Time, gone bool) {
	for _, i := range p.items {
		i.leave(p, at, gone)
	}
}
