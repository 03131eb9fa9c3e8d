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
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
)

// byUsers has approvers whose ids look like those of users.
func byUsers(rp *v1alpha1.ReleasePackage) {
	rp.Spec.ApproverIDs = []v1alpha1.UserID{"7b71e498e75d44048c9a22dd3c54f978", "F8CCC2FF3C7748E8A7BFEDE38AE1CFFA"}
}

// pendingList shows items that the applicant has submitted and that are in no package, unless a change says otherwise.
func pendingList(changes ...func(map[string]lifecycle.PendingItem)) map[string]lifecycle.PendingItem {
	list := map[string]lifecycle.PendingItem{}
	for _, id := range []string{"26", "27", "28"} {
		list[id] = lifecycle.PendingItem{ID: id, SubmittedBy: "dev1"}
	}
	for _, change := range changes {
		change(list)
	}
	return list
}

func without(id string) func(map[string]lifecycle.PendingItem) {
	return func(list map[string]lifecycle.PendingItem) { delete(list, id) }
}

func inPackage(id string) func(map[string]lifecycle.PendingItem) {
	return func(list map[string]lifecycle.PendingItem) {
		list[id] = lifecycle.PendingItem{ID: id, SubmittedBy: list[id].SubmittedBy, Packed: true}
	}
}

func submittedBy(user string, ids ...string) func(map[string]lifecycle.PendingItem) {
	return func(list map[string]lifecycle.PendingItem) {
		for _, id := range ids {
			list[id] = lifecycle.PendingItem{ID: id, SubmittedBy: user}
		}
	}
}

