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
	"time"

	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

// review lets the approvers act at the console until season ends. They do not know what the operator is at.
func (t *team) review(season context.Context) error {
	for pause(season, time.Duration(200+t.reviewing.IntN(1300))*time.Millisecond) {
		if err := t.decide(); err != nil {
			return err
		}
	}
	return nil
}

// approveAll deploys every package in review.
func (t *team) approveAll() error {
	for _, p := range t.service.packagesOf(t.workspace) {
		if p.Live() && p.State == simulator.StateReview {
			if err := t.console.StartDeploy(p.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// decide picks a package in review and deploys it, with or without success, or withdraws it.
func (t *team) decide() error {
	var waiting []string
	for _, p := range t.service.packagesOf(t.workspace) {
		if p.Live() && p.State == simulator.StateReview {
			waiting = append(waiting, p.ID)
		}
	}
	dice := t.reviewing.IntN(100)
	if len(waiting) == 0 {
		return nil
	}
	id := waiting[t.reviewing.IntN(len(waiting))]
	var err error
	switch {
	case dice < 20:
		if err = t.console.Withdraw(id); err == nil {
			t.ledger.update(func() { t.ledger.withdrawn[id] = true })
		}
	case dice < 40:
		if err = errors.Join(t.console.StartDeploy(id), t.console.FailDeploy(id)); err == nil {
			t.ledger.update(func() { t.ledger.failed[id] = true })
		}
	default:
		err = t.console.StartDeploy(id)
	}
	if errors.Is(err, simulator.ErrState) || errors.Is(err, simulator.ErrNotFound) {
		return nil // The operator has withdrawn it meanwhile.
	}
	return err
}
