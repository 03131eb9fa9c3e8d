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
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/dataartsstudio/v1/region"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
)

var _ = Describe("Config", func() {
	DescribeTable("is refused with the name of the field", func(field string, change option) {
		_, err := dataarts.New(aConfig("https://dayu.example.test", change))
		var e *dataarts.ConfigError
		Expect(errors.As(err, &e)).To(BeTrue(), "got %v", err)
		Expect(e.Field).To(Equal(field))
		Expect(e.Problem).NotTo(BeEmpty())
		Expect(err.Error()).NotTo(Or(ContainSubstring("hush"), ContainSubstring(testSecretKey)))
	},
		Entry("no endpoint", "Endpoint", func(c *dataarts.Config) { c.Endpoint = "" }),
		Entry("an endpoint without a scheme", "Endpoint", func(c *dataarts.Config) { c.Endpoint = "dayu.example.test" }),
		Entry("an endpoint with a scheme of its own", "Endpoint",
			func(c *dataarts.Config) { c.Endpoint = "ftp://dayu.example.test" }),
		Entry("an endpoint without a host", "Endpoint", func(c *dataarts.Config) { c.Endpoint = "https://:443" }),
		Entry("an endpoint with a path", "Endpoint",
			func(c *dataarts.Config) { c.Endpoint = "https://dayu.example.test/v2" }),
		Entry("an endpoint with a query", "Endpoint",
			func(c *dataarts.Config) { c.Endpoint = "https://dayu.example.test?a=b" }),
		Entry("an endpoint with an empty query", "Endpoint",
			func(c *dataarts.Config) { c.Endpoint = "https://dayu.example.test?" }),
		Entry("an endpoint with a user", "Endpoint",
			func(c *dataarts.Config) { c.Endpoint = "https://u:hush@dayu.example.test" }),
		Entry("an endpoint with port 0", "Endpoint", func(c *dataarts.Config) { c.Endpoint = "https://dayu.example.test:0" }),
		Entry("an endpoint with port 65536", "Endpoint",
			func(c *dataarts.Config) { c.Endpoint = "https://dayu.example.test:65536" }),
		Entry("no project", "ProjectID", func(c *dataarts.Config) { c.ProjectID = "" }),
		Entry("a project that is too long", "ProjectID", func(c *dataarts.Config) { c.ProjectID = strings.Repeat("a", 129) }),
		Entry("a project that is a path", "ProjectID", func(c *dataarts.Config) { c.ProjectID = "a/../b" }),
		Entry("no workspace", "WorkspaceID", func(c *dataarts.Config) { c.WorkspaceID = "" }),
		Entry("a workspace with a line break", "WorkspaceID", func(c *dataarts.Config) { c.WorkspaceID = "a\r\nb" }),
		Entry("no credentials", "Credentials", func(c *dataarts.Config) { c.Credentials = dataarts.Credentials{} }),
		Entry("half a key", "Credentials", func(c *dataarts.Config) { c.Credentials.AccessKey = "" }),
		Entry("the other half", "Credentials", func(c *dataarts.Config) { c.Credentials.SecretKey = "" }),
		Entry("only a security token", "Credentials",
			withCredentials(dataarts.Credentials{SecurityToken: "hush"})),
		Entry("a key and a token", "Credentials", func(c *dataarts.Config) { c.Credentials.Token = "hush" }),
		Entry("a token with a line break", "Credentials", withCredentials(dataarts.Credentials{Token: "hush\n"})),
		Entry("a bundle that is no PEM", "CABundle", func(c *dataarts.Config) { c.CABundle = []byte("nonsense") }),
		Entry("a bundle with a damaged certificate", "CABundle", func(c *dataarts.Config) {
			c.CABundle = []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
		}),
		Entry("a bundle with a key", "CABundle", func(c *dataarts.Config) {
			c.CABundle = []byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
		}),
		Entry("a bundle whose second certificate is cut", "CABundle", func(c *dataarts.Config) {
			c.CABundle = append(aCABundle(), aCABundle()[:200]...)
		}),
		Entry("a bundle whose first certificate is cut", "CABundle", func(c *dataarts.Config) {
			c.CABundle = append(append(aCABundle()[:200:200], '\n'), aCABundle()...)
		}),
		Entry("a bundle whose second certificate has a stray character", "CABundle", func(c *dataarts.Config) {
			c.CABundle = append(aCABundle(), bytes.Replace(aCABundle(), []byte("\nM"), []byte("\n?M"), 1)...)
		}),
		Entry("a bundle whose second certificate has lost a dash", "CABundle", func(c *dataarts.Config) {
			c.CABundle = append(aCABundle(), aCABundle()[1:]...)
		}),
		Entry("a bundle with the end of a certificate too many", "CABundle", func(c *dataarts.Config) {
			c.CABundle = append(aCABundle(), []byte("-----END CERTIFICATE-----\n")...)
		}),
		Entry("a bundle of comments alone", "CABundle", func(c *dataarts.Config) { c.CABundle = []byte("# ours\n") }),
		Entry("a proxy with a scheme of its own", "ProxyURL",
			func(c *dataarts.Config) { c.ProxyURL = "ftp://u:hush@proxy.test" }),
		Entry("a proxy that is no URL", "ProxyURL", func(c *dataarts.Config) { c.ProxyURL = "http://u:hush@proxy.test:x" }),
		Entry("a negative timeout", "Timeout", func(c *dataarts.Config) { c.Timeout = -time.Second }),
		Entry("a user agent with a line break", "UserAgent", func(c *dataarts.Config) { c.UserAgent = "a\nb" }),
		Entry("a user agent with a space behind it", "UserAgent", func(c *dataarts.Config) { c.UserAgent = "a " }),
		Entry("a user agent that is too long", "UserAgent",
			func(c *dataarts.Config) { c.UserAgent = strings.Repeat("a", 51) }),
	)

	DescribeTable("is accepted", func(change option) {
		c, err := dataarts.New(aConfig("https://dayu.example.test", change))
		Expect(err).NotTo(HaveOccurred())
		c.Close()
	},
		Entry("a slash behind the endpoint", func(c *dataarts.Config) { c.Endpoint += "/" }),
		Entry("a port", func(c *dataarts.Config) { c.Endpoint += ":8443" }),
		Entry("an IPv6 address", func(c *dataarts.Config) { c.Endpoint = "http://[::1]:8080" }),
		Entry("a bundle with comments and blank lines", func(c *dataarts.Config) {
			c.CABundle = slices.Concat([]byte("# one\n\n"), aCABundle(), []byte("\r\n# two\n"), aCABundle(), []byte("\n#"))
		}),
		Entry("a bundle with titles, as they are published", func(c *dataarts.Config) {
			c.CABundle = slices.Concat([]byte("Our Root CA\n===========\n"), aCABundle(), []byte("subject=CN = two\n"),
				aCABundle())
		}),
		Entry("a proxy with a password", func(c *dataarts.Config) { c.ProxyURL = "http://u:p@proxy.test:3128" }),
		Entry("a token", withCredentials(dataarts.Credentials{Token: testToken})),
	)
})

