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
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// Code is an error code of the service or of the gateway in front of it.
type Code string

// The error codes the simulator answers with. CodeNoTask and CodeNoTaskLong are the two documented
// spellings of the same refusal.
const (
	CodeInvalidParameter Code = "DLF.3051"
	CodeNoTask           Code = "DLF.0810"
	CodeNoTaskLong       Code = "DLF.20810"
	CodeReleased         Code = "DLF.20990"
	CodeNoPermission     Code = "DLF.6888"
	CodeNoWorkspace      Code = "DLM.4001"
	// NoCode stands for a bare 404: its envelope has no code at all.
	NoCode Code = "404"

	CodeNoAPI         Code = "APIGW.0101"
	CodeGatewayParam  Code = "APIGW.0106"
	CodeBadRequest    Code = "APIGW.0201"
	CodeUnauthorized  Code = "APIGW.0301"
	CodeUserForbidden Code = "APIGW.0302"
	CodeThrottled     Code = "APIGW.0308"
)

// refusal is an answer that says no.
type refusal struct {
	status     int
	code       Code
	message    string
	retryAfter time.Duration
}

// refuse is a refusal by the service itself, which documents HTTP 400 for all of them.
func refuse(code Code, message string) *refusal {
	return &refusal{status: http.StatusBadRequest, code: code, message: message}
}

func invalidParameter() *refusal {
	return refuse(CodeInvalidParameter, "The request parameter is invalid.")
}

// unknownPackage is what a code makes of a package that does not exist.
func unknownPackage(code Code) *refusal {
	no := refuse(code, "Task does not exist.")
	if code == NoCode {
		no.status, no.code = http.StatusNotFound, ""
	}
	return no
}

// missingHeader is the gateway's refusal of a call without a header that the API declares as required.
func missingHeader(name string) *refusal {
	return refuse(CodeGatewayParam, fmt.Sprintf("Invalid header parameter: %s, required", name))
}

func unauthorized(detail string) *refusal {
	return &refusal{
		status:  http.StatusUnauthorized,
		code:    CodeUnauthorized,
		message: "Incorrect IAM authentication information: " + detail,
	}
}

// answer is everything the client gets to see, apart from the request id header.
type answer struct {
	status      int
	contentType string
	retryAfter  time.Duration
	body        []byte
}

// errorEnvelope is the body of a refusal. The gateway and the service use the same shape.
type errorEnvelope struct {
	Code      Code   `json:"error_code,omitempty"`
	Message   string `json:"error_msg"`
	RequestID string `json:"request_id"`
}

func (f *refusal) answer(requestID string) answer {
	a := jsonAnswer(f.status, errorEnvelope{f.code, f.message, requestID})
	a.retryAfter = f.retryAfter
	return a
}

func jsonAnswer(status int, body any) answer {
	data, err := json.Marshal(body)
	if err != nil {
		// Only our own plain structs get here; an empty 500 makes a mistake visible to every test.
		return answer{status: http.StatusInternalServerError}
	}
	return answer{status: status, contentType: jsonContentType, body: data}
}
