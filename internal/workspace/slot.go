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
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/quota"
)

const (
	// secretTTL is how long a Secret is taken to be unchanged. Secrets are read one by one and never watched, because a
	// watch would need the right to list all of them.
	secretTTL = 15 * time.Second
	// failureTTL is that for one that is missing, unusable, or rejected by the service: however many packages wait for
	// it, it is read once in that time.
	failureTTL = 2 * time.Second
	// secretTimeout bounds a read, and secretWait how long someone waits for it who has other things to do.
	secretTimeout = 10 * time.Second
	secretWait    = 2 * time.Second
)

// slot holds the latest connection of one object and what it was made from. It outlives the object, until Forget.
// Nothing that takes its time is done under its lock.
type slot struct {
	key types.NamespacedName
	// reads are the reads of the Secret that are under way, which all share who need one.
	reads singleflight.Group

	mu sync.Mutex
	// closed tells that the slot was forgotten, so that who still has it needs another one.
	closed     bool
	conn       *Connection
	object     types.UID
	generation int64
	secret     string
	read       time.Time
	// failure is why the latest read, for an object of that generation, has led to no connection; nil if it has.
	failure   error
	failedFor int64
	failed    time.Time
}

var (
	errForgotten = errors.New("the workspace object was forgotten meanwhile")
	errOtherNow  = errors.New("the workspace object was made again meanwhile")
)

func (c *Connections) slot(key types.NamespacedName) *slot {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.slots == nil {
		c.slots = map[types.NamespacedName]*slot{}
	}
	if c.slots[key] == nil {
		c.slots[key] = &slot{key: key}
	}
	return c.slots[key]
}

// connect returns the slot's connection, or why there is none.
func (c *Connections) connect(ctx context.Context, s *slot, ws *v1alpha1.DataArtsWorkspace) (*Connection, error) {
	if conn, err := c.present(s, ws); conn != nil || err != nil {
		return conn, err
	}
	read := s.reads.DoChan(fmt.Sprintf("%s/%d", ws.UID, ws.Generation), func() (any, error) {
		if conn, err := c.present(s, ws); conn != nil || err != nil {
			return conn, err // Another read has just ended.
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), secretTimeout)
		defer cancel()
		secret, err := c.readSecret(ctx, ws)
		return c.renew(s, ws, secret, err)
	})
	wait := c.pace().NewTimer(secretWait)
	defer wait.Stop()
	select {
	case answer := <-read:
		conn, _ := answer.Val.(*Connection)
		return conn, answer.Err
	case <-wait.C():
		return c.renew(s, ws, nil, fmt.Errorf("reading Secret %q: the API server has not answered within %s",
			ws.Spec.Credentials.SecretRef.Name, secretWait))
	case <-ctx.Done():
		return nil, fmt.Errorf("reading Secret %q: %w", ws.Spec.Credentials.SecretRef.Name, ctx.Err())
	}
}

// present is the connection or the failure that is known to be up to date; neither where the Secret has to be read.
func (c *Connections) present(s *slot, ws *v1alpha1.DataArtsWorkspace) (*Connection, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errForgotten
	}
	if s.object != ws.UID {
		// An object that was made again is another one, and inherits nothing that it would not share anyway.
		c.replace(s, nil)
		s.object, s.generation, s.failure = ws.UID, 0, nil
	}
	now := c.now()
	switch {
	case s.conn != nil && (s.generation > ws.Generation || s.generation == ws.Generation && now.Sub(s.read) < s.ttl()):
		return s.conn, nil
	case s.failure != nil && s.failedFor == ws.Generation && now.Sub(s.failed) < failureTTL:
		return nil, s.failure
	}
	return nil, nil
}

func (s *slot) ttl() time.Duration {
	if s.conn.budget.IsOpen(quota.Rejected) {
		return failureTTL // It is about to be corrected.
	}
	return secretTTL
}

// renew takes down what a read of the Secret has brought.
func (c *Connections) renew(s *slot, ws *v1alpha1.DataArtsWorkspace, secret *corev1.Secret,
	err error) (*Connection, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return nil, errForgotten
	case s.object != ws.UID:
		return nil, errOtherNow
	case s.conn != nil && s.generation > ws.Generation:
		return s.conn, nil
	}
	if err == nil {
		err = c.fill(s, ws, secret)
	}
	if err != nil {
		s.failure, s.failedFor, s.failed = err, ws.Generation, c.now()
		return nil, err
	}
	s.failure, s.read = nil, c.now()
	return s.conn, nil
}

// fill opens another connection, unless there is one from this very object and Secret. Its caller has the slot.
func (c *Connections) fill(s *slot, ws *v1alpha1.DataArtsWorkspace, secret *corev1.Secret) error {
	version := fmt.Sprintf("%s/%s", secret.UID, secret.ResourceVersion)
	if s.conn != nil && s.generation == ws.Generation && s.secret == version {
		return nil
	}
	conn, err := c.open(ws, secret)
	if err != nil {
		return err
	}
	c.replace(s, conn)
	s.generation, s.secret = ws.Generation, version
	return nil
}

// replace puts another connection into a slot, or none, and hands over to it what was watched through the earlier
// one. Its caller has the slot.
func (c *Connections) replace(s *slot, conn *Connection) {
	if conn == nil {
		c.Poller().RemoveSource(s.key)
	} else {
		c.Poller().SetSource(s.key, conn)
	}
	if s.conn != nil {
		c.registry.release(s.conn, s.key)
	}
	s.conn = conn
}

// close ends a slot. Its caller has the lock of all slots, so that no other slot of its object is opened meanwhile.
func (c *Connections) close(s *slot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	c.replace(s, nil)
}
