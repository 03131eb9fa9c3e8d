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

package dataarts

import (
	"context"
	"net/http"

	sdk "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/dataartsstudio/v1"
)

// AnswerWith puts rt in the place of the network for plain http.
func (c *Client) AnswerWith(rt http.RoundTripper) {
	c.transport.RegisterProtocol("http", rt)
}

// InvokePanicking makes a call in which the SDK panics.
func (c *Client) InvokePanicking(ctx context.Context, value any) error {
	_, err := invoke(ctx, c, OpShow,
		func(*sdk.DataArtsStudioClient, *struct{}) (*struct{}, error) { panic(value) }, &struct{}{})
	return err
}

// KnownRegions returns the ids that EndpointForRegion knows.
func KnownRegions() []string {
	ids := make([]string, 0, len(knownRegions))
	for _, r := range knownRegions {
		ids = append(ids, r.Id)
	}
	return ids
}
