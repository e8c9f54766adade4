package wire_test

import (
	"bytes"
	"net/netip"
	"testing"

	"hubbub/wire"
)

func TestNextIPv4Option(t *testing.T) {
	list := fromHex("01 94040000 8307 04 0a000001 01 00 44")
	var types []wire.IPv4OptionType
	var lengths []int
	for {
		option, rest, ok := wire.NextIPv4Option(list)
		if !ok {
			break
		}
		types, lengths = append(types, option.Type()), append(lengths, len(option))
		want(t, "capacity", cap(option), len(option))
		list = rest
	}
	want(t, "number of options", len(types), 4)
	want(t, "types", [4]wire.IPv4OptionType(types), [4]wire.IPv4OptionType{
		wire.OptionNop, wire.OptionRouterAlert, wire.OptionLooseRoute, wire.OptionNop,
	})
	want(t, "lengths", [4]int(lengths), [4]int{1, 4, 7, 1})
	want(t, "what is left", len(list), 2)
}

// RFC 1122, 3.2.1.8: the IP layer must not crash as the result of an option
// length that is outside the possible range.
func TestNextIPv4OptionEndsAtABadLength(t *testing.T) {
	for _, list := range []string{"", "00", "94", "9400", "9401", "9405 0000", "44ff 0000"} {
		if option, rest, ok := wire.NextIPv4Option(fromHex(list)); ok || option != nil || rest != nil {
			t.Errorf("%q: option % x, rest % x, want none", list, option, rest)
		}
	}
}

func TestFindIPv4Option(t *testing.T) {
	list := fromHex("01 8307 04 0a000001 94040000")
	wantBytes(t, "router alert", wire.FindIPv4Option(list, wire.OptionRouterAlert), "94040000")
	wantBytes(t, "loose route", wire.FindIPv4Option(list, wire.OptionLooseRoute), "8307040a000001")
	want(t, "one that isn't there", len(wire.FindIPv4Option(list, wire.OptionTimestamp)), 0)
	want(t, "in no options", len(wire.FindIPv4Option(nil, wire.OptionTimestamp)), 0)
}

func TestIPv4OptionNames(t *testing.T) {
	for typ, name := range map[wire.IPv4OptionType]string{
		wire.OptionEnd: "end of options", wire.OptionNop: "no operation", wire.OptionRecordRoute: "record route",
		wire.OptionTimestamp: "timestamp", wire.OptionSecurity: "security",
		wire.OptionLooseRoute: "loose source route", wire.OptionStreamID: "stream identifier",
		wire.OptionStrictRoute: "strict source route", wire.OptionRouterAlert: "router alert", 30: "option 30",
	} {
		want(t, name, typ.String(), name)
	}
}

func TestCheckIPv4Options(t *testing.T) {
	for _, c := range []struct {
		name, options string
		pointer       int // of the header's octet that is wrong; 0: none is
	}{
		{"none", "", 0},
		{"end", "00", 0},
		{"anything behind the end", "00 44 00 ff", 0},
		{"NOPs", "01010101", 0},
		{"record route", "0707 04 00000000", 0},
		{"record route with half an address at its end", "070a 04 00000000 000000", 0},
		{"record route, full", "0707 08 0a000001", 0},
		{"unknown", "1e04 0000", 0},
		{"unknown without data", "1e02 94040000", 0},
		{"stream identifier", "8804 0001", 0},
		{"router alert", "94040000", 0},
		{"timestamps", "440c 05 00 00000000 00000000", 0},
		{"addresses and timestamps", "440c 05 01 00000000 00000000", 0},
		{"timestamps, full, with overflow", "4408 09 f0 00000000", 0},

		{"no length", "01 44", 21},
		{"length of zero", "4400 0000", 21},
		{"length of one", "01 01 0701 0000", 23},
		{"length beyond the header", "0708 04 00000000", 21},
		{"record route without pointer", "0702 00", 21},
		{"record route whose pointer is in its header", "0707 03 00000000", 22},
		{"record route with room for half an address", "0706 04 000000 0000", 22},
		{"record route that points into the last address", "0707 06 00000000", 22},
		{"record route that points into an address", "070b 06 00000000 00000000", 22},
		{"timestamps that point into a timestamp", "440c 06 00 00000000 00000000", 22},
		{"addresses and timestamps that point to a timestamp", "4414 09 01 00000000 00000000 00000000 00000000", 22},
		{"two record routes", "0703 04 0703 04", 23},
		{"a loose and a strict route", "8307 08 0a000001 8907 08 0a000001", 27},
		{"two loose routes", "01 8307 08 0a000001 8307 08 0a000001", 28},
		{"strict route whose pointer is zero", "8907 00 0a000001", 22},
		{"timestamp without flags", "4403 05", 21},
		{"timestamp with unknown flag", "4408 05 02 00000000", 23},
		{"timestamp whose pointer is in its header", "4408 04 00 00000000", 22},
		{"timestamp with room for an address alone", "4408 05 01 00000000", 22},
		{"two timestamps", "4404 05 00 4404 05 00", 24},
		{"router alert of three octets", "9403 00", 21},
	} {
		pointer, ok := wire.CheckIPv4Options(fromHex(c.options))
		want(t, c.name, pointer, c.pointer)
		want(t, c.name+" is well-formed", ok, c.pointer == 0)
	}
}

