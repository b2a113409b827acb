package byline

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"
)

// Map is a map of canonical MessagePack.  The other values are uint64, bool, string,
// []byte and []any; each has exactly one encoding (docs/spec/statement.md, "Encoding").
type Map = map[string]any

type kind int

const (
	integer kind = iota
	mapping
	array
	text
	binaries
)

// A form is one way to begin a value: with the head alone, whose low bits are the
// number, or with a number of some width behind it, which must be at least `least`.
type form struct {
	kind  kind
	head  byte
	low   byte
	width int
	least uint64
}

var forms = []form{ // of each kind, the shortest first
	{integer, 0x00, 0x7f, 0, 0},
	{integer, 0xcc, 0, 1, 1 << 7},
	{integer, 0xcd, 0, 2, 1 << 8},
	{integer, 0xce, 0, 4, 1 << 16},
	{integer, 0xcf, 0, 8, 1 << 32},
	{mapping, 0x80, 0x0f, 0, 0},
	{mapping, 0xde, 0, 2, 1 << 4},
	{mapping, 0xdf, 0, 4, 1 << 16},
	{array, 0x90, 0x0f, 0, 0},
	{array, 0xdc, 0, 2, 1 << 4},
	{array, 0xdd, 0, 4, 1 << 16},
	{text, 0xa0, 0x1f, 0, 0},
	{text, 0xd9, 0, 1, 1 << 5},
	{text, 0xda, 0, 2, 1 << 8},
	{text, 0xdb, 0, 4, 1 << 16},
	{binaries, 0xc4, 0, 1, 0},
	{binaries, 0xc5, 0, 2, 1 << 8},
	{binaries, 0xc6, 0, 4, 1 << 16},
}

// Limits of what is decoded: how deep, and how many maps and arrays in all.
type Limits struct {
	Depth, Containers int
}

// Decode reads the one value that data is.
func Decode(data []byte, limits Limits) (any, error) {
	r := &reader{data: data, limits: limits}
	value, err := r.value(0)
	if err == nil && r.at != len(data) {
		err = malformed("%d bytes behind the value", len(data)-r.at)
	}
	return value, err
}

type reader struct {
	data   []byte
	at     int
	limits Limits
}

func (r *reader) take(count uint64) ([]byte, error) {
	if count > uint64(len(r.data)-r.at) {
		return nil, malformed("it ends within a value")
	}
	taken := r.data[r.at : r.at+int(count)]
	r.at += int(count)
	return taken, nil
}

// number reads an integer of 0 to 8 bytes.
func (r *reader) number(width int) (uint64, error) {
	taken, err := r.take(uint64(width))
	var number uint64
	for _, one := range taken {
		number = number<<8 | uint64(one)
	}
	return number, err
}

// header reads the beginning of a value: its form, and its length or number.
func (r *reader) header() (form, uint64, error) {
	first, err := r.take(1)
	if err != nil {
		return form{}, 0, err
	}
	head := first[0]
	at := slices.IndexFunc(forms, func(one form) bool {
		return head >= one.head && head <= one.head+one.low
	})
	if at < 0 {
		return form{}, 0, malformed("a value that begins with %02x", head)
	}
	if forms[at].width == 0 {
		return forms[at], uint64(head - forms[at].head), nil
	}
	number, err := r.number(forms[at].width)
	return forms[at], number, err
}

func (r *reader) value(depth int) (any, error) {
	if head := r.data[r.at:]; len(head) > 0 && head[0]&^1 == 0xc2 {
		r.at++
		return head[0] == 0xc3, nil
	}
	form, number, err := r.header()
	if err != nil {
		return nil, err
	}
	if number < form.least {
		return nil, malformed("a header longer than it need be")
	}
	switch form.kind {
	case integer:
		return number, nil
	case binaries:
		return r.take(number)
	case text:
		taken, err := r.take(number)
		if err == nil && !utf8.Valid(taken) {
			err = malformed("text that is not UTF-8")
		}
		return string(taken), err
	}
	r.limits.Containers--
	if depth == r.limits.Depth || r.limits.Containers < 0 {
		return nil, malformed("nested too deep, or too many maps and arrays")
	}
	if form.kind == array {
		return r.array(number, depth+1)
	}
	return r.mapping(number, depth+1)
}

func (r *reader) array(length uint64, depth int) ([]any, error) {
	items := []any{} // grows with what is there, not with what is announced
	for range length {
		item, err := r.value(depth)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return items, nil
}

func (r *reader) mapping(length uint64, depth int) (Map, error) {
	items, before := Map{}, ""
	for number := range length {
		value, err := r.value(depth)
		if err != nil {
			return nil, err
		}
		key, isText := value.(string)
		if !isText || number > 0 && key <= before {
			return nil, malformed("a key that is no text, or out of order")
		}
		if items[key], err = r.value(depth); err != nil {
			return nil, err
		}
		before = key
	}
	return items, nil
}

// Encode is the encoding of a value.  It panics where the program hands it another type.
func Encode(value any) []byte {
	switch value := value.(type) {
	case bool:
		if value {
			return []byte{0xc3}
		}
		return []byte{0xc2}
	case uint64:
		return header(integer, value)
	case string:
		return append(header(text, uint64(len(value))), value...)
	case []byte:
		return append(header(binaries, uint64(len(value))), value...)
	case []any:
		parts := [][]byte{header(array, uint64(len(value)))}
		for _, item := range value {
			parts = append(parts, Encode(item))
		}
		return bytes.Join(parts, nil)
	case Map:
		parts := [][]byte{header(mapping, uint64(len(value)))}
		for _, key := range slices.Sorted(maps.Keys(value)) {
			parts = append(parts, Encode(key), Encode(value[key]))
		}
		return bytes.Join(parts, nil)
	}
	panic(fmt.Sprintf("no encoding for %T", value))
}

// header is the shortest that says it.
func header(kind kind, number uint64) []byte {
	var best form // the last of the kind that is not too long
	for _, one := range forms {
		if one.kind == kind && number >= one.least {
			best = one
		}
	}
	if best.width == 0 {
		return []byte{best.head + byte(number)}
	}
	wide := binary.BigEndian.AppendUint64(nil, number)
	return append([]byte{best.head}, wide[8-best.width:]...)
}
