package groups

import (
	"net/netip"
	"testing"
	"time"

	"hubbub/clock"
)

// RFC 3376, 7.2.1: "IGMPv3 hosts MUST operate in version 1 and version 2
// compatibility modes." RFC 3810, 8.2.1: "MLDv2 hosts MUST operate in version 1
// compatibility mode."
//
// RFC 2236, 3: "When a host joins a multicast group, it should immediately
// transmit an unsolicited Version 2 Membership Report for that group [...] it is
// recommended that it be repeated". "if it was the last host to reply to a Query
// with a Membership Report for that group, it SHOULD send a Leave Group message".
func TestAnOlderQuerierHearsItsOwnVersion(t *testing.T) {
	for _, x := range []struct {
		six     bool
		version int
		report  string
		leave   []string
		longest time.Duration // version 1 tells none
	}{
		{false, 2, "report2 G", []string{"leave G"}, 10 * time.Second},
		{false, 1, "report1 G", nil, 0},
		{true, 1, "report1 G", []string{"leave G"}, 10 * time.Second},
	} {
		h := newHost(t, Config{}, x.six)
		h.hearsQuery(x.version, "all", nil, x.longest, 0)
		h.want("version", h.Version(), x.version)
		h.want("told", h.facts[0].Kind, Version)
		h.include(1, "G", "a")
		h.wantSent(x.report)
		next := h.NextTimer()
		h.want("repeated within 10 seconds", next > h.at && next <= h.at+10*s, true)
		h.until(20 * s)
		h.wantSent(x.report)
		h.exclude(1, "G", "b")
		h.wantSent() // it knows nothing of sources
		h.hearsQuery(x.version, "all", nil, x.longest, 0)
		h.wantSent()
		h.until(40 * s)
		h.wantSent(x.report)
		h.hearsQuery(x.version, "G", nil, x.longest, 0)
		h.hearsQuery(x.version, "H", nil, x.longest, 0)
		h.until(60 * s)
		h.wantSent(x.report)
		h.include(1, "G", "")
		h.wantSent(x.leave...)
		h.want("forgotten", len(h.Member.groups), 0)
	}
}

// RFC 3376, 8.12: the timeout "MUST be ((the Robustness Variable) times (the
// Query Interval in the last Query received)) plus (one Query Response
// Interval)." RFC 3376, 7.2.1: "Whenever a host changes its compatibility mode,
// it cancels all its pending response and retransmission timers."
func TestTheNewestVersionComesBack(t *testing.T) {
	bothFamilies(t, Config{}, func(h *host) {
		joined(h)
		h.include(1, "H", "")
		h.exclude(1, "I", "")
		h.hears("all", "")
		h.wantSent("BLOCK H {b c}", "TO_EX I {}")
		h.hearsQuery(h.newest()-1, "all", nil, 5*time.Second, 0)
		h.want("version", h.Version(), h.newest()-1)
		h.want("H is forgotten", len(h.Member.groups), 2)
		h.until(106 * s)
		h.want("each group is reported on its own, and nothing of before", len(h.sent), 2)
		h.sent = nil
		const timeout = (2*125 + 5) * s
		h.want("the querier counts as present", h.NextTimer(), 100*s+timeout)
		h.hearsQuery(h.newest(), "all", nil, 5*time.Second, 2)
		h.until(100*s + timeout - 1)
		h.want("reported in the old version still", len(h.sent), 2)
		h.want("version", h.Version(), h.newest()-1)
		h.sent = nil
		h.exclude(1, "J", "")
		h.sent = nil
		h.until(100*s + timeout)
		h.want("version", h.Version(), h.newest())
		h.until(900 * s)
		h.wantSent()
		h.hears("all", "")
		h.until(950 * s)
		h.wantSent("IS_EX G {a}, IS_EX I {}, IS_EX J {}")
	})
}

