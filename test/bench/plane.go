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
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

const (
	systemNamespace = "dataarts-operator-system"
	// managerUser is the ServiceAccount of config/default: the manager gets its rights, and no more. The floor writes as
	// the same user, so that the API server's fairness treats both alike.
	managerUser = "system:serviceaccount:" + systemNamespace + ":dataarts-operator-controller-manager"

	// managerAgent and floorAgent are how the user agents of the two begin.
	managerAgent = "dataarts-operator/"
	floorAgent   = "bench-floor/"

	// politeStop is how long an API server that is told to stop may take; then it is killed.
	politeStop = 5 * time.Second

	// auditPolicy takes down the writes of the manager and of the floor, and nothing else.
	auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules:
- level: Metadata
  users: ["` + managerUser + `"]
  verbs: [create, update, patch, delete, deletecollection]
- level: None
`
)

// plane is etcd and kube-apiserver, with the operator installed and an audit log.
type plane struct {
	environment *envtest.Environment
	scheme      *runtime.Scheme
	admin       *rest.Config
	floorConfig *rest.Config
	api         client.Client // an administrator's
	audit       auditLog

	managerKubeconfig string
}

func startPlane(ctx context.Context, assets, dir string) (started *plane, err error) {
	p := &plane{
		environment:       &envtest.Environment{BinaryAssetsDirectory: assets, UseExistingCluster: new(false)},
		managerKubeconfig: filepath.Join(dir, "manager.kubeconfig"),
		audit:             auditLog{path: filepath.Join(dir, "audit.log")},
		scheme:            runtime.NewScheme(),
	}
	policy := filepath.Join(dir, "audit-policy.yaml")
	if err := os.WriteFile(policy, []byte(auditPolicy), 0o600); err != nil {
		return nil, err
	}
	// Blocking, so that nothing is lost when much happens; one file, as the whole of it is counted.
	p.environment.ControlPlane.GetAPIServer().Configure().
		Set("audit-policy-file", policy).Set("audit-log-path", p.audit.path).Set("audit-log-mode",
		"blocking").Set("audit-log-maxsize", "100000")
	if err := p.start(); err != nil {
		return nil, fmt.Errorf("starting the control plane: %w", err)
	}
	defer func() {
		if err != nil {
			p.stop()
		}
	}()
	if err := p.install(ctx, filepath.Join(assets, "kubectl"), dir); err != nil {
		return nil, err
	}
	if err := p.connect(); err != nil {
		return nil, err
	}
	return p, nil
}

// start lets the control plane collect its garbage less often than what is measured: it is not what is measured.
func (p *plane) start() error {
	before, set := os.LookupEnv("GOGC")
	if err := os.Setenv("GOGC", "400"); err != nil {
		return err
	}
	_, err := p.environment.Start()
	if set {
		return errors.Join(err, os.Setenv("GOGC", before))
	}
	return errors.Join(err, os.Unsetenv("GOGC"))
}

// install applies config/default as an administrator, and makes the manager's kubeconfig.
func (p *plane) install(ctx context.Context, kubectl, dir string) error {
	admin := filepath.Join(dir, "admin.kubeconfig")
	if _, err := p.addUser("admin", "system:masters", admin); err != nil {
		return err
	}
	manager, err := p.addUser(managerUser, "system:serviceaccounts", p.managerKubeconfig)
	if err != nil {
		return err
	}
	p.floorConfig = rest.CopyConfig(manager)
	p.floorConfig.UserAgent, p.floorConfig.QPS = floorAgent+"1", -1
	for _, args := range [][]string{
		{"apply", "-k", "config/default"},
		{"wait", "--for=condition=Established", "crd", "-l", "app.kubernetes.io/name=dataarts-operator", "--timeout=30s"},
	} {
		cmd := exec.CommandContext(ctx, kubectl, args...) //nolint:gosec // The path is the control plane's own kubectl.
		cmd.Env = append(os.Environ(), "KUBECONFIG="+admin)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("kubectl %s: %w\n%s", args[0], err, out)
		}
	}
	return nil
}

func (p *plane) addUser(name, group, path string) (*rest.Config, error) {
	user, err := p.environment.AddUser(envtest.User{Name: name, Groups: []string{group}}, nil)
	if err != nil {
		return nil, fmt.Errorf("making user %s: %w", name, err)
	}
	content, err := user.KubeConfig()
	if err != nil {
		return nil, fmt.Errorf("making the kubeconfig of %s: %w", name, err)
	}
	return user.Config(), os.WriteFile(path, content, 0o600)
}

func (p *plane) connect() error {
	if err := clientgoscheme.AddToScheme(p.scheme); err != nil {
		return err
	}
	if err := v1alpha1.AddToScheme(p.scheme); err != nil {
		return err
	}
	p.admin = rest.CopyConfig(p.environment.Config)
	p.admin.QPS = -1 // The people are bounded already.
	var err error
	p.api, err = client.New(p.admin, client.Options{Scheme: p.scheme})
	return err
}

func (p *plane) stop() {
	p.environment.ControlPlane.GetAPIServer().StopTimeout = politeStop
	_ = p.environment.Stop() // An error says that one had to be killed.
}
