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
	"math"
	"math/rand/v2"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

// mostArmed bounds how many faults wait for calls of one operation: those that are rare would otherwise come to
// nothing but trouble.
const mostArmed = 3

// chaos is everything that happens at the same time.
type chaos struct {
	plane    *plane
	service  *service
	managers *managers
	ledger   *ledger
	teams    []*team
}

// run lets everyone loose for the duration, and returns how many seconds that was once all have finished what they
// were at.
func (c *chaos) run(ctx context.Context, o options) (seconds int, err error) {
	start := time.Now()
	group, all := errgroup.WithContext(ctx) // Who fails ends it for all.
	season, end := context.WithTimeout(all, o.duration)
	defer end()
	for _, t := range c.teams {
		group.Go(func() error { return t.work(all, season) })
		group.Go(func() error { return t.review(season) })
		group.Go(func() error { return t.administer(all, season) })
	}
	group.Go(func() error { return c.crashManagers(season, newRandom(o.seed, 1)) })
	group.Go(func() error { return c.restartAPIServer(season, newRandom(o.seed, 2)) })
	group.Go(func() error { return c.spoilCalls(season, newRandom(o.seed, 3)) })
	group.Go(func() error { return c.breakDown(season, newRandom(o.seed, 4)) })
	group.Go(func() error { return c.changeLimits(season, newRandom(o.seed, 5)) })
	group.Go(func() error { return c.lookForTwins(season) })
	group.Go(func() error { return c.tell(season) })
	err = group.Wait()
	c.service.calm()
	if err == nil {
		err = c.lastBreakDown(ctx)
	}
	return int(time.Since(start).Round(time.Second) / time.Second), err
}

// lastBreakDown lets calls fail for some seconds while everything else is well again: no restart of a manager helps
// an object that is forgotten over that.
func (c *chaos) lastBreakDown(ctx context.Context) error {
	fault := simulator.Fault{Kind: simulator.FaultError, Status: 503, Code: simulator.CodeBadRequest, Message: "Down",
		Times: manyTimes}
	if err := c.service.inject(fault); err != nil {
		return err
	}
	defer c.service.calm()
	before := c.service.faults()
	for deadline := time.Now().Add(20 * time.Second); c.service.faults() == before && time.Now().Before(deadline); {
		if !pause(ctx, 500*time.Millisecond) { // Until a manager has the lease.
			return ctx.Err()
		}
	}
	if !pause(ctx, 8*time.Second) {
		return ctx.Err()
	}
	return nil
}

// crashManagers kills replicas, and now and then ends one politely, which hands the lease on.
func (c *chaos) crashManagers(season context.Context, random *rand.Rand) error {
	for pause(season, between(random, time.Second, 6*time.Second)) {
		if i := random.IntN(replicas); random.IntN(4) == 0 {
			c.managers.terminate(i)
		} else {
			c.managers.kill(i)
		}
	}
	return nil
}

func (c *chaos) restartAPIServer(season context.Context, random *rand.Rand) error {
	for pause(season, between(random, 10*time.Second, 25*time.Second)) {
		if err := c.plane.restart(season, random.IntN(2) == 0, between(random, 0, 3*time.Second)); err != nil {
			return fmt.Errorf("starting the API server again: %w", err)
		}
	}
	return nil
}

func (c *chaos) spoilCalls(season context.Context, random *rand.Rand) error {
	for pause(season, between(random, 20*time.Millisecond, 250*time.Millisecond)) {
		fault := someFault(random)
		if c.service.armed(fault.Operation) >= mostArmed {
			continue
		}
		if err := c.service.inject(fault); err != nil {
			return err
		}
	}
	return nil
}

// breakDown lets the whole service fail for some hundred calls, so that failures follow upon each other.
func (c *chaos) breakDown(season context.Context, random *rand.Rand) error {
	for pause(season, between(random, 5*time.Second, 15*time.Second)) {
		if err := c.service.inject(simulator.Fault{
			Kind: simulator.FaultError, Status: 503, Code: simulator.CodeBadRequest, Message: "Down",
			AfterWork: random.IntN(4) == 0,
			Times:     50 + random.IntN(250),
		}); err != nil {
			return err
		}
	}
	return nil
}

