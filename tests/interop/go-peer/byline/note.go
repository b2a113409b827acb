package byline

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Types of keys.
const (
	signs   = 1
	cosigns = 4
)

const mostNote = 1_000_000

// Verifier is a key that signs notes: docs/spec/log.md, "Notes".
type Verifier struct {
	Name, id string
	kind     byte
	public   []byte
}

// ParseVerifier reads a verifier key.
func ParseVerifier(vkey string) (*Verifier, error) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 || !isName(parts[0]) {
		return nil, malformed("a verifier key is name+id+key, not %q", vkey)
	}
	material, err := decodeBase64(parts[2])
	if err != nil {
		return nil, err
	}
	id := hash([]byte(parts[0]), []byte{'\n'}, material)[:4]
	switch {
	case len(material) < 2 || parts[1] != hex.EncodeToString(id):
		return nil, malformed("the id of a key")
	case material[0] != signs && material[0] != cosigns:
		return nil, fault(Unsupported, "a key of type %d", material[0])
	case len(material) != 33:
		return nil, malformed("a key of %d bytes", len(material)-1)
	}
	return &Verifier{parts[0], string(id), material[0], material[1:]}, nil
}

// Note is a text and its signatures.
type Note struct {
	Text       []byte
	signatures []signature
}

type signature struct {
	name, id string
	bytes    []byte
}

// ParseNote reads a note; no signature is verified yet.
func ParseNote(data []byte) (*Note, error) {
	if len(data) > mostNote || !utf8.Valid(data) || bytes.ContainsFunc(data, isForbidden) {
		return nil, malformed("a note of %d bytes is no text, or too long", len(data))
	}
	split := bytes.LastIndex(data, []byte("\n\n"))
	if split < 0 || !bytes.HasSuffix(data, []byte("\n")) {
		return nil, malformed("a note is a text, an empty line and signatures")
	}
	note := &Note{Text: data[:split+1]}
	for line := range strings.Lines(string(data[split+2:])) {
		if err := note.parseSignature(strings.TrimSuffix(line, "\n")); err != nil {
			return nil, err
		}
	}
	if len(note.signatures) < 1 || len(note.signatures) > 100 {
		return nil, malformed("%d signatures", len(note.signatures))
	}
	return note, nil
}

func (n *Note) parseSignature(line string) error {
	parts := strings.Split(line, " ")
	if len(parts) != 3 || parts[0] != "\u2014" || !isName(parts[1]) {
		return malformed("a signature line")
	}
	blob, err := decodeBase64(parts[2])
	if err == nil && len(blob) <= 4 {
		err = malformed("a signature of %d bytes", len(blob))
	}
	if err != nil {
		return err
	}
	one := signature{parts[1], string(blob[:4]), blob[4:]}
	if n.by(one.name, one.id) != nil {
		return malformed("%s signs twice", one.name)
	}
	n.signatures = append(n.signatures, one)
	return nil
}

func (n *Note) by(name, id string) []byte {
	for _, one := range n.signatures {
		if one.name == name && one.id == id {
			return one.bytes
		}
	}
	return nil
}

// Verify tells of a note that a key did not sign.
func (n *Note) Verify(key *Verifier) error {
	if key.kind != signs || !Verify(key.public, n.Text, n.by(key.Name, key.id)) {
		return fault(BadSignature, "not signed by %s", key.Name)
	}
	return nil
}

// Checkpoint names a tree.
type Checkpoint struct {
	Origin string
	Size   uint64
	Root   []byte
}

var decimal = regexp.MustCompile(`^(0|[1-9][0-9]*)$`)

// ParseCheckpoint reads the text of one: docs/spec/log.md, "Checkpoint".
func ParseCheckpoint(text []byte) (*Checkpoint, error) {
	lines := strings.Split(string(text), "\n")
	if !utf8.Valid(text) || len(lines) != 4 || lines[3] != "" {
		return nil, malformed("a checkpoint has three lines")
	}
	if !isName(lines[0]) || lines[0] == "cosignature/v1" {
		return nil, malformed("an origin")
	}
	size, err := strconv.ParseUint(lines[1], 10, 63)
	if err != nil || !decimal.MatchString(lines[1]) {
		return nil, malformed("a size")
	}
	root, err := decodeBase64(lines[2])
	if err == nil && len(root) != 32 {
		err = malformed("a root of %d bytes", len(root))
	}
	return &Checkpoint{lines[0], size, root}, err
}

// OpenCheckpoint is the checkpoint in a note that this log signed.
func OpenCheckpoint(data []byte, log *Verifier) (*Checkpoint, error) {
	note, err := ParseNote(data)
	if err != nil {
		return nil, err
	}
	if err := note.Verify(log); err != nil {
		return nil, err
	}
	checkpoint, err := ParseCheckpoint(note.Text)
	if err == nil && checkpoint.Origin != log.Name {
		err = fault(BadSignature, "%s signed for %s", log.Name, checkpoint.Origin)
	}
	return checkpoint, err
}

func isForbidden(one rune) bool { return one < ' ' && one != '\n' }

func isName(name string) bool {
	return len(name) >= 1 && len(name) <= 255 && !strings.ContainsFunc(name, func(one rune) bool {
		return one == '+' || one < ' ' || unicode.IsSpace(one)
	})
}

// decodeBase64 takes the one spelling that there is; Go's decoder passes over line ends.
func decodeBase64(text string) ([]byte, error) {
	bytes, err := base64.StdEncoding.DecodeString(text)
	if err != nil || base64.StdEncoding.EncodeToString(bytes) != text {
		return nil, malformed("%q is not base64", text)
	}
	return bytes, nil
}
