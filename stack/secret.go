package stack

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"net/netip"

	"hubbub/transport/tcp"
)

// secret is what nobody outside knows of a machine, drawn when it is switched
// on: initial sequence numbers and ephemeral ports depend on it.
type secret struct {
	key  tcp.Secret
	next uint32 // how many ephemeral ports were given (RFC 6056, 3.3.3)
	last destination
}

// destination is where the last ephemeral port was for: often it is the next one's, too.
type destination struct {
	here  netip.Addr
	there netip.AddrPort
	hash  uint32
}

func newSecret(rnd *rand.Rand) secret {
	var s secret
	binary.BigEndian.PutUint64(s.key[:], rnd.Uint64())
	binary.BigEndian.PutUint64(s.key[8:], rnd.Uint64())
	return s
}

// offset returns where ephemeral ports to a destination begin: it depends on the two ends and on
// the key (RFC 6056, 3.3.3).
func (s *secret) offset(here netip.Addr, there netip.AddrPort) uint32 {
	if s.last.here != here || s.last.there != there {
		s.last = destination{here, there, s.hash(here, there)}
	}
	return s.last.hash
}

// hash returns a number that depends on an address here, one elsewhere and
// the key.
func (s *secret) hash(here netip.Addr, there netip.AddrPort) uint32 {
	var b [16 + 16 + 16 + 2]byte
	copy(b[:], s.key[:])
	a, r := here.As16(), there.Addr().As16()
	copy(b[16:], a[:])
	copy(b[32:], r[:])
	binary.BigEndian.PutUint16(b[48:], there.Port())
	sum := sha256.Sum256(b[:])
	return binary.BigEndian.Uint32(sum[:])
}