// RFC 791, 3.1: the copied flag indicates that this option is copied into all
// fragments on fragmentation.
func TestCopiedOptions(t *testing.T) {
	for _, c := range []struct{ name, options, copied string }{
		{"none", "", ""},
		{"none to copy", "01 0707 04 00000000", ""},
		{"one behind one that isn't", "0707 04 00000000 01 94040000", "94040000"},
		{"padded", "8307 04 0a000001 01", "8307040a000001 00"},
		{"one without data", "9e02", "9e02 0000"},
		{"two", "8804 0001 01 8307 04 0a000001", "88040001 8307040a000001 00"},
		{"until a bad length", "94040000 8300 94040000", "94040000"},
		{"until the end", "94040000 00 94040000", "94040000"},
	} {
		got := wire.CopiedOptions(fromHex(c.options), []byte("in front "))
		want(t, c.name, string(got[:9]), "in front ")
		wantBytes(t, c.name, got[9:], c.copied)
	}
}

func TestSourceRouteOnItsWay(t *testing.T) {
	// RFC 791, 3.1: the next address in the source route replaces the address
	// in the destination address field, and the recorded route address
	// replaces the source address just used, and pointer is increased by four.
	route := wire.IPv4Option(fromHex("830b 04 0a000001 0a000002"))
	own := netip.MustParseAddr("192.168.0.1")
	want(t, "room", route.NumHops(), 2)
	want(t, "passed", route.NumPassed(), 0)
	want(t, "next", route.RecordHop(own).String(), "10.0.0.1")
	wantBytes(t, "after a hop", route, "830b 08 c0a80001 0a000002")
	want(t, "completed", route.Full(), false)
	want(t, "next", route.RecordHop(own).String(), "10.0.0.2")
	want(t, "completed", route.Full(), true)
	want(t, "passed", route.NumPassed(), 2)
	want(t, "no next", route.RecordHop(own), netip.Addr{})
	wantBytes(t, "at its end", route, "830b 0c c0a80001 c0a80001")
}

func TestRecordRoute(t *testing.T) {
	route := wire.IPv4Option(fromHex("070b 08 0a000001 00000000"))
	route.RecordHop(netip.MustParseAddr("10.0.0.2"))
	wantBytes(t, "recorded", route, "070b 0c 0a000001 0a000002")
	want(t, "hop", route.Hop(1).String(), "10.0.0.2")
	// RFC 791, 3.1: If the route data area is already full the datagram is
	// forwarded without inserting the address.
	route.RecordHop(netip.MustParseAddr("10.0.0.3"))
	wantBytes(t, "full", route, "070b 0c 0a000001 0a000002")
}

// RFC 1122, 3.2.1.8: when a return source route is built, it MUST be correctly
// formed even if the recorded route included the source host.
func TestReturnRoute(t *testing.T) {
	src := netip.MustParseAddr("10.0.0.9")
	for _, c := range []struct{ name, arrived, back, first string }{
		{"three routers", "830f 10 0a000001 0a000002 0a000003", "830f 04 0a000002 0a000001 0a000009", "10.0.0.3"},
		{"with the source", "830f 10 0a000009 0a000002 0a000003", "830b 04 0a000002 0a000009", "10.0.0.3"},
		{"one router", "8907 08 0a000001", "8907 04 0a000009", "10.0.0.1"},
		{"the source alone", "8307 08 0a000009", "", "10.0.0.9"},
		{"no router", "8303 04", "", "10.0.0.9"},
	} {
		back, first := wire.IPv4Option(fromHex(c.arrived)).AppendReturnRoute(nil, src)
		wantBytes(t, c.name, back, c.back)
		want(t, c.name+": first", first.String(), c.first)
		if pointer, ok := wire.CheckIPv4Options(back); !ok {
			t.Errorf("%s: octet %d of the return route is wrong", c.name, pointer)
		}
	}
}

