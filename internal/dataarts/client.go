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

// Package dataarts speaks to the release API of DataArts Studio in the operator's own words: a package is
// packed from pending items, deployed by people in the console, and unpacked.
//
// It is the only package that knows the vendor's SDK, and it lets none of the SDK's habits through. Calls end
// with their context. Success means that the service answered 200 and delivered what it promised; anything else
// is an *Error whose Kind says what the failure proves, above all whether the call may have done its work.
// Nothing is retried here, because only a caller that looks first may repeat a create.
package dataarts

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/impl"
	sdk "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/dataartsstudio/v1"
)

// Client speaks to one workspace with one set of credentials. It is safe for concurrent use.
type Client struct {
	endpoint    string
	workspaceID string
	userAgent   string
	timeout     time.Duration
	credential  auth.ICredential
	transport   *http.Transport
	redact      redactor
}

// New returns a Client, or a *ConfigError if cfg cannot be used. It makes no calls.
// The Client keeps connections open between calls until Close.
func New(cfg Config) (*Client, error) {
	s, err := cfg.validate()
	if err != nil {
		return nil, err
	}
	return &Client{
		endpoint:    s.endpoint,
		workspaceID: s.workspaceID,
		userAgent:   s.userAgent,
		timeout:     s.timeout,
		credential:  s.sdkCredential(),
		transport:   newTransport(s),
		redact:      newRedactor(s.secrets()),
	}, nil
}

// Close closes the connections that are idle, and those in use as soon as their calls end.
func (c *Client) Close() {
	c.transport.CloseIdleConnections()
}

// operation is a method of the SDK's client.
type operation[Request, Response any] func(*sdk.DataArtsStudioClient, *Request) (*Response, error)

// invoke makes one call. The response is only returned if the service answered 200 with a body that could be decoded
// and reported no error; what the caller was promised may still be missing from it.
func invoke[Request, Response any](
	ctx context.Context, c *Client, op Op, do operation[Request, Response], req *Request,
) (resp *Response, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	x := newExchange(ctx, c, op)

	// The SDK works by reflection on what it is sent, and has a history of panics.
	defer func() {
		if r := recover(); r != nil {
			resp, err = nil, x.failure(errors.New(c.redact.line(fmt.Sprintf("the SDK panicked: %v", r))))
		}
	}()
	resp, err = do(c.sdkClient(x), req)
	if err != nil {
		return nil, x.failure(err)
	}
	return resp, nil
}

// sdkClient assembles an SDK client for a single call. The SDK has no contexts, so a call is bound to its own
// by a transport of its own. That is cheap: connections belong to the Client's transport, which all calls
// share.
//
// It is put together by hand, because the SDK's builder would look for settings that are missing in the
// environment, rejects a credential that is not one of its own types, and may write an id file into the home
// directory.
func (c *Client) sdkClient(x *exchange) *sdk.DataArtsStudioClient {
	cfg := config.DefaultHttpConfig().WithHttpRoundTripper(x).WithUserAgent(c.userAgent).WithTimeout(0)
	return sdk.NewDataArtsStudioClient(core.NewHcHttpClient(impl.NewDefaultHttpClient(cfg)).
		WithEndpoints([]string{c.endpoint}).
		WithCredential(c.credential).
		WithErrorHandler(x))
}