var _ = Describe("Credentials", func() {
	credentials := dataarts.Credentials{
		AccessKey: testAccessKey, SecretKey: testSecretKey, SecurityToken: testSecurityToken, Token: testToken,
	}

	DescribeTable("do not show themselves", func(show func() string) {
		Expect(show()).To(And(
			ContainSubstring("redacted"), Not(ContainSubstring(testAccessKey)), Not(ContainSubstring(testSecretKey)),
			Not(ContainSubstring(testSecurityToken)), Not(ContainSubstring(testToken)),
		))
	},
		Entry("as a string", credentials.String),
		Entry("in Go syntax", credentials.GoString),
		Entry("with %v of a list", func() string { return fmt.Sprintf("%v", []dataarts.Credentials{credentials}) }),
		Entry("with %+v of what holds them",
			func() string { return fmt.Sprintf("%+v", aConfig("", withCredentials(credentials))) }),
		Entry("with %#v of what holds them",
			func() string { return fmt.Sprintf("%#v", aConfig("", withCredentials(credentials))) }),
		Entry("with %q of a pointer", func() string { return fmt.Sprintf("%q", &credentials) }),
		Entry("with a verb that is not meant for them",
			func() string { return fmt.Sprintf("%d %x", credentials, credentials) }),
		Entry("as JSON", func() string {
			b, err := json.Marshal(aConfig("", withCredentials(credentials)))
			Expect(err).NotTo(HaveOccurred())
			return string(b)
		}),
		Entry("in a log", func() string {
			out := gbytes.NewBuffer()
			slog.New(slog.NewTextHandler(out, nil)).Info("x", "credentials", credentials)
			return string(out.Contents())
		}),
	)
})

var _ = Describe("EndpointForRegion", func() {
	It("knows the regions of the SDK", func() {
		_, err := region.SafeValueOf("nowhere")
		Expect(err).To(MatchError(ContainSubstring("[")))
		// The SDK has its table only in this text.
		_, list, _ := strings.Cut(strings.TrimSuffix(err.Error(), "]"), "[")
		want := strings.Split(list, ", ")
		got := dataarts.KnownRegions()
		slices.Sort(got)
		Expect(got).To(Equal(want))
	})

	DescribeTable("returns an endpoint that New accepts", func(id string) {
		endpoint, err := dataarts.EndpointForRegion(id)
		Expect(err).NotTo(HaveOccurred())
		Expect(endpoint).To(ContainSubstring(id))
		_, err = dataarts.New(aConfig(endpoint))
		Expect(err).NotTo(HaveOccurred())
	}, func() (entries []TableEntry) {
		for _, id := range dataarts.KnownRegions() {
			entries = append(entries, Entry(id, id))
		}
		return entries
	}())

	It("returns the documented endpoint of Dublin", func() {
		Expect(dataarts.EndpointForRegion("eu-west-101")).To(Equal("https://dayu.eu-west-101.myhuaweicloud.eu"))
	})

	It("is not influenced by the environment", func() {
		GinkgoT().Setenv("HUAWEICLOUD_SDK_REGION_DATAARTSSTUDIO_CN_NORTH_4", "https://elsewhere.test")
		Expect(dataarts.EndpointForRegion("cn-north-4")).To(Equal("https://dayu.cn-north-4.myhuaweicloud.com"))
	})

	DescribeTable("says what to do about a region that it does not know", func(id string) {
		_, err := dataarts.EndpointForRegion(id)
		Expect(err).To(MatchError(And(ContainSubstring("unknown region"), ContainSubstring("set an endpoint"))))
	},
		Entry("a wrong one", "nowhere-1"),
		Entry("none", ""),
	)
})
