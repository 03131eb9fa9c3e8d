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
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
)

var _ = Describe("A refusal to withdraw a package that is neither shown nor listed", func() {
	unpack := lifecycle.Step{Action: lifecycle.Unpack, Reason: v1alpha1.ReasonUnpacking, Message: "Being withdrawn",
		After: time.Minute}
	denied := func(rp *v1alpha1.ReleasePackage, items lifecycle.ItemsSay, sights ...sight) lifecycle.Step {
		return answered(rp, seeing(append(sights, hiding)...), unpack,
			lifecycle.Answer{Kind: lifecycle.AnswerRefused, Refusal: "DLF.3051: invalid", Items: &items})
	}

	It("is an end if its items are free", func() {
		rp := aReleasePackage(packed(v1alpha1.StatePendingReview), deleted)
		Expect(denied(rp, lifecycle.ItemsAreFree)).To(does(lifecycle.RemoveFinalizer,
			telling(v1alpha1.EventReleased, packageID, "nothing left")))

		rp = aReleasePackage(packed(v1alpha1.StatePendingReview), edited)
		Expect(denied(rp, lifecycle.ItemsAreFree)).To(does(lifecycle.Unpack, comingBackAfter(time.Second)))
		Expect(decide(rp, seeing(hiding))).To(does(lifecycle.Pack))
	})

	It("is none if they are packed", func() {
		rp := aReleasePackage(packed(v1alpha1.StatePendingReview), deleted)
		Expect(denied(rp, lifecycle.ItemsArePacked)).To(does(lifecycle.Unpack), "the pending list may lag behind")
		Expect(denied(rp, lifecycle.ItemsArePacked, at(1000*time.Hour))).To(does(lifecycle.Stall,
			because(v1alpha1.ReasonUnpackRefused, "DLF.3051", "items")))
		Expect(denied(rp, lifecycle.ItemsUnknown, at(1000*time.Hour))).To(does(lifecycle.Stall,
			because(v1alpha1.ReasonUnpackRefused)))
	})

	It("is one in the end if they are not listed, and nothing else is found for all of the settle time", func() {
		rp := aReleasePackage(packed(v1alpha1.StatePendingReview), deleted)
		Expect(denied(rp, lifecycle.ItemsNotListed)).To(does(lifecycle.Unpack,
			because(v1alpha1.ReasonUnpacking, "neither shows nor lists", "DLF.3051"),
			comingBackAfter(time.Second)))
		Expect(denied(rp, lifecycle.ItemsNotListed, at(time.Minute))).To(does(lifecycle.Unpack,
			comingBackAfter(30*time.Second)))
		Expect(denied(rp, lifecycle.ItemsNotListed, at(settleTime))).To(does(lifecycle.RemoveFinalizer))
	})

	It("begins anew when the package is seen in between", func() {
		rp := aReleasePackage(packed(v1alpha1.StatePendingReview), deleted)
		denied(rp, lifecycle.ItemsNotListed)
		lifecycle.RecordObservation(rp, seeing(thePackage(v1alpha1.StatePendingReview), at(time.Minute)))
		Expect(denied(rp, lifecycle.ItemsNotListed, at(settleTime))).To(does(lifecycle.Unpack))
	})

	DescribeTable("begins anew when something in between was not to be had", func(between func(*v1alpha1.ReleasePackage)) {
		rp := aReleasePackage(packed(v1alpha1.StatePendingReview), deleted)
		denied(rp, lifecycle.ItemsNotListed)
		between(rp)
		Expect(denied(rp, lifecycle.ItemsNotListed, at(settleTime))).To(does(lifecycle.Unpack, comingBackAfter(time.Second)))
	},
		Entry("a look", func(rp *v1alpha1.ReleasePackage) { lifecycle.RecordObservation(rp, seeing(unavailable)) }),
		Entry("the pending list", func(rp *v1alpha1.ReleasePackage) { denied(rp, lifecycle.ItemsUnknown) }),
	)

	It("is a refusal in the end if the package is seen all the same", func() {
		rp := summarized(aReleasePackage(packed(v1alpha1.StateDeployFailed), deleted), unpack)
		unknown := lifecycle.Answer{Kind: lifecycle.AnswerNotFound, Refusal: "DLF.0810"}
		Expect(answered(rp, seeing(at(time.Minute)), unpack, unknown)).To(Equal(unpack))
		_, look := lifecycle.AfterUnpack(rp, seeing(at(settleTime+time.Second)), unpack, unknown)
		Expect(look).To(Equal(lifecycle.LookAtPackage), "someone may just have withdrawn it")
		unknown.Looked = true
		step := answered(rp, seeing(at(settleTime+time.Second)), unpack, unknown)
		Expect(step).To(does(lifecycle.Stall, because(v1alpha1.ReasonUnpackRefused, "DLF.0810", "yet it shows"),
			comingBackAfter(5*time.Minute)))
		rp = summarized(rp, step)
		Expect(answered(rp, seeing(at(time.Hour)), unpack, unknown)).To(Equal(step),
			"it tells the same each time")
	})

	It("is none a moment after the package was recorded, as all lists may lag behind", func() {
		for _, items := range []lifecycle.ItemsSay{lifecycle.ItemsAreFree, lifecycle.ItemsNotListed} {
			rp := aReleasePackage(packed(v1alpha1.StatePendingReview), justPacked, deleted)
			Expect(denied(rp, items)).To(does(lifecycle.Unpack, comingBackAfter(5*time.Second)))
			Expect(rp.Status.MissingTime).To(BeNil())
		}
	})

	DescribeTable("proves nothing a moment after the package was recorded, nor does it that the service accepts to "+
		"withdraw it or says that there is none",
		func(sees sight, answer lifecycle.Answer) {
			rp := aReleasePackage(packed(v1alpha1.StatePendingReview), justPacked, deleted)
			Expect(decide(rp, seeing(sees))).To(does(lifecycle.Unpack))
			before := rp.DeepCopy()
			Expect(answered(rp, seeing(sees), unpack, answer)).To(
				does(lifecycle.Unpack, comingBackAfter(5*time.Second), tellingNothing()))
			Expect(rp).To(Equal(before))
			Expect(decide(rp, seeing(sees, at(time.Minute)))).To(does(lifecycle.Unpack))

			Expect(answered(rp, seeing(sees, at(settleTime)), unpack, answer)).To(does(lifecycle.RemoveFinalizer,
				telling(v1alpha1.EventReleased, packageID, "nothing left")))
		},
		Entry("accepted, and refused to be shown", hiding, lifecycle.Answer{}),
		Entry("accepted, and said not to exist", gone, lifecycle.Answer{}),
		Entry("said not to exist, and refused to be shown", hiding, notFound),
		Entry("said not to exist by both", gone, notFound),
	)

	DescribeTable("is held against the items", func(pending map[string]lifecycle.PendingItem, want lifecycle.ItemsSay) {
		ids := lifecycle.ItemsOf(aReleasePackage(packed(v1alpha1.StatePendingReview)))
		Expect(ids).To(HaveExactElements("26", "27"))
		Expect(lifecycle.WhatItemsSay(ids, pending)).To(Equal(want))
	},
		Entry("which are free", map[string]lifecycle.PendingItem{"26": {}, "27": {}, "28": {Packed: true}},
			lifecycle.ItemsAreFree),
		Entry("one of which is packed", map[string]lifecycle.PendingItem{"27": {Packed: true}}, lifecycle.ItemsArePacked),
		Entry("one of which is not listed", map[string]lifecycle.PendingItem{"27": {}}, lifecycle.ItemsNotListed),
	)

	It("is held against the items that a look has shown, and against none where none are known", func() {
		Expect(lifecycle.ItemsOf(aReleasePackage(adopted(v1alpha1.StatePendingReview)))).To(HaveExactElements("27", "26"))
		Expect(lifecycle.WhatItemsSay(nil, nil)).To(Equal(lifecycle.ItemsUnknown))
	})
})
