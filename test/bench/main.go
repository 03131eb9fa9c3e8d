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

// Command bench measures the operator: the built manager as a process of its own, against a real control plane and
// the simulated service, which is a process, too. It counts calls and writes, takes times, processor time and memory,
// and holds them against the targets of this project. Next to the operator it measures the floor: a bare loop that
// makes the same writes and calls.
//
// It is run from the root of the repository, by make bench. The exit code is 0 when every target is met, 1 when one
// is missed, and 2 when it could not be measured.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"
)

// settling is how long what is under way may take until everything has been told: events, a status that is written a
// little later, a count.
const settling = 3 * time.Second

// fewest packages are enough for the approvals of a restart, and for numbers that grow.
const fewest = 2 * approvals

// errShort means that a target was missed. Which one has been printed.
var errShort = errors.New("a target was missed")

// scenarios are what can be chosen. Those of the limited world follow each other there, so that poll and delete pack
// first.
var scenarios = []string{"pack", "poll", "delete", "recover", "throttled", "unthrottled", "cadence", "scale", "crash"}

type options struct {
	packages int
	workers  int
	chosen   []string
	out      string
	keepLogs bool
}

func (o options) wants(names ...string) bool {
	return len(o.chosen) == 0 ||
		slices.ContainsFunc(names, func(name string) bool { return slices.Contains(o.chosen, name) })
}

// bench is one run of this program.
type bench struct {
	options
	plane     *plane
	dir, logs string
	report    report
}

func main() {
	o, err := parse(os.Args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		os.Exit(2) // The flag package has said why.
	}
	ctrl.SetLogger(logr.Discard())
	// Until everything has been stopped, further signals change nothing: a second Ctrl-C must not leave processes behind.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err = run(ctx, o)
	interrupted := ctx.Err() != nil
	stop()
	switch {
	case interrupted:
		fmt.Println("bench: interrupted")
		os.Exit(130)
	case errors.Is(err, errShort):
		os.Exit(1)
	case err != nil:
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(2)
	}
}

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError) // Of its own: libraries put theirs into the common one.
	flags.IntVar(&o.packages, "packages", 1000,
		"How many packages the scenarios have; scale has this many and ten times as many. At least 10.")
	flags.IntVar(&o.workers, "workers", 100, "How many packages the manager and the floor work on at the same time.")
	flags.StringVar(&o.out, "out", "bin/bench.json", "Where the numbers are written.")
	flags.BoolVar(&o.keepLogs, "keep-logs", false, "Keep the logs also when nothing is wrong.")
	flags.Func("scenario", "Comma-separated scenarios: "+strings.Join(scenarios, ", ")+". (default all)",
		func(s string) error {
			for name := range strings.SplitSeq(s, ",") {
				if !slices.Contains(scenarios, name) {
					return fmt.Errorf("there is no scenario %q", name)
				}
				o.chosen = append(o.chosen, name)
			}
			return nil
		})
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.packages < fewest || o.workers < 1 || flags.NArg() > 0 {
		flags.Usage()
		return o, errors.New("the flags make no sense")
	}
	return o, nil
}

// run measures and reports. Whatever happens, it ends what it started.
func run(ctx context.Context, o options) (err error) {
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	if assets == "" {
		return errors.New("KUBEBUILDER_ASSETS is not set: start it with make bench")
	}
	b := &bench{options: o, report: report{Began: time.Now(), Packages: o.packages, Workers: o.workers}}
	if b.dir, err = os.MkdirTemp("", "dataarts-bench-"); err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(b.dir) }()
	if b.logs, err = os.MkdirTemp("", "dataarts-bench-logs-"); err != nil {
		return err
	}
	failed := b.measure(ctx, assets)
	if ctx.Err() != nil || failed == nil && !o.keepLogs {
		_ = os.RemoveAll(b.logs)
	} else {
		fmt.Printf("bench: the logs are in %s\n", b.logs)
	}
	// What was measured before a failure is shown all the same.
	if err := errors.Join(failed, b.report.print(), b.report.write(filepath.Clean(o.out))); err != nil {
		return err
	}
	if b.report.short() {
		return errShort
	}
	return nil
}

// measure runs the scenarios one after the other, the largest of the operator's last.
func (b *bench) measure(ctx context.Context, assets string) (err error) {
	if b.wants("crash") { // It has a control plane of its own, so nothing else runs yet.
		if err := b.crash(ctx); err != nil {
			return err
		}
	}
	if len(b.chosen) == 1 && b.wants("crash") {
		return nil
	}
	b.say("starting etcd and kube-apiserver")
	if b.plane, err = startPlane(ctx, assets, b.dir); err != nil {
		return err
	}
	defer b.plane.Stop()
	for _, part := range []struct {
		names []string
		run   func(context.Context) error
	}{
		{[]string{"pack", "poll", "delete"}, b.limited},
		{[]string{"recover"}, b.recover},
		{[]string{"throttled"}, b.throttled},
		{[]string{"unthrottled"}, b.unthrottled},
		{[]string{"cadence"}, b.cadence},
		{[]string{"scale"}, b.scale},
	} {
		if !b.wants(part.names...) {
			continue
		}
		if err := part.run(ctx); err != nil {
			return err
		}
	}
	return nil
}
