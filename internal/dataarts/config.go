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
	"cmp"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	defaultTimeout   = 30 * time.Second
	defaultUserAgent = "dataarts-operator"

	// maxUserAgent is the length up to which the vendor documents that the value is accepted.
	maxUserAgent = 50
)

// Config says which workspace a Client speaks to, as whom and over which way.
// Nothing that is left out here is taken from the environment, a profile file or a metadata service.
type Config struct {
	// Endpoint is scheme://host[:port] with the scheme http or https. A path, a query or user information is refused,
	// because the SDK would drop it silently.
	Endpoint string
	// ProjectID is the id of the cloud project that the workspace belongs to.
	ProjectID string
	// WorkspaceID is sent with every call: without it the service falls back to the account's default workspace.
	WorkspaceID string
	// Credentials authenticate every call.
	Credentials Credentials
	// CABundle holds PEM certificates to trust instead of the system's roots, for an https proxy too. Empty:
	// the system's roots.
	CABundle []byte
	// ProxyURL is the http or https proxy that all calls go through, where it may name a user and a password.
	// Empty: no proxy.
	ProxyURL string
	// AllowLocal permits connections, to the endpoint or the proxy, to this host, its link and metadata
	// services. What is checked is each address that is connected to, as a name may lead anywhere, and
	// elsewhere the next time.
	AllowLocal bool
	// Timeout bounds a whole call, from connecting to the last byte of the answer. A call that it ends fails with
	// context.DeadlineExceeded. Zero: 30 seconds.
	Timeout time.Duration
	// UserAgent names the caller to the service: printable ASCII of at most 50 characters. Empty: "dataarts-operator".
	UserAgent string
}

// ConfigError reports a Config that no Client can be made from. It never repeats the value of the field.
type ConfigError struct {
	// Field is the name of the field of Config, such as "Endpoint" or "Credentials".
	Field string
	// Problem says what is wrong with it.
	Problem string
}

// Error implements error.
func (e *ConfigError) Error() string {
	return fmt.Sprintf("invalid %s: %s", e.Field, e.Problem)
}

// settings is a Config after validation, with the defaults filled in.
type settings struct {
	endpoint    string
	projectID   string
	workspaceID string
	credentials Credentials
	roots       *x509.CertPool // nil: the system's roots
	proxy       *url.URL       // nil: no proxy
	allowLocal  bool
	timeout     time.Duration
	userAgent   string
}

// validate turns a Config into settings, or says which field is wrong first.
func (c Config) validate() (settings, error) {
	s := settings{
		projectID:   c.ProjectID,
		workspaceID: c.WorkspaceID,
		credentials: c.Credentials,
		allowLocal:  c.AllowLocal,
		timeout:     cmp.Or(c.Timeout, defaultTimeout),
		userAgent:   cmp.Or(c.UserAgent, defaultUserAgent),
	}
	var err error
	if s.endpoint, err = parseEndpoint(c.Endpoint); err != nil {
		return settings{}, invalid("Endpoint", err)
	}
	if err := checkID(c.ProjectID); err != nil {
		return settings{}, invalid("ProjectID", err)
	}
	if err := checkID(c.WorkspaceID); err != nil {
		return settings{}, invalid("WorkspaceID", err)
	}
	if err := c.Credentials.check(); err != nil {
		return settings{}, invalid("Credentials", err)
	}
	if s.roots, err = parseRoots(c.CABundle); err != nil {
		return settings{}, invalid("CABundle", err)
	}
	if s.proxy, err = parseProxy(c.ProxyURL); err != nil {
		return settings{}, invalid("ProxyURL", err)
	}
	if s.timeout < 0 {
		return settings{}, invalid("Timeout", errors.New("must not be negative"))
	}
	if err := checkUserAgent(s.userAgent); err != nil {
		return settings{}, invalid("UserAgent", err)
	}
	return s, nil
}

func invalid(field string, problem error) error {
	return &ConfigError{Field: field, Problem: problem.Error()}
}

func parseEndpoint(raw string) (string, error) {
	u, err := parseOrigin(raw)
	if err != nil {
		return "", err
	}
	if u.User != nil {
		return "", errors.New("must not contain user information")
	}
	return u.Scheme + "://" + u.Host, nil
}

// parseProxy returns nil for no proxy.
func parseProxy(raw string) (*url.URL, error) {
	if raw == "" {
		return nil, nil
	}
	return parseOrigin(raw)
}

// parseOrigin parses scheme://[user@]host[:port]. Its errors leave the value out, which may contain a password.
func parseOrigin(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, errors.New("is not a URL")
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("must start with http:// or https://")
	}
	if u.Hostname() == "" {
		return nil, errors.New("must name a host")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return nil, errors.New("must have a port between 1 and 65535")
		}
	}
	if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return nil, errors.New("must not have a path, a query or a fragment")
	}
	return u, nil
}

// parseRoots returns nil for the system's roots, as tls.Config has it. It is stricter than CertPool.AppendCertsFromPEM,
// which skips what it cannot read: a damaged bundle should be seen where it is configured, not as a failing handshake.
func parseRoots(bundle []byte) (*x509.CertPool, error) {
	if len(bundle) == 0 {
		return nil, nil
	}
	pool := x509.NewCertPool()
	found := false
	for bundle = skipText(bundle); len(bundle) > 0; bundle = skipText(bundle) {
		block, rest, err := firstBlock(bundle)
		if err != nil {
			return nil, err
		}
		if block.Type != "CERTIFICATE" {
			return nil, errors.New("must contain only PEM blocks of the type CERTIFICATE")
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, errors.New("contains a certificate that cannot be parsed")
		}
		pool.AddCert(certificate)
		bundle, found = rest, true
	}
	if !found {
		return nil, errors.New("contains no PEM certificate")
	}
	return pool, nil
}

// beginsBlock is how each PEM block begins.
var beginsBlock = []byte("-----BEGIN ")

// firstBlock decodes the block that a bundle begins with. pem.Decode would look for the next one that it can read.
func firstBlock(bundle []byte) (*pem.Block, []byte, error) {
	if !bytes.HasPrefix(bundle, beginsBlock) {
		return nil, nil, errors.New("contains the rest of a damaged PEM block")
	}
	block, rest := pem.Decode(bundle)
	if block == nil || bytes.Count(bundle[:len(bundle)-len(rest)], beginsBlock) != 1 {
		return nil, nil, errors.New("contains a damaged PEM block")
	}
	return block, rest, nil
}

// skipText returns what follows the lines that say whose certificate comes next (RFC 7468, section 2). A line
// with the dashes of a block's begin or end is none of them.
func skipText(bundle []byte) []byte {
	for len(bundle) > 0 {
		line, rest, _ := bytes.Cut(bundle, []byte("\n"))
		if bytes.Contains(line, []byte("-----")) {
			return bytes.TrimLeft(bundle, " \t")
		}
		bundle = rest
	}
	return nil
}

// checkUserAgent keeps the header as it is on its way: it is part of what the SDK signs.
func checkUserAgent(s string) error {
	if len(s) > maxUserAgent {
		return fmt.Errorf("must not be longer than %d characters", maxUserAgent)
	}
	if strings.TrimSpace(s) != s || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) {
		return errors.New("must be printable ASCII without spaces around it")
	}
	return nil
}
