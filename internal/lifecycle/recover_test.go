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
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/types"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
)

const (
	unsettled    = settleTime // The end of the settle time is still within it.
	longSettled  = time.Hour
	justSettled  = settleTime + time.Second
	anotherID    = "14"
	withdrawnID  = "12"
	unknownWords = "is not known"
)

// changed is a package that differs from what was asked for.
func changed(change func(*lifecycle.Package)) lifecycle.Package {
	p := aPackage(packageID, v1alpha1.StatePendingReview)
	change(&p)
	return p
}

var _ = Describe("Recovering from a lost answer", func() {
	inReview, another := aPackage(packageID, v1alpha1.StatePendingReview), aPackage(anotherID, v1alpha1.StatePendingReview)
	withdrawn, anotherWithdrawn := aPackage(packageID, v1alpha1.StateWithdrawn),
		aPackage(anotherID, v1alpha1.StateWithdrawn)
	ownName := func(rp *v1alpha1.ReleasePackage) { rp.Spec.PackageName = "" }
	unlike := changed(func(p *lifecycle.Package) {
		p.Name, p.ApproverIDs = lifecycle.WantedContent(aReleasePackage(ownName)).PackageName, []string{"dep1"}
		p.PackedTime = now
	})
	unlikeAndWithdrawn := unlike
	unlikeAndWithdrawn.State = v1alpha1.StateWithdrawn
	before := func(p lifecycle.Package) lifecycle.Package {
		p.PackedTime = now.Add(-longSettled - time.Minute)
		return p
	}
	withdrawnBefore, failedBefore := before(withdrawn), before(aPackage(anotherID, v1alpha1.StateDeployFailed))
	deploying, failed := aPackage(packageID, v1alpha1.StateDeploying), aPackage(packageID, v1alpha1.StateDeployFailed)

	DescribeTable("with matches", expectDecision,
		Entry("one is adopted", aReleasePackage(attempted(time.Minute)), seeing(found(inReview)),
			does(lifecycle.Adopt, HaveField("Package.ID", packageID), comingBackAfter(pollInterval),
				telling(v1alpha1.EventAdopted, packageID, "answer was lost"))),
		Entry("one is adopted however late it is found", aReleasePackage(attempted(longSettled)),
			seeing(found(inReview), itemUnpacked),
			does(lifecycle.Adopt)),
		Entry("one that was let go meanwhile is adopted", aReleasePackage(attempted(time.Minute)), seeing(found(deploying)),
			does(lifecycle.Adopt, comingBackAfter(time.Second))),
		Entry("one that failed, which may be from before, does not keep its own from being listed later",
			aReleasePackage(attempted(time.Minute)), seeing(found(failed)),
			does(lifecycle.Wait, because(v1alpha1.ReasonOutcomeUnknown))),
		Entry("one that failed is adopted once no other can come", aReleasePackage(attempted(longSettled)),
			seeing(found(failed)), does(lifecycle.Adopt, comingBackAfter(time.Second))),
		Entry("one that was withdrawn or failed before the attempt began is another object's where the items are free",
			aReleasePackage(attempted(longSettled)), seeing(found(withdrawnBefore, failedBefore), itemUnpacked),
			does(lifecycle.CloseAttempt)),
		Entry("or where an item is in another package",
			aReleasePackage(attempted(longSettled)), seeing(found(withdrawnBefore), itemElsewhere),
			does(lifecycle.CloseAttempt)),
		Entry("one that was withdrawn before the attempt began is its own where the items are not free, as clocks may differ",
			aReleasePackage(attempted(longSettled)), seeing(found(withdrawnBefore)),
			does(lifecycle.Adopt, HaveField("Package.ID", packageID))),
		Entry("one that failed does not count beside one in review", aReleasePackage(attempted(time.Minute)),
			seeing(found(failed, another)), does(lifecycle.Adopt, HaveField("Package.ID", anotherID))),
		Entry("one that is withdrawn does not keep another from coming late", aReleasePackage(attempted(time.Minute)),
			seeing(found(withdrawn)),
			does(lifecycle.Wait, because(v1alpha1.ReasonOutcomeUnknown))),
		Entry("one that was withdrawn meanwhile is adopted, so that it is not packed silently again",
			aReleasePackage(attempted(justSettled)), seeing(found(withdrawn)),
			does(lifecycle.Adopt, HaveField("Package.State", v1alpha1.StateWithdrawn), comingBackAfter(time.Second),
				telling(v1alpha1.EventAdopted, "withdrawn"))),
		Entry("a live one goes before a withdrawn one", aReleasePackage(attempted(time.Minute)),
			seeing(found(anotherWithdrawn, inReview)),
			does(lifecycle.Adopt, HaveField("Package.ID", packageID))),
		Entry("one is adopted after an edit and replaced soon", aReleasePackage(attempted(time.Minute), edited),
			seeing(found(inReview)),
			does(lifecycle.Adopt, HaveField("Package.ID", packageID), comingBackAfter(time.Second))),
		Entry("one is adopted though a pass is forced", aReleasePackage(attempted(time.Minute), forced),
			seeing(found(inReview)),
			does(lifecycle.Adopt)),
		Entry("several live ones are for a person to choose from", aReleasePackage(attempted(time.Minute)),
			seeing(found(another, inReview)),
			does(lifecycle.Stall, because(v1alpha1.ReasonAmbiguousPackage, "13, 14", "spec.releasePackageId",
				v1alpha1.ReconcileAtAnnotation), comingBackAfter(5*time.Minute))),
		Entry("several withdrawn ones are for a person to choose from", aReleasePackage(attempted(justSettled)),
			seeing(found(anotherWithdrawn, withdrawn)),
			does(lifecycle.Stall, because(v1alpha1.ReasonAmbiguousPackage, "13, 14"))),
		Entry("a suspended object is left alone", aReleasePackage(attempted(time.Minute), suspended), seeing(nothing),
			does(lifecycle.Wait, because(v1alpha1.ReasonSuspended))),
	)

	DescribeTable("without a match", expectDecision,
		Entry("before the settle time is over, it looks again", aReleasePackage(attempted(20*time.Second)), seeing(found()),
			does(lifecycle.Wait, because(v1alpha1.ReasonOutcomeUnknown, "attempt 1", unknownWords),
				comingBackAfter(settleTime-19*time.Second), tellingNothing())),
		Entry("right after the request, it looks again when lists that lag behind show it",
			aReleasePackage(attempted(3*time.Second)), seeing(found()),
			does(lifecycle.Wait, because(v1alpha1.ReasonOutcomeUnknown), comingBackAfter(7*time.Second))),
		Entry("before the settle time is over, an item that is unpacked proves nothing",
			aReleasePackage(attempted(unsettled)), seeing(found(), itemUnpacked),
			does(lifecycle.Wait, because(v1alpha1.ReasonOutcomeUnknown))),
		Entry("a clock that runs behind does not end the settle time", aReleasePackage(attempted(-time.Hour)),
			seeing(found(), itemUnpacked),
			does(lifecycle.Wait, because(v1alpha1.ReasonOutcomeUnknown), comingBackAfter(10*time.Second))),
		Entry("after the settle time, an item that is unpacked closes the attempt", aReleasePackage(attempted(justSettled)),
			seeing(found(), itemUnpacked),
			does(lifecycle.CloseAttempt, comingBackAfter(time.Second), tellingNothing())),
		Entry("after the settle time, an item in another package closes the attempt",
			aReleasePackage(attempted(justSettled)), seeing(found(), itemElsewhere),
			does(lifecycle.CloseAttempt, comingBackAfter(time.Second), tellingNothing())),
		Entry("before that, it proves nothing",
			aReleasePackage(attempted(unsettled)), seeing(found(), itemElsewhere),
			does(lifecycle.Wait, because(v1alpha1.ReasonOutcomeUnknown))),
		Entry("after the settle time, items that are not seen outside of the package prove nothing",
			aReleasePackage(attempted(longSettled)), seeing(found()),
			does(lifecycle.Stall, because(v1alpha1.ReasonAmbiguousPackage, "job_0948_20250513", "none of its items"),
				comingBackAfter(5*time.Minute))),
		Entry("after the settle time and an edit, the items that were sent decide",
			aReleasePackage(attempted(longSettled), edited), seeing(found(), itemUnpacked),
			does(lifecycle.CloseAttempt)),
		Entry("a package with a name that no one else uses, but other contents, is a contradiction",
			aReleasePackage(ownName, attempted(longSettled)),
			seeing(found(unlike), itemUnpacked),
			does(lifecycle.Stall, because(v1alpha1.ReasonAmbiguousPackage, packageID, "other contents"))),
		Entry("a withdrawn one of that kind is none", aReleasePackage(ownName, attempted(longSettled)),
			seeing(found(unlikeAndWithdrawn), itemUnpacked), does(lifecycle.CloseAttempt)),
		Entry("a package with a name that others may use is none", aReleasePackage(attempted(longSettled)),
			seeing(found(changed(func(p *lifecycle.Package) { p.ApplyUserID = "dev2" })), itemUnpacked),
			does(lifecycle.CloseAttempt)),
		Entry("a forced pass does not send either", aReleasePackage(attempted(longSettled), forced), seeing(found()),
			does(lifecycle.Stall, because(v1alpha1.ReasonAmbiguousPackage))),
		Entry("a failed look is no absence", aReleasePackage(attempted(longSettled)), seeing(unavailable),
			does(lifecycle.Wait, because(v1alpha1.ReasonServiceUnavailable), notComingBack())),
	)

	DescribeTable("what is not the package that was asked for is no match", func(other lifecycle.Package) {
		Expect(decide(aReleasePackage(attempted(time.Minute)), seeing(found(other)))).To(does(lifecycle.Wait))
	},
		Entry("because of its name", changed(func(p *lifecycle.Package) { p.Name = "job_0948_20250513_2" })),
		Entry("because of its applicant", changed(func(p *lifecycle.Package) { p.ApplyUserID = "dev2" })),
		Entry("because of its approvers", changed(func(p *lifecycle.Package) { p.ApproverIDs = []string{"dep1"} })),
		Entry("because an item is missing", changed(func(p *lifecycle.Package) { p.Items = p.Items[:1] })),
		Entry("because an item is another", changed(func(p *lifecycle.Package) { p.Items[0].ID = "28" })),
	)

	DescribeTable("clocks may differ", func(packedTime time.Time) {
		p := changed(func(p *lifecycle.Package) { p.PackedTime = packedTime })
		Expect(decide(aReleasePackage(attempted(0)), seeing(found(p)))).To(does(lifecycle.Adopt))
	},
		Entry("the service's may be behind", now.Add(-8*time.Hour)),
		Entry("the service's may be ahead", now.Add(8*time.Hour)),
		Entry("the service may show no time", time.Time{}),
	)

	DescribeTable("times rule out what others had under the same name and has come to an end",
		func(state v1alpha1.PackageState, ago time.Duration, plausible bool) {
			p := aPackage(packageID, state)
			p.PackedTime = now.Add(-ago)
			Expect(lifecycle.Plausible(aReleasePackage(attempted(0)), &p)).To(Equal(plausible))
		},
		Entry("withdrawn a moment ago", v1alpha1.StateWithdrawn, lifecycle.EndedWindow, true),
		Entry("withdrawn earlier", v1alpha1.StateWithdrawn, lifecycle.EndedWindow+time.Second, false),
		Entry("failed hours ago, in whatever time zone", v1alpha1.StateDeployFailed, lifecycle.DeployedWindow, true),
		Entry("failed days ago", v1alpha1.StateDeployFailed, lifecycle.DeployedWindow+time.Second, false),
		Entry("deployed hours ago, in whatever time zone", v1alpha1.StateDeployed, lifecycle.DeployedWindow, true),
		Entry("deployed days ago", v1alpha1.StateDeployed, lifecycle.DeployedWindow+time.Second, false),
		Entry("in review for ever so long", v1alpha1.StatePendingReview, 1000*time.Hour, true),
	)

	It("recognises what has its own name and has come to an end, whatever the time", func() {
		rp := aReleasePackage(func(rp *v1alpha1.ReleasePackage) { rp.Spec.PackageName = "" })
		lifecycle.BeginAttempt(rp, here, now)
		p := aPackage(packageID, v1alpha1.StateWithdrawn)
		p.Name, p.PackedTime = rp.Status.Attempt.PackageName, now.Add(-8*time.Hour)
		Expect(lifecycle.Plausible(rp, &p)).To(BeTrue())
		p.Name += "-2"
		Expect(lifecycle.Plausible(rp, &p)).To(BeFalse(), "that of another attempt")
	})

	It("looks before it sends what was refused once more, as the refusal may have been none", func() {
		rp := aReleasePackage(ended(v1alpha1.OutcomeRefused), forced)
		Expect(decide(rp, seeing(found()))).To(does(lifecycle.Pack))
		made := aPackage(packageID, v1alpha1.StatePendingReview)
		made.PackedTime = rp.Status.Attempt.StartTime.Time
		Expect(decide(rp, seeing(found(made)))).To(does(lifecycle.Stall,
			because(v1alpha1.ReasonAmbiguousPackage, "was refused, and yet", packageID)))
		made.State = v1alpha1.StateDeployed
		Expect(decide(rp, seeing(found(made)))).To(does(lifecycle.Adopt, HaveField("Package.ID", packageID)),
			"what is deployed needs nobody to choose")
	})

	It("never takes a package that it has replaced for the lost one", func() {
		old := aPackage(withdrawnID, v1alpha1.StateDeployFailed)
		rp := aReleasePackage(attempted(time.Minute))
		Expect(lifecycle.Plausible(rp, &old)).To(BeTrue())
		rp.Status.WithdrawnPackageIDs = []string{"11", withdrawnID}
		Expect(lifecycle.Plausible(rp, &old)).To(BeFalse())
		Expect(decide(rp, seeing(found(old)))).To(does(lifecycle.Wait))
		Expect(decide(rp, seeing(found(old, inReview)))).To(does(lifecycle.Adopt, HaveField("Package.ID", packageID)))
	})

	DescribeTable("the items are asked for only when they decide",
		func(rp *v1alpha1.ReleasePackage, obs lifecycle.Observation, want bool) {
			Expect(lifecycle.NeedsItems(rp, obs)).To(Equal(want))
		},
		Entry("nothing was found and the settle time is over", aReleasePackage(attempted(justSettled)), seeing(found()),
			true),
		Entry("what was found is another package", aReleasePackage(attempted(justSettled)),
			seeing(found(changed(func(p *lifecycle.Package) { p.ApplyUserID = "dev2" }))), true),
		Entry("not before the settle time is over", aReleasePackage(attempted(unsettled)), seeing(found()), false),
		Entry("not when a match was found", aReleasePackage(attempted(justSettled)), seeing(found(inReview)), false),
		Entry("an edit does not matter", aReleasePackage(attempted(justSettled), edited), seeing(found()), true),
		Entry("not without a search", aReleasePackage(attempted(justSettled)), seeing(), false),
		Entry("not without an open attempt", aReleasePackage(), seeing(found()), false),
	)

	It("says why the answer is missing, with the same words before and after a look", func() {
		rp := aReleasePackage(attempted(time.Second))
		Expect(lifecycle.AfterPack(rp, seeing(), noAnswer)).To(does(lifecycle.Wait,
			because(v1alpha1.ReasonOutcomeUnknown, "stopped before it had an answer"), comingBackAfter(10*time.Second)))

		lost := lifecycle.Answer{Kind: lifecycle.AnswerNone, Error: "pack: no clear answer: HTTP 502"}
		lifecycle.RecordPackAnswer(rp, lost, now)
		Expect(lifecycle.AttemptOpen(rp)).To(BeTrue())
		step := lifecycle.AfterPack(rp, seeing(), lost)
		Expect(step).To(because(v1alpha1.ReasonOutcomeUnknown, "HTTP 502"))
		Expect(decide(rp, seeing(found())).Message).To(Equal(step.Message))
	})

	It("packs again after the attempt was closed", func() {
		rp := aReleasePackage(attempted(justSettled))
		obs := seeing(found(), itemUnpacked)
		rp = recorded(rp, obs, decide(rp, obs))
		Expect(rp.Status.Attempt.Outcome).To(Equal(v1alpha1.OutcomeNotFound))
		Expect(decide(rp, seeing())).To(does(lifecycle.Pack))
	})
})

