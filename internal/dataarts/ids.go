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

package dataarts

import "bytes"

// endsID is how the name of each field ends that holds an id, with the quote behind it.
var endsID = []byte(`_id"`)

// idsAsText puts the ids of an answer that are whole numbers into quotes, digit by digit. The service documents
// ids as texts, and yet the answer to a deployment has them as numbers; the SDK takes texts alone.
//
// The JSON need not be parsed for that: within a text, the quote would have a backslash before it.
func idsAsText(body []byte) []byte {
	var out []byte
	copied := 0
	for at := 0; ; {
		i := bytes.Index(body[at:], endsID)
		if i < 0 {
			break
		}
		at += i + len(endsID)
		if begin, end := wholeNumber(body, at); begin < end {
			out = append(append(append(append(out, body[copied:begin]...), '"'), body[begin:end]...), '"')
			copied, at = end, end
		}
	}
	if copied == 0 {
		return body
	}
	return append(out, body[copied:]...)
}

// wholeNumber finds the value behind the name of a field. It is empty unless it is a number without sign,
// fraction and exponent.
func wholeNumber(body []byte, at int) (begin, end int) {
	at = skipSpace(body, at)
	if at == len(body) || body[at] != ':' {
		return 0, 0
	}
	begin = skipSpace(body, at+1)
	end = begin
	for end < len(body) && '0' <= body[end] && body[end] <= '9' {
		end++
	}
	if next := skipSpace(body, end); next == len(body) || body[next] != ',' && body[next] != '}' {
		return 0, 0
	}
	return begin, end
}

func skipSpace(body []byte, at int) int {
	for at < len(body) && bytes.IndexByte([]byte(" \t\r\n"), body[at]) >= 0 {
		at++
	}
	return at
}
