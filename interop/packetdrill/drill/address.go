package drill

import (
	"encoding/binary"
	"net/netip"
	"syscall"
	"unsafe"
)

// sockaddrStorage is the size of a struct sockaddr_storage: no address is longer.
const sockaddrStorage = 128

// addressAt returns the n bytes of the socket address at p, or nothing if no
// address is that long: what it says is then not looked at, as the kernel doesn't.
func addressAt(p unsafe.Pointer, n int64) []byte {
	if n > sockaddrStorage {
		return nil
	}
	return bytesAt(p, n)
}

// familyAt returns the family of the socket address at p.
func familyAt(p unsafe.Pointer, n int64) int {
	if b := addressAt(p, n); len(b) >= 2 {
		return int(binary.NativeEndian.Uint16(b))
	}
	return -1
}

// readAddress returns the socket address at p, an IPv4 one unmapped.
func readAddress(p unsafe.Pointer, n int64) (netip.AddrPort, syscall.Errno) {
	b := addressAt(p, n)
	switch family := familyAt(p, n); {
	case family == syscall.AF_INET && len(b) >= syscall.SizeofSockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[4:8])), binary.BigEndian.Uint16(b[2:])), 0
	case family == syscall.AF_INET6 && len(b) >= syscall.SizeofSockaddrInet6-4:
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte(b[8:24])).Unmap(), binary.BigEndian.Uint16(b[2:])), 0
	case len(b) < syscall.SizeofSockaddrInet4:
		return netip.AddrPort{}, syscall.EINVAL
	}
	return netip.AddrPort{}, syscall.EAFNOSUPPORT
}

// writeAddress puts addr where a call returns an address, as much of it as
// there is room for, and its length.
func writeAddress(p unsafe.Pointer, length *uint32, addr netip.AddrPort, mapped bool) {
	if p == nil || length == nil {
		return
	}
	var b []byte
	if mapped || !addr.Addr().Is4() {
		b = make([]byte, syscall.SizeofSockaddrInet6)
		binary.NativeEndian.PutUint16(b, syscall.AF_INET6)
		ip := addr.Addr().As16()
		copy(b[8:], ip[:])
	} else {
		b = make([]byte, syscall.SizeofSockaddrInet4)
		binary.NativeEndian.PutUint16(b, syscall.AF_INET)
		ip := addr.Addr().As4()
		copy(b[4:], ip[:])
	}
	binary.BigEndian.PutUint16(b[2:], addr.Port())
	copy(unsafe.Slice((*byte)(p), min(int(*length), len(b))), b)
	*length = uint32(len(b))
}
