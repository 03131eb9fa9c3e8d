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

// Package harness starts what the operator is tried out with: a real control plane, the simulated service and the
// operator's own commands, each as a process of its own.
package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

const (
	// SystemNamespace is where config/default installs the operator.
	SystemNamespace = "dataarts-operator-system"
	// ManagerUser is the ServiceAccount of config/default: a manager that runs as it has its rights, and no more.
	ManagerUser = "system:serviceaccount:" + SystemNamespace + ":dataarts-operator-controller-manager"

	// PoliteStop is how long an API server that is told to stop may take; then it is killed.
	PoliteStop = 5 * time.Second
)

// Assets is the folder of etcd, kube-apiserver and kubectl, which the target of the Makefile has provided.
func Assets(target string) (string, error) {
	dir := os.Getenv("KUBEBUILDER_ASSETS")
	if dir == "" {
		return "", fmt.Errorf("KUBEBUILDER_ASSETS is not set: start it with make %s, which provides a control plane", target)
	}
	return filepath.Abs(dir)
}

// Scheme knows the types of Kubernetes and those of the operator.
func Scheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme))
	return scheme, err
}

// Plane is etcd and kube-apiserver on this machine.
type Plane struct {
	*envtest.Environment
	assets, dir string
}

// StartPlane starts a control plane from the programs in assets. Its kubeconfigs are written to dir. What configure
// does to it, if that is not nil, is done before the start.
func StartPlane(assets, dir string, configure func(*envtest.Environment) error) (*Plane, error) {
	p := &Plane{assets: assets, dir: dir,
		Environment: &envtest.Environment{BinaryAssetsDirectory: assets, UseExistingCluster: new(false)}}
	if configure != nil {
		if err := configure(p.Environment); err != nil {
			return nil, err
		}
	}
	if _, err := p.Start(); err != nil {
		return nil, fmt.Errorf("starting the control plane: %w", err)
	}
	return p, nil
}

// WithGarbageAt is for a control plane that collects its garbage less often than Go's default, as a percentage like
// GOGC: it is not what is tried out.
func WithGarbageAt(percent string, start func() (*Plane, error)) (*Plane, error) {
	before, set := os.LookupEnv("GOGC")
	if err := os.Setenv("GOGC", percent); err != nil {
		return nil, err
	}
	p, err := start()
	if set {
		return p, errors.Join(err, os.Setenv("GOGC", before))
	}
	return p, errors.Join(err, os.Unsetenv("GOGC"))
}

// Stop ends the control plane.
func (p *Plane) Stop() {
	p.ControlPlane.GetAPIServer().StopTimeout = PoliteStop
	_ = p.Environment.Stop() // An error says that one had to be killed.
}

// User makes a user, and writes its kubeconfig.
func (p *Plane) User(name string, groups ...string) (kubeconfig string, config *rest.Config, err error) {
	user, err := p.AddUser(envtest.User{Name: name, Groups: groups}, nil)
	if err != nil {
		return "", nil, fmt.Errorf("making user %s: %w", name, err)
	}
	content, err := user.KubeConfig()
	if err != nil {
		return "", nil, fmt.Errorf("making the kubeconfig of %s: %w", name, err)
	}
	kubeconfig = filepath.Join(p.dir, strings.ReplaceAll(name, ":", "_")+".kubeconfig")
	return kubeconfig, user.Config(), os.WriteFile(kubeconfig, content, 0o600)
}

// Admin is kubectl for an administrator.
func (p *Plane) Admin() (Kubectl, error) {
	kubeconfig, _, err := p.User("admin", "system:masters")
	return Kubectl{Path: filepath.Join(p.assets, "kubectl"), Kubeconfig: kubeconfig}, err
}

// Manager is the kubeconfig of the operator's ServiceAccount, and what leads there.
func (p *Plane) Manager() (kubeconfig string, config *rest.Config, err error) {
	return p.User(ManagerUser, "system:serviceaccounts")
}

// Kubectl runs kubectl as a user would.
type Kubectl struct {
	Path, Kubeconfig string
}

// Command is a kubectl that is yet to run.
func (k Kubectl) Command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, k.Path, args...) //nolint:gosec // The path is the control plane's own kubectl.
	cmd.Env = append(os.Environ(), "KUBECONFIG="+k.Kubeconfig)
	return cmd
}

// Run runs kubectl silently, unless it fails.
func (k Kubectl) Run(ctx context.Context, args ...string) error {
	if out, err := k.Command(ctx, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("kubectl %s: %w\n%s", args[0], err, out)
	}
	return nil
}

// Install applies config/default, which stands in the root of the repository, and waits until its kinds are served.
func (k Kubectl) Install(ctx context.Context, root string) error {
	if err := k.Run(ctx, "apply", "-k", filepath.Join(root, "config", "default")); err != nil {
		return err
	}
	return k.AwaitKinds(ctx)
}

// AwaitKinds waits until the operator's kinds are served.
func (k Kubectl) AwaitKinds(ctx context.Context) error {
	return k.Run(ctx, "wait", "--for=condition=Established", "crd", "-l", "app.kubernetes.io/name=dataarts-operator",
		"--timeout=60s")
}
