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
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

const (
	systemNamespace = "dataarts-operator-system"
	// managerUser is the ServiceAccount of config/default: the managers get its rights, and no more.
	managerUser = "system:serviceaccount:" + systemNamespace + ":dataarts-operator-controller-manager"

	// politeStop is how long an API server that is told to stop may take; then it is killed.
	politeStop = 5 * time.Second
)

// plane is etcd and kube-apiserver, with the operator installed.
type plane struct {
	environment *envtest.Environment
	api         client.Client // an administrator's

	managerKubeconfig string
	restarted         atomic.Int32
}

// startPlane starts the control plane with its files in dir, so that the API server comes back with the same
// certificates and data.
func startPlane(ctx context.Context, assets, dir string) (started *plane, err error) {
	p := &plane{managerKubeconfig: filepath.Join(dir, "manager.kubeconfig"), environment: &envtest.Environment{
		BinaryAssetsDirectory: assets,
		UseExistingCluster:    new(false),
	}}
	apiServer := p.environment.ControlPlane.GetAPIServer()
	apiServer.CertDir = filepath.Join(dir, "apiserver")
	p.environment.ControlPlane.Etcd = &envtest.Etcd{DataDir: filepath.Join(dir, "etcd")}
	for _, d := range []string{apiServer.CertDir, p.environment.ControlPlane.Etcd.DataDir} {
		if err := os.Mkdir(d, 0o700); err != nil {
			return nil, err
		}
	}
	if _, err := p.environment.Start(); err != nil {
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
	return p, nil
}

// install applies config/default as an administrator, and makes the managers' kubeconfig.
func (p *plane) install(ctx context.Context, kubectl, dir string) error {
	admin := filepath.Join(dir, "admin.kubeconfig")
	if err := p.writeKubeconfig(admin, envtest.User{Name: "admin", Groups: []string{"system:masters"}}); err != nil {
		return err
	}
	if err := p.writeKubeconfig(p.managerKubeconfig,
		envtest.User{Name: managerUser, Groups: []string{"system:serviceaccounts"}}); err != nil {
		return err
	}
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
	scheme := runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		return err
	}
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return err
	}
	config := *p.environment.Config
	config.QPS = -1 // The people are bounded already.
	config.Timeout = 10 * time.Second
	var err error
	p.api, err = client.New(&config, client.Options{Scheme: scheme})
	return err
}

func (p *plane) writeKubeconfig(path string, u envtest.User) error {
	user, err := p.environment.AddUser(u, nil)
	if err != nil {
		return fmt.Errorf("making user %s: %w", u.Name, err)
	}
	content, err := user.KubeConfig()
	if err != nil {
		return fmt.Errorf("making the kubeconfig of %s: %w", u.Name, err)
	}
	return os.WriteFile(path, content, 0o600)
}

// restart stops the API server, crashing it if that is asked for, and starts it again after some time, on the same
// port and data.
func (p *plane) restart(ctx context.Context, crash bool, away time.Duration) error {
	apiServer := p.environment.ControlPlane.GetAPIServer()
	apiServer.StopTimeout = politeStop
	if crash {
		apiServer.StopTimeout = time.Nanosecond
	}
	p.restarted.Add(1)
	_ = apiServer.Stop() // An error says that it had to be killed, which is as good.
	pause(ctx, away)
	// It comes back in any case, since the end of the soak needs it too. Its port may be taken for a moment by the one
	// that was killed.
	return wait.PollUntilContextTimeout(context.WithoutCancel(ctx), time.Second, time.Minute, true,
		func(context.Context) (bool, error) {
			return apiServer.Start() == nil, nil
		})
}

func (p *plane) restarts() int { return int(p.restarted.Load()) }

func (p *plane) stop() {
	p.environment.ControlPlane.GetAPIServer().StopTimeout = politeStop
	_ = p.environment.Stop() // An error says that one had to be killed.
}

// pause waits, and reports false if the context ended first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
