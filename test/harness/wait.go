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

package harness

import (
	"context"
	"errors"
	"net"
	"time"
)

// Pause waits, and returns an error if the context ended first.
func Pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// FreeAddresses are loopback addresses that nobody listens on at this moment.
func FreeAddresses(n int) (addresses []string, err error) {
	var open []net.Listener
	for range n {
		l, failed := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // It binds a local port and waits for nothing.
		if failed != nil {
			err = failed
			break
		}
		open, addresses = append(open, l), append(addresses, l.Addr().String())
	}
	for _, l := range open { // Only now, so that no address comes twice.
		err = errors.Join(err, l.Close())
	}
	return addresses, err
}
