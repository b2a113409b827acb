package byline

import (
	"bytes"
	"maps"
	"slices"
)

// Query is the protocol by which those ask who keep no log; its answers are no longer than this.
const (
	Query     = "/byline/query/1"
	MostQuery = 40 << 20
)

var bundleKeys = []string{
	"asked", "checkpoint", "depth", "earlier", "first", "format", "inclusion", "keys", "log",
	"opening", "proof", "redacted", "statements", "strings",
}

// Answer is what of a bundle was checked: the checkpoint's signature, those of the
// statements, and that each is where the bundle says in the log's tree.  The opening of
// the lookup set and the chain (docs/spec/bundle.md) are not looked at.
type Answer struct {
	Log        string
	Checkpoint *Checkpoint
	Statements []*Statement
}

// ParseAnswer reads the response to a question about a multihash.
func ParseAnswer(data, asked []byte) (*Answer, error) {
	value, err := Decode(data, Limits{Depth: 1, Containers: 1})
	if err != nil {
		return nil, err
	}
	fields, _ := value.(Map)
	if len(fields) == 1 {
		if seconds, isBusy := fields["busy"]; isBusy {
			return nil, fault(Busy, "for %v s", seconds)
		}
		if reason, isRefusal := fields["error"]; isRefusal {
			return nil, fault(NotFound, "refused: %v", reason)
		}
		if bundle, isBundle := fields["bundle"].([]byte); isBundle {
			return parseBundle(bundle, asked)
		}
	}
	return nil, malformed("no answer to a question about a work")
}

func parseBundle(data, asked []byte) (*Answer, error) {
	value, err := Decode(data, Limits{Depth: 3, Containers: len(data)})
	if err != nil {
		return nil, err
	}
	fields, _ := value.(Map)
	for _, key := range bundleKeys {
		if _, is := fields[key]; !is || len(fields) != len(bundleKeys) {
			return nil, malformed("a bundle has the keys %q", bundleKeys)
		}
	}
	log, _ := fields["log"].(string)
	note, _ := fields["checkpoint"].([]byte)
	rows, isArray := fields["statements"].([]any)
	gone, isGone := fields["redacted"].([]any)
	inclusion, isProof := fields["inclusion"].([]byte)
	digests, _ := fields["asked"].([]any)
	switch {
	case fields["format"] != "byline-bundle/3":
		return nil, fault(Unsupported, "a bundle of format %v", fields["format"])
	case len(digests) != 1 || !isBytes(digests[0], asked):
		return nil, fault(Verification, "an answer about %x, not %x", digests, asked)
	case !isArray || !isGone || !isProof || len(inclusion)%32 != 0:
		return nil, malformed("statements of a bundle")
	}
	verifier, err := ParseVerifier(log)
	if err != nil {
		return nil, err
	}
	answer := &Answer{Log: log}
	if answer.Checkpoint, err = OpenCheckpoint(note, verifier); err != nil {
		return nil, err
	}
	leaves := map[uint64][]byte{}
	for _, row := range rows {
		if err := answer.take(row, leaves); err != nil {
			return nil, err
		}
	}
	for _, row := range gone {
		if err := takeGone(row, leaves); err != nil {
			return nil, err
		}
	}
	hashes := slices.Collect(slices.Chunk(inclusion, 32))
	return answer, VerifyShared(leaves, answer.Checkpoint.Size, hashes, answer.Checkpoint.Root)
}

func isBytes(value any, wanted []byte) bool {
	found, is := value.([]byte)
	return is && bytes.Equal(found, wanted)
}

// take checks one row, [index, envelope], and notes its leaf.
func (a *Answer) take(value any, leaves map[uint64][]byte) error {
	row, _ := value.([]any)
	if len(row) != 2 {
		return malformed("a row of a bundle")
	}
	index, isIndex := row[0].(uint64)
	envelope, _ := row[1].([]byte)
	if !isIndex {
		return malformed("a row of a bundle")
	}
	statement, err := ParseStatement(envelope)
	if err == nil {
		err = statement.Verify()
	}
	if err != nil {
		return err
	}
	if index+1 == a.Checkpoint.Size {
		return fault(BadProof, "a statement where the commitment is")
	}
	a.Statements = append(a.Statements, statement)
	return put(leaves, index, statement.Entry())
}

// takeGone notes the leaf of a statement whose body was taken down.
func takeGone(value any, leaves map[uint64][]byte) error {
	row, _ := value.([]any)
	if len(row) != 3 {
		return malformed("a row of what was taken down")
	}
	index, isIndex := row[0].(uint64)
	entry, isEntry := row[1].([]byte)
	if !isIndex || !isEntry {
		return malformed("a row of what was taken down")
	}
	return put(leaves, index, entry)
}

func put(leaves map[uint64][]byte, index uint64, entry []byte) error {
	if _, is := leaves[index]; is {
		return fault(BadProof, "two statements at index %d", index)
	}
	leaves[index] = LeafHash(entry)
	return nil
}

// VerifyShared checks one proof of many leaves: docs/spec/bundle.md, "Shared proof".
func VerifyShared(leaves map[uint64][]byte, size uint64, proof [][]byte, root []byte) error {
	wrong := fault(BadProof, "the statements are not in the tree of %d", size)
	indexes := slices.Sorted(maps.Keys(leaves))
	if len(indexes) == 0 {
		if len(proof) > 0 {
			return wrong
		}
		return nil
	}
	if indexes[len(indexes)-1] >= size || size > largest {
		return wrong
	}
	var subtree func(low, high uint64, within []uint64) []byte
	subtree = func(low, high uint64, within []uint64) []byte {
		if len(within) == 0 {
			if len(proof) == 0 {
				return nil
			}
			first := proof[0]
			proof = proof[1:]
			return first
		}
		if high-low == 1 {
			return leaves[low]
		}
		half := uint64(1)
		for 2*half < high-low {
			half *= 2
		}
		at, _ := slices.BinarySearch(within, low+half)
		left := subtree(low, low+half, within[:at])
		return nodeHash(left, subtree(low+half, high, within[at:]))
	}
	if !bytes.Equal(subtree(0, size, indexes), root) || len(proof) > 0 {
		return wrong
	}
	return nil
}
