package byline

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"unicode"
	"unicode/utf8"
)

// Kinds of entries: docs/spec/log.md, "Entries".
const (
	LogsStatement  = 0
	LogsCommitment = 1
	LogsRetirement = 2
)

// Entry is a leaf of a log: of a statement its id and the number of its lookup keys, of
// a commitment the number of strings and the root of their set.
type Entry struct {
	Kind     byte
	ID, Root []byte
	Strings  uint64
}

// ParseEntry reads one.
func ParseEntry(data []byte) (*Entry, error) {
	switch {
	case len(data) >= 42 && data[0] == LogsStatement:
		return parseStatementEntry(data)
	case len(data) == 41 && data[0] == LogsCommitment:
		strings := binary.BigEndian.Uint64(data[1:])
		if strings > largest {
			return nil, malformed("a commitment to %d strings", strings)
		}
		return &Entry{Kind: LogsCommitment, Strings: strings, Root: data[9:]}, nil
	case len(data) >= 2 && len(data) <= 1_025 && data[0] == LogsRetirement:
		if !utf8.Valid(data[1:]) || bytes.ContainsFunc(data[1:], unicode.IsControl) {
			return nil, malformed("the text of a retirement notice")
		}
		return &Entry{Kind: LogsRetirement}, nil
	}
	return nil, malformed("an entry of no kind")
}

func parseStatementEntry(data []byte) (*Entry, error) {
	count := int(data[41])
	if count < 2 || count > 66 || len(data) != 42+32*count {
		return nil, malformed("an entry of %d bytes and %d keys", len(data), count)
	}
	for at := 42 + 32; at < len(data); at += 32 {
		if bytes.Compare(data[at-32:at], data[at:at+32]) >= 0 {
			return nil, malformed("keys out of order")
		}
	}
	return &Entry{Kind: LogsStatement, ID: data[1:33], Strings: uint64(count)}, nil
}

// SetRoot is T of docs/spec/log.md, "Lookup set", of strings that ascend.
func SetRoot(strings [][]byte) []byte {
	if len(strings) <= 16 {
		return hash([]byte{2}, bytes.Join(strings, nil))
	}
	depth := commonBits(strings[0], strings[len(strings)-1])
	right := 0
	for !bit(strings[right], depth) {
		right++
	}
	head := binary.BigEndian.AppendUint16([]byte{3}, uint16(depth))
	head = binary.BigEndian.AppendUint64(head, uint64(right))
	head = binary.BigEndian.AppendUint64(head, uint64(len(strings)-right))
	for at := 0; at < depth; at += 8 {
		mask := byte(0xff) << max(0, at+8-depth)
		head = append(head, strings[0][at/8]&mask)
	}
	return hash(head, SetRoot(strings[:right]), SetRoot(strings[right:]))
}

func bit(data []byte, at int) bool { return data[at/8]>>(7-at%8)&1 == 1 }

// commonBits is how many bits two different strings share at their beginning.
func commonBits(one, two []byte) int {
	at := 0
	for bit(one, at) == bit(two, at) {
		at++
	}
	return at
}

func hash(parts ...[]byte) []byte {
	sum := sha256.Sum256(bytes.Join(parts, nil))
	return sum[:]
}
