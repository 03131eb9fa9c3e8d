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
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
)

// hangUp closes the connection of a request, after reading it, in a way that the other side sees as a reset.
func hangUp(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// aListener accepts connections and hands them to serve, one after the other.
func aListener(serve func(net.Conn)) string {
	GinkgoHelper()
	var listen net.ListenConfig
	l, err := listen.Listen(context.Background(), "tcp", "127.0.0.1:0")
	Expect(err).NotTo(HaveOccurred())
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serve(conn)
		}
	}()
	DeferCleanup(func() {
		_ = l.Close()
		Eventually(stopped).Should(BeClosed())
	})
	return l.Addr().String()
}

func aTLSServer(handler http.HandlerFunc, maxVersion uint16) *httptest.Server {
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(GinkgoWriter, "", 0)
	server.TLS = &tls.Config{MaxVersion: maxVersion, MinVersion: tls.VersionTLS10}
	server.StartTLS()
	DeferCleanup(server.Close)
	return server
}

// aCABundle is one certificate.
func aCABundle() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: anExpiredCertificate().Certificate[0]})
}

// anExpiredCertificate is valid for 127.0.0.1, or was.
func anExpiredCertificate() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	Expect(err).NotTo(HaveOccurred())
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore:    time.Now().Add(-2 * time.Hour),
		NotAfter:     time.Now().Add(-time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	Expect(err).NotTo(HaveOccurred())
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func trusting(server *httptest.Server) option {
	return func(c *dataarts.Config) {
		c.CABundle = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	}
}

const packed = `{"release_package_id":"13"}`

var _ = Describe("A connection", func() {
	DescribeTable("that breaks leaves the outcome open", func(ctx SpecContext, handler http.HandlerFunc) {
		_, err := aClient(aServer(handler).URL).Pack(ctx, packRequest)
		e := expectError(err)
		Expect(e.Kind).To(Equal(dataarts.Unknown))
		Expect(e).To(MatchError(ContainSubstring("connection was lost")))
	},
		Entry("instead of an answer", hangUp),
		Entry("within an answer", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1000")
			answer(200, packed)(w, r)
		}),
	)

	It("keeps what the status says if the body does not come to its end", func(ctx SpecContext) {
		_, err := aClient(aServer(answer(401, "", "Content-Length", "1000")).URL).Pack(ctx, packRequest)
		Expect(expectError(err).Kind).To(Equal(dataarts.Unauthorized))
		Expect(err).To(MatchError(io.ErrUnexpectedEOF))
	})

	DescribeTable("that was never made proves that nothing was sent",
		func(ctx SpecContext, endpoint func() string, text string, options ...option) {
			_, err := aClient(endpoint(), options...).Pack(ctx, packRequest)
			e := expectError(err)
			Expect(e.Kind).To(Equal(dataarts.Unreachable))
			Expect(e).To(MatchError(ContainSubstring(text)))
		},
		Entry("nobody listens", func() string { return "http://127.0.0.1:1" }, "connection refused"),
		// A label of more than 63 characters is no name at all, so the resolver does not ask around for it.
		Entry("there is no such host", func() string { return "http://" + strings.Repeat("a", 64) + ".test" },
			"no such host"),
		Entry("the certificate is not trusted",
			func() string { return aTLSServer(answer(200, packed), tls.VersionTLS13).URL }, "unknown authority"),
		Entry("the certificate is for someone else", func() string {
			server := aTLSServer(answer(200, packed), tls.VersionTLS13)
			return strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
		}, "certificate"),
		Entry("the server's TLS is outdated",
			func() string { return aTLSServer(answer(200, packed), tls.VersionTLS11).URL }, "tls: "),
		Entry("the server does not speak TLS", func() string {
			return strings.Replace(aServer(answer(200, packed)).URL, "http:", "https:", 1)
		}, "server gave HTTP response to HTTPS client"),
		Entry("the server hangs up in the handshake", func() string {
			return "https://" + aListener(func(c net.Conn) { _ = c.Close() })
		}, "connection was lost"),
		Entry("there is no proxy", func() string { return "https://dayu.example.test" }, "connection refused",
			func(c *dataarts.Config) { c.ProxyURL = "http://127.0.0.1:1" }),
	)

	It("is not trusted with a certificate that has expired, and the text does not tell the time", func(ctx SpecContext) {
		server := httptest.NewUnstartedServer(answer(200, packed))
		server.Config.ErrorLog = log.New(GinkgoWriter, "", 0)
		server.TLS = &tls.Config{Certificates: []tls.Certificate{anExpiredCertificate()}}
		server.StartTLS()
		DeferCleanup(server.Close)
		_, err := aClient(server.URL, trusting(server)).Pack(ctx, packRequest)
		Expect(expectError(err)).To(MatchError("pack: service unreachable: the certificate has expired or is not yet valid"))
	})

	It("is given up at the timeout if it is not made", func(ctx SpecContext) {
		accepted := make(chan net.Conn, 1)
		address := aListener(func(c net.Conn) { accepted <- c })
		c := aClient("https://"+address, func(c *dataarts.Config) { c.Timeout = 50 * time.Millisecond })
		_, err := c.Pack(ctx, packRequest)
		Expect(expectError(err)).To(MatchError("pack: service unreachable: timed out"))
		Expect(err).To(MatchError(context.DeadlineExceeded))

		// The handshake goes on in the background until the other side hangs up.
		var conn net.Conn
		Expect(accepted).To(Receive(&conn))
		Expect(conn.Close()).To(Succeed())
	})

	It("is trusted by the bundle", func(ctx SpecContext) {
		server := aTLSServer(answer(200, packed), tls.VersionTLS13)
		Expect(aClient(server.URL, trusting(server)).Pack(ctx, packRequest)).To(Equal("13"))
	})

	It("speaks HTTP/1.1 even if the server offers more", func(ctx SpecContext) {
		protocol := make(chan string, 1)
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			protocol <- r.Proto
			answer(200, packed)(w, r)
		}))
		server.EnableHTTP2 = true
		server.StartTLS()
		DeferCleanup(server.Close)
		Expect(aClient(server.URL, trusting(server)).Pack(ctx, packRequest)).To(Equal("13"))
		Expect(protocol).To(Receive(Equal("HTTP/1.1")))
	})

	It("is an unclear answer if the other side speaks no HTTP", func(ctx SpecContext) {
		address := aListener(func(c net.Conn) {
			_, _ = c.Read(make([]byte, 1))
			_, _ = io.WriteString(c, "220 mail.example.test ESMTP\r\n")
			_ = c.Close()
		})
		_, err := aClient("http://"+address).Pack(ctx, packRequest)
		Expect(expectError(err).Kind).To(Equal(dataarts.Unknown))
	})

	It("is unclear if the other side switches to another protocol", func(ctx SpecContext) {
		server := aServer(answer(http.StatusSwitchingProtocols, "", "Connection", "Upgrade", "Upgrade", "endless"))
		_, err := aClient(server.URL).Pack(ctx, packRequest)
		Expect(expectError(err).Kind).To(Equal(dataarts.Unknown))
	})

	DescribeTable("does not carry a POST elsewhere", func(ctx SpecContext, status int) {
		elsewhere, requests := aRecorder(packed)
		_, err := aClient(aServer(answer(status, "", "Location", elsewhere)).URL).Pack(ctx, packRequest)
		Expect(expectError(err).Kind).To(Equal(dataarts.Unknown))
		Expect(requests).NotTo(Receive())
	},
		Entry("as a GET", http.StatusFound),
		Entry("as it is", http.StatusTemporaryRedirect),
	)

	It("does not carry a POST twice", func(ctx SpecContext) {
		var requests atomic.Int32
		server := aServer(func(w http.ResponseWriter, r *http.Request) {
			if requests.Add(1) == 1 {
				answer(200, packed)(w, r)
				return
			}
			hangUp(w, r)
		})
		c := aClient(server.URL)
		Expect(c.Pack(ctx, packRequest)).To(Equal("13"))
		_, err := c.Pack(ctx, packRequest)
		Expect(expectError(err).Kind).To(Equal(dataarts.Unknown))
		Expect(requests.Load()).To(BeEquivalentTo(2))
	})

	DescribeTable("is not made to this host, its link or a metadata service unless that is allowed, whatever the name",
		func(ctx SpecContext, endpoint string, options ...option) {
			requests := make(chan string, 1)
			server := aServer(func(w http.ResponseWriter, r *http.Request) {
				requests <- r.Host
				answer(200, packed)(w, r)
			})
			_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
			at := func(url string) string { return strings.Replace(url, "PORT", port, 1) }
			_, err := aClient(at(endpoint), append(options, func(c *dataarts.Config) {
				c.AllowLocal, c.ProxyURL = false, at(c.ProxyURL)
			})...).Pack(ctx, packRequest)
			Expect(expectError(err).Kind).To(Equal(dataarts.Unreachable))
			Expect(err).To(MatchError(dataarts.ErrLocalAddress))
			Expect(requests).NotTo(Receive())
		},
		Entry("an address", "http://127.0.0.1:PORT"),
		Entry("a name", "http://localhost:PORT"),
		Entry("an address of IPv4 in IPv6", "http://[::ffff:127.0.0.1]:PORT"),
		Entry("no address in particular", "http://0.0.0.0:PORT"),
		Entry("metadata", "http://169.254.169.254"),
		Entry("metadata as IPv6", "http://[fd00:ec2::254]"),
		Entry("pod identity as IPv6", "http://[fd00:ec2::23]"),
		Entry("metadata through NAT64", "http://[64:ff9b::169.254.169.254]"),
		Entry("a proxy", "https://dayu.example.test", func(c *dataarts.Config) { c.ProxyURL = "http://localhost:PORT" }),
		Entry("a proxy with TLS", "https://dayu.example.test",
			func(c *dataarts.Config) { c.ProxyURL = "https://127.0.0.1:PORT" }),
	)
})
