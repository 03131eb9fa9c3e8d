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
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

// record is what people did about one ReleasePackage, and so what must have become of it.
type record struct {
	team *team
	name string
	uid  types.UID
	// items were submitted for this ReleasePackage alone, so they tell whose package a package is.
	items []string
	// want is what the API server has accepted last, wanted what it had before.
	want, wanted wish

	edited   bool        // at least once
	retains  bool        // its package was to be left behind
	deadline bool        // it was to be let go after a time, whatever is left then
	deleted  bool        // the deletion was accepted
	restored bool        // it was made again without its status, at least once
	vanished []time.Time // when it was deleted while it had no finalizer
}

func (r *record) String() string { return r.team.namespace + "/" + r.name }

// wish is what a package shall be made of.
type wish struct {
	items, approvers []string
}

func (w wish) same(other wish) bool {
	return sameSet(w.items, other.items) && sameSet(w.approvers, other.approvers)
}

// ledger keeps everything that people have done.
type ledger struct {
	mu        sync.Mutex
	records   []*record
	byItem    map[string]*record
	withdrawn map[string]bool // packages that an approver has withdrawn
	failed    map[string]bool // packages whose deployment has failed
	twins     map[*record]string
}

func newLedger() *ledger {
	return &ledger{byItem: map[string]*record{}, withdrawn: map[string]bool{}, failed: map[string]bool{},
		twins: map[*record]string{}}
}

// add takes down an object before its creation, since its package may be there before the API server's answer is.
func (l *ledger) add(r *record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.records = append(l.records, r)
	for _, id := range r.items {
		l.byItem[id] = r
	}
}

// update changes a record.
func (l *ledger) update(change func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change()
}

// created is how many objects the API server has accepted.
func (l *ledger) created() int { return len(l.all()) }

// all are copies of the records of objects that the API server has accepted.
func (l *ledger) all() []record {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []record
	for _, r := range l.records {
		if r.uid != "" {
			all = append(all, *r)
		}
	}
	return all
}

func (l *ledger) peopleWithdrew(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.withdrawn[id]
}

func (l *ledger) peopleFailed(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.failed[id]
}

// owner returns the record that a package was packed for.
func (l *ledger) owner(p *simulator.Package) *record {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(p.Items) == 0 {
		return nil
	}
	return l.byItem[p.Items[0]]
}

// watch takes down who has more than one live package. It is called again and again, as duplicates may pass.
func (l *ledger) watch(packages []simulator.Package) {
	live := map[*record][]simulator.Package{}
	for i := range packages {
		if p := &packages[i]; p.Live() {
			if r := l.owner(p); r != nil {
				live[r] = append(live[r], *p)
			}
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for r, all := range live {
		if l.twins[r] == "" && r.twins(all) {
			l.twins[r] = describe(all)
		}
	}
}

// twins reports whether two of an object's live packages are one too many. What it had when it lost its status is
// known to no one but by the items that it still asks for.
func (r *record) twins(live []simulator.Package) bool {
	for i := range live {
		for _, later := range live[i+1:] {
			forgotten := slices.ContainsFunc(r.vanished, func(at time.Time) bool {
				return live[i].Packed.Before(at) &&
					later.Packed.After(at)
			})
			if !forgotten || overlap(live[i].Items, later.Items) {
				return true
			}
		}
	}
	return false
}

// duplicates are all that watch has seen.
func (l *ledger) duplicates() []violation {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []violation
	for r, what := range l.twins {
		found = append(found, violation{kind: duplicate, object: r.String(),
			story: "had more than one live package at a time: " + what})
	}
	slices.SortFunc(found, byObject)
	return found
}
