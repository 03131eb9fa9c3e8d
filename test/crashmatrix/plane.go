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
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/dataarts-operator/dataarts-operator/test/harness"
)

// plane is the control plane that all runs share: each has a namespace of its own. What clients need besides a
// connection is made once.
type plane struct {
	config    *rest.Config
	transport http.RoundTripper
	scheme    *runtime.Scheme
	mapper    meta.RESTMapper
	started   *harness.Plane
	// kubeconfig leads other processes to this control plane; empty where nobody asked for it.
	kubeconfig string
	// dir has the files of one that was started.
	dir string
}

// garbagePercent lets garbage be collected less often, as there is memory enough.
const garbagePercent = 400

// startPlane starts a control plane, or connects to the one that a kubeconfig leads to.
func startPlane(kubeconfig string) (*plane, error) {
	p := &plane{kubeconfig: kubeconfig}
	var err error
	if p.scheme, err = harness.Scheme(); err != nil {
		return nil, err
	}
	if kubeconfig != "" {
		p.config, err = clientcmd.BuildConfigFromFlags("", kubeconfig)
	} else {
		p.config, err = p.start()
	}
	if err != nil {
		return nil, fmt.Errorf("starting the control plane: %w", err)
	}
	if err := p.prepare(); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

func (p *plane) start() (*rest.Config, error) {
	assets, err := harness.Assets("crash-matrix")
	if err != nil {
		return nil, err
	}
	if p.dir, err = os.MkdirTemp("", "crash-matrix-"); err != nil {
		return nil, err
	}
	debug.SetGCPercent(garbagePercent)
	p.started, err = harness.WithGarbageAt(strconv.Itoa(garbagePercent), func() (*harness.Plane, error) {
		return harness.StartPlane(assets, p.dir, func(e *envtest.Environment) error {
			e.CRDDirectoryPaths, e.ErrorIfCRDPathMissing = []string{filepath.Join("config", "crd", "bases")}, true
			e.Scheme = p.scheme
			// Nobody needs this data after a power cut.
			e.ControlPlane.Etcd = &envtest.Etcd{}
			e.ControlPlane.Etcd.Configure().Set("unsafe-no-fsync", "true")
			// Nobody watches, and nobody has to wait in a queue.
			e.ControlPlane.GetAPIServer().Configure().Set("watch-cache", "false").
				Set("enable-priority-and-fairness", "false")
			return nil
		})
	})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(p.dir))
	}
	return p.started.Config, nil
}

func (p *plane) prepare() error {
	p.config.QPS = -1 // Requests are never held back on this side.
	var err error
	if p.transport, err = rest.TransportFor(p.config); err != nil {
		return err
	}
	p.mapper, err = apiutil.NewDynamicRESTMapper(p.config, &http.Client{Transport: p.transport})
	return err
}

func (p *plane) stop() error {
	if p.started == nil {
		return nil
	}
	p.started.Stop()
	return os.RemoveAll(p.dir)
}

// client makes a client whose requests go through a transport.
func (p *plane) client(transport http.RoundTripper) (client.Client, error) {
	return client.New(p.config, client.Options{HTTPClient: &http.Client{Transport: transport}, Scheme: p.scheme,
		Mapper: p.mapper})
}

// share writes a kubeconfig for other processes.
func (p *plane) share() (err error) {
	p.kubeconfig, _, err = p.started.User("crash-matrix", "system:masters")
	return err
}
