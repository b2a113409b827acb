package byline

import (
	"bytes"
	"slices"
)

// Statements is the topic of batches: docs/spec/network.md, "Gossip".
const Statements = "byline/statements/1"

const (
	mostBatch = 60_000
	mostItems = 1_024
)

// Batch is what one message brought: the good statements, and how many others.
type Batch struct {
	Fresh            []*Statement
	Bad, Unsupported int
}

// MakeBatch is the message that carries statements.
func MakeBatch(statements ...*Statement) []byte {
	batch := header(array, uint64(len(statements)))
	for _, statement := range statements {
		batch = append(batch, statement.Envelope...)
	}
	return batch
}

// ParseBatch takes the good statements whatever the others are.
func ParseBatch(data []byte) (*Batch, error) {
	items, err := split(data)
	if err != nil {
		return nil, err
	}
	batch := &Batch{}
	for _, item := range items {
		statement, err := ParseStatement(item)
		if err == nil {
			err = statement.Verify()
		}
		switch {
		case KindOf(err) == Unsupported:
			batch.Unsupported++
		case err != nil:
			batch.Bad++
		case !slices.ContainsFunc(batch.Fresh, statement.is):
			batch.Fresh = append(batch.Fresh, statement)
		}
	}
	return batch, nil
}

func (s *Statement) is(other *Statement) bool { return bytes.Equal(s.ID, other.ID) }

func split(data []byte) ([][]byte, error) {
	r := &reader{data: data}
	form, count, err := r.header()
	switch {
	case err != nil:
		return nil, err
	case len(data) > mostBatch || form.kind != array || count < form.least || count > mostItems:
		return nil, malformed("a batch is an array of up to %d items, %d bytes", mostItems, mostBatch)
	}
	items := make([][]byte, count)
	for number := range items {
		start := r.at
		if err := r.skip(); err != nil {
			return nil, err
		}
		items[number] = data[start:r.at]
	}
	if r.at != len(data) {
		return nil, malformed("%d bytes behind the batch", len(data)-r.at)
	}
	return items, nil
}

// skip passes over a value of any type and form, however deep.
func (r *reader) skip() error {
	for left := uint64(1); left > 0; left-- {
		more, err := r.skipHeader()
		if err != nil {
			return err
		}
		left += more
	}
	return nil
}

// skipHeader passes over a scalar, or the header of a map or array; how many values follow.
func (r *reader) skipHeader() (uint64, error) {
	if r.at < len(r.data) {
		if head := r.data[r.at]; head >= 0xe0 {
			r.at++
			return 0, nil
		} else if extent, is := extents[head]; is {
			r.at++
			length, err := r.number(extent.width)
			if err == nil {
				_, err = r.take(length + extent.bytes)
			}
			return 0, err
		}
	}
	form, number, err := r.header()
	switch {
	case err != nil || form.kind == integer:
		return 0, err
	case form.kind == mapping:
		return 2 * number, nil
	case form.kind == array:
		return number, nil
	}
	_, err = r.take(number)
	return 0, err
}

// extents has, of the heads that canonical MessagePack lacks, how many bytes follow, and
// how wide the number is that says how many more.
var extents = map[byte]struct {
	bytes uint64
	width int
}{
	0xc0: {0, 0}, 0xc2: {0, 0}, 0xc3: {0, 0},
	0xc7: {1, 1}, 0xc8: {1, 2}, 0xc9: {1, 4},
	0xca: {4, 0}, 0xcb: {8, 0},
	0xd0: {1, 0}, 0xd1: {2, 0}, 0xd2: {4, 0}, 0xd3: {8, 0},
	0xd4: {2, 0}, 0xd5: {3, 0}, 0xd6: {5, 0}, 0xd7: {9, 0}, 0xd8: {17, 0},
}
