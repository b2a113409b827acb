package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"byline.example/go-peer/byline"
)

// Hex is bytes as the vectors write them.
type Hex []byte

// UnmarshalText reads hexadecimal digits.
func (h *Hex) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}

// A vector has the fields of its group; the others are empty.
type vector struct {
	Name, Expect, VKey                            string
	Public, Message, Signature, Bytes             Hex
	Envelope, ID, Entry, Leaf, Root, Note, Text   Hex
	OldRoot                                       Hex `json:"old_root"`
	SetRoot                                       Hex `json:"set_root"`
	Leaves, Proof, Strings, Fresh, Admitted, Gaps []Hex
	Index, Old, Size                              json.Number
	Bad, Unsupported                              int
	Known                                         json.RawMessage
	Sessions                                      [][]exchange
}

type exchange struct{ Request, Response Hex }

type group struct {
	name, file, list string
	check            func(vector) error
}

var groups = []group{
	{"ed25519", "ed25519.json", "cases", ed25519},
	{"encodings", "statement.json", "encodings", encoding},
	{"envelopes", "statement.json", "envelopes", envelope},
	{"entries", "log_entry.json", "parse", entry},
	{"entries of statements", "log_entry.json", "statements", entryOfStatement},
	{"sets", "log_lookup.json", "sets", set},
	{"roots", "log_tree.json", "roots", root},
	{"inclusion", "log_tree.json", "inclusion", inclusion},
	{"consistency", "log_tree.json", "consistency", consistency},
	{"notes", "log_note.json", "parse", note},
	{"verifiers", "log_note.json", "verifiers", verifier},
	{"signed notes", "log_note.json", "verify", signedNote},
	{"checkpoints", "log_checkpoint.json", "text", checkpoint},
	{"signed checkpoints", "log_checkpoint.json", "signed", signedCheckpoint},
	{"batches", "network.json", "batches", batch},
	{"responses", "network.json", "responses", response},
	{"sessions", "network.json", "sessions", session},
}

var (
	errNegative = errors.New("skipped: a number that no unsigned integer can be")
	errOwnLog   = errors.New("skipped: this peer has no log of its own")
)

func same(got, want any, what string) error {
	if one, two := fmt.Sprintf("%x", got), fmt.Sprintf("%x", want); one != two {
		return fmt.Errorf("%s is %s, not %s", what, one, two)
	}
	return nil
}

// unsigned reads numbers up to 2^64 - 1, of which some are larger than a log may be.
func unsigned(first, second json.Number) (uint64, uint64, error) {
	one, err := strconv.ParseUint(string(first), 10, 64)
	if err != nil {
		return 0, 0, errNegative
	}
	two, err := strconv.ParseUint(string(second), 10, 64)
	return one, two, err
}

func hashes(list []Hex) [][]byte {
	hashes := [][]byte{}
	for _, one := range list {
		hashes = append(hashes, one)
	}
	return hashes
}

func ed25519(v vector) error {
	if !byline.Verify(v.Public, v.Message, v.Signature) {
		return &byline.Fault{Kind: byline.BadSignature}
	}
	return nil
}

func encoding(v vector) error {
	value, err := byline.Decode(v.Bytes, byline.Limits{Depth: 6, Containers: len(v.Bytes)})
	if err != nil {
		return err
	}
	return same(byline.Encode(value), v.Bytes, "the encoding")
}

func envelope(v vector) error {
	statement, err := byline.ParseStatement(v.Envelope)
	if err != nil {
		return err
	}
	if err := statement.Verify(); err != nil {
		return err
	}
	return same(statement.ID, v.ID, "the id")
}

func entry(v vector) error {
	_, err := byline.ParseEntry(v.Entry)
	return err
}

