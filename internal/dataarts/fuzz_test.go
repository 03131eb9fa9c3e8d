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

package dataarts_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"testing"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
)

// canned answers every request alike.
type canned struct {
	status int
	body   []byte
}

func (c canned) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: c.status,
		Header:     http.Header{"Content-Type": {"application/json"}},
		Body:       io.NopCloser(bytes.NewReader(c.body)),
		Request:    r,
	}, nil
}

// FuzzReply checks that no answer makes a call panic, or succeed without what it promises.
func FuzzReply(f *testing.F) {
	for _, body := range []string{
		``, `null`, `[]`, `{}`, `{"release_package_id":"13"}`, `{"release_package_id":13}`, `{"release_package_id":"../"}`,
		shown, loginPage, refusal("DLF.0810"), refusal("DLF.20990"), `{"data":[{"package_id":"13"}],"total":1}`,
		`{"data":[{"pending_item_id":"26"}],"total":1}`, `{"data":[{"package_id" : 13 }],"total":1}`,
		`{"Data":[null],"TOTAL":1e0}`, `{"release_package":null,"task_details":[null]}`,
	} {
		for _, status := range []int{200, 204, 302, 400, 401, 429, 502} {
			f.Add(status, []byte(body))
		}
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		if status < 200 || status > 999 {
			t.Skip("the transport delivers no such status")
		}
		client, err := dataarts.New(aConfig("http://dayu.example.test"))
		if err != nil {
			t.Fatal(err)
		}
		client.AnswerWith(canned{status: status, body: body})

		id, err := client.Pack(t.Context(), packRequest)
		checkOutcome(t, status, err, id != "", id == "")
		detail, err := client.Show(t.Context(), "13")
		checkOutcome(t, status, err, detail.ID == "13", detail.ID == "" && detail.Items == nil)
		page, err := client.List(t.Context(), dataarts.ListOptions{})
		checkOutcome(t, status, err, page.Total >= 0, page.Total == 0 && page.Rows == nil)
		for _, p := range page.Rows {
			if p.ID == "" {
				t.Error("a listed package has no id")
			}
		}
		pending, err := client.ListPendingItems(t.Context(), dataarts.PendingItemOptions{})
		checkOutcome(t, status, err, pending.Total >= 0, pending.Total == 0 && pending.Rows == nil)
		checkOutcome(t, status, client.Unpack(t.Context(), []string{"13"}), true, true)
	})
}

// checkOutcome checks that a call either succeeded with all of its result, or failed with none of it.
func checkOutcome(t *testing.T, status int, err error, whole, none bool) {
	t.Helper()
	var e *dataarts.Error
	switch {
	case err == nil && (status != http.StatusOK || !whole):
		t.Errorf("success with status %d, result complete: %t", status, whole)
	case err != nil && !errors.As(err, &e):
		t.Errorf("an error of another type: %v", err)
	case err != nil && !none:
		t.Errorf("a result beside the error %v", err)
	case err != nil && status == http.StatusOK && e.Kind != dataarts.Unknown:
		t.Errorf("a 200 that proves a failure: %v", err)
	}
}
