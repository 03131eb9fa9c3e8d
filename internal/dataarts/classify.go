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
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// The codes that mean something to callers. The service answers nearly every failure with the status 400, so it
// is the code that tells them apart; the texts are no help, since they may be localised.
var (
	// The vendor's pages disagree on which of the two the service uses.
	codesNotFound        = []string{"DLF.0810", "DLF.20810"}
	codesAlreadyReleased = []string{"DLF.20990"}
	codesForbidden       = []string{"DLF.6888"}
)

// serviceCodes are the prefixes of the codes that the parts of the service and its gateway document.
var serviceCodes = []string{"DLF.", "DLM.", "DAYU.", "APIGW."}

// errorCode matches a code. The number of digits varies.
var errorCode = regexp.MustCompile(`^[A-Za-z]{2,16}\.\d{1,8}$`)

// normalizeCode returns the code in one spelling, and nothing for what is not a code. The gateway calls itself
// APIG in older answers.
func normalizeCode(code string) string {
	if !errorCode.MatchString(code) {
		return ""
	}
	if number, ok := strings.CutPrefix(code, "APIG."); ok {
		return "APIGW." + number
	}
	return code
}

// classify says what an answer that is not a success proves. It proves nothing about the call's effect unless
// it is a refusal by someone who is known to refuse before doing anything: a bare 400 or 404 may come from
// anywhere on the way, and a 5xx may follow work that was done.
func classify(op Op, status int, code string) Kind {
	switch {
	case status < 400 || status >= 500 || status == http.StatusRequestTimeout:
		return Unknown
	case status == http.StatusUnauthorized:
		return Unauthorized
	case status == http.StatusTooManyRequests:
		return Throttled
	case status == http.StatusForbidden || slices.Contains(codesForbidden, code):
		return Forbidden
	case status == http.StatusRequestEntityTooLarge || status == http.StatusRequestURITooLong:
		return Refused
	case slices.ContainsFunc(serviceCodes, func(prefix string) bool { return strings.HasPrefix(code, prefix) }):
		return classifyRefusal(op, code)
	}
	return Unknown
}

// classifyRefusal tells the refusals apart. "Does not exist" is about the package only where the call names one:
// in the answer to a Pack it must be about something else.
func classifyRefusal(op Op, code string) Kind {
	switch {
	case (op == OpShow || op == OpUnpack) && slices.Contains(codesNotFound, code):
		return NotFound
	case op == OpUnpack && slices.Contains(codesAlreadyReleased, code):
		return AlreadyDeployed
	}
	return Refused
}