var _ = Describe("A request that takes effect after the settle time", func() {
	// The package of the next request is the recorded one, packageID.
	lostOne := func(state v1alpha1.PackageState, changes ...with) *v1alpha1.ReleasePackage {
		return aReleasePackage(append([]with{lost(1), packed(state)}, changes...)...)
	}
	ownName := func(rp *v1alpha1.ReleasePackage) { rp.Spec.PackageName = "" }
	lostBefore := func(rp *v1alpha1.ReleasePackage) { rp.Status.Attempt.LostBefore = 1 }
	deployedSince := func(rp *v1alpha1.ReleasePackage) { rp.Status.State = v1alpha1.StateDeployed }
	inReview := thePackage(v1alpha1.StatePendingReview)
	own, lateOne := aPackage(packageID, v1alpha1.StatePendingReview), aPackage(anotherID, v1alpha1.StatePendingReview)

	uid := func(n int) with {
		return func(rp *v1alpha1.ReleasePackage) { rp.UID = types.UID(fmt.Sprint("uid-", n)) }
	}
	// ownTime is when an object has a search of its own.
	ownTime := func(rp *v1alpha1.ReleasePackage) time.Time { return now.Add(lifecycle.UntilLateSearch(rp, now)) }

	DescribeTable("is looked for at once", func(rp *v1alpha1.ReleasePackage, want bool) {
		Expect(lifecycle.SearchesLate(rp, ownTime(lostOne(v1alpha1.StatePendingReview)).Add(-time.Minute))).To(Equal(want))
	},
		Entry("not where nothing happens", lostOne(v1alpha1.StatePendingReview), false),
		Entry("when a deletion begins", lostOne(v1alpha1.StatePendingReview, deleted), true),
		Entry("when a deletion found the next one withdrawn", lostOne(v1alpha1.StateWithdrawn, deleted), true),
		Entry("when the object was edited", lostOne(v1alpha1.StatePendingReview, edited), true),
		Entry("when the next one was withdrawn to be replaced", lostOne(v1alpha1.StateWithdrawn, withdrawing), true),
		Entry("when someone asks for it", lostOne(v1alpha1.StatePendingReview, forced), true),
		Entry("as long as one is told of", lostOne(v1alpha1.StatePendingReview, told(inReview, found(own, lateOne))), true),
		Entry("not where none was lost", aReleasePackage(packed(v1alpha1.StatePendingReview), forced), false),
		Entry("not where another package was adopted since", aReleasePackage(lost(2), adopted(v1alpha1.StatePendingReview),
			forced), false),
	)

	It("is looked for now and then, each object's at a time of its own", func() {
		early := 0
		for n := range 1000 {
			rp := lostOne(v1alpha1.StatePendingReview, uid(n))
			at := ownTime(rp)
			Expect(at).To(And(BeTemporally(">", now), BeTemporally("<=", now.Add(time.Hour))))
			Expect(lifecycle.SearchesLate(rp, at)).To(BeTrue())
			Expect(lifecycle.SearchesLate(rp, at.Add(6*time.Minute))).To(BeFalse())
			Expect(lifecycle.UntilLateSearch(rp, at)).To(Equal(time.Hour), "once an hour")
			if at.Before(now.Add(6 * time.Minute)) {
				early++
			}
		}
		Expect(early).To(BeNumerically("~", 100, 50))
	})

	DescribeTable("needs no look of its own", func(rp *v1alpha1.ReleasePackage, want lifecycle.Need) {
		Expect(lifecycle.Needs(rp)).To(Equal(want))
	},
		Entry("in review", lostOne(v1alpha1.StatePendingReview), lifecycle.NeedPackage),
		Entry("when a deletion begins", lostOne(v1alpha1.StatePendingReview, deleted), lifecycle.NeedPackage),
		Entry("when a deletion found the next one withdrawn", lostOne(v1alpha1.StateWithdrawn, deleted),
			lifecycle.NeedConnection),
		Entry("once the next one is deployed", lostOne(v1alpha1.StateDeployed), lifecycle.NeedNothing),
		Entry("where the next one did not get through, for a deletion",
			aReleasePackage(lost(1), ended(v1alpha1.OutcomeNotDone), deleted), lifecycle.NeedSearch),
		Entry("for the deletion of what is deployed", lostOne(v1alpha1.StateDeployed, deleted), lifecycle.NeedConnection),
		Entry("once the next one is deployed, as long as one is told of",
			lostOne(v1alpha1.StatePendingReview, told(inReview, found(own, lateOne)), deployedSince), lifecycle.NeedConnection),
		Entry("for a deletion that leaves everything", lostOne(v1alpha1.StatePendingReview, deleted, retained),
			lifecycle.NeedNothing),
	)

	DescribeTable("brings nobody back",
		func(rp *v1alpha1.ReleasePackage) { Expect(lifecycle.UntilLateSearch(rp, now)).To(BeZero()) },
		Entry("for a deletion, whose passes all search", lostOne(v1alpha1.StatePendingReview, deleted)),
		Entry("while suspended", lostOne(v1alpha1.StatePendingReview, suspended)),
		Entry("once deployed", lostOne(v1alpha1.StateDeployed)),
		Entry("where none was lost", aReleasePackage(packed(v1alpha1.StatePendingReview))),
	)

	DescribeTable("is told of", expectDecision,
		Entry("in review", lostOne(v1alpha1.StatePendingReview), seeing(inReview, found(own, lateOne)),
			does(lifecycle.Stall, because(v1alpha1.ReasonAmbiguousPackage, "Besides package 13, packages 14", "too late",
				"in the console"), comingBackAfter(5*time.Minute))),
		Entry("before an edit replaces the package", lostOne(v1alpha1.StatePendingReview, edited),
			seeing(inReview, found(own, lateOne)),
			does(lifecycle.Stall, because(v1alpha1.ReasonAmbiguousPackage))),
		Entry("before a forced pass packs again", lostOne(v1alpha1.StateWithdrawn, forced),
			seeing(thePackage(v1alpha1.StateWithdrawn), found(lateOne)),
			does(lifecycle.Stall, because(v1alpha1.ReasonAmbiguousPackage))),
		Entry("not where there is none", lostOne(v1alpha1.StatePendingReview), seeing(inReview, found(own)),
			does(lifecycle.Wait, withoutReason(), comingBackAfter(pollInterval))),
		Entry("not once it is withdrawn", lostOne(v1alpha1.StatePendingReview),
			seeing(inReview, found(own, aPackage(anotherID, v1alpha1.StateWithdrawn))),
			does(lifecycle.Wait, withoutReason())),
		Entry("not once it is deployed", lostOne(v1alpha1.StatePendingReview),
			seeing(inReview, found(own, aPackage(anotherID, v1alpha1.StateDeployed))),
			does(lifecycle.Wait, withoutReason())),
		Entry("by its name, if no one else can have given that, whatever its contents",
			lostOne(v1alpha1.StatePendingReview, ownName, packed(v1alpha1.StatePendingReview), lostBefore),
			seeing(inReview, found(changed(func(p *lifecycle.Package) {
				p.ID, p.Name, p.ApplyUserID = anotherID, lifecycle.WantedContent(aReleasePackage(ownName)).PackageName, "dev2"
			}))), does(lifecycle.Stall, because(v1alpha1.ReasonAmbiguousPackage, "packages 14"))),
		Entry("later, where the next one was withdrawn", lostOne(v1alpha1.StateWithdrawn),
			seeing(thePackage(v1alpha1.StateWithdrawn), found()),
			does(lifecycle.Stall, because(v1alpha1.ReasonWithdrawn), comingBackAfter(0))),
		Entry("later, where the next one failed", lostOne(v1alpha1.StateDeployFailed),
			seeing(thePackage(v1alpha1.StateDeployFailed), found()),
			does(lifecycle.Stall, because(v1alpha1.ReasonDeployFailed), comingBackAfter(0))),
		Entry("not where it has other contents", lostOne(v1alpha1.StatePendingReview),
			seeing(inReview, found(own, changed(func(p *lifecycle.Package) { p.ID, p.ApplyUserID = anotherID, "dev2" }))),
			does(lifecycle.Wait, withoutReason())),
	)

	It("is not to be chosen by spec.releasePackageId, which the API server refuses beside a recorded package", func() {
		step := decide(lostOne(v1alpha1.StatePendingReview), seeing(inReview, found(own, lateOne)))
		Expect(step.Message).NotTo(ContainSubstring("spec.releasePackageId"))
	})

	It("is withdrawn by a deletion, after the recorded package", func() {
		rp := lostOne(v1alpha1.StatePendingReview, deleted)
		Expect(decide(rp, seeing(inReview, found(own, lateOne)))).To(does(lifecycle.Unpack))

		rp = lostOne(v1alpha1.StatePendingReview, givenUp, deleted)
		obs := seeing(thePackage(v1alpha1.StateWithdrawn), found(lateOne))
		step := decide(rp, obs)
		Expect(step).To(does(lifecycle.Adopt, HaveField("Package.ID", anotherID), comingBackAfter(time.Second),
			telling(v1alpha1.EventAdopted, anotherID, "too late")))
		rp = recorded(rp, obs, step)
		Expect(rp.Status.WithdrawnPackageIDs).To(HaveExactElements(packageID))
		Expect(decide(rp, seeing(func(s *lifecycle.Observation) { s.Package = &lateOne }))).To(does(lifecycle.Unpack,
			because(v1alpha1.ReasonUnpacking, anotherID)))
	})

	It("is told of though the recorded package is deployed, and withdrawn by a deletion", func() {
		rp := lostOne(v1alpha1.StatePendingReview, told(inReview, found(own, lateOne)), deployedSince)
		Expect(lifecycle.SearchesLate(rp, now)).To(BeTrue())
		Expect(decide(rp, seeing(found(own, lateOne)))).To(does(lifecycle.Stall,
			because(v1alpha1.ReasonAmbiguousPackage, "packages 14")))
		Expect(lifecycle.UntilLateSearch(rp, now)).To(Equal(5 * time.Minute))
		Expect(decide(rp, seeing(found(own)))).To(does(lifecycle.Wait, withoutReason()))
		deleted(rp)
		Expect(decide(rp, seeing(found(own, lateOne)))).To(does(lifecycle.Adopt, HaveField("Package.ID", anotherID)))
		Expect(decide(rp, seeing(found(own)))).To(does(lifecycle.RemoveFinalizer,
			telling(v1alpha1.EventReleased, "deployed already")))
	})

	DescribeTable("is withdrawn by a deletion though nothing is left of the recorded package",
		func(state v1alpha1.PackageState, sees sight, answer lifecycle.Answer) {
			rp := lostOne(state, deleted)
			obs := seeing(sees, found(lateOne))
			step := decide(rp, obs)
			Expect(step).To(does(lifecycle.Unpack))
			Expect(answered(rp, obs, step, answer)).To(does(lifecycle.Unpack, comingBackAfter(time.Second)))
			Expect(decide(rp, obs)).To(does(lifecycle.Adopt, HaveField("Package.ID", anotherID)))
		},
		Entry("which is not shown", v1alpha1.StatePendingReview, hiding, lifecycle.Answer{}),
		Entry("which does not exist", v1alpha1.StatePendingReview, gone, notFound),
		Entry("which failed, and cannot be withdrawn", v1alpha1.StateDeployFailed, thePackage(v1alpha1.StateDeployFailed),
			tooLate),
	)

	It("is not forgotten over another one", func() {
		rp := aReleasePackage(lost(2), packed(v1alpha1.StateWithdrawn), deleted)
		third := aPackage("15", v1alpha1.StatePendingReview)
		obs := seeing(found(lateOne, third))
		rp = recorded(rp, obs, decide(rp, obs))
		Expect(rp.Status.ReleasePackageID).To(Equal(anotherID))
		rp.Status.State = v1alpha1.StateWithdrawn
		Expect(lifecycle.Needs(rp)).To(Equal(lifecycle.NeedConnection))
		obs = seeing(found(lateOne, third))
		step := decide(rp, obs)
		Expect(step).To(does(lifecycle.Adopt, HaveField("Package.ID", "15")))
		rp = recorded(rp, obs, step)
		rp.Status.State = v1alpha1.StateWithdrawn
		Expect(decide(rp, seeing(found(own, lateOne, third)))).To(does(lifecycle.RemoveFinalizer))
	})

	DescribeTable("is looked for where no other package came after it", expectDecision,
		Entry("before the next request, which it makes needless", aReleasePackage(lost(1)), seeing(found(lateOne)),
			does(lifecycle.Adopt, HaveField("Package.ID", anotherID), telling(v1alpha1.EventAdopted, "too late"))),
		Entry("before a forced one", aReleasePackage(lost(3), forced), seeing(found(lateOne)), does(lifecycle.Adopt)),
		Entry("of which there are several", aReleasePackage(lost(3), forced), seeing(found(own, lateOne)),
			does(lifecycle.Stall, because(v1alpha1.ReasonAmbiguousPackage, "13, 14", "too late"))),
		Entry("which was withdrawn since", aReleasePackage(lost(1)),
			seeing(found(aPackage(anotherID, v1alpha1.StateWithdrawn))), does(lifecycle.Pack)),
		Entry("by a deletion", aReleasePackage(lost(3), deleted), seeing(found(lateOne)),
			does(lifecycle.Adopt, HaveField("Package.ID", anotherID), comingBackAfter(time.Second))),
		Entry("by a deletion, one after the other", aReleasePackage(lost(3), deleted), seeing(found(own, lateOne)),
			does(lifecycle.Adopt)),
		Entry("by a deletion, after a try that was not sent",
			aReleasePackage(lost(1), ended(v1alpha1.OutcomeNotDone), deleted), seeing(found(lateOne)), does(lifecycle.Adopt)),
		Entry("by a deletion, where there is none", aReleasePackage(lost(3), deleted), seeing(found()),
			does(lifecycle.RemoveFinalizer, tellingNothing())),
	)

	It("is looked for by its first name, however often that was forced", func() {
		rp := aReleasePackage(ownName, lost(3), forced, ended(v1alpha1.OutcomeNotFound))
		rp.Status.LastHandledReconcileAt = ""
		lifecycle.BeginAttempt(rp, here, now)
		Expect(rp.Status.Attempt.LostBefore).To(BeEquivalentTo(4))
		Expect(lifecycle.SearchNames(rp)).To(HaveLen(5))
	})

	It("keeps no deletion where it made nothing", func() {
		rp := lostOne(v1alpha1.StatePendingReview, deleted)
		Expect(decide(rp, seeing(thePackage(v1alpha1.StateWithdrawn), found()))).To(does(lifecycle.RemoveFinalizer,
			telling(v1alpha1.EventReleased, packageID)))
	})
})
