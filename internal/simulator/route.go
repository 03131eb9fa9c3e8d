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
	"net/http"
	"net/url"
	"strings"
)

// Operation is an operation of the service API.
type Operation string

// The operations, with the titles of their pages in the API reference.
const (
	OpPack      Operation = "pack"       // Releasing a Package
	OpUnpack    Operation = "unpack"     // Canceling Task Packages
	OpListItems Operation = "list-items" // Querying the List of Packages to Be Released
	OpList      Operation = "list"       // Querying Release Packages
	OpShow      Operation = "show"       // Querying Details About a Release Package
	OpDeploy    Operation = "deploy"     // Releasing Task Packages
)

// needsWorkspace says whether the workspace header is documented as mandatory.
func (o Operation) needsWorkspace() bool {
	return o == OpPack || o == OpListItems
}

// operations do the work of each operation. They return the body of the answer, or why there is none;
// both are nil for a success without a body. The lock is held.
var operations = map[Operation]func(*Server, *call) (any, *refusal){
	OpPack:      (*Server).pack,
	OpUnpack:    (*Server).unpack,
	OpListItems: (*Server).listItems,
	OpList:      (*Server).listPackages,
	OpShow:      (*Server).show,
	OpDeploy:    (*Server).deploy,
}

// route is what a request asks for. The operation of an unpublished path is empty.
type route struct {
	op        Operation
	project   string
	packageID string // of OpShow
}

const packagesPath = "release-packages"

// routeOf reads /v2/{project_id}/factory/... without the path cleaning of [http.ServeMux], whose
// redirects the gateway does not send.
func routeOf(r *http.Request) route {
	segments := strings.Split(r.URL.EscapedPath(), "/")
	if len(segments) < 5 || segments[0] != "" || segments[1] != "v2" || segments[3] != "factory" {
		return route{}
	}
	project, rest := unescape(segments[2]), segments[4:]
	switch r.Method + " " + strings.Join(rest, "/") {
	case "POST pending-items/package":
		return route{op: OpPack, project: project}
	case "GET pending-items":
		return route{op: OpListItems, project: project}
	case "POST " + packagesPath:
		return route{op: OpList, project: project}
	case "POST " + packagesPath + "/unpack":
		return route{op: OpUnpack, project: project}
	case "POST " + packagesPath + "/deploy":
		return route{op: OpDeploy, project: project}
	}
	if r.Method != http.MethodGet || len(rest) != 2 || rest[0] != packagesPath || rest[1] == "" {
		return route{}
	}
	return route{op: OpShow, project: project, packageID: unescape(rest[1])}
}

// unescape takes a segment of [url.URL.EscapedPath], which is always well escaped.
func unescape(segment string) string {
	plain, err := url.PathUnescape(segment)
	if err != nil {
		return segment
	}
	return plain
}
