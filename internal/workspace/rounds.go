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

package workspace

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// Watch asks for looks at a package from now on, in place of what was asked for its object before. Rounds make them: see Start. They use the
// connection that the workspace object has then, which need not be the one that its caller has used. If that leads elsewhere by now, or there is none,
// nothing is watched, and Watch returns false.
func (c *Connections) Watch(used *Connection, w Watch) bool { return c.observing().watch(used, w) }

// Unwatch ends the looks for an object.
func (c *Connections) Unwatch(object types.NamespacedName) { c.observing().unwatch(object) }

// View returns what looks have shown of an object's package. It is false unless one that began after the latest request to change the package
// has succeeded, or the latest one failed. Its age is the caller's affair.
func (c *Connections) View(object types.NamespacedName, id string) (View, bool) {
	return c.observing().view(object, id)
}

// Tell has a function called for each object whose package has changed, or whose awaited look was made. It must not block.
func (c *Connections) Tell(f func(types.NamespacedName)) {
	o := c.observing()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.tell = f
}

// Watched reports whether a look at an object's package is due, sooner or later. It is for those who want to know that nobody is forgotten.
func (c *Connections) Watched(object types.NamespacedName) bool { return c.observing().watched(object) }

// NextRound is when the next round of looks is due; zero if nothing is watched.
func (c *Connections) NextRound() time.Time {
	_, when := c.observing().next()
	return when
}

// Round makes the round that is due first, due or not, and reports whether there was one. It is for those who control time; others call Start.
func (c *Connections) Round(ctx context.Context) bool {
	p, _ := c.observing().next()
	if p == nil {
		return false
	}
	c.round(ctx, p)
	return true
}

// Start makes rounds when they are due, until the context ends. It implements manager.Runnable.
func (c *Connections) Start(ctx context.Context) error {
	var rounds sync.WaitGroup
	defer rounds.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		case <-c.observing().nudge:
		}
		p, when := c.observing().next()
		if p == nil {
			continue
		}
		wait := when.Sub(c.now())
		if wait <= 0 {
			c.observing().claim(p)
			rounds.Go(func() { c.round(ctx, p) })
		}
		timer.Reset(max(wait, 0))
	}
}
