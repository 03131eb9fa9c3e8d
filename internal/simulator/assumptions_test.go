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
	"errors"
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

// set gives one assumption a value; the empty value is the default.
func set[T any](field func(*simulator.Assumptions) *T, value T) func(*simulator.Options) {
	return assuming(func(a *simulator.Assumptions) { *field(a) = value })
}

type verdictField = func(*simulator.Assumptions) *simulator.Verdict

const byDefault simulator.Verdict = ""

var _ = Describe("Assumptions", func() {
	Describe("about packing", func() {
		DescribeTable("decide", func(ctx SpecContext, field verdictField, v simulator.Verdict, body string, ok bool) {
			s := start(set(field, v))
			s.packed(ctx, "taken")
			withdrawn := s.packed(ctx, "withdrawn")
			Expect(s.console.Withdraw(withdrawn[0])).To(Succeed())
			_, err := s.console.Submit(simulator.NewItem{Name: "of the reviewer", SubmitUserID: reviewerID})
			Expect(err).NotTo(HaveOccurred())

			r := s.post(ctx, packPath, body)
			if ok {
				Expect(r.status).To(Equal(http.StatusOK), r.body)
				return
			}
			Expect(r.status).To(Equal(http.StatusBadRequest))
			Expect(r.code()).To(Equal(invalidParam))
		},
			Entry("a name that is taken", duplicateName, byDefault, packBody("taken", "3"), true),
			Entry("a name that is taken, refused", duplicateName, simulator.Refuse, packBody("taken", "3"), false),
			Entry("the name of a withdrawn package", duplicateName, simulator.Refuse, packBody("withdrawn", "3"), true),
			Entry("a name never used", duplicateName, simulator.RefuseEver, packBody("p", "3"), true),
			Entry("a name that is taken, refused ever", duplicateName, simulator.RefuseEver, packBody("taken", "3"), false),
			Entry("the name of a withdrawn package, refused ever", duplicateName, simulator.RefuseEver,
				packBody("withdrawn", "3"), false),
			Entry("an item of another package", sharedItem, byDefault, packBody("p", "1"), false),
			Entry("an item of another package, accepted", sharedItem, simulator.Accept, packBody("p", "1"), true),
			Entry("self-review", selfReview, byDefault, selfReviewed, true),
			Entry("self-review, refused", selfReview, simulator.Refuse, selfReviewed, false),
			Entry("review by others", selfReview, simulator.Refuse, packBody("p", "3"), true),
			Entry("a foreign applicant", applicant, byDefault, packBody("p", "3"), true),
			Entry("a foreign applicant, refused", applicant, simulator.Refuse, packBody("p", "3"), false),
			Entry("the submitter as applicant", applicant, simulator.Refuse, selfReviewed, true),
		)

		It("may let anyone approve", func(ctx SpecContext) {
			s := start(assuming(func(a *simulator.Assumptions) { a.Approvers = simulator.Anyone }))
			s.submitted("a", "b")
			body := strings.ReplaceAll(packBody("p", "1"), reviewerID, "stranger")
			Expect(s.post(ctx, packPath, body).status).To(Equal(http.StatusOK))
			Expect(s.list(ctx).body).To(ContainSubstring(`{"user_id":"stranger","user_name":""}`))
			body = strings.ReplaceAll(packBody("p", "2"), reviewerID, none)
			Expect(s.post(ctx, packPath, body).code()).To(Equal(invalidParam), "but not nobody")
		})

		It("may bound items and approvers", func(ctx SpecContext) {
			s := start(assuming(func(a *simulator.Assumptions) { a.MaxItems, a.MaxApprovers = 2, 1 }))
			s.submitted("a", "b", "c")
			Expect(s.post(ctx, packPath, packBody("p", "1", "2", "3")).code()).To(Equal(invalidParam))
			two := strings.ReplaceAll(packBody("p", "1", "2"), `["rev-id"]`, `["rev-id","rev-id"]`)
			Expect(s.post(ctx, packPath, two).code()).To(Equal(invalidParam))
			Expect(s.post(ctx, packPath, packBody("p", "1", "2")).status).To(Equal(http.StatusOK))
		})

		DescribeTable("number packages", func(ctx SpecContext, scope simulator.IDScope, item, id string) {
			s := start(assuming(func(a *simulator.Assumptions) { a.IDs = scope }))
			s.packed(ctx, "a")
			other := s.Console(project, "ws-2")
			Expect(other.Submit(simulator.NewItem{Name: "b"})).To(Equal([]string{item}))
			Expect(other.Pack("b", developerID, []string{reviewerID}, []string{item})).To(Equal(id))
		},
			Entry("over all workspaces", simulator.IDScope(""), "2", "2"),
			Entry("in each workspace", simulator.IDsPerWorkspace, "1", "1"),
		)

		DescribeTable("write ids", func(ctx SpecContext, form simulator.IDForm, id string) {
			s := start(assuming(func(a *simulator.Assumptions) { a.IDForm = form }))
			packed := s.post(ctx, packPath, packBody("a", s.submitted("a")...))
			Expect(packed.body).To(ContainSubstring(`"release_package_id":` + id))
			Expect(s.list(ctx).body).To(ContainSubstring(`"package_id":` + id))
			Expect(s.get(ctx, packagesPath+"/1").body).To(And(
				ContainSubstring(`"package_id":`+id), ContainSubstring(`"pending_item_id":`+id)))
			Expect(s.get(ctx, itemsPath).body).To(ContainSubstring(`"pending_item_id":` + id))
			Expect(s.unpack(ctx, "1").status).To(Equal(http.StatusOK))
		},
			Entry("as text", simulator.IDForm(""), `"1"`),
			Entry("as numbers", simulator.IDNumber, "1"),
		)
	})

	Describe("about unpacking", func() {
		prepare := map[string]func(*simulator.Console, string) error{
			"deploying": (*simulator.Console).StartDeploy,
			"failed": func(c *simulator.Console, id string) error {
				return errors.Join(c.StartDeploy(id), c.FailDeploy(id))
			},
			"withdrawn": (*simulator.Console).Withdraw,
		}
		DescribeTable("decide", func(ctx SpecContext, state string, field verdictField, v simulator.Verdict, code string) {
			s := start(set(field, v))
			ids := s.packed(ctx, "a")
			Expect(prepare[state](s.console, ids[0])).To(Succeed())
			r := s.unpack(ctx, ids...)
			Expect(r.code()).To(Equal(code))
			Expect(s.snapshot(ids[0]).Withdrawn).To(Equal(code == none || state == "withdrawn"))
		},
			Entry("deploying", "deploying", unpackDeploying, byDefault, released),
			Entry("deploying, accepted", "deploying", unpackDeploying, simulator.Accept, none),
			Entry("failed", "failed", unpackFailed, byDefault, none),
			Entry("failed, refused", "failed", unpackFailed, simulator.Refuse, released),
			Entry("withdrawn", "withdrawn", unpackAgain, byDefault, doesNotExist),
			Entry("withdrawn, accepted", "withdrawn", unpackAgain, simulator.Accept, none),
		)

		It("may accept what is unknown, or not shown yet, and do nothing", func(ctx SpecContext) {
			s := start(assuming(func(a *simulator.Assumptions) { a.UnpackUnknown, a.ShowLag = simulator.Accept, 5 }))
			ids := s.packed(ctx, "a")
			Expect(s.unpack(ctx, "4711").status).To(Equal(http.StatusOK))
			Expect(s.unpack(ctx, ids[0]).status).To(Equal(http.StatusOK))
			Expect(s.console.Packages()[0].Withdrawn).To(BeFalse())
			s.clock.advance(5 * time.Second)
			Expect(s.unpack(ctx, ids[0]).status).To(Equal(http.StatusOK))
			Expect(s.console.Packages()[0].Withdrawn).To(BeTrue())
		})

		It("may accept the repetition where the row is gone", func(ctx SpecContext) {
			s := start(assuming(func(a *simulator.Assumptions) {
				a.UnpackAgain, a.WithdrawnPackage = simulator.Accept, simulator.PackageGone
			}))
			ids := s.packed(ctx, "a", "b")
			Expect(s.unpack(ctx, ids[0]).status).To(Equal(http.StatusOK))
			Expect(s.unpack(ctx, ids[0]).status).To(Equal(http.StatusOK))
			Expect(s.console.Vanish(ids[1])).To(Succeed())
			Expect(s.unpack(ctx, ids[1]).code()).To(Equal(doesNotExist), "it never was withdrawn")
		})

		DescribeTable("an empty list", func(ctx SpecContext, v simulator.Verdict, code string) {
			s := start(set(unpackEmpty, v))
			for _, body := range []string{none, "{}", `{"package_ids":[]}`, `{"package_ids":null}`} {
				Expect(s.post(ctx, unpackPath, body).code()).To(Equal(code), body)
			}
		},
			Entry("refused", byDefault, invalidParam),
			Entry("accepted", simulator.Accept, none),
		)

		DescribeTable("a mixed batch", func(ctx SpecContext, rule simulator.Batch, withdrawn bool) {
			s := start(assuming(func(a *simulator.Assumptions) { a.MixedUnpack = rule }))
			ids := s.packed(ctx, "a", "b", "c")
			Expect(s.console.Deploy(ids[1])).To(Succeed())
			s.Reset()
			r := s.unpack(ctx, ids[0], "99", ids[1], ids[2], ids[2])
			Expect(r.code()).To(Equal(doesNotExist), "the first refusal is the answer")
			Expect(s.snapshot(ids[0]).Withdrawn).To(Equal(withdrawn))
			Expect(s.snapshot(ids[2]).Withdrawn).To(Equal(withdrawn))
			Expect(s.Requests()).To(ConsistOf(And(
				HaveField("WorkDone", withdrawn), HaveField("Packages", []string{"1", "99", "2", "3", "3"}))))
		},
			Entry("withdraws nothing", simulator.Batch(""), false),
			Entry("withdraws what it can", simulator.BatchPartial, true),
		)

		It("may bound the ids", func(ctx SpecContext) {
			s := start(assuming(func(a *simulator.Assumptions) { a.MaxUnpack = 1 }))
			ids := s.packed(ctx, "a", "b")
			Expect(s.unpack(ctx, ids...).code()).To(Equal(invalidParam))
			Expect(s.unpack(ctx, ids[0]).status).To(Equal(http.StatusOK))
		})

		DescribeTable("the code for an unknown package", func(ctx SpecContext, code simulator.Code, want string) {
			s := start(assuming(func(a *simulator.Assumptions) { a.UnknownPackage = code }))
			Expect(s.unpack(ctx, "9").code()).To(Equal(want))
			Expect(s.get(ctx, packagesPath+"/9").code()).To(Equal(want))
			Expect(s.post(ctx, deployPath, `{"package_ids":["9"]}`).code()).To(Equal(want))
		},
			Entry("short", simulator.Code(""), "DLF.0810"),
			Entry("long", simulator.CodeNoTaskLong, "DLF.20810"),
			Entry("that of a wrong parameter", simulator.CodeInvalidParameter, invalidParam),
		)

		DescribeTable("may have another code when an unknown package is to be shown",
			func(ctx SpecContext, unpacked, shown simulator.Code, status int, code string) {
				s := start(assuming(func(a *simulator.Assumptions) { a.UnknownPackage, a.UnknownShown = unpacked, shown }))
				r := s.get(ctx, packagesPath+"/9")
				Expect(r.code()).To(Equal(code))
				Expect(r.status).To(Equal(status))
				Expect(s.unpack(ctx, "9").code()).To(Equal(string(unpacked)))
			},
			Entry("that of a wrong parameter", simulator.CodeNoTask, simulator.CodeInvalidParameter,
				http.StatusBadRequest, invalidParam),
			Entry("the usual one", simulator.CodeInvalidParameter, simulator.CodeNoTask, http.StatusBadRequest, doesNotExist),
			Entry("none", simulator.CodeNoTaskLong, simulator.NoCode, http.StatusNotFound, none),
		)

		It("may say 404 and nothing else about an unknown package", func(ctx SpecContext) {
			s := start(assuming(func(a *simulator.Assumptions) { a.UnknownPackage = simulator.NoCode }))
			for _, r := range []reply{s.unpack(ctx, "9"), s.get(ctx, packagesPath+"/9")} {
				Expect(r.status).To(Equal(http.StatusNotFound))
				Expect(r.body).To(And(ContainSubstring("error_msg"), Not(ContainSubstring("error_code"))))
			}
		})

		DescribeTable("what becomes of the package",
			func(ctx SpecContext, fate simulator.WithdrawnPackage, listed, shown string) {
				s := start(assuming(func(a *simulator.Assumptions) { a.WithdrawnPackage = fate }))
				s.unpack(ctx, s.packed(ctx, "a")...)
				Expect(s.list(ctx).body).To(ContainSubstring(listed))
				Expect(s.get(ctx, packagesPath+"/1").body).To(ContainSubstring(shown))
				Expect(s.snapshot("1").Withdrawn).To(BeTrue())
			},
			Entry("flagged", simulator.WithdrawnPackage(""), `"delete_flag":1`, `"delete_flag":1`),
			Entry("unlisted", simulator.PackageUnlisted, `"total":0`, `"delete_flag":1`),
			Entry("gone", simulator.PackageGone, `"total":0`, doesNotExist),
		)

		DescribeTable("what becomes of the items", func(ctx SpecContext, fate simulator.WithdrawnItem, want string) {
			s := start(assuming(func(a *simulator.Assumptions) { a.WithdrawnItem = fate }))
			s.unpack(ctx, s.packed(ctx, "a")...)
			Expect(s.get(ctx, itemsPath).body).To(ContainSubstring(want))
		},
			Entry("pending", simulator.WithdrawnItem(""), `"package_flag":0`),
			Entry("gone", simulator.ItemGone, `"total":0`),
		)

		DescribeTable("what becomes of the items of a failed package",
			func(ctx SpecContext, fate simulator.FailedItem, want string) {
				s := start(assuming(func(a *simulator.Assumptions) { a.FailedItem = fate }))
				id := s.packed(ctx, "a")[0]
				Expect(s.console.StartDeploy(id)).To(Succeed())
				Expect(s.console.FailDeploy(id)).To(Succeed())
				Expect(s.get(ctx, itemsPath).body).To(ContainSubstring(want))
			},
			Entry("packed", simulator.FailedItem(""), `"package_flag":1`),
			Entry("pending", simulator.FailedFrees, `"package_flag":0`),
		)

		DescribeTable("who may", func(ctx SpecContext, who simulator.Actors, key keyPair, code string) {
			s := start(assuming(func(a *simulator.Assumptions) { a.UnpackBy = who }))
			s.packed(ctx, "a")
			Expect(s.as(ctx, key, http.MethodPost, unpackPath, `{"package_ids":["1"]}`).code()).To(Equal(code))
		},
			Entry("anyone", simulator.Actors(""), bystander, none),
			Entry("a reviewer", simulator.Reviewers, reviewer, none),
			Entry("not somebody else than a reviewer", simulator.Reviewers, developer, "DLF.6888"),
			Entry("not somebody else than an approver", simulator.Approvers, developer, "DLF.6888"),
		)
	})

	Describe("about deploying", func() {
		DescribeTable("who may", func(ctx SpecContext, who simulator.Actors, key keyPair, code string) {
			s := start(func(o *simulator.Options) {
				o.Workspaces[0].Reviewers = []string{reviewerID, bystanderID}
				o.Assumptions.DeployBy = who
			})
			s.packed(ctx, "a")
			Expect(s.as(ctx, key, http.MethodPost, deployPath, `{"package_ids":["1"]}`).code()).To(Equal(code))
		},
			Entry("an approver", simulator.Actors(""), reviewer, none),
			Entry("not another reviewer", simulator.Actors(""), bystander, "DLF.6888"),
			Entry("another reviewer", simulator.Reviewers, bystander, none),
			Entry("not a developer", simulator.Reviewers, developer, "DLF.6888"),
			Entry("anyone", simulator.Anyone, developer, none),
		)

		DescribeTable("once more after a failure", func(ctx SpecContext, v simulator.Verdict, code string) {
			s := start(set(deployFailed, v))
			s.packed(ctx, "a")
			Expect(errors.Join(s.console.StartDeploy("1"), s.console.FailDeploy("1"))).To(Succeed())
			Expect(s.as(ctx, reviewer, http.MethodPost, deployPath, `{"package_ids":["1"]}`).code()).To(Equal(code))
		},
			Entry("accepted", byDefault, none),
			Entry("refused", simulator.Refuse, released),
		)
	})

	Describe("about lists and workspaces", func() {
		DescribeTable("the highest limit", func(ctx SpecContext, maximum int, over simulator.Verdict, code string, rows int) {
			s := start(assuming(func(a *simulator.Assumptions) { a.MaxLimit, a.OverLimit = maximum, over }))
			s.packed(ctx, "a", "b", "c")
			r := s.post(ctx, packagesPath, `{"limit":3}`)
			Expect(r.code()).To(Equal(code))
			if code == none {
				Expect(r.rows("package_id")).To(HaveLen(rows))
			}
		},
			Entry("none", 0, byDefault, none, 3),
			Entry("not exceeded", 3, byDefault, none, 3),
			Entry("exceeded", 2, byDefault, invalidParam, 0),
			Entry("exceeded and lowered", 2, simulator.Accept, none, 2),
		)

		DescribeTable("keywords", func(ctx SpecContext, match simulator.Match, found string, want ...string) {
			s := start(assuming(func(a *simulator.Assumptions) { a.Keyword = match }))
			s.packed(ctx, "a", "ab", "c")
			Expect(s.post(ctx, packagesPath, `{"key_word":"a"}`).rows("package_name")).To(Equal(want))
			Expect(s.get(ctx, itemsPath+"?item_name=c").decode()["total"]).To(BeEquivalentTo(found))
		},
			Entry("contained", simulator.Match(""), "1", "ab", "a"),
			Entry("equal", simulator.MatchExact, "0", "a"),
		)

		DescribeTable("packed items", func(ctx SpecContext, v simulator.Verdict, total string) {
			s := start(set(packedItem, v))
			s.packed(ctx, "a")
			Expect(s.get(ctx, itemsPath).decode()["total"]).To(BeEquivalentTo(total))
		},
			Entry("listed", byDefault, "1"),
			Entry("not listed", simulator.Refuse, "0"),
		)

		DescribeTable("a missing workspace header", func(ctx SpecContext, v simulator.Verdict, code string) {
			s := start(set(missingWorkspace, v))
			r, err := s.try(ctx, request{
				method: http.MethodPost, path: packagesPath, key: developer, header: map[string]string{"workspace": none},
			})
			Expect(err).NotTo(HaveOccurred())
			Expect(r.code()).To(Equal(code))
		},
			Entry("accepted", byDefault, none),
			Entry("refused", simulator.Refuse, invalidParam),
		)

		It("may answer DLM.4001 for an unknown workspace", func(ctx SpecContext) {
			s := start(assuming(func(a *simulator.Assumptions) { a.UnknownWorkspace = simulator.CodeNoWorkspace }))
			r, err := s.try(ctx, request{
				method: http.MethodPost, path: packagesPath, key: developer, header: map[string]string{"workspace": "ws-9"},
			})
			Expect(err).NotTo(HaveOccurred())
			Expect(r.code()).To(Equal("DLM.4001"))
		})
	})
})

