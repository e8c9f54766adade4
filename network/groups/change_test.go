package groups

import (
	"net/netip"
	"slices"
	"testing"

	"hubbub/clock"
)

// RFC 3376, 5.1 and RFC 3810, 6.1: "A change of interface state causes the
// system to immediately transmit a State-Change Report from that interface. [...]
// it is retransmitted [Robustness Variable] - 1 more times, at intervals chosen
// at random from the range (0, [Unsolicited Report Interval])."
func TestJoiningAndLeavingAreReportedTwice(t *testing.T) {
	bothFamilies(t, Config{}, func(h *host) {
		h.exclude(1, "G", "")
		h.wantSent("TO_EX G {}")
		next := h.NextTimer()
		h.want("the second comes within a second", next > 1*s && next <= 2*s, true)
		h.until(10 * s)
		h.wantSent("TO_EX G {}")
		h.want("and that is all", h.NextTimer(), clock.Never)
		h.exclude(2, "G", "")
		h.wantSent() // "a change of socket state does not necessarily result in a change of interface state"
		h.include(1, "G", "")
		h.include(2, "G", "")
		h.wantSent("TO_IN G {}")
		h.until(20 * s)
		h.wantSent("TO_IN G {}")
		h.want("the table", len(h.Member.groups), 0)
	})
}

// The table of RFC 3376, 5.1 and RFC 3810, 6.1.
func TestWhatAChangeTells(t *testing.T) {
	bothFamilies(t, Config{Robustness: 1}, func(h *host) {
		h.include(1, "G", "a b")
		h.wantSent("ALLOW G {a b}")
		h.include(1, "G", "b c")
		h.wantSent("ALLOW G {c}, BLOCK G {a}") // INCLUDE (A) to INCLUDE (B)
		h.exclude(1, "G", "d e")
		h.wantSent("TO_EX G {d e}") // INCLUDE (A) to EXCLUDE (B)
		h.exclude(1, "G", "e f")
		h.wantSent("ALLOW G {d}, BLOCK G {f}") // EXCLUDE (A) to EXCLUDE (B)
		h.exclude(1, "G", "e")
		h.wantSent("ALLOW G {f}") // an empty list is omitted
		h.include(1, "G", "a")
		h.wantSent("TO_IN G {a}") // EXCLUDE (A) to INCLUDE (B)
		h.include(1, "G", "")
		h.wantSent("BLOCK G {a}")
		h.until(20 * s)
		h.wantSent()
	})
}

// RFC 3376, 5.1: "Each time a source is included in the difference report
// calculated above, retransmission state for that source needs to be maintained
// until [Robustness Variable] State-Change reports have been sent by the host.
// This is done in order to ensure that a series of successive state changes do
// not break the protocol robustness."
func TestChangesAreMerged(t *testing.T) {
	bothFamilies(t, Config{Robustness: 3}, func(h *host) {
		h.include(1, "G", "a")
		h.wantSent("ALLOW G {a}")
		h.include(1, "G", "a b")
		h.wantSent("ALLOW G {a b}")
		h.include(1, "G", "b")
		h.wantSent("ALLOW G {b}, BLOCK G {a}")
		h.until(20 * s)
		h.wantSent("ALLOW G {b}, BLOCK G {a}", "BLOCK G {a}")
	})
}

// RFC 3376, 5.1: "If the interface reception-state change that triggers the new
// report is a filter-mode change, then the next [Robustness Variable] State-
// Change Reports will include a Filter-Mode-Change record. This applies even if
// any number of source-list changes occur in that period. [...] When [Robustness
// Variable] State-Change reports with Filter-Mode-Change records have been
// transmitted after the last filter-mode change, and if source-list changes to
// the interface reception have scheduled additional reports, then the next
// State-Change report will include Source-List-Change records."
func TestAChangeOfModeIsToldFirst(t *testing.T) {
	bothFamilies(t, Config{}, func(h *host) {
		h.include(1, "G", "c")
		h.exclude(1, "G", "")
		h.exclude(1, "G", "a")
		h.wantSent("ALLOW G {c}", "TO_EX G {}", "TO_EX G {a}")
		h.until(20 * s)
		h.wantSent("BLOCK G {a}")
		h.exclude(1, "G", "")
		h.include(1, "G", "")
		h.wantSent("ALLOW G {a}", "TO_IN G {}")
		h.until(40 * s)
		h.wantSent("TO_IN G {}")
	})
}

