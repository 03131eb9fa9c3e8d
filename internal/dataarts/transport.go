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
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

const (
	dialTimeout         = 10 * time.Second
	tlsHandshakeTimeout = 10 * time.Second

	// idleTimeout is well below what load balancers commonly keep a connection open for. A request must not meet a
	// connection that the other side is closing: a POST would end without an answer.
	idleTimeout = 30 * time.Second

	maxIdleConnections = 8
	maxHeaderBytes     = 64 << 10
)

// newTransport returns the transport that all calls of a Client share.
//
// It speaks HTTP/1.1 only. There, Go sends a request again on another connection only if not a byte of it was written,
// or if the method is safe; with HTTP/2 it would also repeat a POST that was sent and then refused by the peer.
func newTransport(s settings) *http.Transport {
	dialer := &net.Dialer{Timeout: dialTimeout}
	if !s.allowLocal {
		dialer.Control = refuseLocal
	}
	t := &http.Transport{
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: s.roots},
		TLSHandshakeTimeout:    tlsHandshakeTimeout,
		IdleConnTimeout:        idleTimeout,
		MaxIdleConns:           maxIdleConnections,
		MaxIdleConnsPerHost:    maxIdleConnections,
		MaxResponseHeaderBytes: maxHeaderBytes,
		Protocols:              new(http.Protocols),
	}
	t.Protocols.SetHTTP1(true)
	if s.proxy != nil {
		t.Proxy = http.ProxyURL(s.proxy)
	}
	return t
}
