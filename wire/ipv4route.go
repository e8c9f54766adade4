package wire

import (
	"encoding/binary"
	"net/netip"
)

// Where the slots of options with a pointer begin, and how long they are.
const (
	routeData     = 3
	routeSlot     = 4
	timestampData = 4
)

// Full reports whether the pointer of a route or of timestamps points behind
// its last slot: a source route is completed, a record has no room. The option
// has passed [CheckIPv4Options].
//
//	+--------+--------+--------+---------//--------+
//	|  type  | length | pointer|     route data    |
//	+--------+--------+--------+---------//--------+
func (o IPv4Option) Full() bool { return int(o[2]) > len(o) }

// NumHops returns how many addresses a route has room for.
func (o IPv4Option) NumHops() int { return (len(o) - routeData) / routeSlot }

// NumPassed returns how many addresses of a route were recorded on the way:
// those before the pointer. The option has passed [CheckIPv4Options].
func (o IPv4Option) NumPassed() int { return min((int(o[2])-1-routeData)/routeSlot, o.NumHops()) }

// Hop returns one of a route's addresses, from 0 to below [IPv4Option.NumHops].
func (o IPv4Option) Hop(i int) netip.Addr {
	return netip.AddrFrom4([4]byte(o[routeData+i*routeSlot:]))
}

// RecordHop writes an address into a route's next slot, in place, and moves
// the pointer on; it returns the address that was there, which in a source
// route is the next destination. A full route is left as it is, and the
// address returned is the zero Addr. The option has passed [CheckIPv4Options].
// The header's checksum must be computed anew.
func (o IPv4Option) RecordHop(own netip.Addr) (next netip.Addr) {
	if o.Full() {
		return netip.Addr{}
	}
	i := o.NumPassed()
	next = o.Hop(i)
	octets := as4(own)
	copy(o[routeData+i*routeSlot:], octets[:])
	o[2] += routeSlot
	return next
}

// AppendReturnRoute appends to dst the source route by which an answer goes
// back: that of a packet from src which arrived with the completed source
// route o. It returns also where the answer goes first. Where nothing was
// recorded it appends nothing, and first is src. It is not padded.
//
// RFC 1122, 3.2.1.8: when a return source route is built, it MUST be correctly
// formed even if the recorded route included the source host.
func (o IPv4Option) AppendReturnRoute(dst []byte, src netip.Addr) (option []byte, first netip.Addr) {
	n, oldest := o.NumPassed(), 0
	if n > 0 && o.Hop(0) == src {
		oldest = 1
	}
	if n <= oldest {
		return dst, src
	}
	dst = append(dst, byte(o.Type()), byte(routeData+(n-oldest)*routeSlot), routeData+1)
	for i := n - 2; i >= oldest; i-- {
		dst = append4(dst, o.Hop(i))
	}
	return append4(dst, src), o.Hop(n - 1)
}

// What an entry of a timestamp option holds (RFC 791, 3.1): a time alone, an
// address and a time, or a time for an address that the sender put there.
const (
	timestampAlone      = 0
	timestampAddress    = 1
	timestampPrescribed = 3
)

// timestampSlot returns the length of an entry, 0 if the flag is unknown.
//
//	+--------+--------+--------+--------+
//	|01000100| length | pointer|oflw|flg|
//	+--------+--------+--------+--------+
//	|         internet address          |
//	+--------+--------+--------+--------+
//	|             timestamp             |
//	+--------+--------+--------+--------+
func (o IPv4Option) timestampSlot() int {
	switch o[3] & 15 {
	case timestampAlone:
		return 4
	case timestampAddress, timestampPrescribed:
		return 8
	}
	return 0
}

// RecordTime writes a time, in milliseconds since midnight UT, into the next
// entry of a timestamp option, in place, and moves the pointer on. In a full
// option it counts the overflow instead. It reports false where the overflow
// can't be counted any more: the packet is in error (RFC 791, 3.1). The option
// has passed [CheckIPv4Options]. The header's checksum must be computed anew.
func (o IPv4Option) RecordTime(own netip.Addr, ms uint32) bool {
	if o.Full() {
		if o[3]>>4 == 15 {
			return false
		}
		o[3] += 1 << 4
		return true
	}
	entry := o[o[2]-1:]
	octets := as4(own)
	switch o[3] & 15 {
	case timestampAddress:
		copy(entry, octets[:])
	case timestampPrescribed:
		if [4]byte(entry) != octets {
			return true
		}
	}
	slot := o.timestampSlot()
	binary.BigEndian.PutUint32(entry[slot-4:], ms)
	o[2] += byte(slot)
	return true
}
