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
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
)

func TestDataarts(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "dataarts")
}

const (
	testProject   = "6209b1e2c0ffee00aa11bb22cc33dd44"
	testWorkspace = "ab12cd34"
	testAccessKey = "TESTACCESSKEYID00001"
	testSecretKey = "test-secret-key-never-to-be-seen"

	// It begins with the access key, so that hiding only that would leave the rest to be seen.
	testSecurityToken = testAccessKey + "/security-token=="
	testToken         = "MIIT-token-never-to-be-seen"
)

// packRequest is a request that nothing is wrong with.
var packRequest = dataarts.PackRequest{
	PackageName:    "job_0948_20250513",
	ApplyUserID:    "f8ccc2ff3c7748e8a7bfede38ae1cffa",
	PendingItemIDs: []string{"26", "27"},
	ApproverIDs:    []string{"7b71e498e75d44048c9a22dd3c54f978"},
}

type option func(*dataarts.Config)

// aConfig is a configuration that nothing is wrong with.
func aConfig(endpoint string, options ...option) dataarts.Config {
	cfg := dataarts.Config{
		Endpoint:    endpoint,
		ProjectID:   testProject,
		WorkspaceID: testWorkspace,
		Credentials: dataarts.Credentials{AccessKey: testAccessKey, SecretKey: testSecretKey},
		AllowLocal:  true,
	}
	for _, o := range options {
		o(&cfg)
	}
	return cfg
}

func aClient(endpoint string, options ...option) *dataarts.Client {
	GinkgoHelper()
	c, err := dataarts.New(aConfig(endpoint, options...))
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(c.Close)
	return c
}

func withCredentials(credentials dataarts.Credentials) option {
	return func(cfg *dataarts.Config) { cfg.Credentials = credentials }
}

// aServer serves the handler on the loopback interface until the end of the spec.
func aServer(handler http.HandlerFunc) *httptest.Server {
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(GinkgoWriter, "", 0)
	server.Start()
	DeferCleanup(server.Close)
	return server
}

// answer is a handler that reads the request and answers with the status, the body and pairs of header names
// and values.
func answer(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// expectError expects an error of this package's making, fit to be shown, and returns it.
func expectError(err error) *dataarts.Error {
	GinkgoHelper()
	var e *dataarts.Error
	Expect(errors.As(err, &e)).To(BeTrue(), "got %v", err)
	Expect(err.Error()).To(Equal(e.Error()), "it is not wrapped")
	for _, unfit := range []string{testAccessKey, testSecretKey, testSecurityToken, testToken, "->", "\n"} {
		Expect(err.Error()).NotTo(ContainSubstring(unfit))
	}
	return e
}
