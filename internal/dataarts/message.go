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
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"unicode"
)

const maxMessageRunes = 256

var errTooLong = errors.New("the answer is too long")

var (
	// echo matches where a message begins to repeat the request: when a signature does not match, the gateway
	// may answer with all that was signed, which includes the security token.
	echo = regexp.MustCompile(`(?i)canonical[ _-]?request|string[ _-]?to[ _-]?sign|sdk-hmac-sha256|` +
		`x-security-token|x-auth-token|authorization\s*[:=]|access\s*=|signature\s*[:=]`)

	// moment matches a date with a time, with or without separators.
	moment = regexp.MustCompile(`\d{4}-?\d{2}-?\d{2}[T ]\d{2}:?\d{2}:?\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})?`)
)

// redactor makes texts from outside fit to be shown.
type redactor struct {
	secrets *strings.Replacer
}

func newRedactor(secrets []string) redactor {
	secrets = slices.DeleteFunc(secrets, func(s string) bool { return s == "" })
	// The longest first: a secret that begins with another must not be left with its end showing.
	slices.SortFunc(secrets, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	pairs := make([]string, 0, 2*len(secrets))
	for _, s := range secrets {
		pairs = append(pairs, s, redacted)
	}
	return redactor{secrets: strings.NewReplacer(pairs...)}
}

// line returns the text as one short line without secrets, control characters or anything that differs from
// call to call.
func (r redactor) line(text string) string {
	words := strings.FieldsFunc(text, func(c rune) bool { return unicode.IsSpace(c) || !unicode.IsPrint(c) })
	text = r.secrets.Replace(strings.Join(words, " "))
	if at := echo.FindStringIndex(text); at != nil {
		text = text[:at[0]] + redacted
	}
	runes := []rune(moment.ReplaceAllString(text, "[time]"))
	if len(runes) > maxMessageRunes {
		runes = append(runes[:maxMessageRunes-1], '…')
	}
	return string(runes)
}

// describe names a failure of the transport without the addresses, ports and times that Go's texts contain:
// they differ from call to call, and the text of an Error must not.
func describe(err error) string {
	var lookup *net.DNSError
	var timeout net.Error
	var certificate x509.CertificateInvalidError
	var errno syscall.Errno
	switch {
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.As(err, &lookup) && lookup.IsNotFound:
		return "no such host " + lookup.Name
	case errors.As(err, &lookup):
		return "lookup of host " + lookup.Name + " failed"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "timed out"
	case errors.As(err, &certificate) && certificate.Reason == x509.Expired:
		return "the certificate has expired or is not yet valid"
	case lost(err):
		return "the connection was lost before the answer was complete"
	case errors.As(err, &errno):
		return errno.Error()
	}
	return innermost(err).Error()
}

// lost reports whether the other side went away. Which of these errors is seen then is a matter of chance.
func lost(err error) bool {
	ends := []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE}
	return slices.ContainsFunc(ends, func(end error) bool { return errors.Is(err, end) })
}

func innermost(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}
