package lab_test

import (
	"net/netip"
	"strings"
	"testing"

	"hubbub/lab"
)

// The course's own example (C11), with eight bits to a group.
func TestCoursesSubnet(t *testing.T) {
	got := lab.Compare(netip.MustParsePrefix("172.16.10.1/24"), netip.MustParseAddr("172.16.10.2"))
	want := `      172.16.10.1    10101100.00010000.00001010.00000001
  AND 255.255.255.0  11111111.11111111.11111111.00000000
  =   172.16.10.0    10101100.00010000.00001010.00000000

      172.16.10.2    10101100.00010000.00001010.00000010
  AND 255.255.255.0  11111111.11111111.11111111.00000000
  =   172.16.10.0    10101100.00010000.00001010.00000000

Both results are 172.16.10.0: 172.16.10.1 and 172.16.10.2 are in the same subnet.
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestMaskAndBroadcast(t *testing.T) {
	for _, test := range []struct{ prefix, mask, broadcast string }{
		{"10.1.2.3/0", "0.0.0.0", "255.255.255.255"},
		{"10.1.2.3/1", "128.0.0.0", "127.255.255.255"},
		{"10.1.2.3/8", "255.0.0.0", "10.255.255.255"},
		{"172.16.10.1/20", "255.255.240.0", "172.16.15.255"},
		{"172.16.10.1/30", "255.255.255.252", "172.16.10.3"},
		{"172.16.10.1/31", "255.255.255.254", "172.16.10.1"},
		{"172.16.10.1/32", "255.255.255.255", "172.16.10.1"},
	} {
		p := netip.MustParsePrefix(test.prefix)
		if got := lab.Mask(p).String(); got != test.mask {
			t.Errorf("%s: mask %s, want %s", test.prefix, got, test.mask)
		}
		if got := lab.Broadcast(p).String(); got != test.broadcast {
			t.Errorf("%s: broadcast %s, want %s", test.prefix, got, test.broadcast)
		}
	}
}

func TestDescribeSubnet(t *testing.T) {
	for prefix, want := range map[string]string{
		"10.0.0.7/24":   "10.0.0.1 to 10.0.0.254, 254: of the 2^8 addresses",
		"10.0.0.7/30":   "10.0.0.5 to 10.0.0.6, 2: of the 2^2 addresses",
		"10.0.0.7/31":   "10.0.0.6 and 10.0.0.7",
		"10.0.0.7/32":   "10.0.0.7, one alone",
		"10.0.0.8/29":   "10.0.0.8 is the name of the network",
		"10.0.0.255/24": "10.0.0.255 means every machine of the network",
		"10.0.0.9/29":   "10.0.0.9 can be a machine's address",
	} {
		if got := lab.DescribeSubnet(netip.MustParsePrefix(prefix)); !strings.Contains(got, want) {
			t.Errorf("%s: no %q in\n%s", prefix, want, got)
		}
	}
}
