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

// Command soak lets people, approvers and bad luck loose on the operator for a while, and then judges what has become
// of every package. The control plane and the managers are real processes; the service is the simulator over HTTP,
// which knows the truth.
//
// It is run from the root of the repository, by make soak. docs/soak.md says what it does and how to read it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/dataarts-operator/dataarts-operator/test/harness"
)

// errViolations means that the operator did something that it must not do. What it was has been printed.
var errViolations = errors.New("the operator broke a promise")

type options struct {
	duration      time.Duration
	settleTimeout time.Duration
	seed          uint64
	teams         int
	packages      int
	keep          bool
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
		fmt.Println("soak: interrupted")
		os.Exit(130)
	case err != nil:
		if !errors.Is(err, errViolations) {
			fmt.Fprintf(os.Stderr, "soak: %v\n", err)
		}
		os.Exit(1)
	}
}

func parse(args []string) (options, error) {
	o := options{duration: time.Minute}
	flags := flag.NewFlagSet("soak", flag.ContinueOnError) // Of its own: libraries put theirs into the common one.
	flags.Func("duration", "How long the faults last: 10m, or a number of seconds. (default 60s)",
		func(s string) (err error) {
			if seconds, failed := strconv.Atoi(s); failed == nil {
				s = strconv.Itoa(seconds) + "s"
			}
			o.duration, err = time.ParseDuration(s)
			return err
		})
	flags.DurationVar(&o.settleTimeout, "settle-timeout", 3*time.Minute,
		"How long everything may take to settle after the faults.")
	flags.Uint64Var(&o.seed, "seed", 0,
		"Fixes the plan of all actions and faults, but not their timing: the processes are real. 0 draws one.")
	flags.IntVar(&o.teams, "teams", 4, "How many namespaces there are, each with a workspace of its own.")
	flags.IntVar(&o.packages, "packages", 150, "How many ReleasePackages each team has at most at a time.")
	flags.BoolVar(&o.keep, "keep", false, "Keep the logs also when nothing is wrong.")
	err := flags.Parse(args)
	if o.seed == 0 {
		o.seed = 1 + rand.Uint64N(1_000_000_000) //nolint:gosec // No secret depends on it.
	}
	return o, err
}

// run soaks and judges. Whatever happens, it ends what it started.
func run(ctx context.Context, o options) error {
	fmt.Printf("soak: seed=%d (--seed fixes the plan; the processes are real, so the timing still differs)\n", o.seed)
	dir, err := os.MkdirTemp("", "dataarts-soak-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	logs, err := os.MkdirTemp("", "dataarts-soak-logs-")
	if err != nil {
		return err
	}
	result, err := soak(ctx, o, dir, logs)
	if ctx.Err() != nil || err == nil && len(result.violations) == 0 && !o.keep {
		_ = os.RemoveAll(logs)
	} else if os.Remove(logs) != nil { // There are some.
		fmt.Printf("soak: the managers' logs are in %s\n", logs)
	}
	if err != nil {
		return err
	}
	for _, violation := range result.violations {
		fmt.Println("soak: " + violation.String())
	}
	fmt.Println(result.summary())
	if len(result.violations) > 0 {
		return errViolations
	}
	return nil
}

// soak is the whole story: start, chaos, calm, judgement.
func soak(ctx context.Context, o options, dir, logs string) (result, error) {
	assets, err := harness.Assets("soak")
	if err != nil {
		return result{}, err
	}
	rules := assumptions(newRandom(o.seed, 0))
	fmt.Printf("soak: where the reference is silent, the service goes by %s\n", inWords(rules))
	s, err := startService(o.teams, rules)
	if err != nil {
		return result{}, err
	}
	defer s.stop()
	p, err := startPlane(ctx, assets, dir)
	if err != nil {
		return result{}, err
	}
	defer p.Stop()
	m, err := startManagers(p.managerKubeconfig, logs)
	if err != nil {
		return result{}, err
	}
	defer m.stop()

	l := newLedger()
	teams, err := gatherTeams(ctx, o, p, s, l)
	if err != nil {
		return result{}, err
	}
	c := &chaos{plane: p, service: s, managers: m, ledger: l, teams: teams}
	seconds, err := c.run(ctx, o)
	if err != nil {
		return result{}, err
	}
	fmt.Println("soak: the faults are over; waiting until everything has settled")
	j := &judge{
		api: p.api, ledger: l, service: s, trace: m.trace, teams: teams, settleTimeout: o.settleTimeout,
		nudged: map[types.UID]time.Time{},
	}
	found, err := j.hold(ctx)
	return result{
		seconds: seconds, packages: l.created(), kills: m.kills(), faults: s.faults() + p.restarts(), violations: found,
	}, err
}

// result is what is printed in the end.
type result struct {
	seconds, packages, kills, faults int
	violations                       []violation
}

func (r result) summary() string {
	n := map[violationKind]int{}
	for _, o := range r.violations {
		n[o.kind]++
	}
	return fmt.Sprintf("soak: seconds=%d packages=%d kills=%d faults=%d duplicates=%d leaks=%d stuck=%d lost=%d "+
		"restless=%d",
		r.seconds, r.packages, r.kills, r.faults, n[duplicate], n[leak], n[stuck], n[lost], n[restless])
}
