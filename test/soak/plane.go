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
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/dataarts-operator/dataarts-operator/test/harness"
)

// plane is a control plane with the operator installed.
type plane struct {
	*harness.Plane
	api client.Client // an administrator's

	managerKubeconfig string
	restarted         atomic.Int32
}

// startPlane starts the control plane with its files in dir, so that the API server comes back with the same
// certificates and data.
func startPlane(ctx context.Context, assets, dir string) (started *plane, err error) {
	p := &plane{}
	p.Plane, err = harness.StartPlane(assets, dir, func(e *envtest.Environment) error {
		apiServer := e.ControlPlane.GetAPIServer()
		apiServer.CertDir = filepath.Join(dir, "apiserver")
		e.ControlPlane.Etcd = &envtest.Etcd{DataDir: filepath.Join(dir, "etcd")}
		return errors.Join(os.Mkdir(apiServer.CertDir, 0o700), os.Mkdir(e.ControlPlane.Etcd.DataDir, 0o700))
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
	if p.managerKubeconfig, _, err = p.Manager(); err != nil {
		return nil, err
	}
	err = p.connect()
	return p, err
}

func (p *plane) connect() error {
	scheme, err := harness.Scheme()
	if err != nil {
		return err
	}
	config := *p.Config
	config.QPS = -1 // The people are bounded already.
	config.Timeout = 10 * time.Second
	p.api, err = client.New(&config, client.Options{Scheme: scheme})
	return err
}

// restart stops the API server, crashing it if that is asked for, and starts it again after some time, on the same
// port and data.
func (p *plane) restart(ctx context.Context, crash bool, away time.Duration) error {
	apiServer := p.ControlPlane.GetAPIServer()
	apiServer.StopTimeout = harness.PoliteStop
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

// pause waits, and reports false if the context ended first.
func pause(ctx context.Context, d time.Duration) bool { return harness.Pause(ctx, d) == nil }
