package byline

import (
	"bytes"
	"slices"
)

// Query is the protocol by which those ask who keep no log; its answers are no longer than this.
const (
	Query     = "/byline/query/1"
	MostQuery = 40 << 20
)

var bundleKeys = []string{
	"asked", "checkpoint", "depth", "earlier", "format", "log", "opening", "proof", "redacted",
	"statements", "strings",
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
	about, _ := fields["asked"].([]byte)
	switch {
	case fields["format"] != "byline-bundle/2":
		return nil, fault(Unsupported, "a bundle of format %v", fields["format"])
	case !bytes.Equal(about, asked):
		return nil, fault(Verification, "an answer about %x, not %x", about, asked)
	case !isArray:
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
	for _, row := range rows {
		if err := answer.take(row); err != nil {
			return nil, err
		}
	}
	return answer, nil
}

// take checks one row, [index, envelope, inclusion proof].
func (a *Answer) take(value any) error {
	row, _ := value.([]any)
	if len(row) != 3 {
		return malformed("a row of a bundle")
	}
	index, isIndex := row[0].(uint64)
	envelope, _ := row[1].([]byte)
	proof, isProof := row[2].([]byte)
	if !isIndex || !isProof || len(proof)%32 != 0 {
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
	hashes := slices.Collect(slices.Chunk(proof, 32))
	return VerifyInclusion(index, a.Checkpoint.Size, LeafHash(statement.Entry()), hashes, a.Checkpoint.Root)
}
