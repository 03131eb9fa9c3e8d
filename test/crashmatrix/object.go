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
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

const (
	packageObject   = "release"
	neighbourObject = "neighbour"
)

// object is one ReleasePackage of a story, and what there is of it.
type object struct {
	name string
	// items are pending items that nobody else packs: they tell whose a package is.
	items []v1alpha1.ID
	// rp is the object as it was last read, nil while there is none. It belongs to the driver, and to users while a pass
	// or a round is held.
	rp *v1alpha1.ReleasePackage
	// retained is set when the user wants what is packed to stay.
	retained bool
	// vanished is set when the object went although the operator's finalizer was not there: only a manager that has seen
	// it go knows of its package.
	vanished bool
	// woken is set when a user's change makes a pass due. The world's lock guards it.
	woken bool
}

// cast makes the objects of a story, and begins with the first.
func (w *world) cast() {
	w.objects = []*object{{name: packageObject}}
	if w.settings.scenario.neighbour {
		w.objects = append(w.objects, &object{name: neighbourObject})
	}
	w.object = w.objects[0]
}

// speakOf lets goals and users speak of another object until the function that it returns is called.
func (w *world) speakOf(o *object) (back func()) {
	before := w.object
	w.object = o
	return func() { w.object = before }
}

// each speaks of one object after the other.
func (w *world) each(do func()) {
	for _, o := range w.objects {
		back := w.speakOf(o)
		do()
		back()
	}
}

// ofNeighbour is what users do to the neighbour, or a goal that it has to reach.
func ofNeighbour[T any](f func(w *world) T) func(w *world) T {
	return func(w *world) T {
		defer w.speakOf(w.objects[1])()
		return f(w)
	}
}

// read brings all objects up to date.
func (w *world) read(ctx context.Context) error {
	for _, o := range w.objects {
		was := o.rp
		rp := &v1alpha1.ReleasePackage{}
		err := w.users.Get(ctx, client.ObjectKey{Namespace: w.namespace, Name: o.name}, rp)
		switch {
		case apierrors.IsNotFound(err):
			o.rp = nil
		case err != nil:
			return err
		default:
			o.rp = rp
		}
		w.wakeWaiters(o, was, o.rp)
		w.follow(o, was)
	}
	return nil
}

// follow takes down that an object is gone, also where another one has its name now.
func (w *world) follow(o *object, was *v1alpha1.ReleasePackage) {
	if o.rp != nil {
		o.vanished = false
	}
	if was == nil || o.rp != nil && o.rp.UID == was.UID {
		return
	}
	o.vanished = o.rp == nil && !protects(was)
	w.gone = append(w.gone, was)
}

// takeGone returns the last states of the objects that went since the last time.
func (w *world) takeGone() []*v1alpha1.ReleasePackage {
	gone := w.gone
	w.gone = nil
	return gone
}

// objectNamed is the object of a name, nil if the story has none.
func (w *world) objectNamed(name string) *object {
	for _, o := range w.objects {
		if o.name == name {
			return o
		}
	}
	return nil
}

// packagesOf are all packages that were ever made for an object, by whomever.
func (w *world) packagesOf(o *object) []simulator.Package {
	return slices.DeleteFunc(w.console.Packages(), func(p simulator.Package) bool {
		return !slices.Contains(o.items, v1alpha1.ID(p.Items[0]))
	})
}

// packages are those of the object that the story speaks of.
func (w *world) packages() []simulator.Package { return w.packagesOf(w.object) }

// oursOf are the packages that the operator has packed for an object.
func (w *world) oursOf(o *object) []simulator.Package {
	return slices.DeleteFunc(w.packagesOf(o), func(p simulator.Package) bool { return w.foreign[p.ID] })
}

// ours are the packages that the operator has packed for the object that the story speaks of.
func (w *world) ours() []simulator.Package { return w.oursOf(w.object) }
