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

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/dataarts-operator/dataarts-operator/test/harness"
)

// kubectl runs kubectl as a user would.
type kubectl struct{ harness.Kubectl }

// show runs kubectl and lets the reader see the command and its output.
func (k kubectl) show(ctx context.Context, args ...string) error {
	return k.showWith(ctx, "", args...)
}

// showWith is show with something on the standard input, written as the reader would type it.
func (k kubectl) showWith(ctx context.Context, input string, args ...string) error {
	fmt.Printf("\n$ kubectl %s", strings.Join(args, " "))
	if input != "" {
		fmt.Printf(" <<'EOF'\n%sEOF", input)
	}
	fmt.Println()
	cmd := k.Command(ctx, args...)
	cmd.Stdin = strings.NewReader(input)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stdout
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("kubectl %s: %w", args[0], err)
	}
	return nil
}

// output returns what kubectl prints.
func (k kubectl) output(ctx context.Context, args ...string) (string, error) {
	out, err := k.Command(ctx, args...).Output()
	if err != nil {
		return "", fmt.Errorf("kubectl %s: %w", args[0], err)
	}
	return strings.TrimSpace(string(out)), nil
}

func headline(text string) { fmt.Printf("\n=== %s\n", text) }

func indent(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n    ") + "\n"
}
