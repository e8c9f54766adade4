package socket

import (
	"net"
	"net/netip"
	"reflect"
	"testing"
)

// A datagram's sender is as package net has it, with one allocation.
func TestTheSenderIsAsPackageNetHasIt(t *testing.T) {
	for _, addr := range []netip.AddrPort{
		{},
		netip.MustParseAddrPort("172.16.10.10:9"), netip.MustParseAddrPort("[::ffff:172.16.10.10]:9"),
		netip.MustParseAddrPort("[2001:db8::1]:65535"), netip.MustParseAddrPort("[fe80::1%eth0]:1"),
	} {
		got, want := udpAddr(addr), net.UDPAddrFromAddrPort(addr)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%v: %#v, want %#v", addr, got, want)
		}
		if len(want.IP) > 0 && cap(udpAddr(addr).IP) != len(want.IP) {
			t.Errorf("%v: there is room behind the address", addr)
		}
		if allocs := testing.AllocsPerRun(100, func() { sink = udpAddr(addr) }); allocs != 1 {
			t.Errorf("%v: %v allocations, want 1", addr, allocs)
		}
	}
}

var sink *net.UDPAddr
