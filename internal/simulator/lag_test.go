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

package simulator_test

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

var _ = Describe("Lag", func() {
	const notPacked, packed = `"package_flag":0`, `"package_flag":1`

	It("keeps the pending list behind what is packed and unpacked", func(ctx SpecContext) {
		s := start(assuming(func(a *simulator.Assumptions) { a.ItemLag = 8 }))
		ids := s.packed(ctx, "a")
		Expect(s.get(ctx, itemsPath).body).To(ContainSubstring(notPacked))
		Expect(s.post(ctx, packPath, packBody("b", "1")).code()).To(Equal(invalidParam), "it is packed all the same")
		s.clock.advance(8*time.Second - time.Millisecond)
		Expect(s.get(ctx, itemsPath).body).To(ContainSubstring(notPacked))
		s.clock.advance(time.Millisecond)
		Expect(s.get(ctx, itemsPath).body).To(ContainSubstring(packed))

		s.unpack(ctx, ids...)
		Expect(s.get(ctx, itemsPath).body).To(ContainSubstring(packed))
		s.clock.advance(8 * time.Second)
		Expect(s.get(ctx, itemsPath).body).To(ContainSubstring(notPacked))
	})

	It("shows new items at once", func(ctx SpecContext) {
		s := start(assuming(func(a *simulator.Assumptions) { a.ItemLag = 8 }))
		s.submitted("a")
		Expect(s.get(ctx, itemsPath).decode()["total"]).To(BeEquivalentTo("1"))
	})

	It("keeps lists behind, and nothing else", func(ctx SpecContext) {
		s := start(assuming(func(a *simulator.Assumptions) { a.ListLag = 5 }))
		ids := s.packed(ctx, "a")
		Expect(s.list(ctx).decode()["total"]).To(BeEquivalentTo("0"))
		Expect(s.get(ctx, packagesPath+"/1").status).To(Equal(http.StatusOK))
		s.clock.advance(5 * time.Second)
		Expect(s.list(ctx).decode()["total"]).To(BeEquivalentTo("1"))

		s.unpack(ctx, ids...)
		Expect(s.list(ctx).body).To(ContainSubstring(`"delete_flag":0`))
		Expect(s.get(ctx, packagesPath+"/1").body).To(ContainSubstring(`"delete_flag":1`))
		s.clock.advance(5 * time.Second)
		Expect(s.list(ctx).body).To(ContainSubstring(`"delete_flag":1`))
	})

	It("keeps details behind, and nothing else", func(ctx SpecContext) {
		s := start(assuming(func(a *simulator.Assumptions) { a.ShowLag = 5 }))
		ids := s.packed(ctx, "a")
		Expect(s.list(ctx).decode()["total"]).To(BeEquivalentTo("1"))
		Expect(s.get(ctx, packagesPath+"/1").code()).To(Equal(doesNotExist))
		s.clock.advance(5 * time.Second)
		Expect(s.get(ctx, packagesPath+"/1").body).To(ContainSubstring(`"delete_flag":0`))

		Expect(s.unpack(ctx, ids...).status).To(Equal(http.StatusOK))
		Expect(s.get(ctx, packagesPath+"/1").body).To(ContainSubstring(`"delete_flag":0`))
		Expect(s.unpack(ctx, ids...).code()).To(Equal(doesNotExist))
		s.clock.advance(5 * time.Second)
		Expect(s.get(ctx, packagesPath+"/1").body).To(ContainSubstring(`"delete_flag":1`))
	})

	It("changes while the service runs", func(ctx SpecContext) {
		s := start()
		Expect(s.SetLimits(simulator.Limits{ListLag: time.Minute})).To(Succeed())
		s.packed(ctx, "a")
		Expect(s.list(ctx).decode()["total"]).To(BeEquivalentTo("0"))
		Expect(s.SetLimits(simulator.Limits{})).To(Succeed())
		Expect(s.list(ctx).decode()["total"]).To(BeEquivalentTo("1"))
	})
})

var _ = Describe("Clock", func() {
	const hours = 8 * time.Hour

	DescribeTable("is off by hours", func(ctx SpecContext, seconds int, offset time.Duration) {
		s := start(assuming(func(a *simulator.Assumptions) { a.ClockOffset = seconds }))
		s.packed(ctx, "a")
		Expect(s.console.Deploy("1")).To(Succeed())
		r := s.list(ctx)
		Expect(r.status).To(Equal(http.StatusOK), "the gateway has the right time, which the signature agrees with")
		shown := epoch.Add(offset)
		Expect(r.header.Get("Date")).To(Equal(shown.Format(http.TimeFormat)))
		row := r.decode()["data"].([]any)[0].(map[string]any)
		number := json.Number(strconv.FormatInt(shown.UnixMilli(), 10))
		Expect(row).To(And(HaveKeyWithValue("apply_timestamp", number), HaveKeyWithValue("deploy_timestamp", number)))
		Expect(s.snapshot("1").Packed).To(Equal(shown))

		s.submitted("b")
		Expect(s.get(ctx, itemsPath).body).To(ContainSubstring(`"submit_timestamp":` + number.String()))
		since := func(t time.Time) string { return `{"apply_begin_time":` + strconv.FormatInt(t.UnixMilli(), 10) + `}` }
		Expect(s.post(ctx, packagesPath, since(shown)).decode()["total"]).To(BeEquivalentTo("1"))
		Expect(s.post(ctx, packagesPath, since(shown.Add(time.Second))).decode()["total"]).To(BeEquivalentTo("0"))
	},
		Entry("ahead", 8*3600, hours),
		Entry("behind", -8*3600, -hours),
		Entry("or is right", 0, time.Duration(0)),
	)

	It("may be set while the service runs", func(ctx SpecContext) {
		s := start()
		s.packed(ctx, "a")
		Expect(s.SetLimits(simulator.Limits{ClockOffset: hours})).To(Succeed())
		s.packed(ctx, "b")
		Expect(s.snapshot("1").Packed).To(Equal(epoch), "what is written down stays")
		Expect(s.snapshot("2").Packed).To(Equal(epoch.Add(hours)))
	})
})
