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
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/request"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/response"
)

// exchange is one call on the wire. The SDK knows it as its transport and as its error handler, which lets it
// bind the call to a context, remember how far the call came, and judge the answer before the SDK does.
type exchange struct {
	ctx    context.Context // the SDK, which stands between the call and RoundTrip, cannot pass it on
	op     Op
	next   http.RoundTripper
	redact redactor

	// connected is set once the request was given a connection. Before that, it cannot have left this machine.
	connected atomic.Bool
	// accepted is set once an answer was found good. What fails after that is its decoding.
	accepted bool
}

func newExchange(ctx context.Context, c *Client, op Op) *exchange {
	x := &exchange{op: op, next: c.transport, redact: c.redact}
	x.ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { x.connected.Store(true) },
	})
	return x
}

// RoundTrip implements http.RoundTripper.
func (x *exchange) RoundTrip(req *http.Request) (*http.Response, error) {
	return x.next.RoundTrip(req.WithContext(x.ctx))
}

// HandleError implements sdkerr.ErrorHandler. The SDK's own takes every status below 400 for a success
// and reads bodies of any size.
func (x *exchange) HandleError(_ *request.DefaultHttpRequest, resp *response.DefaultHttpResponse) error {
	r := readReply(x.op, resp.Response)
	if err := r.judge(x.op, x.redact); err != nil {
		return err
	}
	x.accepted = true
	resp.Response.Body = io.NopCloser(bytes.NewReader(r.body))
	return nil
}

// failure turns an error of the SDK into one of ours. The SDK's types, and texts with addresses and bodies in
// them, stay behind.
func (x *exchange) failure(err error) error {
	var e *Error
	switch {
	case errors.As(err, &e):
	case x.accepted:
		return unclear(x.op, undecodable)
	default:
		e = &Error{Op: x.op, Message: x.redact.line(describe(err)), cause: err}
		if !x.connected.Load() {
			e.Kind = Unreachable
		}
	}
	// A context that was cancelled with a cause of its own makes the transport fail with that cause.
	if ended := x.ctx.Err(); ended != nil && e.cause != nil && !errors.Is(e.cause, ended) {
		e.cause = errors.Join(ended, e.cause)
	}
	return e
}
