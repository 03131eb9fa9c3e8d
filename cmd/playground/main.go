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

// Command playground shows the operator at work on one machine: a real kube-apiserver and etcd, the simulated
// service, and the manager as it is deployed, with the rights that config/rbac gives it. It takes a tour with kubectl
// and then stays up to be played with.
//
// It is run from the root of the repository, by make run.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	flags := flag.NewFlagSet("playground", flag.ExitOnError) // Of its own: libraries put theirs into the common one.
	once := flags.Bool("once", false, "End after the tour. The exit code is 0 only if every step was seen.")
	if err := flags.Parse(os.Args[1:]); err != nil {
		os.Exit(2)
	}

	// Until everything has been stopped, further signals change nothing: a second Ctrl-C must not leave processes behind.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	summary, err := run(ctx, *once)
	interrupted := ctx.Err() != nil
	stop()
	switch {
	case err != nil && !interrupted:
		fmt.Fprintf(os.Stderr, "\nplayground: %v\n", err)
		os.Exit(1)
	case *once && interrupted:
		os.Exit(130)
	case *once:
		fmt.Println(summary)
	}
}

// run returns what the tour has seen, after everything was stopped.
func run(ctx context.Context, once bool) (summary string, err error) {
	dir, err := os.MkdirTemp("", "dataarts-playground-")
	if err != nil {
		return "", err
	}
	s := &stack{dir: dir}
	defer func() {
		s.stop()
		if err == nil || ctx.Err() != nil {
			_ = os.RemoveAll(dir)
			return
		}
		err = fmt.Errorf("%w\nThe logs are in %s", err, dir)
	}()

	if err := s.start(ctx); err != nil {
		return "", err
	}
	t := &tour{stack: s}
	if summary, err = t.take(ctx); err != nil || once {
		return summary, err
	}
	fmt.Printf("\n%s\n", summary)
	t.explain()
	return summary, s.wait(ctx)
}
