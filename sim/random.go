package sim

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
)

// Random returns the stream of random numbers that belongs to name. It
// depends on the world's seed and the name alone: what else is in the world,
// and how many numbers others draw, doesn't disturb it.
func (w *World) Random(name string) *rand.Rand {
	key := binary.BigEndian.AppendUint64(nil, w.seed)
	sum := sha256.Sum256(append(key, name...))
	return rand.New(rand.NewChaCha8(sum))
}
