package byline

import (
	"bytes"
	"slices"
)

// Follow is the protocol by which logs are read; its answers are no longer than this.
const (
	Follow     = "/byline/follow/2"
	MostFollow = 1_100_000
	mostIDs    = 4_096
)

// Ask sends a request and gives the response to it.
type Ask func(request Map) (*Response, error)

// Follower reads a log to its end and checks every byte: docs/spec/network.md, "Follow".
// It has no log of its own and does not compare sets; it reads.
type Follower struct {
	Statements []*Statement // in the order of the log
	Gaps       [][]byte
	Cursor     *Cursor
	byID       map[string]*Statement
	wasEqual   bool
}

// Cursor is how far a log was read, and what it showed of itself.
type Cursor struct {
	VKey       string
	Checkpoint *Checkpoint
	Tree       Frontier
	Last       *Entry // the last commitment
	verifier   *Verifier
	strings    uint64
}

func (c *Cursor) atEnd() bool { return c.Tree.Size >= c.Checkpoint.Size }

// NewFollower knows nothing.
func NewFollower() *Follower { return &Follower{byID: map[string]*Statement{}} }

// Round reads on to the end of the log.
func (f *Follower) Round(ask Ask) error {
	if err := f.begin(ask); err != nil {
		return err
	}
	for f.Cursor != nil && !f.Cursor.atEnd() {
		page, err := ask(Map{"ask": "entries", "size": f.Cursor.Checkpoint.Size, "start": f.Cursor.Tree.Size})
		if err == nil {
			err = page.want("entries proof")
		}
		if err == nil {
			err = f.take(ask, page, f.Cursor.Checkpoint)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (f *Follower) begin(ask Ask) error {
	switch {
	case f.Cursor == nil && f.wasEqual:
		return f.meet(ask, []byte{})
	case f.Cursor == nil:
		return f.meet(ask, f.SetRoot())
	case f.Cursor.atEnd():
		return f.next(ask)
	}
	return f.head(ask)
}

// SetRoot is that of the lookup set of the statements that were read.
func (f *Follower) SetRoot() []byte {
	var strings [][]byte
	for _, statement := range f.Statements {
		strings = append(strings, statement.Strings()...)
	}
	slices.SortFunc(strings, bytes.Compare)
	return SetRoot(strings)
}

// meet learns of a log, of which nothing was read yet.
func (f *Follower) meet(ask Ask, root []byte) error {
	met, err := ask(Map{"ask": "meet", "root": root})
	if err != nil {
		return err
	}
	if met.Equal && len(root) > 0 {
		f.wasEqual = true
		return nil
	}
	if err := met.want("entry frontier note vkey"); err != nil {
		return err
	}
	verifier, err := ParseVerifier(met.VKey)
	if err != nil {
		return err
	}
	checkpoint, err := OpenCheckpoint(met.Note, verifier)
	if err != nil {
		return err
	}
	if err := checkLast(checkpoint, met); err != nil {
		return err
	}
	if f.Cursor != nil && f.Cursor.VKey == met.VKey {
		return fault(BadSignature, "an answer that the log's key did not sign")
	}
	f.Cursor = &Cursor{VKey: met.VKey, Checkpoint: checkpoint, verifier: verifier}
	return nil
}

// checkLast wants a commitment as the last leaf of a checkpoint's tree.
func checkLast(checkpoint *Checkpoint, met *Response) error {
	if checkpoint.Size < 1 {
		return malformed("an empty log")
	}
	before, err := NewFrontier(checkpoint.Size-1, met.Frontier)
	if err != nil {
		return err
	}
	if !bytes.Equal(before.Append(LeafHash(met.Entry)).Root(), checkpoint.Root) {
		return fault(BadProof, "not the last leaf and what is in front of it")
	}
	return wantCommitment(met.Entry)
}

func wantCommitment(last []byte) error {
	entry, err := ParseEntry(last)
	if err == nil && entry.Kind != LogsCommitment {
		err = fault(Verification, "the last leaf is no commitment")
	}
	return err
}

// open is a checkpoint that is no smaller than the last; nil where another log was met.
func (f *Follower) open(ask Ask, note []byte) (*Checkpoint, error) {
	checkpoint, err := OpenCheckpoint(note, f.Cursor.verifier)
	if KindOf(err) == BadSignature {
		return nil, f.meet(ask, []byte{})
	}
	if err == nil && checkpoint.Size < f.Cursor.Checkpoint.Size {
		err = fault(Verification, "the log went back from %d to %d", f.Cursor.Checkpoint.Size, checkpoint.Size)
	}
	return checkpoint, err
}

// next reads what came since, if it is little.
func (f *Follower) next(ask Ask) error {
	news, err := ask(Map{"ask": "next", "from": f.Cursor.Checkpoint.Size})
	if err != nil || news.Same {
		return err
	}
	if err := news.want("entries note proof"); err != nil {
		return err
	}
	checkpoint, err := f.open(ask, news.Note)
	if err != nil || checkpoint == nil {
		return err
	}
	if checkpoint.Size == f.Cursor.Checkpoint.Size {
		err = f.extends(checkpoint, nil)
	}
	if err == nil {
		err = f.take(ask, news, checkpoint)
	}
	if KindOf(err) == BadProof { // the head shows whether the log or this answer is to blame
		if blamed := f.head(ask); blamed != nil {
			return blamed
		}
	}
	return err
}

// head learns of a new checkpoint, and that its tree extends the last.
func (f *Follower) head(ask Ask) error {
	head, err := ask(Map{"ask": "head", "from": f.Cursor.Checkpoint.Size})
	if err != nil || head.Same {
		return err
	}
	if err := head.want("note proof vkey"); err != nil {
		return err
	}
	checkpoint, err := f.open(ask, head.Note)
	if err != nil || checkpoint == nil {
		return err
	}
	if err := f.extends(checkpoint, head.Proof); err != nil {
		return fault(InconsistentLog, "%v", err)
	}
	f.Cursor.Checkpoint = checkpoint
	return nil
}

func (f *Follower) extends(checkpoint *Checkpoint, proof [][]byte) error {
	old := f.Cursor.Checkpoint
	return VerifyConsistency(old.Size, checkpoint.Size, old.Root, checkpoint.Root, proof)
}
