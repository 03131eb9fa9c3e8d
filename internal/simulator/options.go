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
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

const defaultLogLimit = 100_000

// Options configure a [Server]. Users and Workspaces are needed for any call to succeed; the zero
// value of everything else is usable.
type Options struct {
	Users       []User      `json:"users"`
	Workspaces  []Workspace `json:"workspaces"`
	Assumptions Assumptions `json:"assumptions"`

	// RateLimit is the number of calls each user may make per second; zero means no limit. The
	// service documents 10.
	RateLimit int `json:"-"`
	// Latency passes before every operation does its work.
	Latency time.Duration `json:"-"`
	// DeployDuration is the time from the start of a deployment to its success. Zero leaves
	// packages in [StateDeploying] until [Console.FinishDeploy] or [Console.FailDeploy].
	DeployDuration time.Duration `json:"-"`
	// LogLimit is how many requests the log keeps at least, the newest first to stay. Zero means
	// 100,000. [Server.Counts] is not affected.
	LogLimit int `json:"-"`
	// Now is the clock of the service; nil means [time.Now].
	Now func() time.Time `json:"-"`
}

// User is an IAM user. Users without keys and token cannot call the service but may be named as
// applicants and approvers.
type User struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// AccessKey and SecretKey sign requests. SecurityToken makes them temporary keys, which are
	// accepted only together with it.
	AccessKey     string `json:"accessKey,omitempty"`
	SecretKey     string `json:"secretKey,omitempty"`
	SecurityToken string `json:"securityToken,omitempty"`
	// Token is accepted in X-Auth-Token.
	Token string `json:"token,omitempty"`
	// Projects are the ids of the projects the user may enter.
	Projects []string `json:"projects"`
}

// Workspace is an enterprise-mode workspace. Its items and packages are invisible to all others.
type Workspace struct {
	ProjectID string `json:"projectId"`
	ID        string `json:"id"`
	// Default marks the workspace that serves calls which may leave out the workspace header.
	Default bool `json:"default,omitempty"`
	// Reviewers are the ids of the workspace's administrators and deployers. Empty means every
	// user of the project.
	Reviewers []string `json:"reviewers,omitempty"`
	// Items are submitted when the server starts.
	Items []NewItem `json:"items,omitempty"`
}

// ReadOptions reads users, workspaces and assumptions from JSON. Unknown fields are errors, so that a
// misspelt assumption does not silently keep its default.
func ReadOptions(r io.Reader) (Options, error) {
	var o Options
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	if err := d.Decode(&o); err != nil {
		return Options{}, fmt.Errorf("reading simulator options: %w", err)
	}
	return o, nil
}

// complete fills in defaults and reports everything that is wrong.
func (o *Options) complete() error {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.LogLimit == 0 {
		o.LogLimit = defaultLogLimit
	}
	errs := []error{o.Assumptions.complete(), o.checkUsers()}
	if o.RateLimit < 0 || o.Latency < 0 || o.DeployDuration < 0 || o.LogLimit < 0 {
		errs = append(errs, errNegative)
	}
	return errors.Join(append(errs, o.checkWorkspaces())...)
}

func (o *Options) checkUsers() error {
	ids, keys := map[string]bool{}, map[string]bool{}
	for _, u := range o.Users {
		if u.ID == "" || ids[u.ID] {
			return fmt.Errorf("user %q: the id must be set and unique", u.ID)
		}
		if (u.AccessKey == "") != (u.SecretKey == "") || (u.AccessKey != "" && keys[u.AccessKey]) {
			return fmt.Errorf("user %q: access and secret key come together, and access keys are unique", u.ID)
		}
		ids[u.ID], keys[u.AccessKey] = true, true
	}
	return nil
}

func (o *Options) checkWorkspaces() error {
	seen, defaults := map[workspaceKey]bool{}, map[string]bool{}
	for _, w := range o.Workspaces {
		key := workspaceKey{w.ProjectID, w.ID}
		if w.ProjectID == "" || w.ID == "" || seen[key] {
			return fmt.Errorf("workspace %q: project and id must be set and unique", w.ID)
		}
		if w.Default && defaults[w.ProjectID] {
			return fmt.Errorf("workspace %q: its project has another default workspace", w.ID)
		}
		seen[key], defaults[w.ProjectID] = true, defaults[w.ProjectID] || w.Default
		for _, id := range w.Reviewers {
			if !slices.ContainsFunc(o.Users, func(u User) bool { return u.ID == id }) {
				return fmt.Errorf("workspace %q: reviewer %q is not a user", w.ID, id)
			}
		}
	}
	return nil
}
