package byline

import (
	"maps"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// Response answers a follower; which fields it has says what it is.
type Response struct {
	Equal, Same bool
	Error, VKey string
	Entry, Note []byte
	Frontier, Proof, Entries, Envelopes,
	Nodes, Absent, Strings [][]byte
	keys string
}

// responses are the keys that each kind of response has, in their order.
var responses = []string{
	"equal", "same", "error", "entry frontier", "entry frontier note vkey", "entries note proof",
	"note proof vkey", "entries proof", "envelopes", "nodes", "absent strings",
}

const mostNews = 256

// ParseResponse reads one: docs/spec/network.md, "Follow".
func ParseResponse(data []byte) (*Response, error) {
	value, err := Decode(data, Limits{Depth: 2, Containers: math.MaxInt})
	if err != nil {
		return nil, err
	}
	fields, _ := value.(Map)
	response := &Response{keys: strings.Join(slices.Sorted(maps.Keys(fields)), " ")}
	if !slices.Contains(responses, response.keys) {
		return nil, malformed("no response has the keys %q", response.keys)
	}
	for key, value := range fields {
		if !response.take(key, value) {
			return nil, malformed("%s of a response", key)
		}
	}
	if len(response.Absent) != len(response.Strings) || response.Note != nil && len(response.Entries) > mostNews {
		return nil, malformed("more or fewer items than the response may have")
	}
	return response, nil
}

// take sets a field, if the value is one that it may have.
func (r *Response) take(key string, value any) (holds bool) {
	switch key {
	case "equal":
		r.Equal, _ = value.(bool)
		return r.Equal
	case "same":
		r.Same, _ = value.(bool)
		return r.Same
	case "error":
		r.Error, holds = value.(string)
		return holds && utf8.RuneCountInString(r.Error) <= 200
	case "vkey":
		r.VKey, holds = value.(string)
		return holds && utf8.RuneCountInString(r.VKey) <= 1_024
	case "entry":
		r.Entry, holds = value.([]byte)
		return holds && len(r.Entry) <= 64
	case "note":
		r.Note, holds = value.([]byte)
		return holds && len(r.Note) <= 65_536
	}
	return r.takeList(key, value)
}

// A list says where a field with many values goes, how many it may have, and how long each.
type list struct {
	to    *[][]byte
	most  int
	holds func(length int) bool
}

func (r *Response) takeList(key string, value any) bool {
	anyLength := func(int) bool { return true }
	isHash := func(length int) bool { return length == 32 }
	list := map[string]list{
		"frontier":  {&r.Frontier, 128, isHash},
		"proof":     {&r.Proof, 128, isHash},
		"entries":   {&r.Entries, 16_384, anyLength},
		"envelopes": {&r.Envelopes, mostIDs, anyLength},
		"nodes":     {&r.Nodes, 4_096, func(length int) bool { return length <= 40_000 }},
		"absent":    {&r.Absent, 4_096, func(length int) bool { return length <= 8 }},
		"strings":   {&r.Strings, 4_096, func(length int) bool { return length <= 16*72 && length%72 == 0 }},
	}[key]
	items, isArray := value.([]any)
	if !isArray || len(items) > list.most {
		return false
	}
	for _, item := range items {
		bytes, isBinary := item.([]byte)
		if !isBinary || !list.holds(len(bytes)) {
			return false
		}
		*list.to = append(*list.to, bytes)
	}
	return true
}

// want tells of a response that is not one of those that answer the question.
func (r *Response) want(keys ...string) error {
	switch {
	case slices.Contains(keys, r.keys):
		return nil
	case r.keys == "error":
		return fault(NotFound, "refused: %s", r.Error)
	}
	return malformed("an answer with %q where %q was due", r.keys, keys)
}
