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

package simulator

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"
)

const (
	// maxItemLimit is the documented maximum for the pending list.
	maxItemLimit = 100

	flagNotPacked = 0
	flagPacked    = 1 // only 0 is documented
)

// TaskType is what an item delivers, as the service numbers it.
type TaskType int

// The task types.
const (
	TaskJob      TaskType = 1
	TaskScript   TaskType = 2
	TaskResource TaskType = 3
)

// UpdateType is what an item does to production, as the service numbers it.
type UpdateType int

// The update types.
const (
	UpdateAdd    UpdateType = 1
	UpdateChange UpdateType = 2
	UpdateDelete UpdateType = 3
)

// item is a pending item. What was submitted never changes.
type item struct {
	NewItem
	id        string
	taskID    string
	submitted time.Time // of the service's clock

	packages []*releasePackage // that contain it and are not withdrawn
	gone     bool              // released, or to be submitted again after a withdrawal
	history  []itemVersion
}

// itemVersion is what changes about an item as the pending list shows it. The first one has no time: an item
// was never unknown.
type itemVersion struct {
	at           time.Time
	packed, gone bool
}

// submit adds an item to the pending list.
func (s *Server) submit(w *workspace, n NewItem) *item {
	n.TaskType = cmp.Or(n.TaskType, TaskJob)
	n.UpdateType = cmp.Or(n.UpdateType, UpdateAdd)
	n.Version = cmp.Or(n.Version, 1)
	ids := s.countersFor(w)
	ids.items++
	i := &item{
		NewItem:   n,
		id:        strconv.Itoa(ids.items),
		taskID:    fmt.Sprintf("%032x", ids.items),
		submitted: s.clock(),
		history:   []itemVersion{{}},
	}
	w.items = append(w.items, i)
	w.itemsByID[i.id] = i
	return i
}

// join puts the item into a package.
func (i *item) join(p *releasePackage, at time.Time) {
	i.packages = append(i.packages, p)
	i.note(at)
}

// leave takes the item out of a package that was withdrawn or released.
func (i *item) leave(p *releasePackage, at time.Time, gone bool) {
	i.packages = slices.DeleteFunc(i.packages, func(q *releasePackage) bool { return q == p })
	i.gone = i.gone || gone
	i.note(at)
}

func (i *item) note(at time.Time) {
	i.history = append(i.history, itemVersion{at: at, packed: len(i.packages) > 0, gone: i.gone})
}

// before is what somebody sees of the item who lags behind.
func (i *item) before(now time.Time, lag time.Duration) itemVersion {
	seen := i.history[0]
	for _, v := range i.history[1:] {
		if !v.at.After(now.Add(-lag)) {
			seen = v
		}
	}
	return seen
}

// itemFacts are the fields that the pending list and the details of a package have in common.
type itemFacts struct {
	ItemID          wireID     `json:"pending_item_id"`
	ItemName        string     `json:"item_name"`
	TaskID          string     `json:"task_id"`
	TaskType        TaskType   `json:"task_type"`
	UpdateType      UpdateType `json:"update_type"`
	PendingVersion  int        `json:"pending_version"`
	DeployedVersion int        `json:"deployed_version"`
	SubmitUserID    string     `json:"submit_user_id"`
	SubmitUserName  string     `json:"submit_user_name"`
	SubmitTimestamp int64      `json:"submit_timestamp"`
}

func (s *Server) itemFacts(i *item) itemFacts {
	return itemFacts{
		ItemID:          s.writeID(i.id),
		ItemName:        i.Name,
		TaskID:          i.taskID,
		TaskType:        i.TaskType,
		UpdateType:      i.UpdateType,
		PendingVersion:  i.Version,
		DeployedVersion: i.DeployedVersion,
		SubmitUserID:    i.SubmitUserID,
		SubmitUserName:  s.userName(i.SubmitUserID),
		SubmitTimestamp: i.submitted.UnixMilli(),
	}
}

// itemRow is an element of the pending list.
type itemRow struct {
	itemFacts
	PackageFlag int    `json:"package_flag"`
	ProjectID   string `json:"project_id"`
}

type itemList struct {
	Data  []itemRow `json:"data"`
	Total int       `json:"total"`
}

func (s *Server) listItems(c *call) (any, *refusal) {
	q, ok := parseItemQuery(c.query)
	if !ok {
		return nil, invalidParameter()
	}
	rows := []itemRow{}
	for _, i := range c.workspace.items {
		v := i.before(s.opts.Now(), s.limits.ItemLag)
		if !s.listed(i, v, q) {
			continue
		}
		row := itemRow{s.itemFacts(i), flagNotPacked, c.workspace.longID()}
		if v.packed {
			row.PackageFlag = flagPacked
		}
		rows = append(rows, row)
	}
	return itemList{cut(rows, s.firstRow(q.page), q.limit), len(rows)}, nil
}

// listed says whether an item belongs into the answer to a query.
func (s *Server) listed(i *item, v itemVersion, q itemQuery) bool {
	if v.gone || (v.packed && s.opts.Assumptions.PackedItem == Refuse) {
		return false
	}
	return s.matches(i.Name, q.name) &&
		equalIfSet(q.userName, s.userName(i.SubmitUserID)) &&
		equalIfSet(q.taskType, strconv.Itoa(int(i.TaskType))) &&
		equalIfSet(q.updateType, strconv.Itoa(int(i.UpdateType))) &&
		q.submitted.contains(i.submitted)
}

func equalIfSet(want, got string) bool {
	return want == "" || want == got
}

// itemQuery is the query string of the pending list.
type itemQuery struct {
	name, userName, taskType, updateType string
	submitted                            span
	page
}

// parseItemQuery treats an empty value like a missing one, because clients send both. The format of
// the times is not documented; milliseconds are what the service uses elsewhere.
func parseItemQuery(values url.Values) (itemQuery, bool) {
	q := itemQuery{
		name:       values.Get("item_name"),
		userName:   values.Get("submit_user_name"),
		taskType:   values.Get("task_type"),
		updateType: values.Get("update_type"),
		page:       firstPage(),
	}
	for name, number := range map[string]*int64{
		"start_time": &q.submitted.From, "end_time": &q.submitted.To, "limit": &q.limit, "offset": &q.offset,
	} {
		text := values.Get(name)
		if text == "" {
			continue
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return itemQuery{}, false
		}
		*number = n
	}
	return q, q.valid() && q.limit <= maxItemLimit
}
