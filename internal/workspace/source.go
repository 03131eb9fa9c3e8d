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
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/poll"
	"github.com/dataarts-operator/dataarts-operator/internal/quota"
)

// spareLooks is how many looks at single packages may be made in a row although a recent view of them is known, and
// spareEvery how long it takes until there is another one.
const (
	spareLooks = 2
	spareEvery = 10 * time.Second
)

// SpareLook reports whether the budget allows for a look at one package although a recent view of it is known. It
// does where few ask.
func (c *Connection) SpareLook() bool { return c.spare.AllowN(c.clock.Now(), 1) }

// Find is poll.Poller.Find.
func (c *Connection) Find(ctx context.Context, id, name string) poll.Observation {
	return c.poller.Find(ctx, c, id, name)
}

// Calls implements poll.Source.
func (c *Connection) Calls() poll.Calls {
	return &pollCalls{packageList{conn: c, series: c.series(quota.Background)}}
}

// pollCalls are the calls of one run of looks.
type pollCalls struct{ packageList }

func (p *pollCalls) Hurry() { p.series.Raise(quota.Lookup) }

func (p *pollCalls) ListPage(
	ctx context.Context, states []dataarts.DeployStatus, offset int,
) (dataarts.Page[dataarts.Package], error) {
	return p.page(ctx, dataarts.ListOptions{States: states, Offset: offset})
}

func (p *pollCalls) Look(ctx context.Context, id string) (dataarts.PackageDetail, error) {
	if err := p.series.Acquire(ctx); err != nil {
		return dataarts.PackageDetail{}, err
	}
	detail, err := p.conn.client.Show(ctx, id)
	return detail, p.conn.note(err)
}

// resolve is a poll.Resolve.
func (c *Connections) resolve(ctx context.Context, workspace types.NamespacedName,
	forDeletion bool) (poll.Source, error) {
	connect := c.Connect
	if forDeletion {
		connect = c.ConnectForDeletion
	}
	conn, err := connect(ctx, workspace.Namespace, v1alpha1.WorkspaceReference{Name: workspace.Name})
	if err != nil {
		return nil, err
	}
	return conn, nil
}
