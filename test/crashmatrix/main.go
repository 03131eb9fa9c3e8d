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

// Command crashmatrix proves the operator's first promise at every place where it can be broken: one ReleasePackage,
// at most one live package, never a duplicate, never a leak.
//
// It tells stories of users, approvers and the operator (the scenarios), and writes down each request that the
// operator makes to the API server or to the service (the boundaries). Then it tells each story again, once for each
// boundary and each fault there: a crash, a lost answer, a conflict, a stale read. The operator, or the one that
// takes over, has to bring the story to its end all the same, and the simulated service is asked what exists.
//
// By default, the service as it is documented meets every fault. The other readings of its documentation meet the
// faults that matter most, where something is changed. Boundaries that only lead to what a scenario is about are left
// to the scenario that is about them, and passes that wait for the same thing are struck at the first and the last.
// With --full nothing is left out.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"
)

type options struct {
	only       string
	seed       uint64
	parallel   int
	full       bool
	share      share
	failFast   bool
	trace      bool
	list       bool
	mutants    bool
	kubeconfig string
}

func main() {
	var o options
	flags := flag.NewFlagSet("crash-matrix", flag.ExitOnError) // The default set belongs to controller-runtime.
	flags.StringVar(&o.only, "only", "", "Comma-separated runs: scenario[/variant[/boundary[/fault]]].")
	flags.Uint64Var(&o.seed, "seed", 1, "What decides where a second crash comes.")
	flags.IntVar(&o.parallel, "parallel", 4, "How many runs go on at the same time.")
	flags.BoolVar(&o.full, "full", false, "Let every reading of the documentation meet every fault at every boundary.")
	o.share = share{1, 1}
	flags.Var(&o.share, "share", "Run the k-th of n shares of the faults, as k/n.")
	flags.BoolVar(&o.failFast, "fail-fast", false, "Stop at the first failure.")
	flags.BoolVar(&o.trace, "trace", false, "Show what happens in each run, one after the other.")
	flags.BoolVar(&o.list, "list", false, "Show the boundaries of the scenarios, and strike none.")
	flags.BoolVar(&o.mutants, "mutants", false,
		"Break the operator in known ways, and see whether the matrix notices. --only names mutants then.")
	flags.StringVar(&o.kubeconfig, "kubeconfig", "",
		"Use this control plane, which has the CRDs, instead of starting one.")
	_ = flags.Parse(os.Args[1:]) // It exits on an error.
	ctrl.SetLogger(logr.Discard())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ok, err := o.run(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "crash-matrix:", err)
	}
	if err != nil || !ok {
		stop()
		os.Exit(1) //nolint:gocritic // stop was called.
	}
}

// run reports whether everything was as it should be.
func (o options) run(ctx context.Context) (ok bool, err error) {
	p, err := startPlane(o.kubeconfig)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	if o.mutants {
		return catchAll(ctx, p, selectionFrom(o.only), o.seed)
	}
	m := &matrix{options: o, plane: p}
	return m.run(ctx)
}

// matrix runs cases and counts what comes of them.
type matrix struct {
	options
	plane    *plane
	failures atomic.Int32
	started  time.Time

	counts     map[kind]int
	scenarios  map[string]bool
	boundaries int
	runs       int
}

func (m *matrix) run(ctx context.Context) (bool, error) {
	m.started, m.counts, m.scenarios = time.Now(), map[kind]int{}, map[string]bool{}
	only := selectionFrom(m.only)
	fmt.Printf("crash-matrix: seed %d\n", m.seed)
	m.tell(m.playAll(ctx, only))
	fmt.Printf("crash-matrix: %.0f s\n", time.Since(m.started).Seconds())
	if n := m.counts[invalid]; n > 0 {
		fmt.Printf("crash-matrix: %d runs could not be judged\n", n)
	}
	fmt.Printf("crash-matrix: scenarios=%d boundaries=%d runs=%d duplicates=%d leaks=%d stuck=%d wrong-status=%d "+
		"restless=%d\n",
		len(m.scenarios), m.boundaries, m.runs, m.counts[duplicate], m.counts[leak], m.counts[stuck], m.counts[wrongStatus],
		m.counts[restless])
	if len(m.scenarios) == 0 {
		return false, fmt.Errorf("--only=%s names no run", m.only)
	}
	return m.failures.Load() == 0, ctx.Err()
}

// playAll records every scenario that is selected, and runs it again with every fault that is.
func (m *matrix) playAll(ctx context.Context, only selection) []outcome {
	outcomes := m.runAll(ctx, recordings(only))
	var cases []testCase
	for i := range outcomes {
		follow := faulty(&outcomes[i], only, m.full)
		if m.list {
			m.show(&outcomes[i], len(follow))
			continue
		}
		cases = append(cases, follow...)
	}
	return append(outcomes, m.runAll(ctx, m.share.of(cases))...)
}

// runAll runs cases, some of them at the same time, and returns what came of them in their order.
func (m *matrix) runAll(ctx context.Context, cases []testCase) []outcome {
	outcomes, next := make([]outcome, len(cases)), atomic.Int32{}
	var trace io.Writer
	workers := m.parallel
	if m.trace {
		trace, workers = os.Stdout, 1
	}
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(cases) || ctx.Err() != nil || m.failFast && m.failures.Load() > 0 {
					return
				}
				if trace != nil {
					_, _ = fmt.Fprintf(trace, "--- %s\n", cases[i].id) // It is for reading along only.
				}
				out := cases[i].run(ctx, m.plane, m.seed, trace)
				if ctx.Err() != nil {
					return // It was cut off.
				}
				outcomes[i] = out
				if len(out.verdicts) > 0 {
					m.failures.Add(1)
				}
				if i > 0 && i%1000 == 0 {
					fmt.Fprintf(os.Stderr, "crash-matrix: %d of %d\n", i, len(cases))
				}
			}
		})
	}
	group.Wait()
	return finished(outcomes)
}

// finished leaves out the cases that nobody got to.
func finished(outcomes []outcome) []outcome {
	var done []outcome
	for i := range outcomes {
		if outcomes[i].testCase.scenario != nil {
			done = append(done, outcomes[i])
		}
	}
	return done
}

// tell counts the outcomes and names every failure.
func (m *matrix) tell(outcomes []outcome) {
	m.runs += len(outcomes)
	for i := range outcomes {
		if c := outcomes[i].testCase; c.recording == nil {
			m.scenarios[c.scenario.name] = true
			m.boundaries += len(outcomes[i].boundaries)
		}
		for _, v := range outcomes[i].verdicts {
			m.counts[v.kind]++
			fmt.Println(outcomes[i].failure(v, m.seed))
		}
	}
}

// show lists the boundaries of a recording.
func (m *matrix) show(o *outcome, runs int) {
	fmt.Printf("%s: %d runs follow\n", o.testCase.id, runs)
	for i, b := range o.boundaries {
		note := ""
		if b.setup {
			note = " (setup)"
		}
		fmt.Printf("  #%d %s%s\n", i+1, b.label, note)
	}
}
