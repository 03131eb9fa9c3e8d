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
	"sync"
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

// seen is what is known of one ReleasePackage. Its times are when a watch told of it; zero before.
type seen struct {
	id                            string
	packed, ready, deployed, gone time.Time
}

// tracker watches the ReleasePackages of a namespace.
type tracker struct {
	stop context.CancelFunc

	mu       sync.Mutex
	packages map[string]*seen
}

// track begins to watch. Its stop ends that.
func track(ctx context.Context, p *plane, namespace string) (*tracker, error) {
	ctx, stop := context.WithCancel(ctx)
	t := &tracker{stop: stop, packages: map[string]*seen{}}
	if err := t.watch(ctx, p, namespace); err != nil {
		stop()
		return nil, fmt.Errorf("watching %s: %w", namespace, err)
	}
	return t, nil
}

func (t *tracker) watch(ctx context.Context, p *plane, namespace string) error {
	objects, err := cache.New(p.admin,
		cache.Options{Scheme: p.scheme, DefaultNamespaces: map[string]cache.Config{namespace: {}}})
	if err != nil {
		return err
	}
	go func() { _ = objects.Start(ctx) }() // It ends with the context, and says nothing else.
	informer, err := objects.GetInformer(ctx, &v1alpha1.ReleasePackage{})
	if err != nil {
		return err
	}
	_, err = informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc:    func(o any) { t.note(o, false) },
		UpdateFunc: func(_, o any) { t.note(o, false) },
		DeleteFunc: func(o any) { t.note(o, true) },
	})
	return err
}

func (t *tracker) note(object any, gone bool) {
	if last, ok := object.(toolscache.DeletedFinalStateUnknown); ok {
		object = last.Obj
	}
	rp, ok := object.(*v1alpha1.ReleasePackage)
	if !ok {
		return
	}
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.packages[rp.Name]
	if s == nil {
		s = &seen{}
		t.packages[rp.Name] = s
	}
	s.id = rp.Status.ReleasePackageID
	first(&s.packed, now, s.id != "")
	first(&s.ready, now, apimeta.IsStatusConditionTrue(rp.Status.Conditions, v1alpha1.ConditionReady))
	first(&s.deployed, now, rp.Status.State == v1alpha1.StateDeployed)
	first(&s.gone, now, gone)
}

func first(at *time.Time, now time.Time, is bool) {
	if is && at.IsZero() {
		*at = now
	}
}

// What can be waited for.
func packed(s *seen) time.Time   { return s.packed }
func ready(s *seen) time.Time    { return s.ready }
func deployed(s *seen) time.Time { return s.deployed }
func gone(s *seen) time.Time     { return s.gone }

// state is how many have come so far, and when the latest of them did.
func (t *tracker) state(what func(*seen) time.Time) (n int, latest time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.packages {
		if at := what(s); !at.IsZero() {
			n++
			if at.After(latest) {
				latest = at
			}
		}
	}
	return n, latest
}

// get returns what is known of one package: nothing, if it was never seen.
func (t *tracker) get(name string) seen {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.packages[name]
	if s == nil {
		return seen{}
	}
	return *s
}

// arrival is what came of waiting.
type arrival struct {
	reached, wanted int
	at              time.Time
}

func (a arrival) complete() bool { return a.reached >= a.wanted }

// note tells of a wait that ran out of time.
func (a arrival) note() string {
	if a.complete() {
		return ""
	}
	return fmt.Sprintf("given up at %d of %d", a.reached, a.wanted)
}

// await waits until n packages have come so far, or the time is over, which is no error: the operator was slow then,
// and that is a result.
func (t *tracker) await(ctx context.Context, n int, timeout time.Duration, what func(*seen) time.Time,
	well func() error) (arrival, error) {
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	for deadline := time.Now().Add(timeout); ; {
		reached, latest := t.state(what)
		switch {
		case reached >= n:
			return arrival{reached, n, latest}, nil
		case time.Now().After(deadline):
			return arrival{reached, n, time.Now()}, nil
		}
		if err := well(); err != nil {
			return arrival{}, err
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return arrival{}, ctx.Err()
		}
	}
}

// names lists the ReleasePackages of a namespace that exist.
func names(ctx context.Context, api client.Client, namespace string) ([]string, error) {
	var list v1alpha1.ReleasePackageList
	if err := api.List(ctx, &list, client.InNamespace(namespace)); err != nil {
		return nil, err
	}
	all := make([]string, 0, len(list.Items))
	for i := range list.Items {
		all = append(all, list.Items[i].Name)
	}
	return all, nil
}
