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
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gleak"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
)

// hang reads the request and then answers with what is given, but never comes to its end.
func hang(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if status != 0 {
			w.Header().Set("Content-Length", "1000")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
			_ = http.NewResponseController(w).Flush()
		}
		<-r.Context().Done()
	}
}

var _ = Describe("A call", func() {
	DescribeTable("ends with its context", func(ctx SpecContext, handler http.HandlerFunc) {
		arrived := make(chan struct{})
		server := aServer(func(w http.ResponseWriter, r *http.Request) {
			close(arrived)
			handler(w, r)
		})
		c := aClient(server.URL)
		because := errors.New("because")
		calling, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		failed := make(chan error)
		go func() {
			_, err := c.Pack(calling, packRequest)
			failed <- err
		}()
		Eventually(arrived).Should(BeClosed())
		cancel(because)
		var err error
		Eventually(failed).Should(Receive(&err))
		Expect(expectError(err).Kind).To(Equal(dataarts.Unknown))
		Expect(err).To(And(MatchError(context.Canceled), MatchError(because)))
	},
		Entry("while it waits for the answer", hang(0, "")),
		Entry("while it reads the answer", hang(200, packed)),
		Entry("while it reads an error", hang(400, `{"error_code":"DLF.3051"`)),
	)

	DescribeTable("ends at its timeout", func(ctx SpecContext, kind dataarts.Kind, handler http.HandlerFunc) {
		c := aClient(aServer(handler).URL, func(c *dataarts.Config) { c.Timeout = 50 * time.Millisecond })
		_, err := c.Pack(ctx, packRequest)
		Expect(expectError(err).Kind).To(Equal(kind))
		Expect(err).To(MatchError(context.DeadlineExceeded))
		Expect(err).To(MatchError(HaveSuffix("timed out")))
	},
		Entry("while it waits for the answer", dataarts.Unknown, hang(0, "")),
		Entry("while it reads the answer", dataarts.Unknown, hang(200, packed)),
		Entry("while it reads a throttling", dataarts.Throttled, hang(429, "x")),
	)

	It("sends nothing if its context has ended", func(ctx SpecContext) {
		endpoint, requests := aRecorder(packed)
		calling, cancel := context.WithCancel(ctx)
		cancel()
		_, err := aClient(endpoint).Pack(calling, packRequest)
		Expect(expectError(err).Kind).To(Equal(dataarts.Unreachable))
		Expect(err).To(MatchError(context.Canceled))
		Expect(requests).NotTo(Receive())
	})

	It("survives a panic of the SDK", func(ctx SpecContext) {
		err := aClient("http://127.0.0.1:1").InvokePanicking(ctx, "with the key "+testSecretKey)
		Expect(expectError(err).Message).To(Equal("the SDK panicked: with the key [redacted]"))
	})

	It("can run beside others on the same client, which leaves nothing behind", func(ctx SpecContext) {
		before := gleak.Goroutines()
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			id := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
			answer(200, strings.Replace(shown, `"13"`, `"`+id+`"`, 1))(w, r)
		}))
		DeferCleanup(server.Close)
		c := aClient(server.URL)

		var calls sync.WaitGroup
		for _, id := range strings.Split(strings.Repeat("13 14 15 16 ", 25), " ")[:100] {
			calls.Go(func() {
				defer GinkgoRecover()
				Expect(c.Show(ctx, id)).To(HaveField("ID", id))
			})
		}
		calls.Wait()
		c.Close()
		server.Close()
		Eventually(gleak.Goroutines).Should(Not(gleak.HaveLeaked(before)))
	})
})
