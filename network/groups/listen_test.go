package groups

import (
	"errors"
	"net/netip"
	"testing"

	"pgregory.net/rapid"
)

// RFC 3376, 3.2 and RFC 3810, 4.2, with their examples: "if *any* such record
// has a filter mode of EXCLUDE, then the filter mode of the interface record is
// EXCLUDE, and the source list of the interface record is the intersection of
// the source lists of all socket records in EXCLUDE mode, minus those source
// addresses that appear in any socket record in INCLUDE mode."
func TestSocketsAreMerged(t *testing.T) {
	bothFamilies(t, Config{}, func(h *host) {
		h.include(1, "G", "a b c")
		h.include(2, "G", "b c d")
		h.want("the union", h.is("G"), "IN {a b c d}")
		h.include(3, "G", "f e")
		h.want("the union", h.is("G"), "IN {a b c d e f}")
		h.exclude(1, "H", "a b c d")
		h.exclude(2, "H", "b c d e")
		h.include(3, "H", "d e f")
		h.want("the intersection", h.is("H"), "EX {b c}")
		h.exclude(4, "H", "")
		h.want("nobody excludes any", h.is("H"), "EX {}")
		h.LeaveAll(h.at, 4)
		h.LeaveAll(h.at, 2)
		h.want("without two of them", h.is("H"), "EX {a b c}")
		h.include(1, "H", "")
		h.want("those in INCLUDE mode alone", h.is("H"), "IN {d e f}")
		h.want("groups", len(h.Groups()), 2)
		h.want("sockets", h.Groups()[0].Sockets, 2)
	})
}

// RFC 3376, 3.2: "if a packet arrives on interface i, destined to multicast
// address m, with source address a, it will be delivered on socket s1 but not on
// socket s2."
func TestWhoHearsWhat(t *testing.T) {
	bothFamilies(t, Config{}, func(h *host) {
		h.include(1, "G", "a b c")
		h.exclude(2, "G", "a")
		for _, x := range []struct {
			socket        uint64
			group, source string
			all, want     bool
		}{
			{1, "G", "a", false, true},
			{2, "G", "a", false, false},
			{2, "G", "f", false, true},
			{1, "G", "f", true, false}, // it has a filter of its own
			{3, "G", "a", false, false},
			{3, "G", "a", true, true}, // as with IP_MULTICAST_ALL
			{3, "H", "a", true, false},
		} {
			if got := h.Delivers(x.socket, h.addr(x.group), h.addr(x.source), x.all); got != x.want {
				t.Errorf("%+v: %v", x, got)
			}
		}
		h.want("the interface hears", h.Accepts(h.addr("G"), h.addr("a")), true)
		h.want("another group", h.Accepts(h.addr("H"), h.addr("a")), false)
		h.LeaveAll(h.at, 2)
		h.want("a source that nobody wants", h.Accepts(h.addr("G"), h.addr("f")), false)
		// RFC 3376, 5: "reception of packets destined to the all-systems multicast
		// address, from all sources, is permanently enabled".
		h.want("all hosts", h.Accepts(netip.MustParseAddr("224.0.0.1"), h.addr("f")), true)
		h.want("all nodes", h.Accepts(netip.MustParseAddr("ff02::1"), h.addr("f")), true)
	})
}

func TestJoinAndLeave(t *testing.T) {
	bothFamilies(t, Config{}, func(h *host) {
		g := h.addr("G")
		h.must(h.Join(h.at, 1, g))
		h.want("joining again", h.Join(h.at, 1, g), ErrMember)
		h.must(h.Join(h.at, 2, g))
		h.must(h.Leave(h.at, 1, g))
		h.want("leaving again", h.Leave(h.at, 1, g), ErrNotMember)
		h.want("the other one is there", h.is("G"), "EX {}")
		h.must(h.Hold(h.at, g))
		h.must(h.Hold(h.at, g))
		h.must(h.Leave(h.at, 2, g))
		h.Release(h.at, g)
		h.want("the machine hears it still", h.is("G"), "EX {}")
		h.want("held", h.Groups()[0].Held, true)
		h.Release(h.at, g)
		h.Release(h.at, g)
		h.want("nobody hears it", h.Accepts(g, h.addr("a")), false)
		h.until(h.at + 60*s)
		h.want("it is forgotten", len(h.Member.groups), 0)
		h.poll()
		h.want("joined and left", [2]Kind{h.facts[0].Kind, h.facts[1].Kind}, [2]Kind{Joined, Left})
	})
}

// RFC 3678, 4.1.1: sources are added to and dropped from a list of INCLUDE mode,
// blocked and unblocked in one of EXCLUDE mode.
func TestOneSourceIsChanged(t *testing.T) {
	bothFamilies(t, Config{}, func(h *host) {
		g := h.addr("G")
		op := func(op Op, source string, want error) {
			t.Helper()
			if err := h.ChangeSource(h.at, 1, g, op, h.addr(source)); !errors.Is(err, want) {
				t.Errorf("operation %d: %v, want %v", op, err, want)
			}
		}
		op(DropSource, "a", ErrNotMember)
		op(Block, "a", ErrNotMember)
		op(AddSource, "b", nil)
		op(AddSource, "a", nil)
		op(AddSource, "a", ErrSourceListed)
		op(Block, "a", ErrMode)
		op(Unblock, "a", ErrMode)
		h.want("heard", h.is("G"), "IN {a b}")
		op(DropSource, "c", ErrNoSuchSource)
		op(DropSource, "a", nil)
		op(DropSource, "b", nil)
		h.want("heard", h.Accepts(g, h.addr("b")), false)
		op(DropSource, "b", ErrNotMember)
		h.must(h.Join(h.at, 1, g))
		op(AddSource, "a", ErrMode)
		op(Block, "a", nil)
		op(Block, "a", ErrSourceListed)
		h.want("heard", h.is("G"), "EX {a}")
		op(Unblock, "a", nil)
		op(Unblock, "a", ErrNoSuchSource)
		h.want("heard", h.is("G"), "EX {}")
	})
}

