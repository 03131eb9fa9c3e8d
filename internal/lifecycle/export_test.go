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

package lifecycle

import (
	"reflect"
	"runtime"
	"strings"
)

// Rule is a row of the table, with the name of the function that decides.
type Rule struct {
	Need   Need
	Fresh  Freshness
	Decide string
}

// Rules are the table.
func Rules() map[Situation]Rule {
	all := map[Situation]Rule{}
	for s, r := range rules {
		name := runtime.FuncForPC(reflect.ValueOf(r.decide).Pointer()).Name()
		all[s] = Rule{r.need, r.fresh, name[strings.LastIndex(name, ".")+1:]}
	}
	return all
}
