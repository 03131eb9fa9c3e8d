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
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// managerUser is the ServiceAccount of config/default: the manager gets its rights, and no more.
const managerUser = "system:serviceaccount:dataarts-operator-system:dataarts-operator-controller-manager"

// stack is everything that runs: the control plane, the simulated service and the manager.
type stack struct {
	dir    string
	assets string

	controlPlane *envtest.Environment
	simulator    *process
	manager      *process

	// serviceURL is what the operator calls, controlURL what people do at the console.
	serviceURL, controlURL string
	// metricsURL is the manager's.
	metricsURL string
}

func (s *stack) kubectlPath() string { return filepath.Join(s.assets, "kubectl") }
func (s *stack) kubeconfig() string  { return filepath.Join(s.dir, "kubeconfig") }

// start brings everything up. What was started before an error is left to stop.
func (s *stack) start(ctx context.Context) error {
	var err error
	if s.assets, err = assets(); err != nil {
		return err
	}
	headline("Starting etcd and kube-apiserver")
	if err := s.startControlPlane(); err != nil {
		return err
	}
	headline("Starting the simulated DataArts Studio")
	if err := s.startSimulator(ctx); err != nil {
		return err
	}
	headline("Installing the operator: CRDs, rights and Deployment, as a cluster gets them")
	k := kubectl{path: s.kubectlPath(), kubeconfig: s.kubeconfig()}
	if err := k.show(ctx, "apply", "-k", "config/default"); err != nil {
		return err
	}
	if err := k.run(ctx, "wait", "--for=condition=Established", "crd", "-l", "app.kubernetes.io/name=dataarts-operator",
		"--timeout=30s"); err != nil {
		return err
	}
	headline("Starting the manager (there are no nodes for its Deployment here, so it runs as a process with its " +
		"ServiceAccount's rights)")
	return s.startManager(ctx)
}

func (s *stack) startControlPlane() error {
	s.controlPlane = &envtest.Environment{BinaryAssetsDirectory: s.assets}
	if _, err := s.controlPlane.Start(); err != nil {
		return fmt.Errorf("starting the control plane: %w", err)
	}
	if err := s.writeKubeconfig(s.kubeconfig(),
		envtest.User{Name: "admin", Groups: []string{"system:masters"}}); err != nil {
		return err
	}
	return s.writeKubeconfig(filepath.Join(s.dir, "manager.kubeconfig"),
		envtest.User{Name: managerUser, Groups: []string{"system:serviceaccounts"}})
}

func (s *stack) writeKubeconfig(path string, u envtest.User) error {
	user, err := s.controlPlane.AddUser(u, nil)
	if err != nil {
		return fmt.Errorf("making user %s: %w", u.Name, err)
	}
	content, err := user.KubeConfig()
	if err != nil {
		return fmt.Errorf("making the kubeconfig of %s: %w", u.Name, err)
	}
	return os.WriteFile(path, content, 0o600)
}

func (s *stack) startSimulator(ctx context.Context) error {
	service, control, err := twoFreeAddresses()
	if err != nil {
		return err
	}
	s.serviceURL, s.controlURL = "http://"+service, "http://"+control
	s.simulator, err = startProcess(s.dir, "simulator", "--listen", service, "--control-listen", control,
		"--deploy-duration", "3s")
	if err != nil {
		return err
	}
	return s.simulator.answers(ctx, s.controlURL+"/counts")
}

func (s *stack) startManager(ctx context.Context) error {
	metrics, probes, err := twoFreeAddresses()
	if err != nil {
		return err
	}
	s.metricsURL = "http://" + metrics + "/metrics"
	s.manager, err = startProcess(s.dir, "manager",
		"--kubeconfig", filepath.Join(s.dir, "manager.kubeconfig"),
		"--metrics-bind-address", metrics,
		"--health-probe-bind-address", probes,
		"--leader-elect", "--leader-election-namespace", "dataarts-operator-system",
		"--allow-insecure-endpoints")
	if err != nil {
		return err
	}
	return s.manager.answers(ctx, "http://"+probes+"/readyz")
}

// wait returns when the context ends, or with an error when one of the processes does.
func (s *stack) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-s.manager.done:
		return errors.New("the manager ended")
	case <-s.simulator.done:
		return errors.New("the simulator ended")
	}
}

// stop ends everything, in the order that lets each part finish.
func (s *stack) stop() {
	fmt.Println("\nStopping the manager, the simulator and the control plane")
	s.manager.stop()
	s.simulator.stop()
	if s.controlPlane == nil {
		return
	}
	if err := s.controlPlane.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, "playground: stopping the control plane:", err)
	}
}

// twoFreeAddresses are loopback addresses that nobody listens on.
func twoFreeAddresses() (first, second string, err error) {
	one, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // It binds a local port and waits for nothing.
	if err != nil {
		return "", "", err
	}
	two, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // As above.
	if err != nil {
		return "", "", errors.Join(err, one.Close())
	}
	return one.Addr().String(), two.Addr().String(), errors.Join(one.Close(), two.Close())
}

// answers waits until a process answers at a URL.
func (p *process) answers(ctx context.Context, url string) error {
	err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, 60*time.Second, true,
		func(ctx context.Context) (bool, error) {
			select {
			case <-p.done:
				return false, errors.New("it ended")
			default:
			}
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
			if err != nil {
				return false, err
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				return false, nil //nolint:nilerr // Not yet.
			}
			return resp.StatusCode == http.StatusOK, resp.Body.Close()
		})
	if err != nil {
		return fmt.Errorf("waiting for the %s: %w; its log is %s", p.name, err, p.log)
	}
	return nil
}
