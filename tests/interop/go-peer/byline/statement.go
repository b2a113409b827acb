package byline

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"regexp"
	"slices"
	"unicode/utf8"
)

const (
	payloadType  = "application/vnd.byline.statement.v1+msgpack"
	mostEnvelope = 16_455
	mostBody     = 16_384
	largest      = 1<<63 - 1 // of sizes, counts and times
)

var (
	envelopeLimits = Limits{Depth: 6, Containers: mostEnvelope}
	bodyLimits     = Limits{Depth: 6, Containers: 1_024}
	typeName       = regexp.MustCompile(`^[a-z][a-z0-9.-]{0,63}$`)
)

// Statement is what one key says about one thing, parsed.
type Statement struct {
	Envelope, ID    []byte
	body, signature []byte
	author, about   []byte
	sources         [][]byte
}

// ParseStatement reads an envelope; its signature is not yet verified.
func ParseStatement(envelope []byte) (*Statement, error) {
	if len(envelope) > mostEnvelope {
		return nil, malformed("an envelope of %d bytes", len(envelope))
	}
	value, err := Decode(envelope, envelopeLimits)
	if err != nil {
		return nil, err
	}
	parts, _ := value.([]any)
	if len(parts) == 0 {
		return nil, malformed("an envelope is an array")
	}
	if version, is := parts[0].(uint64); !is {
		return nil, malformed("a version is an integer")
	} else if version != 1 {
		return nil, fault(Unsupported, "envelope version %d", version)
	}
	if len(parts) != 3 {
		return nil, malformed("an envelope of %d parts", len(parts))
	}
	body, isBody := parts[1].([]byte)
	signature, _ := parts[2].([]byte)
	if !isBody || len(body) > mostBody || len(signature) != ed25519.SignatureSize {
		return nil, malformed("an envelope is [1, body, signature]")
	}
	id := sha256.Sum256(body)
	statement := &Statement{Envelope: envelope, ID: id[:], body: body, signature: signature}
	return statement, statement.parseBody()
}

// MakeStatement signs a statement with the fields given and those that all have.
func MakeStatement(key ed25519.PrivateKey, salt []byte, milliseconds uint64, fields Map) (*Statement, error) {
	fields["author"] = []byte(key.Public().(ed25519.PublicKey))
	fields["salt"] = salt
	fields["time"] = milliseconds
	body := Encode(fields)
	return ParseStatement(Encode([]any{uint64(1), body, ed25519.Sign(key, preAuth(body))}))
}

// Verify tells of a signature that does not hold.
func (s *Statement) Verify() error {
	if !Verify(s.author, preAuth(s.body), s.signature) {
		return fault(BadSignature, "not signed by its author")
	}
	return nil
}

// preAuth is what is signed: DSSE's pre-authentication encoding.
func preAuth(body []byte) []byte {
	return fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(payloadType), payloadType, len(body), body)
}

// Keys are the lookup keys, ascending, none twice.
func (s *Statement) Keys() [][]byte {
	keys := [][]byte{lookup("subject", s.about), lookup("author", s.author)}
	for _, digest := range s.sources {
		keys = append(keys, lookup("source", digest))
	}
	slices.SortFunc(keys, bytes.Compare)
	return slices.CompactFunc(keys, bytes.Equal)
}

// Strings are the lookup strings that it adds to a log's set.
func (s *Statement) Strings() [][]byte {
	keys := s.Keys()
	for number, key := range keys {
		keys[number] = slices.Concat(key, s.tag(), s.ID)
	}
	return keys
}

// Entry is its entry in every log: docs/spec/log.md, "Entries".
func (s *Statement) Entry() []byte {
	keys := s.Keys()
	head := slices.Concat([]byte{0}, s.ID, s.tag(), []byte{byte(len(keys))})
	return append(head, bytes.Join(keys, nil)...)
}

func (s *Statement) tag() []byte { return lookup("tag", s.author)[:8] }

func lookup(role string, what []byte) []byte {
	hash := sha256.Sum256(fmt.Appendf(nil, "byline/%s/v1\x00%s", role, what))
	return hash[:]
}

// Multihash names a SHA-256.
func Multihash(digest []byte) []byte { return slices.Concat([]byte{0x12, 0x20}, digest) }

func isMultihash(value any) bool {
	bytes, _ := value.([]byte)
	return len(bytes) == 34 && bytes[0] == 0x12 && bytes[1] == 0x20
}

// parseBody checks the common fields; others may be there and are not looked at.
func (s *Statement) parseBody() error {
	value, err := Decode(s.body, bodyLimits)
	if err != nil {
		return err
	}
	fields, isMap := value.(Map)
	if !isMap {
		return malformed("a body is a map")
	}
	kind, _ := fields["type"].(string)
	salt, _ := fields["salt"].([]byte)
	time, isTime := fields["time"].(uint64)
	s.author, _ = fields["author"].([]byte)
	s.about, _ = fields["about"].([]byte)
	switch {
	case !typeName.MatchString(kind):
		return malformed("type")
	case len(s.author) != ed25519.PublicKeySize:
		return malformed("author")
	case !isTime || time > largest:
		return malformed("time")
	case !isMultihash(s.about):
		return malformed("about")
	case len(salt) != 16:
		return malformed("salt")
	}
	if err := each(fields, "also", 8, checkOther); err != nil {
		return err
	}
	return each(fields, "sources", 64, s.parseSource)
}

// each calls for every item of an array of 1 to most items, if the field is there.
func each(fields Map, name string, most int, call func(any) error) error {
	value, isThere := fields[name]
	items, _ := value.([]any)
	if isThere && (len(items) == 0 || len(items) > most) {
		return malformed("%s", name)
	}
	for _, item := range items {
		if err := call(item); err != nil {
			return err
		}
	}
	return nil
}

func (s *Statement) parseSource(value any) error {
	source, _ := value.(Map)
	word, _ := source["relationship"].(string)
	characters := utf8.RuneCountInString(word)
	if !isMultihash(source["digest"]) || characters < 1 || characters > 64 {
		return malformed("sources")
	}
	s.sources = append(s.sources, source["digest"].([]byte))
	return nil
}

// checkOther wants a multihash of another function than SHA-256.
func checkOther(value any) error {
	bytes, _ := value.([]byte)
	code, behind := varint(bytes)
	length, start := varint(bytes[behind:])
	rest := len(bytes) - behind - start
	if behind == 0 || start == 0 || len(bytes) > 70 || code == 0x12 || rest == 0 || length != uint64(rest) {
		return malformed("also")
	}
	return nil
}

// varint reads a shortest varint of at most nine bytes, and how many those are; 0 if it is none.
func varint(bytes []byte) (uint64, int) {
	value, length := binary.Uvarint(bytes)
	if length <= 0 || length > 9 || length > 1 && bytes[length-1] == 0 {
		return 0, 0
	}
	return value, length
}
