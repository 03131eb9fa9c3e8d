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

// Command simulator serves the release-package service of DataArts Studio on one local address and the
// control side of the simulation on another.
package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

const (
	readHeaderTimeout = 10 * time.Second
	shutdownTimeout   = 5 * time.Second
)

//go:embed demo.json
var demo []byte

// settings are what the command line says.
type settings struct {
	listen, controlListen string
	config                string
	printConfig           bool
	rateLimit             int
	latency, deploy       time.Duration
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "simulator:", err)
		os.Exit(1)
	}
}

// run serves until the context ends.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	set, err := parse(args, stderr)
	if err != nil {
		return err
	}
	if set.printConfig {
		_, err := stdout.Write(demo)
		return err
	}
	opts, err := readConfig(set.config)
	if err != nil {
		return err
	}
	opts.RateLimit, opts.Latency, opts.DeployDuration = set.rateLimit, set.latency, set.deploy
	sim, err := simulator.New(opts)
	if err != nil {
		return err
	}
	return serve(ctx, sim, set, stdout)
}

func parse(args []string, stderr io.Writer) (settings, error) {
	var s settings
	f := flag.NewFlagSet("simulator", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&s.listen, "listen", "127.0.0.1:8090", "`address` of the service API; port 0 picks a free one")
	f.StringVar(&s.controlListen, "control-listen", "127.0.0.1:8091",
		"`address` of the control API, which has no authentication")
	f.StringVar(&s.config, "config", "",
		"JSON `file` with users, workspaces and assumptions (default: a built-in demonstration)")
	f.BoolVar(&s.printConfig, "print-config", false,
		"print the built-in demonstration as a starting point for --config, and exit")
	f.IntVar(&s.rateLimit, "rate-limit", 0,
		"calls per second allowed to each user, 10 at the real service; 0 means no limit")
	f.DurationVar(&s.latency, "latency", 0, "time that passes before every operation does its work")
	f.DurationVar(&s.deploy, "deploy-duration", 5*time.Second,
		"time a deployment takes to succeed; 0 leaves that to the control API")
	if err := f.Parse(args); err != nil {
		return settings{}, err
	}
	if f.NArg() > 0 {
		return settings{}, fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	return s, nil
}

func readConfig(path string) (simulator.Options, error) {
	if path == "" {
		return simulator.ReadOptions(bytes.NewReader(demo))
	}
	file, err := os.Open(path) //nolint:gosec // reading the file the user names is the purpose of the flag
	if err != nil {
		return simulator.Options{}, err
	}
	defer func() { _ = file.Close() }() // opened for reading only
	return simulator.ReadOptions(file)
}

// serve listens on both addresses before it announces either.
func serve(ctx context.Context, sim *simulator.Server, set settings, stdout io.Writer) error {
	var listen net.ListenConfig
	service, err := listen.Listen(ctx, "tcp", set.listen)
	if err != nil {
		return err
	}
	control, err := listen.Listen(ctx, "tcp", set.controlListen)
	if err != nil {
		return errors.Join(err, service.Close())
	}
	servers := []*http.Server{
		{Handler: sim, ReadHeaderTimeout: readHeaderTimeout},
		{Handler: sim.Control(), ReadHeaderTimeout: readHeaderTimeout},
	}
	failed := make(chan error, len(servers))
	for i, l := range []net.Listener{service, control} {
		go func() { failed <- servers[i].Serve(l) }()
	}
	_, err = fmt.Fprintf(stdout, "service API: http://%s\ncontrol API: http://%s\n", service.Addr(), control.Addr())
	if err == nil {
		select {
		case <-ctx.Done():
		case err = <-failed:
		}
	}
	sim.Close()
	return errors.Join(err, shutDown(ctx, servers))
}

func shutDown(ctx context.Context, servers []*http.Server) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	var errs []error
	for _, s := range servers {
		errs = append(errs, s.Shutdown(ctx))
	}
	return errors.Join(errs...)
}
