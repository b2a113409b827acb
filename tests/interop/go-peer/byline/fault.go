// Package byline reads and makes what a Byline network carries: bytes in, values out.
//
// It was written from docs/spec and the vectors, shares no code with nodes, and does no
// input or output.
package byline

import (
	"errors"
	"fmt"
)

// Kinds of faults, by the words that the vectors use.
const (
	Malformed       = "malformed"
	Unsupported     = "unsupported"
	BadSignature    = "bad-signature"
	BadProof        = "proof"
	Verification    = "verification"
	InconsistentLog = "inconsistent-log"
	NotFound        = "not-found"
	Busy            = "busy"
)

// Fault is what is wrong with bytes from elsewhere.
type Fault struct {
	Kind, Message string
}

func (f *Fault) Error() string { return f.Kind + ": " + f.Message }

func fault(kind, format string, args ...any) error {
	return &Fault{kind, fmt.Sprintf(format, args...)}
}

func malformed(format string, args ...any) error { return fault(Malformed, format, args...) }

// KindOf is the kind of a fault, and empty for every other error.
func KindOf(err error) string {
	if found := (*Fault)(nil); errors.As(err, &found) {
		return found.Kind
	}
	return ""
}
