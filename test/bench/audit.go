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
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// packageWrites is the prefix of the keys that count writes of ReleasePackages, subresources included.
const packageWrites = "releasepackages"

// write is one request to the API server that changes something, as its audit log has it.
type write struct {
	UserAgent string    `json:"userAgent"`
	Verb      string    `json:"verb"`
	Received  time.Time `json:"requestReceivedTimestamp"`
	Object    struct {
		Resource    string `json:"resource"`
		Subresource string `json:"subresource"`
		Namespace   string `json:"namespace"`
		Name        string `json:"name"`
	} `json:"objectRef"`
	Response struct {
		Code int `json:"code"`
	} `json:"responseStatus"`
}

// kind is what the write is counted as, such as "patch releasepackages/status".
func (w write) kind() string {
	if w.Object.Subresource == "" {
		return w.Verb + " " + w.Object.Resource
	}
	return w.Verb + " " + w.Object.Resource + "/" + w.Object.Subresource
}

func (w write) ofPackage() bool { return w.Object.Resource == packageWrites }

// auditLog reads what the API server appends.
type auditLog struct {
	path   string
	offset int64
}

// read returns the writes since the call before, of the clients whose user agent begins so.
func (a *auditLog) read(agent string) ([]write, error) {
	file, err := os.Open(a.path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil // Nobody has written yet.
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // Opened for reading only.
	if _, err := file.Seek(a.offset, io.SeekStart); err != nil {
		return nil, err
	}
	var all []write
	for lines := bufio.NewReader(file); ; {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return all, nil // A line that is not whole yet is left for the next call.
		}
		if err != nil {
			return nil, err
		}
		a.offset += int64(len(line))
		var w write
		if err := json.Unmarshal(line, &w); err != nil {
			return nil, fmt.Errorf("reading the audit log: %w", err)
		}
		if strings.HasPrefix(w.UserAgent, agent) {
			all = append(all, w)
		}
	}
}