// RFC 3376, 3.2: "If system resource limits are reached when an interface state
// source list is calculated, an error MUST be returned to the application which
// requested the operation."
func TestLimits(t *testing.T) {
	bothFamilies(t, Config{Groups: 2, Sources: 3}, func(h *host) {
		err := h.Listen(h.at, 1, h.addr("G"), Filter{Sources: h.addrs("a b c d")})
		h.want("four sources", err, ErrTooManySources)
		h.include(1, "G", "a b")
		err = h.Listen(h.at, 2, h.addr("G"), Filter{Sources: h.addrs("c d")})
		h.want("four sources of two sockets", err, ErrTooManySources)
		h.want("the filter", h.is("G"), "IN {a b}")
		_, member := h.Filter(2, h.addr("G"))
		h.want("the second socket has it", member, false)
		h.exclude(1, "H", "")
		h.want("a third group", h.Join(h.at, 1, h.addr("I")), ErrTooManyGroups)
		h.want("held", h.Hold(h.at, h.addr("I")), ErrTooManyGroups)
		h.want("it", h.is("I"), "none")
		h.must(h.Leave(h.at, 1, h.addr("H")))
		h.must(h.Join(h.at, 1, h.addr("I")))
		for range 100 {
			for _, g := range []string{"J", "K", "L", "M", "N", "O"} {
				h.must(h.Leave(h.at, 1, h.addr("I")))
				h.must(h.Join(h.at, 1, h.addr(g)))
				h.must(h.Leave(h.at, 1, h.addr(g)))
				h.must(h.Join(h.at, 1, h.addr("I")))
			}
		}
		h.want("what is remembered is bounded", len(h.Member.groups) <= 4, true)
	})
}

func TestWhatIsNoGroup(t *testing.T) {
	bothFamilies(t, Config{}, func(h *host) {
		other := netip.MustParseAddr(map[bool]string{true: "239.1.1.1", false: "ff0e::1"}[h.six])
		for _, a := range []netip.Addr{{}, h.addr("a"), other, netip.MustParseAddr("ff02::1%eth0"), netip.MustParseAddr("::ffff:239.1.1.1")} {
			if err := h.Join(h.at, 1, a); !errors.Is(err, ErrNotMulticast) {
				t.Errorf("%v: %v", a, err)
			}
			if err := h.Hold(h.at, a); !errors.Is(err, ErrNotMulticast) {
				t.Errorf("%v: %v", a, err)
			}
		}
		for _, source := range []netip.Addr{{}, h.addr("G"), other, h.addr("all")} {
			if err := h.Listen(h.at, 1, h.addr("G"), Filter{Sources: []netip.Addr{source}}); !errors.Is(err, ErrBadSource) {
				t.Errorf("%v: %v", source, err)
			}
		}
		h.must(h.Listen(h.at, 1, h.addr("G"), Filter{}))
		h.want("leaving what was not joined", len(h.Member.groups), 0)
	})
}

// RFC 4604, 2.1: "If the host IP module of an SSM-aware host receives a non-
// source-specific request to receive multicast traffic sent to an SSM
// destination address, it SHOULD return an error to the application".
func TestSourceSpecificGroups(t *testing.T) {
	for addr, want := range map[string]bool{
		"232.0.0.1": true, "232.255.255.255": true, "233.0.0.1": false, "ff35::1": true, "ff3e::8000:1": true,
		"ff35:1::1": false, "ff05::1": false, "ff3e:30:2001:db8::1": false,
	} {
		if got := SourceSpecific(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: %v", addr, got)
		}
	}
	h := newHost(t, Config{}, false)
	ssm := netip.MustParseAddr("232.1.1.1")
	h.want("joining", h.Join(h.at, 1, ssm), ErrSourceSpecific)
	h.must(h.ChangeSource(h.at, 1, ssm, AddSource, h.addr("a")))
	h.wantSent("ALLOW 232.1.1.1 {a}")
}

// The interface's filter is always that of RFC 3376, 3.2, found the slow way:
// a source is heard if any socket hears it.
func TestASourceIsHeardIfAnySocketHearsIt(t *testing.T) {
	letters := []string{"a", "b", "c", "d"}
	rapid.Check(t, func(rt *rapid.T) {
		h := newHost(t, Config{}, rapid.Bool().Draw(rt, "six"))
		sockets := map[uint64]Filter{}
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			f := Filter{Exclude: rapid.Bool().Draw(rt, "exclude")}
			for _, l := range letters {
				if rapid.Bool().Draw(rt, l) {
					f.Sources = append(f.Sources, h.addr(l))
				}
			}
			socket := rapid.Uint64Range(1, 3).Draw(rt, "socket")
			h.must(h.Listen(h.at, socket, h.addr("G"), f))
			sockets[socket] = f
			for _, l := range append(letters, "e") {
				heard := false
				for _, f := range sockets {
					heard = heard || f.Passes(h.addr(l))
				}
				if got := h.Accepts(h.addr("G"), h.addr(l)); got != heard {
					rt.Fatalf("%v: %s is heard: %v", sockets, l, got)
				}
			}
			h.until(h.at + 100*ms)
		}
	})
}
