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
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

// plane is the control plane that all runs share: each has a namespace of its own. What clients need besides a
// connection is made once.
type plane struct {
	config      *rest.Config
	transport   http.RoundTripper
	scheme      *runtime.Scheme
	mapper      meta.RESTMapper
	environment *envtest.Environment
	// kubeconfig leads other processes to this control plane; empty where nobody asked for it.
	kubeconfig string
}

const garbagePercent = 400

// startPlane starts a control plane, or connects to the one that a kubeconfig leads to.
func startPlane(kubeconfig string) (*plane, error) {
	p := &plane{scheme: runtime.NewScheme(), kubeconfig: kubeconfig}
	if err := errors.Join(clientgoscheme.AddToScheme(p.scheme), v1alpha1.AddToScheme(p.scheme)); err != nil {
		return nil, err
	}
	var err error
	if kubeconfig != "" {
		p.config, err = clientcmd.BuildConfigFromFlags("", kubeconfig)
	} else {
		p.config, err = p.startEnvironment()
	}
	if err != nil {
		return nil, fmt.Errorf("starting the control plane: %w", err)
	}
	if err := p.prepare(); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

func (p *plane) startEnvironment() (*rest.Config, error) {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		return nil, errors.New("KUBEBUILDER_ASSETS is not set; run `make crash-matrix`, which provides a control plane")
	}
	p.environment = &envtest.Environment{
		CRDDirectoryPaths:     []string{filepath.Join("config", "crd", "bases")},
		ErrorIfCRDPathMissing: true,
		Scheme:                p.scheme,
	}
	// Nobody needs this data after a power cut.
	p.environment.ControlPlane.Etcd = &envtest.Etcd{}
	p.environment.ControlPlane.Etcd.Configure().Set("unsafe-no-fsync", "true")
	// Nobody watches, nobody has to wait in a queue, and there is memory enough to collect the garbage less often.
	p.environment.ControlPlane.GetAPIServer().Configure().Set("watch-cache", "false").Set("enable-priority-and-fairness",
		"false")
	debug.SetGCPercent(garbagePercent)
	if err := os.Setenv("GOGC", strconv.Itoa(garbagePercent)); err != nil {
		return nil, err
	}
	return p.environment.Start()
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
	if p.environment == nil {
		return nil
	}
	return p.environment.Stop()
}

// client makes a client whose requests go through a transport.
func (p *plane) client(transport http.RoundTripper) (client.Client, error) {
	return client.New(p.config, client.Options{HTTPClient: &http.Client{Transport: transport}, Scheme: p.scheme,
		Mapper: p.mapper})
}

// share writes a kubeconfig for other processes into a directory.
func (p *plane) share(dir string) error {
	user, err := p.environment.AddUser(envtest.User{Name: "crash-matrix", Groups: []string{"system:masters"}}, nil)
	if err != nil {
		return err
	}
	content, err := user.KubeConfig()
	if err != nil {
		return err
	}
	p.kubeconfig = filepath.Join(dir, "crash-matrix.kubeconfig")
	return os.WriteFile(p.kubeconfig, content, 0o600)
}
