package tcp

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"hubbub/clock"
)

func TestSipHashVectors(t *testing.T) {
	// From the appendix of the SipHash paper: key 00 to 0f, message 00 to 0e.
	var key [16]byte
	for i := range key {
		key[i] = byte(i)
	}
	b := []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14}
	if got := sipHash(key, b); got != 0xa129ca6149be45e5 {
		t.Errorf("%x", got)
	}
	for n, want := range map[int][8]byte{
		0: {0x31, 0x0e, 0x0e, 0xdd, 0x47, 0xdb, 0x6f, 0x72},
		8: {0x62, 0x24, 0x93, 0x9a, 0x79, 0xf5, 0xf5, 0x93},
	} {
		var got [8]byte
		binary.LittleEndian.PutUint64(got[:], sipHash(key, b[:n]))
		if got != want {
			t.Errorf("%d octets: %x", n, got)
		}
	}
}

var (
	here  = netip.MustParseAddrPort("172.16.10.10:50000")
	there = netip.MustParseAddrPort("172.16.10.11:8080")
)

func TestISNFollowsTheClock(t *testing.T) {
	// "A TCP implementation MUST use the above type of "clock" for clock-driven
	// selection of initial sequence numbers (MUST-8)". RFC 9293, 3.4.1.
	secret := Secret{1, 2, 3}
	first := HashOf(secret, here, there).ISN(began)
	if got := HashOf(secret, here, there).ISN(began.Add(4 * time.Microsecond)); got != first+1 {
		t.Errorf("4 us later the ISN is %d later", got-first)
	}
	if got := HashOf(secret, here, there).ISN(began.Add(time.Second)); got != first+250_000 {
		t.Errorf("1 s later the ISN is %d later", got-first)
	}
}

func TestISNDependsOnEverythingAndTheSecret(t *testing.T) {
	// "F() MUST NOT be computable from the outside (MUST-9)": a pseudorandom
	// function of the addresses and a secret key (SHLD-1). RFC 9293, 3.4.1. (R6528-1)
	secret := Secret{1, 2, 3}
	seen := map[Seq]string{}
	for name, isn := range map[string]Seq{
		"as it is":       HashOf(secret, here, there).ISN(0),
		"another secret": HashOf(Secret{1, 2, 4}, here, there).ISN(0),
		"other way":      HashOf(secret, there, here).ISN(0),
		"another port":   HashOf(secret, netip.AddrPortFrom(here.Addr(), 50001), there).ISN(0),
		"another peer":   HashOf(secret, here, netip.MustParseAddrPort("172.16.10.12:8080")).ISN(0),
		"another host":   HashOf(secret, netip.MustParseAddrPort("172.16.10.99:50000"), there).ISN(0),
		"another server": HashOf(secret, here, netip.AddrPortFrom(there.Addr(), 8081)).ISN(0),
		"IPv6":           HashOf(secret, netip.MustParseAddrPort("[fd00::1]:50000"), netip.MustParseAddrPort("[fd00::2]:8080")).ISN(0),
	} {
		if other, twice := seen[isn]; twice {
			t.Errorf("%s and %s have the same ISN", name, other)
		}
		seen[isn] = name
	}
	if HashOf(secret, here, there).TimestampOffset() == uint32(HashOf(secret, here, there).ISN(0)) {
		t.Error("the timestamp offset gives the ISN away")
	}
	if first := HashOf(secret, here, there).TimestampOffset(); HashOf(secret, here, there).TimestampOffset() != first {
		t.Error("the timestamp offset is not always the same")
	}
}

func TestISNAllocatesNothing(t *testing.T) {
	var sum Seq
	if n := testing.AllocsPerRun(100, func() { sum += HashOf(Secret{1}, here, there).ISN(clock.Time(5)) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
