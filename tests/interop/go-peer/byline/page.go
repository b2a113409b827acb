package byline

import "bytes"

// A page is what the entries of an answer say: which statements are logged, and the
// count and commitment behind them.
type page struct {
	leaves  []leaf
	strings uint64
	last    *Entry
}

type leaf struct{ id, entry []byte }

// take reads entries from where the cursor is, if they lead to the checkpoint, and then
// their statements.  The cursor moves when all of that was well.
func (f *Follower) take(ask Ask, answer *Response, checkpoint *Checkpoint) error {
	tree := f.Cursor.Tree
	count := uint64(len(answer.Entries))
	if count < 1 || count > checkpoint.Size-tree.Size {
		return malformed("%d entries from %d on, of %d", count, tree.Size, checkpoint.Size)
	}
	for _, entry := range answer.Entries {
		tree = tree.Append(LeafHash(entry))
	}
	if err := VerifyConsistency(tree.Size, checkpoint.Size, tree.Root(), checkpoint.Root, answer.Proof); err != nil {
		return err
	}
	read, err := f.read(answer.Entries)
	if err == nil && tree.Size == checkpoint.Size {
		err = wantCommitment(answer.Entries[count-1])
	}
	if err == nil {
		err = f.fetch(ask, read.leaves)
	}
	if err == nil {
		f.Cursor.Checkpoint, f.Cursor.Tree = checkpoint, tree
		f.Cursor.strings, f.Cursor.Last = read.strings, read.last
	}
	return err
}

func (f *Follower) read(entries [][]byte) (*page, error) {
	read := &page{strings: f.Cursor.strings, last: f.Cursor.Last}
	seen := map[string]bool{}
	for _, data := range entries {
		entry, err := ParseEntry(data)
		switch {
		case err != nil:
			return nil, err
		case entry.Kind == LogsStatement && seen[string(entry.ID)]:
			return nil, fault(Verification, "statement %x is logged twice", entry.ID)
		case entry.Kind == LogsStatement:
			seen[string(entry.ID)] = true
			read.strings += entry.Strings
			read.leaves = append(read.leaves, leaf{entry.ID, data})
		case entry.Kind == LogsCommitment && entry.Strings != read.strings:
			return nil, fault(Verification, "a commitment to %d strings, not %d", entry.Strings, read.strings)
		case entry.Kind == LogsCommitment:
			read.last = entry
		}
	}
	return read, nil
}

// fetch asks for the statements that are lacking, and checks those that are not.
func (f *Follower) fetch(ask Ask, leaves []leaf) error {
	var rest []leaf
	for _, one := range leaves {
		known, is := f.byID[string(one.id)]
		if !is {
			rest = append(rest, one)
		} else if !bytes.Equal(known.Entry(), one.entry) {
			return fault(Verification, "another entry for %x", one.id)
		}
	}
	for len(rest) > 0 {
		asked := rest[:min(len(rest), mostIDs)]
		var ids []byte
		for _, one := range asked {
			ids = append(ids, one.id...)
		}
		answer, err := ask(Map{"ask": "statements", "ids": ids})
		if err == nil {
			err = answer.want("envelopes")
		}
		if err != nil {
			return err
		}
		count := len(answer.Envelopes)
		if count < 1 || count > len(asked) {
			return malformed("%d envelopes for %d ids", count, len(asked))
		}
		for number, envelope := range answer.Envelopes {
			if err := f.admit(envelope, asked[number]); err != nil {
				return err
			}
		}
		rest = rest[count:]
	}
	return nil
}

func (f *Follower) admit(envelope []byte, as leaf) error {
	if len(envelope) == 0 {
		f.Gaps = append(f.Gaps, as.id)
		return nil
	}
	statement, err := ParseStatement(envelope)
	switch {
	case KindOf(err) == Unsupported:
		f.Gaps = append(f.Gaps, as.id)
		return nil
	case err != nil:
		return err
	case !bytes.Equal(statement.ID, as.id) || !bytes.Equal(statement.Entry(), as.entry):
		return fault(Verification, "not the statement that is logged as %x", as.id)
	}
	if err := statement.Verify(); err != nil {
		return err
	}
	f.byID[string(as.id)] = statement
	f.Statements = append(f.Statements, statement)
	return nil
}
