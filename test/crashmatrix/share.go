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

package main

import (
	"fmt"
)

// share is the k-th of n parts of all faults. Each part has some at every scenario.
type share struct{ k, n int }

func (s *share) String() string { return fmt.Sprintf("%d/%d", s.k, s.n) }

// Set implements flag.Value.
func (s *share) Set(value string) error {
	var set share
	if _, err := fmt.Sscanf(value, "%d/%d", &set.k, &set.n); err != nil || set.String() != value ||
		set.k < 1 || set.k > set.n {
		return fmt.Errorf("a share is k/n, such as 1/2")
	}
	*s = set
	return nil
}

func (s *share) of(cases []testCase) []testCase {
	var mine []testCase
	for i := s.k - 1; i < len(cases); i += s.n {
		mine = append(mine, cases[i])
	}
	return mine
}
