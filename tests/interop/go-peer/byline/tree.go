package byline

import (
	"bytes"
	"math/bits"
	"slices"
)

// LeafHash is that of RFC 6962.
func LeafHash(entry []byte) []byte { return hash([]byte{0}, entry) }

func nodeHash(left, right []byte) []byte { return hash([]byte{1}, left, right) }

// Frontier is the first leaves of a tree, by the roots of their perfect subtrees, the
// largest first: all that is needed to append.
type Frontier struct {
	Size   uint64
	hashes [][]byte
}

// NewFrontier has one hash for each bit that is set in its size.
func NewFrontier(size uint64, hashes [][]byte) (Frontier, error) {
	if len(hashes) != bits.OnesCount64(size) {
		return Frontier{}, malformed("%d hashes in front of leaf %d", len(hashes), size)
	}
	return Frontier{size, hashes}, nil
}

// Append is the frontier with a leaf more; the one it comes from stays as it is.
func (f Frontier) Append(leaf []byte) Frontier {
	hashes := f.hashes
	for size := f.Size; size&1 == 1; size >>= 1 {
		leaf = nodeHash(hashes[len(hashes)-1], leaf)
		hashes = hashes[:len(hashes)-1]
	}
	return Frontier{f.Size + 1, append(slices.Clip(hashes), leaf)}
}

// Root is that of the tree of these leaves.
func (f Frontier) Root() []byte {
	if f.Size == 0 {
		return hash()
	}
	root := f.hashes[len(f.hashes)-1]
	for _, left := range slices.Backward(f.hashes[:len(f.hashes)-1]) {
		root = nodeHash(left, root)
	}
	return root
}

// A path leads from a node upwards, in a tree whose last node on that level is known.
type path struct{ node, last uint64 }

// isRight tells whether the next sibling stands on the left.
func (p path) isRight() bool { return p.node&1 == 1 || p.node == p.last }

func (p *path) up() { p.node, p.last = p.node>>1, p.last>>1 }

// skip passes over the levels on which a last node has no sibling.
func (p *path) skip() {
	for p.node&1 == 0 && p.node != 0 {
		p.up()
	}
}

// VerifyInclusion checks that a leaf is where it is said to be: RFC 9162, 2.1.3.2.
func VerifyInclusion(index, size uint64, leaf []byte, proof [][]byte, root []byte) error {
	if index >= size || size > largest {
		return fault(BadProof, "leaf %d of %d", index, size)
	}
	at := path{index, size - 1}
	for _, sibling := range proof {
		switch {
		case at.last == 0:
			return fault(BadProof, "a hash too many")
		case at.isRight():
			leaf = nodeHash(sibling, leaf)
			at.skip()
		default:
			leaf = nodeHash(leaf, sibling)
		}
		at.up()
	}
	if at.last != 0 || !bytes.Equal(leaf, root) {
		return fault(BadProof, "leaf %d is not in the tree of %d", index, size)
	}
	return nil
}

// VerifyConsistency checks that a tree extends an older one: RFC 9162, 2.1.4.2.
func VerifyConsistency(old, size uint64, oldRoot, root []byte, proof [][]byte) error {
	wrong := fault(BadProof, "the tree of %d does not extend that of %d", size, old)
	if old == 0 || old == size {
		isEmpty := old > 0 || bytes.Equal(oldRoot, hash())
		if len(proof) > 0 || !isEmpty || old == size && !bytes.Equal(oldRoot, root) {
			return wrong
		}
		return nil
	}
	if old > size || size > largest {
		return wrong
	}
	at := path{old - 1, size - 1}
	for at.node&1 == 1 {
		at.up()
	}
	if at.node == 0 { // the old tree is a perfect subtree, which the proof leaves out
		proof = slices.Insert(slices.Clip(proof), 0, oldRoot)
	}
	if len(proof) == 0 {
		return wrong
	}
	left, right := proof[0], proof[0]
	for _, sibling := range proof[1:] {
		switch {
		case at.last == 0:
			return wrong
		case at.isRight():
			left, right = nodeHash(sibling, left), nodeHash(sibling, right)
			at.skip()
		default:
			right = nodeHash(right, sibling)
		}
		at.up()
	}
	if at.last != 0 || !bytes.Equal(left, oldRoot) || !bytes.Equal(right, root) {
		return wrong
	}
	return nil
}
