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

const (
	fileAct         = "internal/controller/act.go"
	filePack        = "internal/controller/pack.go"
	fileUnpack      = "internal/controller/unpack.go"
	fileSearch      = "internal/controller/search.go"
	fileWatches     = "internal/controller/releasepackage_watches.go"
	fileAdopt       = "internal/lifecycle/adopt.go"
	fileObserve     = "internal/controller/observe.go"
	fileReport      = "internal/controller/report.go"
	fileDecide      = "internal/lifecycle/decide.go"
	fileDelete      = "internal/lifecycle/delete.go"
	fileRecover     = "internal/lifecycle/recover.go"
	fileSituation   = "internal/lifecycle/situation.go"
	fileClassify    = "internal/dataarts/classify.go"
	fileConvert     = "internal/dataarts/convert.go"
	fileObservation = "internal/poll/observation.go"
	filePoller      = "internal/poll/poller.go"
	fileRun         = "internal/poll/run.go"
	fileDeliver     = "internal/poll/deliver.go"

	fileVanished = "internal/lifecycle/vanished.go"
	fileMissing  = "internal/lifecycle/missing.go"
	fileClaims   = "internal/lifecycle/claims.go"
	fileContent  = "internal/lifecycle/content.go"
)

// mutants are the known ways to break the operator.
var mutants = []mutant{
	{
		name: "attempt-not-recorded", file: filePack, runs: "pack/documented,pack/shared-item",
		why: "the request leaves before the attempt is stored, so that a crash forgets it",
		old: "	if err := r.recordAttempt(ctx, p); err != nil {\n		p.conn.ReleasePack()\n		return lifecycle.Step{}, err\n	}\n",
		new: "",
	},
	{
		name: "attempt-without-precondition", file: fileReport, runs: "pack/shared-item,pack/documented",
		why: "of two managers that record an attempt, both succeed",
		old: "unchanged := client.MergeFromWithOptions(p.before, client.MergeFromWithOptimisticLock{})",
		new: "unchanged := client.MergeFrom(p.before)",
	},
	{
		name: "failed-search-is-absence", file: fileSearch, runs: "pack-lost-long-ago/documented",
		why: "an error of the list is taken for an empty list",
		old: "		if err != nil {\n			return nil, err\n		}\n		listed = append(listed, found...)",
		new: "		if err != nil {\n			continue\n		}\n		listed = append(listed, found...)",
	},
	{
		name: "failed-look-is-absence", file: fileObservation, runs: "deploy/documented",
		why: "an error of a look at one package is taken for a package that does not exist",
		old: "	default:\n		v.Err = err\n	}\n	return v",
		new: "	default:\n		v.Gone = true\n	}\n	return v",
	},
	{
		name: "failed-list-is-absence", file: fileRun, runs: "together-deployed/documented",
		why: "an error of a look that many share is taken for packages that do not exist",
		old: "!r.shows(s) {\n			r.found[s.subject()] = r.failure(err)\n",
		new: "!r.shows(s) {\n			r.found[s.subject()] = &Observation{Began: r.began, Gone: true, sequence: r.sequence}\n",
	},
	{
		name: "unlisted-is-absence", file: fileRun, runs: "together-deployed/documented,together-deploying/documented",
		why: "a package that a list does not show is taken for one that does not exist",
		old: "		v := p.find(ctx, r.source, r.calls.Look, s.ID, s.Name)\n",
		new: "		v := Observation{Began: r.began, Gone: true}\n		if len(r.listed) == 0 && len(r.due) == 1 {\n			v = p.find(ctx, r.source, r.calls.Look, s.ID, s.Name)\n		}\n",
	},
	{
		name: "unpacked-on-an-old-look", file: filePoller, runs: "delete-lost-answer/documented",
		why: "a look that began before a request to withdraw counts as one that began after it",
		old: "s.sequence > p.lastWrite[place{g.source.Target(), id}]\n",
		new: "s.sequence > 0\n",
	},
	{
		name: "let-go-without-a-look", file: fileObserve, runs: "together-deleted-after-restart/documented,delete-after-days/documented",
		why: "an object that is being deleted does not wait for a look that is made after the latest request to withdraw its package",
		old: "		p.unseen = needed.Required\n",
		new: "		p.obs.Gone = needed.Required\n",
	},
	{
		name: "nobody-is-told", file: fileDeliver, runs: "together-deleted-after-restart/documented",
		why: "a look that an object waits for does not wake it",
		old: "	if s.Required || s.LastError != \"\" || changed {",
		new: "	if s.LastError != \"\" || changed {",
	},
	{
		name: "finalizer-removed-when-asked", file: fileAct, runs: "delete-in-review/documented,delete-races-approver/documented",
		why: "the finalizer goes once the service was asked to withdraw the package, whatever it said",
		old: "		if err == nil && step.Action == lifecycle.RemoveFinalizer {",
		new: "		if !p.rp.DeletionTimestamp.IsZero() {",
	},
	{
		name: "unpack-believed", file: fileUnpack, runs: "delete-in-review/documented",
		why: "the finalizer goes when the service says that the package is withdrawn, without a look",
		old: "	answer := answerFrom(err)\n	for {",
		new: "	answer := answerFrom(err)\n	if err == nil {\n		step.Action = lifecycle.RemoveFinalizer\n	}\n	for {",
	},
	{
		name: "deleted-without-recovery", file: fileSituation,
		runs: "delete-lost-answer/documented,delete-during-pack/documented",
		why:  "an object without an id is let go although its attempt is open",
		old:  "	case rp.Status.ReleasePackageID == \"\" && !AttemptOpen(rp) && !mayHaveMade(rp):",
		new:  "	case rp.Status.ReleasePackageID == \"\" && !mayHaveMade(rp):",
	},
	{
		name: "no-finalizer", file: fileDecide, runs: "delete-lost-answer/documented",
		why: "nothing keeps an object whose package is not withdrawn",
		old: "	if rp.DeletionTimestamp.IsZero() && !hasFinalizer(rp) && (held || !rp.Spec.Suspend) {\n",
		new: "	if held && rp.Spec.Suspend && false {\n",
	},
	{
		name: "repeated-at-once", file: filePack, runs: "pack/shared-item,pack/documented",
		why: "a request whose answer was lost is taken for one that did nothing",
		old: "	answer.PackageID = id\n",
		new: "	answer.PackageID = id\n	if answer.Kind == lifecycle.AnswerNone {\n		answer.Kind = lifecycle.AnswerNotDone\n	}\n",
	},
	{
		name: "server-error-is-refusal", file: fileClassify, runs: "pack/documented",
		why: "a gateway that gives up waiting is taken for the service that says no",
		old: "status < 400 || status >= 500 || status == http.StatusRequestTimeout",
		new: "status < 400 || status == http.StatusRequestTimeout",
	},
	{
		name: "not-settled", file: fileRecover, runs: "pack/shared-item,pack/documented",
		why: "an attempt is given up while its request may still be under way",
		old: "	return obs.Now.Sub(rp.Status.Attempt.StartTime.Time) > obs.SettleTime\n",
		new: "	return true\n",
	},
	{
		name: "package-flag-ignored", file: fileConvert, runs: "pack-lost-long-ago/documented,pack-lost-long-ago/shared-item",
		why: "an attempt is given up although its items are in a package",
		old: "packageFlagFrom(d.PackageFlag),",
		new: "packageFlagFrom(d.PackageFlag) * 0,",
	},
	{
		name: "failed-is-a-match", file: fileRecover, runs: "recreated-after-failure/failed-frees-items-lag",
		why: "a package that failed before is taken for what the latest attempt made, which is not listed yet",
		old: "	seen := len(inUse) > 0 && !failed(inUse[0])\n",
		new: "	seen := len(inUse) > 0\n",
	},
	{
		name: "withdrawn-is-a-match", file: fileRecover, runs: "withdrawn-forced/documented",
		why: "a package that was withdrawn long ago is taken for what the latest attempt made",
		old: "	if p.Name != a.PackageName && !own || slices.Contains(rp.Status.WithdrawnPackageIDs, p.ID) {\n",
		new: "	if p.Name != a.PackageName && !own {\n",
	},
	{
		name: "id-recorded-once", file: fileReport, runs: "pack/documented",
		why: "the only record of an id is given up at the first trouble with the API server",
		old: "	if p.packed {\n		return r.recordOutcome(context.WithoutCancel(ctx), p)\n	}\n",
		new: "",
	},
	{
		name: "frozen-process-sends", file: filePack, runs: "pack/shared-item",
		why: "a process that was held up sends a request which everybody has given up",
		old: "+p.conn.Timeout() > r.SettleTime {",
		new: "+p.conn.Timeout() < 0 {",
	},
	{
		name: "unchecked-unpack", file: fileUnpack, runs: "delete-retain-late/documented",
		why: "a package is withdrawn as the cache says, though its user has meanwhile asked to keep it",
		old: "	if err := r.checkUnchanged(ctx, p); err != nil || !lifecycle.Replaces(step) {\n		return err\n	}\n",
		new: "	if !lifecycle.Replaces(step) {\n		return nil\n	}\n",
	},
	{
		name: "deploying-is-withdrawn", file: fileDelete, runs: "delete-deploying/documented",
		why: "an object is let go while its package is being deployed, so that nobody withdraws it when that fails",
		old: "	case v1alpha1.StateDeploying:\n		return Step{Action: Wait,",
		new: "	case v1alpha1.StateDeploying:\n		return Step{Action: RemoveFinalizer,",
	},
	{
		name: "lost-finalizer-unnoticed", file: fileWatches, runs: "replaced/documented",
		why: "an object that was replaced by one without the finalizer is not given it back, so that a deletion passes by its package",
		old: "|| forced(e) || finalizerLost(e)",
		new: "|| forced(e)",
	},
	{
		name: "vanished-unnoticed", file: fileVanished, runs: "replaced-deleted-at-once/documented",
		why: "nobody withdraws the package of an object that went without the finalizer",
		old: "	return !watched && ",
		new: "	return watched && ",
	},
	{
		name: "not-shown-is-gone", file: fileMissing, runs: "delete-in-review/unknown-is-accepted-lag",
		why: "a package that the service has just packed and does not show yet is taken for one that is gone",
		old: "	if notShownYet(rp, obs) {\n",
		new: "	if notShownYet(rp, obs) && unpacked(rp) {\n",
	},
	{
		name: "lag-is-believed", file: fileMissing, runs: "replace/looks-lag,delete-in-review/looks-lag",
		why: "a look that lags behind an accepted withdrawal is taken for a withdrawal that failed",
		old: "	return rp.Status.UnpackedTime != nil && withinSettleTime(",
		new: "	return rp.Status.UnpackedTime == nil && withinSettleTime(",
	},
	{
		name: "given-up-while-replacing", file: fileClaims, runs: "conflict-waits-during-edit/documented",
		why: "an object that replaces its package loses an item to one that waits for it",
		old: "	if !isReplacing(rp) || !rp.DeletionTimestamp.IsZero() {\n",
		new: "	if rp.Status.Attempt == nil || len(rp.Status.Attempt.PendingItemIDs) > 0 {\n",
	},
	{
		name: "names-not-numbered", file: fileContent, runs: "replace/names-only-once",
		why: "a replacement asks for a name that a service may never give again",
		old: "	if number > 1 {\n		suffix",
		new: "	if number < 0 {\n		suffix",
	},
	{
		name: "every-look-wakes", file: fileDeliver, runs: "pack/documented",
		why: "every look at a package has a pass, though it shows what is on record",
		old: "	if s.Required || s.LastError != \"\" || changed {",
		new: "	if s.Required || s.LastError != \"\" || v.Err == nil {",
	},
	{
		name: "adoption-given-up", file: fileAdopt, runs: "adopt-too-early/documented",
		why: "nobody looks again for a package that is to be adopted and is not shown yet",
		old: "Reason: v1alpha1.ReasonPackageNotFound, After: lookAgain,\n			Message: says + \"; correct",
		new: "Reason: v1alpha1.ReasonPackageNotFound,\n			Message: says + \"; correct",
	},
}
