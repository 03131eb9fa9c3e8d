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
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/quota"
)

// fingerprint stands for settings and credentials without holding them.
type fingerprint [sha256.Size]byte

// fingerprintOf is the same for the same parts in the same order, and for nothing else.
func fingerprintOf(parts ...string) fingerprint {
	h := sha256.New()
	for _, part := range parts {
		_ = binary.Write(h, binary.BigEndian, uint64(len(part))) // A hash takes everything.
		_, _ = h.Write([]byte(part))
	}
	return fingerprint(h.Sum(nil))
}

// credentialKey is whose calls the service counts.
func credentialKey(cfg *dataarts.Config) quota.Identity {
	c := &cfg.Credentials
	return quota.Identity(fingerprintOf(strings.ToLower(cfg.Endpoint), c.AccessKey, c.SecretKey, c.SecurityToken, c.Token))
}

// connectionKey stands for all that makes one connection differ from another.
func connectionKey(cfg *dataarts.Config, spec *v1alpha1.DataArtsWorkspaceSpec) fingerprint {
	c := &cfg.Credentials
	return fingerprintOf(cfg.Endpoint, c.AccessKey, c.SecretKey, c.SecurityToken, c.Token, cfg.ProjectID, cfg.WorkspaceID,
		string(cfg.CABundle),
		cfg.ProxyURL, cfg.Timeout.String(), spec.PollInterval.Duration.String(), strconv.Itoa(perSecond(spec)))
}

// perSecond is how many calls a second a workspace object allows.
func perSecond(spec *v1alpha1.DataArtsWorkspaceSpec) int { return max(1, int(spec.RequestsPerSecond)) }

// registry holds the connections that several workspace objects may use at once. The zero value is ready for use.
type registry struct {
	mu          sync.Mutex
	connections map[fingerprint]*Connection
	// tellThrottled is told of each object whose calls are paused.
	tellThrottled func(types.NamespacedName)
}

// connection returns the connection that is the same for all who ask for it, and makes it for the first one.
func (s *registry) connection(id fingerprint, by types.NamespacedName, open func() (*Connection,
	error)) (*Connection, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	conn := s.connections[id]
	if conn == nil {
		var err error
		if conn, err = open(); err != nil {
			return nil, err
		}
		if s.connections == nil {
			s.connections = map[fingerprint]*Connection{}
		}
		conn.id, conn.users = id, map[types.NamespacedName]int{}
		s.connections[id] = conn
	}
	conn.users[by]++
	return conn, nil
}

// release ends one use of a connection, and closes it with the last one.
func (s *registry) release(conn *Connection, by types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	conn.users[by]--
	if conn.users[by] > 0 {
		return
	}
	delete(conn.users, by)
	if len(conn.users) > 0 {
		return
	}
	delete(s.connections, conn.id)
	conn.leaveBudget()
	conn.client.Close()
}

// throttled tells of all whose calls a budget pauses.
func (s *registry) throttled(b *quota.Budget) {
	s.mu.Lock()
	tell := s.tellThrottled
	var concerned []types.NamespacedName
	for _, conn := range s.connections {
		if conn.budget != b {
			continue
		}
		for name := range conn.users {
			concerned = append(concerned, name)
		}
	}
	s.mu.Unlock()
	if tell == nil {
		return
	}
	for _, name := range concerned {
		tell(name)
	}
}
