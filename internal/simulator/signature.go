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

package simulator

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const (
	signAlgorithm = "SDK-HMAC-SHA256"
	sdkDateHeader = "X-Sdk-Date"
	sdkDateLayout = "20060102T150405Z"
)

// authorization is a parsed Authorization header.
type authorization struct {
	accessKey     string
	signedHeaders []string // lower case, in the order of the header
	signature     []byte
}

// parseAuthorization reads "SDK-HMAC-SHA256 Access=AK, SignedHeaders=a;b, Signature=hex".
func parseAuthorization(value string) (authorization, bool) {
	fields, ok := strings.CutPrefix(value, signAlgorithm+" ")
	if !ok {
		return authorization{}, false
	}
	var a authorization
	for field := range strings.SplitSeq(fields, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		switch name {
		case "Access":
			a.accessKey = value
		case "SignedHeaders":
			a.signedHeaders = strings.Split(strings.ToLower(value), ";")
		case "Signature":
			signature, err := hex.DecodeString(value)
			if err != nil {
				return authorization{}, false
			}
			a.signature = signature
		}
	}
	// A date that is not signed could be replaced to replay the request later.
	complete := a.accessKey != "" && slices.Contains(a.signedHeaders, strings.ToLower(sdkDateHeader))
	return a, complete
}

// signatureOf computes what the client should have sent.
func signatureOf(r *http.Request, body []byte, signedHeaders []string, secretKey string) []byte {
	canonical := strings.Join([]string{
		r.Method,
		canonicalPath(r.URL),
		canonicalQuery(r.URL),
		canonicalHeaders(r, signedHeaders),
		strings.Join(signedHeaders, ";"),
		hexDigest(body),
	}, "\n")
	text := strings.Join([]string{signAlgorithm, r.Header.Get(sdkDateHeader), hexDigest([]byte(canonical))}, "\n")
	mac := hmac.New(sha256.New, []byte(secretKey))
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

func hexDigest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// canonicalPath escapes each segment anew, since a client may send it escaped in another way than it
// signed it. The path ends in a slash here, though no published one does.
func canonicalPath(u *url.URL) string {
	segments := strings.Split(u.EscapedPath(), "/")
	for i, s := range segments {
		segments[i] = escape(unescape(s))
	}
	return strings.Join(segments, "/") + "/"
}

func canonicalQuery(u *url.URL) string {
	query := u.Query()
	var pairs []string
	for _, key := range slices.Sorted(maps.Keys(query)) {
		for _, value := range slices.Sorted(slices.Values(query[key])) {
			pairs = append(pairs, escape(key)+"="+escape(value))
		}
	}
	return strings.Join(pairs, "&")
}

// canonicalHeaders ends every header in a newline, the last one included. net/http has trimmed the values.
func canonicalHeaders(r *http.Request, names []string) string {
	var b strings.Builder
	for _, name := range names {
		values := r.Header.Values(name)
		if name == "host" { // net/http keeps it apart
			values = []string{r.Host}
		}
		for _, value := range slices.Sorted(slices.Values(values)) {
			b.WriteString(name + ":" + value + "\n")
		}
	}
	return b.String()
}

// escape percent-encodes everything but the unreserved characters of RFC 3986.
func escape(s string) string {
	// QueryEscape differs from RFC 3986 in the space alone.
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}
