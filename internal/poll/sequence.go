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
	"maps"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

// NoteWrite takes down that packages were asked to change: what was seen before says nothing any more.
func (p *Poller) NoteWrite(target v1alpha1.PinnedWorkspace, ids ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sequence++
	for _, id := range ids {
		p.lastWrite[place{target, id}] = p.sequence
	}
}

// nextSequence is that of a look that begins now.
func (p *Poller) nextSequence() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sequence++
	return p.sequence
}

// sequenceOf is that of an observation that a caller has: now, where no look has led to it.
func (p *Poller) sequenceOf(v *Observation) uint64 {
	if v.sequence > 0 {
		return v.sequence
	}
	p.sequence++
	return p.sequence
}

// forget drops the record of writes to packages that nobody has subscribed to, unless a run is under way which may
// have begun before them.
func (p *Poller) forget() {
	if len(p.lastWrite) == 0 {
		return
	}
	for _, g := range p.groups {
		if g.running {
			return
		}
	}
	wanted := make(map[place]bool, len(p.in))
	for object, g := range p.in {
		wanted[place{g.source.Target(), g.subscribers[object].ID}] = true
	}
	maps.DeleteFunc(p.lastWrite, func(where place, sequence uint64) bool {
		if !wanted[where] {
			p.forgotten = max(p.forgotten, sequence)
		}
		return !wanted[where]
	})
}
