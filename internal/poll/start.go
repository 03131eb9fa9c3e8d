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

package poll

import (
	"context"
	"sync"
	"time"
)

// NextRun is when the next run is due; zero if nothing is subscribed to.
func (p *Poller) NextRun() time.Time {
	_, when := p.next()
	return when
}

// RunNext makes the run that is due first, due or not, and reports whether there was one. It is for those who control
// time; others call Start.
func (p *Poller) RunNext(ctx context.Context) bool {
	g, _ := p.next()
	if g == nil {
		return false
	}
	p.run(ctx, p.begin(g))
	return true
}

// Start makes runs when they are due, until the context ends. It implements manager.Runnable.
func (p *Poller) Start(ctx context.Context) error {
	var runs sync.WaitGroup
	defer runs.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		case <-p.nudge:
		}
		g, when := p.next()
		if g == nil {
			continue
		}
		wait := when.Sub(p.clock.Now())
		if wait <= 0 {
			r := p.begin(g)
			runs.Go(func() { p.run(ctx, r) })
		}
		timer.Reset(max(wait, 0))
	}
}
