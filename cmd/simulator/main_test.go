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
	"bytes"
	"context"
	"flag"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"
)

func TestCommand(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Simulator command")
}

var _ = Describe("Command", func() {
	// launch runs the command on free ports and returns the addresses it prints, and how it ends.
	launch := func(ctx SpecContext, args ...string) (service, control string, stop func() error) {
		GinkgoHelper()
		running, cancel := context.WithCancel(ctx)
		out, done := gbytes.NewBuffer(), make(chan error, 1)
		go func() {
			done <- run(running, append([]string{"--listen=127.0.0.1:0", "--control-listen=127.0.0.1:0"}, args...),
				out, io.Discard)
		}()
		var result error
		stopped := false
		stop = func() error {
			cancel()
			if !stopped {
				Eventually(done).WithTimeout(2 * shutdownTimeout).Should(Receive(&result))
				stopped = true
			}
			return result
		}
		DeferCleanup(func() { Expect(stop()).To(Succeed()) })
		// Passed as second argument the buffer would be formatted, unlocked, to see if it is a duration.
		Eventually(out).WithContext(ctx).Should(gbytes.Say(`control API: .*\n`))
		lines := strings.Fields(string(out.Contents()))
		return lines[2], lines[5], stop
	}

	request := func(ctx context.Context, method, url, body string, header http.Header) (int, string) {
		GinkgoHelper()
		r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
		Expect(err).NotTo(HaveOccurred())
		r.Header = header
		r.Close = true
		resp, err := http.DefaultClient.Do(r)
		Expect(err).NotTo(HaveOccurred())
		defer func() { Expect(resp.Body.Close()).To(Succeed()) }()
		data, err := io.ReadAll(resp.Body)
		Expect(err).NotTo(HaveOccurred())
		return resp.StatusCode, string(data)
	}

	It("serves the demonstration on the addresses it prints", func(ctx SpecContext) {
		service, control, _ := launch(ctx)
		demoUser := http.Header{"X-Auth-Token": {"demo-token"}, "Workspace": {"ab12c3d4e5f647a8b9c0d1e2f3a4b5c6"}}
		status, body := request(ctx, http.MethodGet,
			service+"/v2/62099355b894428e8916573ae635f1f9/factory/pending-items", "", demoUser)
		Expect(status).To(Equal(http.StatusOK))
		Expect(body).To(ContainSubstring(`"item_name":"job_0948"`))
		status, body = request(ctx, http.MethodGet, control+"/counts", "", http.Header{})
		Expect(status).To(Equal(http.StatusOK))
		Expect(body).To(MatchJSON(`{"list-items":1}`))
	})

	It("ends with its context, calls it is holding included", func(ctx SpecContext) {
		service, control, stop := launch(ctx, "--latency=1h")
		done := make(chan error, 1)
		r, err := http.NewRequestWithContext(ctx, http.MethodGet,
			service+"/v2/62099355b894428e8916573ae635f1f9/factory/pending-items", http.NoBody)
		Expect(err).NotTo(HaveOccurred())
		r.Header = http.Header{"X-Auth-Token": {"demo-token"}, "Workspace": {"ab12c3d4e5f647a8b9c0d1e2f3a4b5c6"}}
		go func() {
			resp, err := http.DefaultClient.Do(r)
			if err == nil {
				err = resp.Body.Close()
			}
			done <- err
		}()
		Eventually(ctx, func() string {
			_, body := request(ctx, http.MethodGet, control+"/requests", "", http.Header{})
			return body
		}).Should(ContainSubstring(`"user"`))
		Expect(stop()).To(Succeed())
		Eventually(ctx, done).Should(Receive(HaveOccurred()))
	})

	It("reads a configuration and obeys its flags", func(ctx SpecContext) {
		file := filepath.Join(GinkgoT().TempDir(), "config.json")
		Expect(os.WriteFile(file, []byte(`{"users":[{"id":"u","token":"t","projects":["p"]}],
			"workspaces":[{"projectId":"p","id":"w"}]}`), 0o600)).To(Succeed())
		service, _, _ := launch(ctx, "--config="+file, "--rate-limit=1")
		user := http.Header{"X-Auth-Token": {"t"}, "Workspace": {"w"}}
		Eventually(ctx, func() int {
			status, _ := request(ctx, http.MethodGet, service+"/v2/p/factory/pending-items", "", user)
			return status
		}).Should(Equal(http.StatusTooManyRequests))
	})

	It("prints its demonstration", func(ctx SpecContext) {
		var out bytes.Buffer
		Expect(run(ctx, []string{"--print-config"}, &out, io.Discard)).To(Succeed())
		Expect(out.String()).To(MatchJSON(demo))
	})

	It("explains every flag", func(ctx SpecContext) {
		var help bytes.Buffer
		Expect(run(ctx, []string{"--help"}, io.Discard, &help)).To(MatchError(flag.ErrHelp))
		for _, name := range []string{
			"config", "control-listen", "deploy-duration", "latency", "listen", "print-config", "rate-limit",
		} {
			Expect(help.String()).To(ContainSubstring("  -" + name))
		}
	})

	DescribeTable("fails to start with", func(ctx SpecContext, args ...string) {
		limited, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		Expect(run(limited, args, io.Discard, io.Discard)).NotTo(Succeed())
		Expect(limited.Err()).NotTo(HaveOccurred(), "it never ran")
	},
		Entry("an unknown flag", "--colour=red"),
		Entry("an argument", "now"),
		Entry("a missing configuration", "--config=/does/not/exist"),
		Entry("an impossible configuration", "--rate-limit=-1"),
		Entry("an impossible address", "--listen=127.0.0.1:-1"),
		Entry("an impossible control address", "--listen=127.0.0.1:0", "--control-listen=127.0.0.1:-1"),
	)

	It("fails to start on an address in use", func(ctx SpecContext) {
		var listen net.ListenConfig
		l, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(l.Close)
		Expect(run(ctx, []string{"--listen=" + l.Addr().String()}, io.Discard, io.Discard)).NotTo(Succeed())
	})
})
