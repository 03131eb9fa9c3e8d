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
	"cmp"
	"context"
	"errors"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/quota"
)

// errNotWorthwhile means that a list is too long to be read for the sake of a few packages.
var errNotWorthwhile = errors.New("the service's list of packages is too long to look for a few of them")

// listLeft lists the packages that may be withdrawn, unless that takes more calls than there are packages to look for.
func (c *Connection) listLeft(ctx context.Context, wanted int) (map[string]bool, error) {
	states := []dataarts.DeployStatus{dataarts.StatusPendingReview, dataarts.StatusDeployFailed, dataarts.StatusDeploying}
	left, pages := map[string]bool{}, 0
	for page, err := range dataarts.EachPage(c.pages(ctx, c.series(quota.Change), dataarts.ListOptions{States: states})) {
		if err != nil {
			return nil, err
		}
		if pages = cmp.Or(pages, page.Pages()); pages > wanted {
			return nil, errNotWorthwhile
		}
		for i := range page.Rows {
			left[page.Rows[i].ID] = !page.Rows[i].Deleted
		}
	}
	return left, nil
}
