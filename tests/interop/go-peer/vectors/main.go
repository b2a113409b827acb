// Vectors holds this peer against the shared vectors: vectors FOLDER
//
// It prints one JSON line for each group: how many cases agree, and those that do not.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"byline.example/go-peer/byline"
)

// A fact is what is told of a group.
type fact struct {
	Fact    string   `json:"fact"`
	Group   string   `json:"group"`
	Agree   int      `json:"agree"`
	Skipped int      `json:"skipped"`
	Differ  []differ `json:"differ"`
}

type differ struct {
	Name   string `json:"name"`
	Expect string `json:"expect"`
	Got    string `json:"got"`
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: vectors FOLDER")
	}
	out := json.NewEncoder(os.Stdout)
	for _, group := range groups {
		told, err := group.run(os.Args[1])
		if err == nil {
			err = out.Encode(told)
		}
		if err != nil {
			log.Fatalf("%s: %v", group.name, err)
		}
	}
}

func (g group) run(folder string) (*fact, error) {
	data, err := os.ReadFile(filepath.Join(folder, g.file))
	if err != nil {
		return nil, err
	}
	var lists map[string]json.RawMessage
	if err := json.Unmarshal(data, &lists); err != nil {
		return nil, err
	}
	var cases []json.RawMessage
	if err := json.Unmarshal(lists[g.list], &cases); err != nil {
		return nil, fmt.Errorf("%s of %s: %w", g.list, g.file, err)
	}
	told := &fact{Fact: "vectors", Group: g.name, Differ: []differ{}}
	for _, raw := range cases {
		var one vector
		if err := json.Unmarshal(raw, &one); err != nil {
			return nil, err
		}
		told.count(one, decided(g.check(one)))
	}
	return told, nil
}

func (f *fact) count(one vector, got string) {
	switch {
	case got == one.Expect:
		f.Agree++
	case strings.HasPrefix(got, "skipped"):
		f.Skipped++
	default:
		f.Differ = append(f.Differ, differ{one.Name, one.Expect, got})
	}
}

// decided is a verdict in the words of the vectors, or else what went wrong.
func decided(err error) string {
	if err == nil {
		return "ok"
	}
	if kind := byline.KindOf(err); kind != "" {
		return kind
	}
	return err.Error()
}