var selfReviewed = `{"apply_user_id":"rev-id","package_name":"p","pending_item_list":["3"],"approver_ids":["rev-id"]}`

func duplicateName(a *simulator.Assumptions) *simulator.Verdict    { return &a.DuplicateName }
func sharedItem(a *simulator.Assumptions) *simulator.Verdict       { return &a.SharedItem }
func selfReview(a *simulator.Assumptions) *simulator.Verdict       { return &a.SelfReview }
func applicant(a *simulator.Assumptions) *simulator.Verdict        { return &a.Applicant }
func packedItem(a *simulator.Assumptions) *simulator.Verdict       { return &a.PackedItem }
func missingWorkspace(a *simulator.Assumptions) *simulator.Verdict { return &a.MissingWorkspace }
func deployFailed(a *simulator.Assumptions) *simulator.Verdict     { return &a.DeployFailed }
func unpackDeploying(a *simulator.Assumptions) *simulator.Verdict  { return &a.UnpackDeploying }
func unpackFailed(a *simulator.Assumptions) *simulator.Verdict     { return &a.UnpackFailed }
func unpackAgain(a *simulator.Assumptions) *simulator.Verdict      { return &a.UnpackAgain }
func unpackEmpty(a *simulator.Assumptions) *simulator.Verdict      { return &a.UnpackEmpty }