func entryOfStatement(v vector) error {
	statement, err := byline.ParseStatement(v.Envelope)
	if err != nil {
		return err
	}
	return errors.Join(
		same(statement.Entry(), v.Entry, "the entry"),
		same(byline.LeafHash(statement.Entry()), v.Leaf, "its hash"),
		same(bytes.Join(statement.Strings(), nil), bytes.Join(hashes(v.Strings), nil), "what it adds to the set"),
	)
}

func set(v vector) error { return same(byline.SetRoot(hashes(v.Strings)), v.Root, "the root") }

func root(v vector) error {
	var tree byline.Frontier
	for _, leaf := range v.Leaves {
		tree = tree.Append(byline.LeafHash(leaf))
	}
	return same(tree.Root(), v.Root, "the root")
}

func inclusion(v vector) error {
	index, size, err := unsigned(v.Index, v.Size)
	if err != nil {
		return err
	}
	return byline.VerifyInclusion(index, size, v.Leaf, hashes(v.Proof), v.Root)
}

func consistency(v vector) error {
	old, size, err := unsigned(v.Old, v.Size)
	if err != nil {
		return err
	}
	return byline.VerifyConsistency(old, size, v.OldRoot, v.Root, hashes(v.Proof))
}

func note(v vector) error {
	note, err := byline.ParseNote(v.Note)
	if err != nil {
		return err
	}
	return same(note.Text, v.Text, "the text")
}

func verifier(v vector) error {
	_, err := byline.ParseVerifier(v.VKey)
	return err
}

func signedNote(v vector) error {
	note, err := byline.ParseNote(v.Note)
	if err != nil {
		return err
	}
	key, err := byline.ParseVerifier(v.VKey)
	if err != nil {
		return err
	}
	return note.Verify(key)
}

func checkpoint(v vector) error {
	checkpoint, err := byline.ParseCheckpoint(v.Text)
	if err != nil {
		return err
	}
	return errors.Join(
		same(checkpoint.Root, v.Root, "the root"),
		same(strconv.FormatUint(checkpoint.Size, 10), v.Size.String(), "the size"),
	)
}

func signedCheckpoint(v vector) error {
	key, err := byline.ParseVerifier(v.VKey)
	if err != nil {
		return err
	}
	_, err = byline.OpenCheckpoint(v.Note, key)
	return err
}

func batch(v vector) error {
	batch, err := byline.ParseBatch(v.Bytes)
	if err != nil {
		return err
	}
	var fresh [][]byte
	for _, statement := range batch.Fresh {
		fresh = append(fresh, statement.ID)
	}
	return errors.Join(
		same(fresh, hashes(v.Fresh), "what is fresh"),
		same(batch.Bad, v.Bad, "the number of bad ones"),
		same(batch.Unsupported, v.Unsupported, "the number of unsupported ones"),
	)
}

func response(v vector) error {
	_, err := byline.ParseResponse(v.Bytes)
	return err
}

// session runs recorded rounds; each request must be the one that was recorded.
func session(v vector) error {
	if v.Known != nil {
		return errOwnLog
	}
	follower := byline.NewFollower()
	for _, recorded := range v.Sessions {
		rest := recorded
		err := follower.Round(func(request byline.Map) (*byline.Response, error) {
			if len(rest) == 0 {
				return nil, errors.New("more requests than recorded")
			}
			next := rest[0]
			rest = rest[1:]
			if err := same(byline.Encode(request), next.Request, "the request"); err != nil {
				return nil, err
			}
			return byline.ParseResponse(next.Response)
		})
		if err != nil {
			return err
		}
		if len(rest) > 0 {
			return errors.New("fewer requests than recorded")
		}
	}
	var admitted [][]byte
	for _, statement := range follower.Statements {
		admitted = append(admitted, statement.ID)
	}
	return errors.Join(
		same(admitted, hashes(v.Admitted), "what was admitted"),
		same(follower.Gaps, hashes(v.Gaps), "the gaps"),
		same(follower.SetRoot(), v.SetRoot, "the root of the set"),
	)
}
