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
	"errors"
	"fmt"
	"strings"
)

const maxIDLength = 128

// checkID accepts what can be one segment of a URL path without being escaped: the SDK puts ids into the path
// as they are, so that "13/../14" would ask about another package.
func checkID(id string) error {
	switch {
	case id == "":
		return errors.New("must not be empty")
	case len(id) > maxIDLength:
		return fmt.Errorf("must not be longer than %d characters", maxIDLength)
	case id == "." || id == "..":
		return errors.New("must not be a relative path")
	case strings.ContainsFunc(id, func(r rune) bool { return !unreserved(r) }):
		return errors.New("must consist of letters, digits, '-', '_', '.' and '~'")
	}
	return nil
}

// unreserved reports whether a character means itself everywhere in a URL (RFC 3986, section 2.3).
func unreserved(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("-_.~", r)
}
