package wire

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
)

// A Sum is an Internet checksum on its way (RFC 1071): a sum in ones'
// complement of 16-bit words, kept in 64 bits.
type Sum uint64

// Add adds the words of b. Only the last part that is added may have an odd
// length; it counts as if a zero octet followed.
func (s Sum) Add(b []byte) Sum {
	sum, carry := uint64(s), uint64(0)
	for len(b) >= 32 {
		sum, carry = bits.Add64(sum, binary.BigEndian.Uint64(b), 0)
		sum, carry = bits.Add64(sum, binary.BigEndian.Uint64(b[8:]), carry)
		sum, carry = bits.Add64(sum, binary.BigEndian.Uint64(b[16:]), carry)
		sum, carry = bits.Add64(sum, binary.BigEndian.Uint64(b[24:]), carry)
		sum, _ = bits.Add64(sum, 0, carry)
		b = b[32:]
	}
	for len(b) >= 8 {
		sum, carry = bits.Add64(sum, binary.BigEndian.Uint64(b), 0)
		sum += carry
		b = b[8:]
	}
	if len(b) > 0 {
		var last [8]byte
		copy(last[:], b)
		sum, carry = bits.Add64(sum, binary.BigEndian.Uint64(last[:]), 0)
		sum += carry
	}
	return Sum(sum)
}

// Fold returns the checksum that goes on the wire: the sum's complement. Over
// bytes whose checksum is right, it is zero.
func (s Sum) Fold() uint16 {
	sum := uint64(s)
	sum = sum>>32 + sum&0xffffffff
	sum = sum>>16 + sum&0xffff
	sum = sum>>16 + sum&0xffff
	sum = sum>>16 + sum&0xffff
	return ^uint16(sum)
}

// Checksum returns the Internet checksum of b.
func Checksum(b []byte) uint16 { return Sum(0).Add(b).Fold() }

// PseudoHeader begins the checksum of a transport's packet of that length,
// its header counted, with what IP knows of it (RFC 9293, 3.1; RFC 8200, 8.1).
// Addresses of IPv4 and IPv6 add the same way.
func PseudoHeader(src, dst netip.Addr, proto Protocol, length int) Sum {
	s := Sum(uint64(proto) + uint64(length)&0xffff + uint64(length)>>16)
	if src.Is4() && dst.Is4() {
		a, b := src.As4(), dst.As4()
		return s + Sum(binary.BigEndian.Uint32(a[:])) + Sum(binary.BigEndian.Uint32(b[:]))
	}
	a, b := src.As16(), dst.As16()
	return s.Add(a[:]).Add(b[:])
}

// TransportChecksum returns the checksum of a TCP segment: over the pseudo
// header, the header, whose checksum field must be zero, and the payload. The
// header's length is even.
func TransportChecksum(src, dst netip.Addr, proto Protocol, header, payload []byte) uint16 {
	return PseudoHeader(src, dst, proto, len(header)+len(payload)).Add(header).Add(payload).Fold()
}

// UDPChecksum is [TransportChecksum] for UDP, where zero means that there is
// no checksum: one that comes out as zero is sent as all ones (RFC 768).
func UDPChecksum(src, dst netip.Addr, header, payload []byte) uint16 {
	if sum := TransportChecksum(src, dst, ProtocolUDP, header, payload); sum != 0 {
		return sum
	}
	return 0xffff
}
