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

package dataarts_test

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
)

var _ = Describe("A proxy", func() {
	It("carries the calls, and its password is for it alone", func(ctx SpecContext) {
		server := aTLSServer(func(w http.ResponseWriter, r *http.Request) {
			Expect(r.Header).NotTo(HaveKey("Proxy-Authorization"))
			answer(200, packed)(w, r)
		}, tls.VersionTLS13)
		var tunnels sync.WaitGroup
		authorization := make(chan string, 1)
		proxy := aServer(func(w http.ResponseWriter, r *http.Request) {
			tunnels.Add(1)
			defer tunnels.Done()
			authorization <- r.Method + " " + r.Host + " " + r.Header.Get("Proxy-Authorization")
			tunnel(w, r)
		})
		DeferCleanup(tunnels.Wait)

		c := aClient(server.URL, trusting(server), func(c *dataarts.Config) {
			c.ProxyURL = strings.Replace(proxy.URL, "http://", "http://user:word@", 1)
		})
		Expect(c.Pack(ctx, packRequest)).To(Equal("13"))
		Expect(authorization).To(Receive(Equal("CONNECT " + server.Listener.Addr().String() + " Basic dXNlcjp3b3Jk")))
		c.Close()
	})

	It("that refuses keeps the request from leaving", func(ctx SpecContext) {
		proxy := aServer(answer(http.StatusProxyAuthRequired, ""))
		c := aClient("https://dayu.example.test", func(c *dataarts.Config) {
			c.ProxyURL = strings.Replace(proxy.URL, "http://", "http://user:hush-hush@", 1)
		})
		_, err := c.Pack(ctx, packRequest)
		Expect(expectError(err).Kind).To(Equal(dataarts.Unreachable))
		Expect(err).To(MatchError(And(ContainSubstring("Proxy Authentication Required"), Not(ContainSubstring("hush-hush")))))
	})

	It("is not taken from the environment", func(ctx SpecContext) {
		proxy := aServer(answer(200, packed))
		GinkgoT().Setenv("HTTP_PROXY", proxy.URL)
		_, err := aClient("http://"+strings.Repeat("a", 64)+".test").Pack(ctx, packRequest)
		Expect(expectError(err).Kind).To(Equal(dataarts.Unreachable))
	})
})

// tunnel is the proxy's side of CONNECT. It returns when one side has hung up.
func tunnel(w http.ResponseWriter, r *http.Request) {
	// The answer is written by hand: the server would read ahead as soon as it had sent it.
	client, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	var dialer net.Dialer
	upstream, err := dialer.DialContext(r.Context(), "tcp", r.Host)
	if err != nil {
		_ = client.Close()
		return
	}
	_, _ = io.WriteString(client, "HTTP/1.1 200 OK\r\n\r\n")
	var copies sync.WaitGroup
	for to, from := range map[net.Conn]net.Conn{upstream: client, client: upstream} {
		copies.Go(func() {
			_, _ = io.Copy(to, from)
			_ = to.Close()
		})
	}
	copies.Wait()
}