func TestRecordTime(t *testing.T) {
	own := netip.MustParseAddr("10.0.0.2")
	for _, c := range []struct {
		name, before, after string
		ok                  bool
	}{
		{"time alone", "4408 05 00 00000000", "4408 09 00 01020304", true},
		{"address and time", "440c 05 01 00000000 00000000", "440c 0d 01 0a000002 01020304", true},
		{"second entry", "440c 09 00 ffffffff 00000000", "440c 0d 00 ffffffff 01020304", true},
		{"asked for", "440c 05 03 0a000002 00000000", "440c 0d 03 0a000002 01020304", true},
		{"another is asked for", "440c 05 03 0a000003 00000000", "440c 05 03 0a000003 00000000", true},
		{"full", "4408 09 e0 ffffffff", "4408 09 f0 ffffffff", true},
		{"full, and the overflow too", "4408 09 f0 ffffffff", "4408 09 f0 ffffffff", false},
	} {
		option := wire.IPv4Option(fromHex(c.before))
		want(t, c.name, option.RecordTime(own, 0x01020304), c.ok)
		wantBytes(t, c.name, option, c.after)
	}
}

// FuzzIPv4Options: whatever passes the check can be walked to its end and used;
// what is copied into fragments passes it too.
func FuzzIPv4Options(f *testing.F) {
	f.Add(fromHex("830f 10 0a000001 0a000002 0a000003 01 94040000"))
	f.Add(fromHex("440c 05 03 0a000002 00000000 0707 04 00000000 00"))
	f.Add(fromHex("070b 08 0a000001 00000000"))
	f.Add(fromHex("8300"))
	f.Add(fromHex("070a 04 00000000 000000"))
	f.Add(fromHex("830f 0a 0a000001 0a000002 0a000003 00")) // points into an address
	f.Fuzz(func(t *testing.T, list []byte) {
		list = bytes.Clone(list[:min(len(list), wire.MaxIPv4OptionsLen)])
		copied := wire.CopiedOptions(list, nil)
		if len(copied)%4 != 0 || len(copied) > (len(list)+3)/4*4 {
			t.Fatalf("% x: copied options % x", list, copied)
		}
		pointer, ok := wire.CheckIPv4Options(list)
		if !ok {
			if pointer < wire.IPv4HeaderLen || pointer >= wire.IPv4HeaderLen+len(list) {
				t.Fatalf("% x: octet %d is wrong, which is not an option's", list, pointer)
			}
			return
		}
		if pointer, ok := wire.CheckIPv4Options(copied); !ok {
			t.Fatalf("% x: octet %d of the copied options % x is wrong", list, pointer, copied)
		}
		if again := wire.CopiedOptions(copied, nil); string(again) != string(copied) {
			t.Fatalf("copied % x, and copied again % x", copied, again)
		}
		for _, b := range [][]byte{list, copied} {
			useOptions(b)
		}
	})
}

// useOptions does to the options of a packet what hosts and routers may, for
// as long as they are well-formed: in an option with room for half an address
// the fault is met on the way (RFC 791, 3.1).
func useOptions(list []byte) {
	for range wire.MaxIPv4OptionsLen {
		if _, ok := wire.CheckIPv4Options(list); !ok {
			return
		}
		for rest := list; ; {
			option, behind, ok := wire.NextIPv4Option(rest)
			if !ok {
				break
			}
			useOption(option)
			rest = behind
		}
	}
}

func useOption(option wire.IPv4Option) {
	switch option.Type() {
	case wire.OptionRecordRoute, wire.OptionLooseRoute, wire.OptionStrictRoute:
		option.AppendReturnRoute(nil, ip2)
		option.RecordHop(ip1)
		option.AppendReturnRoute(nil, ip1)
	case wire.OptionTimestamp:
		option.RecordTime(ip1, 12345)
	}
}