var _ = Describe("Before something is packed", func() {
	DescribeTable("the pending list is looked at", func(step lifecycle.Step, want bool) {
		Expect(lifecycle.NeedsPreflight(step)).To(Equal(want))
	},
		Entry("for a request to pack", lifecycle.Step{Action: lifecycle.Pack}, true),
		Entry("for the withdrawal that makes way for one",
			lifecycle.Step{Action: lifecycle.Unpack, Reason: v1alpha1.ReasonReplacing}, true),
		Entry("not for the withdrawal that a deletion needs",
			lifecycle.Step{Action: lifecycle.Unpack, Reason: v1alpha1.ReasonUnpacking}, false),
		Entry("not for an adoption", lifecycle.Step{Action: lifecycle.Adopt}, false),
		Entry("not for a step that reads as if it replaced",
			lifecycle.Step{Action: lifecycle.Wait, Reason: v1alpha1.ReasonReplacing}, false),
	)

	DescribeTable("the items to look for are", func(rp *v1alpha1.ReleasePackage, want ...any) {
		Expect(lifecycle.PreflightItems(rp)).To(HaveExactElements(want...))
	},
		Entry("all, where there is no package", aReleasePackage(), "26", "27"),
		Entry("none that the package has already", aReleasePackage(packed(v1alpha1.StatePendingReview))),
		Entry("those that an edit adds", aReleasePackage(packed(v1alpha1.StatePendingReview), edited), "28"),
		Entry("those that an edit adds after a failure", aReleasePackage(packed(v1alpha1.StateDeployFailed), edited), "28"),
		Entry("all, once the package is withdrawn", aReleasePackage(packed(v1alpha1.StateWithdrawn), edited), "26", "28"),
		Entry("all, once a request was refused", aReleasePackage(ended(v1alpha1.OutcomeRefused)), "26", "27"),
	)

	expectFindings := func(rp *v1alpha1.ReleasePackage, list map[string]lifecycle.PendingItem, want lifecycle.Preflight,
		taken bool) {
		GinkgoHelper()
		before := rp.DeepCopy()
		found := lifecycle.Examine(rp, list)
		Expect(found).To(Equal(want))
		Expect(found.ItemsTaken()).To(Equal(taken))
		Expect(rp).To(Equal(before))
	}
	DescribeTable("what the pending list shows is compared with the spec", expectFindings,
		Entry("all is well", aReleasePackage(byUsers), pendingList(), lifecycle.Preflight{}, false),
		Entry("an item is not listed", aReleasePackage(byUsers), pendingList(without("26")),
			lifecycle.Preflight{NotListed: []string{"26"}}, true),
		Entry("no item is listed", aReleasePackage(byUsers), pendingList(without("26"), without("27")),
			lifecycle.Preflight{NotListed: []string{"26", "27"}}, true),
		Entry("an item is in a package", aReleasePackage(byUsers), pendingList(inPackage("27")),
			lifecycle.Preflight{Packed: []string{"27"}}, true),
		Entry("another item is in a package", aReleasePackage(byUsers), pendingList(inPackage("28")), lifecycle.Preflight{},
			false),
		Entry("an item is in the object's own package", aReleasePackage(byUsers, packed(v1alpha1.StatePendingReview)),
			pendingList(inPackage("26"), inPackage("27")),
			lifecycle.Preflight{}, false),
		Entry("no item was submitted by the applicant", aReleasePackage(byUsers),
			pendingList(submittedBy("dev2", "26"), submittedBy("dev3", "27")),
			lifecycle.Preflight{Submitters: []string{"dev2", "dev3"}}, false),
		Entry("the last item was submitted by the applicant", aReleasePackage(byUsers),
			pendingList(submittedBy("dev2", "26")), lifecycle.Preflight{}, false),
		Entry("the first item was submitted by the applicant", aReleasePackage(byUsers),
			pendingList(submittedBy("dev2", "27")), lifecycle.Preflight{}, false),
		Entry("the list does not show who submitted one item", aReleasePackage(byUsers),
			pendingList(submittedBy("dev2", "26"), submittedBy("", "27")),
			lifecycle.Preflight{}, false),
		Entry("the items that are listed were submitted by another", aReleasePackage(byUsers),
			pendingList(without("26"), submittedBy("dev2", "27")),
			lifecycle.Preflight{NotListed: []string{"26"}, Submitters: []string{"dev2"}}, true),
		Entry("approvers do not look like users", aReleasePackage(), pendingList(),
			lifecycle.Preflight{Approvers: []string{"dep1", "dep2"}}, false),
		Entry("an approver is too short or too long by one", aReleasePackage(func(rp *v1alpha1.ReleasePackage) {
			rp.Spec.ApproverIDs = []v1alpha1.UserID{"7b71e498e75d44048c9a22dd3c54f97", "7b71e498e75d44048c9a22dd3c54f9789"}
		}), pendingList(), lifecycle.Preflight{Approvers: []string{"7b71e498e75d44048c9a22dd3c54f97",
			"7b71e498e75d44048c9a22dd3c54f9789"}}, false),
		Entry("the list is not known", aReleasePackage(byUsers), nil, lifecycle.Preflight{}, false),
		Entry("the list is not known, but the approvers are", aReleasePackage(), nil,
			lifecycle.Preflight{Approvers: []string{"dep1", "dep2"}}, false),
	)

	failed := func(words ...string) types.GomegaMatcher {
		words = append(words, "Nothing was sent", "Correct the spec", v1alpha1.ReconcileAtAnnotation)
		return does(lifecycle.Stall, because(v1alpha1.ReasonPreflightFailed, words...), comingBackAfter(5*time.Minute),
			tellingNothing())
	}
	DescribeTable("what the service would refuse is told instead", func(found lifecycle.Preflight, words ...string) {
		step, ok := lifecycle.PreflightFailed(aReleasePackage(), found)
		Expect(ok).To(BeTrue())
		Expect(step).To(failed(words...))
		was := summarized(aReleasePackage(), step)
		expectSound(was)

		_, ok = lifecycle.PreflightFailed(aReleasePackage(copying(was), forced), found)
		Expect(ok).To(BeFalse(), "a forced pass leaves the verdict to the service")
		_, ok = lifecycle.PreflightFailed(aReleasePackage(forced), found)
		Expect(ok).To(BeTrue(), "who was not told yet has not forced it: the annotation came with the object")
	},
		Entry("items that are not listed", lifecycle.Preflight{NotListed: []string{"27", "26"}},
			"items 26, 27 are not in the pending list"),
		Entry("items that are in a package", lifecycle.Preflight{Packed: []string{"26"}}, "items 26 are in another package"),
		Entry("items of others", lifecycle.Preflight{Submitters: []string{"dev3", "dev2", "dev3"}},
			"submitted by dev2, dev3 and not by spec.applyUserId dev1"),
		Entry("approvers", lifecycle.Preflight{Approvers: []string{"dep1"}}, "approvers dep1 do not look like IAM user ids"),
		Entry("all at once", lifecycle.Preflight{NotListed: []string{"26"}, Packed: []string{"27"}},
			"or are in a package; items 27 are in another package"),
	)

	It("goes on where nothing speaks against it", func() {
		_, ok := lifecycle.PreflightFailed(aReleasePackage(), lifecycle.Preflight{})
		Expect(ok).To(BeFalse())
	})

	It("cuts a long list of items short", func() {
		var many []string
		for i := range 12 {
			many = append(many, fmt.Sprint(10+i))
		}
		step, _ := lifecycle.PreflightFailed(aReleasePackage(), lifecycle.Preflight{Packed: many})
		Expect(step.Message).To(ContainSubstring("10, 11, 12, 13, 14, 15, 16, 17, 18, 19 and 2 more are in another package"))
		step, _ = lifecycle.PreflightFailed(aReleasePackage(), lifecycle.Preflight{Packed: many[:10]})
		Expect(step.Message).To(ContainSubstring("18, 19 are in another package"))
	})
})

