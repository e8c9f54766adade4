package wire

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
)

// A Sum is an Internet checksum on its way (RFC 1071, 1): a sum in ones'
// complement of 16-bit words, kept in 64 bits. Zero is the sum of nothing.
type Sum uint64

// sumBlock is how many octets the loop of [Sum.Add] takes at a time.
const sumBlock = 64

// Add adds the words of b. Only the last part that is added may have an odd
// length; it counts as if a zero octet followed.
//
// A word of 64 bits is four of 16 bits: 2^16, 2^32 and 2^48 leave the same
// remainder as 1 when divided by 2^16-1, which is what a sum in ones'
// complement is about (RFC 1071, 2). Adding the carry to a sum cannot carry
// again: a sum that overflowed is at most 2^64-2.
func (s Sum) Add(b []byte) Sum {
	sum, carry := uint64(s), uint64(0)
	for len(b) >= sumBlock {
		p := (*[sumBlock]byte)(b)
		sum, carry = bits.Add64(sum, binary.BigEndian.Uint64(p[0:]), 0)
		sum, carry = bits.Add64(sum, binary.BigEndian.Uint64(p[8:]), carry)
		sum, carry = bits.Add64(sum, binary.BigEndian.Uint64(p[16:]), carry)
		sum, carry = bits.Add64(sum, binary.BigEndian.Uint64(p[24:]), carry)
		sum, carry = bits.Add64(sum, binary.BigEndian.Uint64(p[32:]), carry)
		sum, carry = bits.Add64(sum, binary.BigEndian.Uint64(p[40:]), carry)
		sum, carry = bits.Add64(sum, binary.BigEndian.Uint64(p[48:]), carry)
		sum, carry = bits.Add64(sum, binary.BigEndian.Uint64(p[56:]), carry)
		sum += carry
		b = b[sumBlock:]
	}
	for len(b) >= 8 {
		sum, carry = bits.Add64(sum, binary.BigEndian.Uint64(b), 0)
		sum += carry
		b = b[8:]
	}
	sum, carry = bits.Add64(sum, lastWord(b), 0)
	return Sum(sum + carry)
}

// Plus adds a word of 64 bits.
func (s Sum) Plus(word uint64) Sum {
	sum, carry := bits.Add64(uint64(s), word, 0)
	return Sum(sum + carry)
}

// Less takes a word of 64 bits away: it adds the complement.
func (s Sum) Less(word uint64) Sum { return s.Plus(^word) }

// lastWord returns up to seven octets as the front of a word of eight, of
// which the others are zero.
func lastWord(b []byte) uint64 {
	word := uint64(0)
	if len(b) >= 4 {
		word = uint64(binary.BigEndian.Uint32(b)) << 32
		b = b[4:]
		if len(b) >= 2 {
			word |= uint64(binary.BigEndian.Uint16(b)) << 16
			b = b[2:]
		}
		if len(b) == 1 {
			word |= uint64(b[0]) << 8
		}
		return word
	}
	for i, octet := range b {
		word |= uint64(octet) << (56 - 8*i)
	}
	return word
}

// Fold returns the checksum that goes on the wire: the complement of the sum.
// Over bytes that contain their own checksum, and the right one, it is zero.
func (s Sum) Fold() uint16 {
	sum := uint64(s)
	sum = sum>>32 + sum&0xffffffff
	sum = sum>>16 + sum&0xffff
	sum = sum>>16 + sum&0xffff
	sum = sum>>16 + sum&0xffff
	return ^uint16(sum)
}

// Checksum returns the Internet checksum of b (RFC 1071, 1).
func Checksum(b []byte) uint16 { return Sum(0).Add(b).Fold() }

// IPv4ChecksumOK reports whether the checksum of an IPv4 header without options is right: the sum of
// all its words.
func IPv4ChecksumOK(b *[IPv4HeaderLen]byte) bool {
	sum, carry := bits.Add64(binary.BigEndian.Uint64(b[0:]), binary.BigEndian.Uint64(b[8:]), 0)
	sum, carry = bits.Add64(sum, uint64(binary.BigEndian.Uint32(b[16:])), carry)
	return Sum(sum+carry).Fold() == 0
}

// UpdateChecksum returns what becomes of a checksum when a 16-bit word among
// the bytes that it covers changes (RFC 1624, 3: HC' = ~(~HC + ~m + m')).
func UpdateChecksum(checksum, before, after uint16) uint16 {
	sum := uint32(^checksum) + uint32(^before) + uint32(after)
	sum = sum>>16 + sum&0xffff
	sum = sum>>16 + sum&0xffff
	return ^uint16(sum)
}

// PseudoHeader begins the checksum of a transport's packet with what IP knows
// of it (RFC 9293, 3.1; RFC 8200, 8.1). length is that of the packet in octets,
// its header counted. Both addresses are of the same family.
func PseudoHeader(src, dst netip.Addr, proto Protocol, length int) Sum {
	s := Sum(uint64(proto) + uint64(uint32(length)))
	if src.Is4() && dst.Is4() {
		a, b := src.As4(), dst.As4()
		return s + Sum(binary.BigEndian.Uint32(a[:])) + Sum(binary.BigEndian.Uint32(b[:]))
	}
	a, b := src.As16(), dst.As16()
	return s.Add(a[:]).Add(b[:])
}

// TransportChecksum returns the checksum of a transport's packet that is held
// in two pieces: over the pseudo header, the header and the payload. The
// header's checksum field counts as it stands: with zero there the result is
// the checksum to be sent; with the checksum that came, the result is zero if
// that is right. The header's length must be even.
func TransportChecksum(src, dst netip.Addr, proto Protocol, header, payload []byte) uint16 {
	return PseudoHeader(src, dst, proto, len(header)+len(payload)).Add(header).Add(payload).Fold()
}

// UDPChecksum is [TransportChecksum] for a UDP datagram to be sent. There, a
// field of zero says that there is no checksum, so a checksum of zero is sent
// as its equal in ones' complement (RFC 768: "If the computed checksum is
// zero, it is transmitted as all ones").
func UDPChecksum(src, dst netip.Addr, header, payload []byte) uint16 {
	if sum := TransportChecksum(src, dst, ProtocolUDP, header, payload); sum != 0 {
		return sum
	}
	return 0xffff
}

// PutTCPChecksum computes the checksum of a TCP segment that is held in two
// pieces and writes it into the header, whatever is in the field before.
func PutTCPChecksum(src, dst netip.Addr, header, payload []byte) {
	header[16], header[17] = 0, 0
	sum := TransportChecksum(src, dst, ProtocolTCP, header, payload)
	binary.BigEndian.PutUint16(header[16:], sum)
}

// PutUDPChecksum computes the checksum of a UDP datagram that is held in two
// pieces and writes it into the header, whatever is in the field before.
func PutUDPChecksum(src, dst netip.Addr, header, payload []byte) {
	header[6], header[7] = 0, 0
	binary.BigEndian.PutUint16(header[6:], UDPChecksum(src, dst, header, payload))
}