// changeLimits lets the service take more or less, whatever the workspace objects say, answer faster or slower, and
// serve another caller besides, who takes half.
func (c *chaos) changeLimits(season context.Context, random *rand.Rand) error {
	for pause(season, between(random, 8*time.Second, 20*time.Second)) {
		l := c.service.Limits()
		l.RateLimit, l.RetryAfter, l.Latency = oneOf(random, 40, 60, 100, 200), oneOf(random, 0, time.Second),
			oneOf(random, latency, latency, 10*latency)
		l.OtherCalls = float64(l.RateLimit) / oneOf(random, 2.0, math.Inf(1))
		if err := c.service.SetLimits(l); err != nil {
			return err
		}
	}
	l := c.service.Limits()
	l.RateLimit, l.OtherCalls, l.RetryAfter, l.Latency = callsPerSecond, callsPerSecond/2, 0, latency
	return c.service.SetLimits(l)
}

func (c *chaos) lookForTwins(season context.Context) error {
	for pause(season, 50*time.Millisecond) {
		for _, t := range c.teams {
			c.ledger.watch(t.service.packagesOf(t.workspace))
		}
	}
	return nil
}

// tell says now and then how far it has come.
func (c *chaos) tell(season context.Context) error {
	for pause(season, 15*time.Second) {
		fmt.Printf("soak: packages=%d kills=%d faults=%d so far\n", c.ledger.created(), c.managers.kills(),
			c.service.faults()+c.plane.restarts())
	}
	return nil
}

// someFault is bad luck that a real service could bring. What is answered after the work never proves that nothing
// was done: the operator takes documented refusals at their word.
func someFault(random *rand.Rand) simulator.Fault {
	operations := []simulator.Operation{
		simulator.OpPack, simulator.OpPack, simulator.OpPack, simulator.OpUnpack, simulator.OpUnpack,
		simulator.OpShow, simulator.OpShow, simulator.OpList, simulator.OpListItems,
	}
	f := simulator.Fault{Operation: operations[random.IntN(len(operations))], AfterWork: random.IntN(2) == 0}
	switch dice := random.IntN(100); {
	case dice < 22:
		f.Kind = simulator.FaultDrop
	case dice < 36:
		f.Kind = simulator.FaultHang
	case dice < 42:
		f.Kind = simulator.FaultStall
	case dice < 62:
		status := []int{500, 502, 503, 504}[random.IntN(4)]
		f.Kind, f.Status, f.Code, f.Message = simulator.FaultError, status, simulator.CodeBadRequest, "Backend trouble"
	case dice < 68:
		f.Kind, f.Status = simulator.FaultRaw, 200 // An empty answer.
	case dice < 72:
		f.Kind, f.Status, f.ContentType, f.Body = simulator.FaultRaw, 502, "text/html", "<html>Bad gateway</html>"
	case dice < 84:
		f.Kind, f.Delay = simulator.FaultDelay, between(random, time.Millisecond, 3*time.Second)
	case dice < 87:
		f = simulator.Fault{Kind: simulator.FaultError, Status: 429, Code: simulator.CodeThrottled, Message: "Throttled",
			RetryAfter: time.Second}
	case dice < 92:
		f = simulator.Fault{Operation: f.Operation, Kind: simulator.FaultError, Status: 400,
			Code: simulator.CodeInvalidParameter, Message: "Refused"}
	default:
		f = simulator.Fault{Operation: simulator.OpList, Kind: simulator.FaultStale,
			Lag: between(random, time.Millisecond, 3*time.Second)}
	}
	return f
}

func between(random *rand.Rand, shortest, longest time.Duration) time.Duration {
	return shortest + time.Duration(random.Int64N(int64(longest-shortest)+1))
}