// RFC 3376, 7.2.1: "When the IGMPv1 Querier Present timer expires, a host
// switches to Host Compatibility mode of IGMPv2 if it has a running IGMPv2
// Querier Present timer." "IGMPv2 Querier Present is set [...] whenever an IGMPv2
// General Query is received."
func TestTwoOlderQueriers(t *testing.T) {
	h := newHost(t, Config{}, false)
	h.hearsQuery(2, "G", nil, time.Second, 0)
	h.want("a query for one group doesn't count", h.Version(), 3)
	h.hearsQuery(1, "all", nil, 0, 0)
	h.want("version", h.Version(), 1)
	h.until(100 * s)
	h.hearsQuery(2, "all", nil, time.Second, 0)
	h.want("version", h.Version(), 1)
	h.until(261*s - 1)
	h.want("version", h.Version(), 1)
	h.until(261 * s)
	h.want("version", h.Version(), 2)
	h.until(351 * s)
	h.want("version", h.Version(), 3)
}

// RFC 2236, 3: "If the host receives another host's Report (version 1 or 2)
// while it has a timer running, it stops its timer for the specified group and
// does not send a Report, in order to suppress duplicate Reports."
func TestAnotherHostsReportIsEnough(t *testing.T) {
	bothFamilies(t, Config{}, func(h *host) {
		joined(h)
		h.hearsQuery(h.newest()-1, "all", nil, 10*time.Second, 0)
		h.hearsReport("G")
		h.hearsReport("I")
		h.until(120 * s)
		h.want("H alone is reported", len(h.sent), 1)
		h.sent = nil
		h.include(1, "G", "")
		h.wantSent() // we were not the last to report it
		h.include(1, "H", "")
		h.wantSent("leave H")
	})
}

// The newest version has no suppression: every host is to be known.
func TestAReportDoesNotSuppressTheNewestVersion(t *testing.T) {
	bothFamilies(t, Config{}, func(h *host) {
		joined(h)
		h.hears("G", "")
		h.hearsReport("G")
		h.until(120 * s)
		h.wantSent("IS_EX G {a}")
	})
}

// RFC 4604, 2.2.1: "An SSM-aware host, however, MUST NOT allow its report to be
// suppressed in this situation". 2.2.3: "A host SHOULD log an error if it
// receives an IGMPv1, IGMPv2, or MLDv1 query for an SSM address".
func TestSourceSpecificGroupsAndOldQueriers(t *testing.T) {
	h := newHost(t, Config{}, false)
	h.hearsQuery(2, "all", nil, 10*time.Second, 0)
	ssm := netip.MustParseAddr("232.1.1.1")
	h.must(h.ChangeSource(h.at, 1, ssm, AddSource, h.addr("a")))
	h.hearsReport("232.1.1.1")
	h.until(20 * s)
	h.wantSent("report2 232.1.1.1", "report2 232.1.1.1")
	h.facts = nil
	h.hearsQuery(2, "232.1.1.1", nil, time.Second, 0)
	h.want("warned", h.facts[0].Kind, Warned)
	h.until(30 * s)
	h.wantSent("report2 232.1.1.1")
}

// RFC 2236, 3: "If a timer for the group is already running, it is reset to the
// random value only if the requested Max Response Time is less than the
// remaining value of the running timer."
func TestAShorterDelayCounts(t *testing.T) {
	bothFamilies(t, Config{}, func(h *host) {
		joined(h)
		h.hearsQuery(h.newest()-1, "all", nil, 10*time.Second, 0)
		at := h.find(h.addr("G")).answerAt
		h.hearsQuery(h.newest()-1, "G", nil, 25*time.Second, 0)
		h.want("the time", h.find(h.addr("G")).answerAt, at)
		h.hearsQuery(h.newest()-1, "G", nil, 100*time.Millisecond, 0)
		h.want("sooner", h.find(h.addr("G")).answerAt <= h.at+100*ms, true)
	})
}

// With older queriers too, all is told again when the link has come up.
func TestReportingAgainInAnOlderVersion(t *testing.T) {
	bothFamilies(t, Config{}, func(h *host) {
		h.hearsQuery(h.newest()-1, "all", nil, 10*time.Second, 0)
		h.exclude(1, "G", "")
		h.until(50 * s)
		h.sent = nil
		h.Report(h.at)
		h.until(60 * s)
		h.want("reports", len(h.sent), 2)
		h.want("timer", h.NextTimer() == clock.Never, false) // the querier's
	})
}