var _ = Describe("A restored cluster", func() {
	created := func(ago time.Duration) with {
		return func(rp *v1alpha1.ReleasePackage) { rp.CreationTimestamp = metav1.NewTime(now.Add(-ago)) }
	}

	DescribeTable("may have lost the status of an object", func(rp *v1alpha1.ReleasePackage, want bool) {
		Expect(lifecycle.MayHaveLostStatus(rp, now)).To(Equal(want))
	},
		Entry("that is old and knows of no attempt", aReleasePackage(created(16*time.Minute)), true),
		Entry("not one that is young", aReleasePackage(created(15*time.Minute)), false),
		Entry("not one that knows of an attempt", aReleasePackage(created(time.Hour), ended(v1alpha1.OutcomeNotFound)),
			false),
	)

	ownName := func(rp *v1alpha1.ReleasePackage) { rp.Spec.PackageName = "" }
	named := func(p lifecycle.Package) lifecycle.Package {
		p.Name = lifecycle.WantedContent(aReleasePackage(ownName)).PackageName
		return p
	}
	called := func(name string, p lifecycle.Package) lifecycle.Package {
		p.Name = name
		return p
	}
	inReview, another := aPackage(packageID, v1alpha1.StatePendingReview), aPackage(anotherID, v1alpha1.StatePendingReview)
	unlike := changed(func(p *lifecycle.Package) { p.ApproverIDs = []string{"dep1"} })
	in := func(state v1alpha1.PackageState) lifecycle.Package { return aPackage(packageID, state) }

	DescribeTable("takes what is just what would be packed",
		func(rp *v1alpha1.ReleasePackage, want types.GomegaMatcher, packages ...lifecycle.Package) {
			before := rp.DeepCopy()
			step, ok := lifecycle.TakeExisting(rp, lifecycle.Existing{Packages: packages, NoneListed: true}, pollInterval)
			Expect(ok).To(BeTrue())
			Expect(step).To(want)
			Expect(rp).To(Equal(before))
			expectSound(recorded(rp, seeing(), step))
		},
		Entry("a package in review", aReleasePackage(),
			does(lifecycle.Adopt, HaveField("Package.ID", packageID), comingBackAfter(pollInterval),
				telling(v1alpha1.EventAdopted, packageID, "the contents that the spec asks for")), inReview),
		Entry("one of its own name", aReleasePackage(ownName), does(lifecycle.Adopt, HaveField("Package.ID", packageID)),
			named(inReview)),
		Entry("one that another object of its name has named", aReleasePackage(ownName),
			does(lifecycle.Adopt, HaveField("Package.ID", packageID)),
			called("job-0948-aaaaaaaa", inReview)),
		Entry("one that another object of its name has named, with a number", aReleasePackage(ownName),
			does(lifecycle.Adopt, HaveField("Package.ID", packageID)),
			called("job-0948-aaaaaaaa-12", inReview)),
		Entry("one of any name, where the spec gives none", aReleasePackage(ownName),
			does(lifecycle.Adopt, HaveField("Package.ID", packageID)), inReview),
		Entry("that of its name rather than one of another name", aReleasePackage(ownName),
			does(lifecycle.Adopt, HaveField("Package.ID", anotherID)),
			inReview, called("job-0948-aaaaaaaa", another)),
		Entry("a deployed one", aReleasePackage(),
			does(lifecycle.Adopt, HaveField("Package.ID", packageID), telling(v1alpha1.EventAdopted, "is deployed")),
			in(v1alpha1.StateDeployed)),
		Entry("several deployed ones are for a person to choose from", aReleasePackage(),
			does(lifecycle.Stall, because(v1alpha1.ReasonAmbiguousPackage, "13, 14", "deployed")), in(v1alpha1.StateDeployed),
			aPackage(anotherID, v1alpha1.StateDeployed)),
		Entry("one that is being deployed", aReleasePackage(), does(lifecycle.Adopt, comingBackAfter(time.Second)),
			in(v1alpha1.StateDeploying)),
		Entry("one whose deployment failed", aReleasePackage(), does(lifecycle.Adopt, comingBackAfter(time.Second)),
			in(v1alpha1.StateDeployFailed)),
		Entry("one in a state that nobody documents", aReleasePackage(), does(lifecycle.Adopt, comingBackAfter(time.Second)),
			in(v1alpha1.StateUnknown)),
		Entry("one beside others that it is not", aReleasePackage(),
			does(lifecycle.Adopt, HaveField("Package.ID", anotherID)), unlike, another),
		Entry("one beside another that is withdrawn", aReleasePackage(),
			does(lifecycle.Adopt, HaveField("Package.ID", anotherID)), in(v1alpha1.StateWithdrawn), another),
		Entry("after an edit, one that is as the spec says now", aReleasePackage(packed(v1alpha1.StateWithdrawn), edited),
			does(lifecycle.Adopt, HaveField("Package.ID", anotherID)),
			changed(func(p *lifecycle.Package) { p.ID, p.Items[0].ID = anotherID, "28" })),
		Entry("several are for a person to choose from", aReleasePackage(),
			does(lifecycle.Stall, because(v1alpha1.ReasonAmbiguousPackage, "13, 14"), comingBackAfter(5*time.Minute)),
			another, inReview),
		Entry("one of its own name with other contents is for a person to look at", aReleasePackage(ownName),
			does(lifecycle.Stall, because(v1alpha1.ReasonAmbiguousPackage, packageID, "no one else uses", "other contents")),
			named(unlike)),
	)

	DescribeTable("does not take", func(rp *v1alpha1.ReleasePackage, packages ...lifecycle.Package) {
		_, ok := lifecycle.TakeExisting(rp, lifecycle.Existing{Packages: packages}, pollInterval)
		Expect(ok).To(BeFalse())
	},
		Entry("anything where there is nothing", aReleasePackage()),
		Entry("what is withdrawn", aReleasePackage(), in(v1alpha1.StateWithdrawn)),
		Entry("what is deployed, while the items are there", aReleasePackage(), in(v1alpha1.StateDeployed)),
		Entry("what has another name", aReleasePackage(), changed(func(p *lifecycle.Package) { p.Name += "_2" })),
		Entry("what has other contents", aReleasePackage(ownName), unlike),
		Entry("what has other contents under a name that others may use", aReleasePackage(), unlike),
		Entry("what has its own name, but is withdrawn", aReleasePackage(ownName), named(in(v1alpha1.StateWithdrawn))),
		Entry("the package that is recorded", aReleasePackage(packed(v1alpha1.StateWithdrawn)), inReview),
		Entry("one that was replaced",
			aReleasePackage(func(rp *v1alpha1.ReleasePackage) { rp.Status.WithdrawnPackageIDs = []string{"11", packageID} }),
			inReview),
	)

	It("tells of what someone withdrew, if it comes from a backup", func() {
		late := aPackage(anotherID, v1alpha1.StateWithdrawn)
		late.PackedTime = late.PackedTime.Add(time.Second)
		found := lifecycle.Existing{Packages: []lifecycle.Package{in(v1alpha1.StateWithdrawn), late}, Restored: true}
		step, ok := lifecycle.TakeExisting(aReleasePackage(), found, pollInterval)
		Expect(ok).To(BeTrue())
		Expect(step).To(does(lifecycle.Adopt, HaveField("Package.ID", anotherID)))
		rp := recorded(aReleasePackage(), seeing(), step)
		expectConditions(rp, conditions(verdict(no, v1alpha1.ReasonWithdrawn), verdict(no, v1alpha1.ReasonWithdrawn),
			v1alpha1.ConditionStalled,
			v1alpha1.ReasonWithdrawn))
		Expect(decide(aReleasePackage(copying(rp), forced), seeing(thePackage(v1alpha1.StateWithdrawn)))).To(
			does(lifecycle.Pack), "when someone asks for it")
	})

	It("says which package holds what it asks for", func() {
		rp := aReleasePackage()
		found := lifecycle.Preflight{NotListed: []string{"26"}, Packed: []string{"27"}}
		some, gone := called("by hand", aPackage(anotherID, v1alpha1.StatePendingReview)),
			aPackage("15", v1alpha1.StateWithdrawn)
		some.Items = some.Items[:1]
		found.HeldBy(rp, []lifecycle.Package{gone, some, inReview}, true)
		Expect(found).To(Equal(lifecycle.Preflight{NotListed: []string{}, Packed: []string{}, Held: []string{
			"items 26 are in package 13 (job_0948_20250513)", "items 27 are in package 14 (by hand)"}}))
		step, ok := lifecycle.PreflightFailed(rp, found)
		Expect(ok).To(BeTrue())
		Expect(step.Message).To(HavePrefix(
			"Nothing was sent: items 26 are in package 13 (job_0948_20250513); items 27 are in package 14 (by hand). "))
		Expect(step.Message).To(And(ContainSubstring("spec.releasePackageId"),
			Not(ContainSubstring(v1alpha1.ReconcileAtAnnotation))))

		_, ok = lifecycle.PreflightFailed(aReleasePackage(copying(summarized(rp, step)), forced), found)
		Expect(ok).To(BeTrue(), "nobody forces a second package of the same items")
	})

	It("does not pack what is in a package though the pending list is not known", func() {
		rp, found := aReleasePackage(), lifecycle.Preflight{}
		some, over := called("of before", aPackage(anotherID, v1alpha1.StateDeployFailed)),
			aPackage("15", v1alpha1.StateDeployed)
		some.Items = some.Items[:1]
		found.HeldBy(rp, []lifecycle.Package{some, over}, false)
		_, stalls := lifecycle.PreflightFailed(rp, found)
		Expect(stalls).To(BeTrue())
		Expect(found.Held).To(Equal([]string{"items 27 are in package 14 (of before)"}))
	})

	DescribeTable("knows the names that objects of its name give",
		func(rp *v1alpha1.ReleasePackage, name string, want bool) {
			Expect(lifecycle.NamedAs(rp, name)).To(Equal(want))
			if want {
				Expect(name).To(ContainSubstring(lifecycle.SearchWord(rp)))
			}
		},
		Entry("as the first of one", aReleasePackage(ownName), "job-0948-abcdefg2", true),
		Entry("as a later one", aReleasePackage(ownName), "job-0948-abcdefg2-10", true),
		Entry("not that of another object", aReleasePackage(ownName), "job-0949-abcdefg2", false),
		Entry("not one with something before it", aReleasePackage(ownName), "a-job-0948-abcdefg2", false),
		Entry("not one that people give", aReleasePackage(ownName), "job-0948-20250513", false),
		Entry("not any that begins like it", aReleasePackage(ownName), "job-0948", false),
		Entry("cut, for a long one",
			aReleasePackage(ownName, func(rp *v1alpha1.ReleasePackage) { rp.Name = strings.Repeat("a", 253) }),
			strings.Repeat("a", 119)+"-abcdefg2", true),
		Entry("cut, for a long one with a number",
			aReleasePackage(ownName, func(rp *v1alpha1.ReleasePackage) { rp.Name = strings.Repeat("a", 253) }),
			strings.Repeat("a", 117)+"-abcdefg2-2", true),
		Entry("as it is given", aReleasePackage(), "job_0948_20250513", true),
		Entry("not otherwise, where one is given", aReleasePackage(), "job-0948-abcdefg2", false),
	)

	DescribeTable("is suspected behind an object that has our finalizer and nothing else",
		func(rp *v1alpha1.ReleasePackage, want bool) {
			Expect(lifecycle.CameWithFinalizer(rp)).To(Equal(want))
		},
		Entry("with no record", aReleasePackage(), true),
		Entry("not without the finalizer", aReleasePackage(withoutFinalizer), false),
		Entry("not with a word on what it is at", aReleasePackage(toldOfHiding), false),
		Entry("not with a record of an attempt", aReleasePackage(ended(v1alpha1.OutcomeNotDone)), false),
		Entry("not where it adopts", aReleasePackage(adopting), false),
	)

	It("goes on with what it took as with what it packed itself", func() {
		rp := aReleasePackage()
		step, _ := lifecycle.TakeExisting(rp, lifecycle.Existing{Packages: []lifecycle.Package{inReview}}, pollInterval)
		rp = recorded(rp, seeing(), step)
		Expect(decide(rp, seeing(thePackage(v1alpha1.StatePendingReview)))).To(does(lifecycle.Wait, withoutReason()))
		edited(rp)
		Expect(decide(rp, seeing(thePackage(v1alpha1.StatePendingReview)))).To(does(lifecycle.Unpack,
			because(v1alpha1.ReasonReplacing)))
	})

	It("reads the same, in whatever order the service lists things", func() {
		packages := []lifecycle.Package{inReview, another}
		one, _ := lifecycle.TakeExisting(aReleasePackage(), lifecycle.Existing{Packages: packages}, pollInterval)
		other, _ := lifecycle.TakeExisting(aReleasePackage(),
			lifecycle.Existing{Packages: []lifecycle.Package{another, inReview}}, pollInterval)
		Expect(other).To(Equal(one))
		Expect(strings.Count(one.Message, packageID)).To(Equal(1))
		Expect(packages).To(HaveExactElements(inReview, another), "what was seen stays as it was seen")
	})
})
