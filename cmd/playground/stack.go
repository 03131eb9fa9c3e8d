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
	"path/filepath"

	"github.com/dataarts-operator/dataarts-operator/test/harness"
)

// stack is everything that runs: the control plane, the simulated service and the manager.
type stack struct {
	dir string

	controlPlane *harness.Plane
	kubectl      kubectl
	simulator    *harness.Simulator
	manager      *harness.Process

	// metricsURL is the manager's.
	metricsURL string
}

// start brings everything up. What was started before an error is left to stop.
func (s *stack) start(ctx context.Context) error {
	assets, err := harness.Assets("run")
	if err != nil {
		return err
	}
	headline("Starting etcd and kube-apiserver")
	if s.controlPlane, err = harness.StartPlane(assets, s.dir, nil); err != nil {
		return err
	}
	if s.kubectl.Kubectl, err = s.controlPlane.Admin(); err != nil {
		return err
	}
	headline("Starting the simulated DataArts Studio")
	s.simulator, err = harness.StartSimulator(ctx, filepath.Join(s.dir, "simulator.log"), "--deploy-duration", "3s")
	if err != nil {
		return err
	}
	headline("Installing the operator: CRDs, rights and Deployment, as a cluster gets them")
	if err := s.kubectl.show(ctx, "apply", "-k", "config/default"); err != nil {
		return err
	}
	if err := s.kubectl.AwaitKinds(ctx); err != nil {
		return err
	}
	headline("Starting the manager (there are no nodes for its Deployment here, so it runs as a process with its " +
		"ServiceAccount's rights)")
	return s.startManager(ctx)
}

func (s *stack) startManager(ctx context.Context) error {
	addresses, err := harness.FreeAddresses(2)
	if err != nil {
		return err
	}
	kubeconfig, _, err := s.controlPlane.Manager()
	if err != nil {
		return err
	}
	metrics, probes := addresses[0], addresses[1]
	s.metricsURL = "http://" + metrics + "/metrics"
	s.manager, err = harness.StartProcess("manager", filepath.Join(s.dir, "manager.log"),
		"--kubeconfig", kubeconfig,
		"--metrics-bind-address", metrics,
		"--health-probe-bind-address", probes,
		"--leader-elect", "--leader-election-namespace", harness.SystemNamespace,
		"--allow-insecure-endpoints")
	if err != nil {
		return err
	}
	return s.manager.Answers(ctx, "http://"+probes+"/readyz")
}

// wait returns when the context ends, or with an error when one of the processes does.
func (s *stack) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-s.manager.Done():
		return errors.New("the manager ended")
	case <-s.simulator.Done():
		return errors.New("the simulator ended")
	}
}

// stop ends everything, in the order that lets each part finish.
func (s *stack) stop() {
	fmt.Println("\nStopping the manager, the simulator and the control plane")
	s.manager.Stop()
	if s.simulator != nil {
		s.simulator.Stop()
	}
	if s.controlPlane != nil {
		s.controlPlane.Stop()
	}
}
