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
	"os"
	"path/filepath"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/dataarts-operator/dataarts-operator/test/harness"
)

const (
	// managerAgent and floorAgent are how the user agents of the two begin. The floor writes as the same user as the
	// manager, so that the API server's fairness treats both alike.
	managerAgent = "dataarts-operator/"
	floorAgent   = "bench-floor/"

	// garbagePercent lets the control plane collect its garbage less often than what is measured.
	garbagePercent = "400"

	// auditPolicy takes down the writes of the manager and of the floor, and nothing else.
	auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules:
- level: Metadata
  users: ["` + harness.ManagerUser + `"]
  verbs: [create, update, patch, delete, deletecollection]
- level: None
`
)

// plane is a control plane with the operator installed and an audit log.
type plane struct {
	*harness.Plane
	scheme      *runtime.Scheme
	admin       *rest.Config
	floorConfig *rest.Config
	api         client.Client // an administrator's
	audit       auditLog

	managerKubeconfig string
}

func startPlane(ctx context.Context, assets, dir string) (started *plane, err error) {
	p := &plane{audit: auditLog{path: filepath.Join(dir, "audit.log")}}
	p.Plane, err = harness.WithGarbageAt(garbagePercent, func() (*harness.Plane, error) {
		return harness.StartPlane(assets, dir, p.writeAudit(filepath.Join(dir, "audit-policy.yaml")))
	})
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			p.Stop()
		}
	}()
	kubectl, err := p.Admin()
	if err != nil {
		return nil, err
	}
	if err := kubectl.Install(ctx, "."); err != nil {
		return nil, err
	}
	err = p.connect()
	return p, err
}

// writeAudit has the API server write an audit log.
func (p *plane) writeAudit(policy string) func(*envtest.Environment) error {
	return func(e *envtest.Environment) error {
		// Blocking, so that nothing is lost when much happens; one file, as the whole of it is counted.
		e.ControlPlane.GetAPIServer().Configure().
			Set("audit-policy-file", policy).Set("audit-log-path", p.audit.path).
			Set("audit-log-mode", "blocking").Set("audit-log-maxsize", "100000")
		return os.WriteFile(policy, []byte(auditPolicy), 0o600)
	}
}

func (p *plane) connect() (err error) {
	var manager *rest.Config
	if p.managerKubeconfig, manager, err = p.Manager(); err != nil {
		return err
	}
	p.floorConfig = rest.CopyConfig(manager)
	p.floorConfig.UserAgent, p.floorConfig.QPS = floorAgent+"1", -1
	if p.scheme, err = harness.Scheme(); err != nil {
		return err
	}
	p.admin = rest.CopyConfig(p.Config)
	p.admin.QPS = -1 // The people are bounded already.
	p.api, err = client.New(p.admin, client.Options{Scheme: p.scheme})
	return err
}
