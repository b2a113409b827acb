package byline

import (
	"bytes"
	"crypto/ed25519"

	"filippo.io/edwards25519"
)

// Verify decides by the rule of docs/spec/statement.md, "Signature".  Go's own Verify
// has points 1 and 4 of it, but takes keys that are not canonical or of small order.
func Verify(key, message, signature []byte) bool {
	if len(key) != ed25519.PublicKeySize || len(signature) != ed25519.SignatureSize {
		return false
	}
	point, err := new(edwards25519.Point).SetBytes(key)
	if err != nil || !bytes.Equal(point.Bytes(), key) || smallOrder(point) {
		return false
	}
	point, err = new(edwards25519.Point).SetBytes(signature[:32])
	if err != nil || smallOrder(point) {
		return false
	}
	return ed25519.Verify(key, message, signature)
}

func smallOrder(point *edwards25519.Point) bool {
	multiple := new(edwards25519.Point).MultByCofactor(point)
	return multiple.Equal(edwards25519.NewIdentityPoint()) == 1
}