// RFC 3376, 5: "No IGMP messages are ever sent regarding the all-systems
// multicast address." RFC 3810, 6: "No MLD messages are ever sent regarding
// neither the link-scope all-nodes multicast address, nor any multicast address
// of scope 0 (reserved) or 1 (node-local)."
func TestSomeGroupsAreNeverReported(t *testing.T) {
	silent := map[bool][]string{false: {"224.0.0.1"}, true: {"ff02::1", "ff01::7", "ff10::7"}}
	bothFamilies(t, Config{}, func(h *host) {
		for _, text := range silent[h.six] {
			g := netip.MustParseAddr(text)
			h.must(h.Join(h.at, 1, g))
			h.hears("all", "")
			h.Report(h.at)
			h.until(h.at + 20*s)
			h.wantSent()
			h.must(h.Leave(h.at, 1, g))
			h.wantSent()
			h.want("the table", len(h.Member.groups), 0)
		}
	})
}

// RFC 3810, 5.2.13: "Once a valid link-local address is available, a node SHOULD
// generate new MLDv2 Report messages for all multicast addresses joined on the
// interface."
func TestAllIsToldAgainWithTheFirstAddress(t *testing.T) {
	bothFamilies(t, Config{}, func(h *host) {
		own := h.source
		h.SetSource(h.at, h.addr("all"))
		h.exclude(1, "G", "a")
		h.include(1, "H", "b")
		h.until(10 * s)
		slices.Sort(h.sent) // each is repeated at a time of its own
		h.wantSent("ALLOW H {b}", "ALLOW H {b}", "TO_EX G {a}", "TO_EX G {a}")
		h.SetSource(h.at, own)
		h.poll()
		h.wantSent("TO_EX G {a}, ALLOW H {b}") // in one report
		h.SetSource(h.at, h.addr("a"))
		h.until(20 * s)
		h.wantSent("TO_EX G {a}, ALLOW H {b}")
	})
}

// RFC 3376, 4.2.16: "the Group Records are sent in as many Report messages as
// needed to report the entire set. If a single Group Record contains so many
// source addresses that it does not fit [...], if its Type is not MODE_IS_EXCLUDE
// or CHANGE_TO_EXCLUDE_MODE, it is split into multiple Group Records [...]
// otherwise a single Group Record is sent, containing as many source addresses
// as can fit".
func TestReportsFitIntoPackets(t *testing.T) {
	bothFamilies(t, Config{MTU: 128, Robustness: 1}, func(h *host) {
		var sources []netip.Addr
		for i := range 30 {
			b := h.addr("a").AsSlice()
			b[len(b)-2] = byte(i)
			a, _ := netip.AddrFromSlice(b)
			sources = append(sources, a)
		}
		h.must(h.Listen(h.at, 1, h.addr("G"), Filter{Sources: sources}))
		most := (h.room() - 4 - h.size()) / h.size()
		h.want("reports", len(h.sent), (30+most-1)/most)
		h.must(h.Listen(h.at, 1, h.addr("G"), Filter{Exclude: true, Sources: sources}))
		h.want("one more", len(h.sent), (30+most-1)/most+1)
		h.sent = nil
		for _, g := range []string{"H", "I", "J", "K", "L", "M", "N", "O", "P", "Q", "R", "S", "T"} {
			h.exclude(1, g, "")
		}
		h.sent = nil
		h.hears("all", "")
		h.until(20 * s)
		h.want("a few messages", len(h.sent) > 1 && len(h.sent) < 8, true)
	})
}
