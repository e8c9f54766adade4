package tcp

import (
	"encoding/binary"
	"math/bits"
	"net/netip"

	"hubbub/clock"
	"hubbub/wire"
)

// A Secret keys the choice of initial sequence numbers and timestamp offsets.
// It stays the same as long as a host is up.
type Secret [16]byte

// A Hash is a pseudorandom function of a connection's two ends and a secret: what the numbers
// that a connection begins with depend on.
type Hash uint64

// HashOf returns the hash of a connection. "F() MUST NOT be computable
// from the outside (MUST-9)" (RFC 9293, 3.4.1): it is SipHash-2-4.
func HashOf(secret Secret, local, remote netip.AddrPort) Hash {
	var b [36]byte
	l, r := local.Addr().As16(), remote.Addr().As16()
	copy(b[0:], l[:])
	copy(b[16:], r[:])
	binary.BigEndian.PutUint16(b[32:], local.Port())
	binary.BigEndian.PutUint16(b[34:], remote.Port())
	return Hash(sipHash(secret, b[:]))
}

// ISN returns an initial sequence number (R6528-1, SHLD-1; RFC 6528, 3): "ISN = M + F(localip,
// localport, remoteip, remoteport, secretkey) where M is the 4 microsecond
// timer, and F() is a pseudorandom function (PRF) of the connection's
// identifying parameters" (RFC 9293, 3.4.1). Two connections between the same
// ports, one after the other, count on (MUST-8).
func (h Hash) ISN(now clock.Time) Seq { return Seq(uint32(uint64(now)/4000) + uint32(h)) }

// TimestampOffset returns what a connection adds to its timestamp clock, so
// that the clock doesn't tell how long the host has been up: "A random offset
// may be added to the timestamp clock on a per-connection basis."
// (R7323-17; RFC 7323, 5.4)
func (h Hash) TimestampOffset() uint32 { return uint32(h >> 32) }

// NewFastOpenCookie returns the cookie that a server with the secret gives to a
// client: "a Message Authentication Code" of the addresses (RFC 7413, 4.1.2). It
// is the one that Linux gives: machines with the same key recognize each other's.
func NewFastOpenCookie(secret Secret, server, client netip.Addr) wire.FastOpenCookie {
	var b [8]byte
	ends := append(client.Unmap().AsSlice(), server.Unmap().AsSlice()...)
	binary.LittleEndian.PutUint64(b[:], sipHash(secret, ends))
	c, _ := wire.NewFastOpenCookie(b[:])
	return c
}

// TimestampsFrom returns what to add to the timestamp clock so that it shows
// the time since the given one: how long the machine has been up, to anybody
// who looks.
func TimestampsFrom(start clock.Time) uint32 { return -uint32(int64(start) / int64(tick)) }

// sipHash is SipHash-2-4 (Aumasson, Bernstein: SipHash: a fast short-input
// PRF, 2012).
func sipHash(key [16]byte, b []byte) uint64 {
	k0, k1 := binary.LittleEndian.Uint64(key[:8]), binary.LittleEndian.Uint64(key[8:])
	s := sipState{
		k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d,
		k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573,
	}
	last := uint64(len(b)) << 56
	for len(b) >= 8 {
		s.word(binary.LittleEndian.Uint64(b))
		b = b[8:]
	}
	for i, octet := range b {
		last |= uint64(octet) << (8 * i)
	}
	s.word(last)
	s[2] ^= 0xff
	for range 4 {
		s.round()
	}
	return s[0] ^ s[1] ^ s[2] ^ s[3]
}

type sipState [4]uint64

// word takes in eight octets.
func (s *sipState) word(m uint64) {
	s[3] ^= m
	s.round()
	s.round()
	s[0] ^= m
}

func (s *sipState) round() {
	s[0] += s[1]
	s[1] = bits.RotateLeft64(s[1], 13) ^ s[0]
	s[0] = bits.RotateLeft64(s[0], 32)
	s[2] += s[3]
	s[3] = bits.RotateLeft64(s[3], 16) ^ s[2]
	s[0] += s[3]
	s[3] = bits.RotateLeft64(s[3], 21) ^ s[0]
	s[2] += s[1]
	s[1] = bits.RotateLeft64(s[1], 17) ^ s[2]
	s[2] = bits.RotateLeft64(s[2], 32)
}
