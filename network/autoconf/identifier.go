package autoconf

import (
	"crypto/sha256"
	"encoding/binary"
	"net/netip"

	"hubbub/wire"
)

// stableAddress makes the address that this interface always has behind a
// prefix, and notes how many before it couldn't be used.
func (h *Host) stableAddress(p netip.Prefix, duplicates int) netip.Addr {
	for {
		addr := h.cfg.Address(p, duplicates)
		if !reserved(addr) && h.find(addr) == nil || !h.cfg.MAC.IsZero() {
			return addr
		}
		// "In the event that an unacceptable identifier has been generated,
		// this situation SHOULD be handled in the same way as the case of
		// duplicate addresses" (RFC 7217, 5).
		duplicates++
	}
}

// Address makes the address that the interface always has behind a prefix, and
// that tells nothing to who doesn't know the secret: "RID =
// F(Prefix, Net_Iface, Network_ID, DAD_Counter, secret_key)" (RFC 7217, 5).
// The optional Network_ID is not used; F is SHA-256.
//
// duplicates is how many addresses before it were somebody else's already. Of
// an address that is made from a MAC address there is but one.
func (cfg *Config) Address(p netip.Prefix, duplicates int) netip.Addr {
	if !cfg.MAC.IsZero() {
		return EUI64(p, cfg.MAC)
	}
	b := p.Addr().As16()
	in := append(b[:8:8], cfg.Interface...)
	in = binary.BigEndian.AppendUint32(in, uint32(duplicates))
	sum := sha256.Sum256(append(in, cfg.Secret[:]...))
	return join(p, sum[len(sum)-8:])
}

// join puts an interface identifier of 64 bits behind a prefix.
func join(p netip.Prefix, identifier []byte) netip.Addr {
	b := p.Addr().As16()
	copy(b[8:], identifier)
	return netip.AddrFrom16(b)
}

// reserved reports whether an address has an interface identifier that no
// machine may have: the subnet-router anycast address, those of subnet anycast
// addresses and the one of proxy mobile IPv6 (RFC 5453, 3).
func reserved(addr netip.Addr) bool {
	b := addr.As16()
	id := binary.BigEndian.Uint64(b[8:])
	switch {
	case id == 0, id>>24 == 0x02005efffe:
		return true
	}
	return id >= 0xfdffffffffffff80 && id <= 0xfdffffffffffffff
}

// EUI64 returns the link-local address that a machine makes from its MAC
// address, as most did before RFC 7217 (RFC 4291, appendix A; RFC 2464, 4).
func EUI64(p netip.Prefix, m wire.MAC) netip.Addr {
	return join(p, []byte{m[0] ^ 2, m[1], m[2], 0xff, 0xfe, m[3], m[4], m[5]})
}
