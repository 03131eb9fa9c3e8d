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

package lifecycle_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
)

// guide is the page that shows the table and the diagrams.
var guide = readGuide()

func readGuide() string {
	text, err := os.ReadFile("../../docs/lifecycle.md")
	if err != nil {
		panic(err)
	}
	return string(text)
}

// needWords are the words of the guide.
var needWords = map[lifecycle.Need]string{
	lifecycle.NeedNothing: "nothing", lifecycle.NeedConnection: "connection", lifecycle.NeedPackage: "package",
	lifecycle.NeedSearch: "search",
}

// ageWords say how old a shared look may be, in the words of the guide.
func ageWords(rule lifecycle.Rule) string {
	switch {
	case rule.Need != lifecycle.NeedPackage:
		return ""
	case !rule.Fresh.Required:
		return "any"
	}
	return fmt.Sprintf("%s to %s", rule.Fresh.PreferredAge, rule.Fresh.MaxAge)
}

// noObject is what follows the last situation of an object.
const noObject lifecycle.Situation = "[*]"

// drawn are the ways that the diagrams show.
var drawn = drawnWays()

func drawnWays() map[lifecycle.Situation]map[lifecycle.Situation]bool {
	ways := map[lifecycle.Situation]map[lifecycle.Situation]bool{}
	for _, m := range regexp.MustCompile(`(?m)^    (\S+) --> (\S+)$`).FindAllStringSubmatch(guide, -1) {
		from, to := lifecycle.Situation(m[1]), lifecycle.Situation(m[2])
		if ways[from] == nil {
			ways[from] = map[lifecycle.Situation]bool{}
		}
		ways[from][to] = true
	}
	return ways
}

var _ = Describe("The table of situations", func() {
	It("is the one in the guide", func() {
		shown := map[lifecycle.Situation][]string{}
		for _, m := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\|(.*)\\|$").FindAllStringSubmatch(guide, -1) {
			cells := strings.Split(m[2], "|")
			for i := range cells {
				cells[i] = strings.Trim(cells[i], " `")
			}
			shown[lifecycle.Situation(m[1])] = cells[1:]
		}
		want := map[lifecycle.Situation][]string{}
		for s, rule := range lifecycle.Rules() {
			want[s] = []string{needWords[rule.Need], ageWords(rule), rule.Decide}
		}
		Expect(shown).To(Equal(want))
	})

	It("has a place in the diagrams for each situation, and for nothing else", func() {
		shown := map[lifecycle.Situation]bool{}
		for from, ways := range drawn {
			shown[from] = true
			for to := range ways {
				shown[to] = true
			}
		}
		delete(shown, noObject)
		for s := range lifecycle.Rules() {
			Expect(shown).To(HaveKey(s))
			delete(shown, s)
		}
		Expect(shown).To(BeEmpty())
	})
})
