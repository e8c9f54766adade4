package wire_test

import (
	"net/netip"
	"testing"

	"hubbub/wire"
)

func TestGroupsOnEthernet(t *testing.T) {
	for group, mac := range map[string]string{
		"224.0.0.1":              "01:00:5e:00:00:01",
		"239.255.1.2":            "01:00:5e:7f:01:02", // RFC 1112, 6.4: the low-order 23 bits
		"ff02::1":                "33:33:00:00:00:01",
		"ff02::1:ff0e:8c6c":      "33:33:ff:0e:8c:6c",
		"ff05:1:2:3:4:5:abcd:ef": "33:33:ab:cd:00:ef",
	} {
		want(t, group, wire.MulticastMAC(netip.MustParseAddr(group)).String(), mac)
	}
}

// RFC 4291, 2.7.1: "the Solicited-Node multicast address corresponding to the
// IPv6 address 4037::01:800:200E:8C6C is FF02::1:FF0E:8C6C."
func TestSolicitedNode(t *testing.T) {
	group := wire.SolicitedNode(netip.MustParseAddr("4037::01:800:200E:8C6C"))
	want(t, "group", group, netip.MustParseAddr("ff02::1:ff0e:8c6c"))
	want(t, "is one", wire.IsSolicitedNode(group), true)
	want(t, "all nodes isn't", wire.IsSolicitedNode(wire.AllNodes), false)
	want(t, "an IPv4 group isn't", wire.IsSolicitedNode(netip.MustParseAddr("224.0.0.1")), false)
}
