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
	"errors"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
)

const (
	// rejectedPause is how long rejected credentials are not tried again. The service locks an access key for 5 minutes after more
	// than 5 consecutive failures (API Request Signing Guide, "Common Errors Related to IAM Authentication Information").
	rejectedPause = 5 * time.Minute
	// throttledPause is how long calls are held back after a 429 that does not say; whether the service ever says is not documented.
	throttledPause = 5 * time.Second
)

// gate holds calls back that are known to fail: it repeats the answer that closed it until the time is over.
type gate struct {
	clock clock.PassiveClock

	mu     sync.Mutex
	reason error
	until  time.Time
}

// check returns why no call is to be made now.
func (g *gate) check() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.reason != nil && g.clock.Now().Before(g.until) {
		return g.reason
	}
	g.reason = nil
	return nil
}

// RetryAfter says how long the connection holds calls back because of an error that it returned; zero when it does not.
func (c *Connection) RetryAfter() time.Duration {
	c.gate.mu.Lock()
	defer c.gate.mu.Unlock()
	if c.gate.reason == nil {
		return 0
	}
	return max(0, c.gate.until.Sub(c.gate.clock.Now()))
}

// note closes the gate when the answer says that the next call would fail too, and returns the answer as it is.
func (g *gate) note(err error) error {
	switch dataarts.KindOf(err) {
	case dataarts.Unauthorized:
		g.hold(err, rejectedPause)
	case dataarts.Throttled:
		pause := throttledPause
		if e, ok := errors.AsType[*dataarts.Error](err); ok && e.RetryAfter > 0 {
			pause = e.RetryAfter
		}
		g.hold(err, pause)
	case dataarts.Unknown, dataarts.Refused, dataarts.NotFound, dataarts.AlreadyDeployed, dataarts.Forbidden, dataarts.Unreachable:
	}
	return err
}

func (g *gate) hold(reason error, pause time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if until := g.clock.Now().Add(pause); until.After(g.until) || g.reason == nil {
		g.reason, g.until = reason, until
	}
}
