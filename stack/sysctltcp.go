package stack

import (
	"math"
	"slices"
	"strings"
	"time"

	"hubbub/clock"
	"hubbub/transport/tcp"
	"hubbub/transport/tcp/congestion"
)

// tcpSysctls are the settings of TCP. Connections read them when they need them: what
// is set counts for those that are open, too, unless it was agreed on when
// they opened.
//
// To add one: a line here; the value is a field of tcp.Config, where the
// machines find it.
func tcpSysctls() []sysctl {
	return slices.Concat(tcpPatience(), tcpCongestion(), tcpTables(), tcpOffers(), tcpManners(), tcpLosses())
}

// tcpPatience is how often TCP repeats itself, and how long it waits.
func tcpPatience() []sysctl {
	const seconds = unbounded / 1000 // as many as Linux's clock ticks can count
	return []sysctl{
		{
			"net.ipv4.tcp_syn_retries", number(1, 127, func(s *Stack) *int { return &s.tcpEnv.SynRetries }),
			"How often a SYN that opens a connection is sent again before the attempt fails.",
		},
		{
			"net.ipv4.tcp_synack_retries", number(0, 255, func(s *Stack) *int { return &s.tcpEnv.SynAckRetries }),
			"How often a listener sends a SYN-ACK again before it forgets the half-open connection.",
		},
		{
			"net.ipv4.tcp_retries1", number(0, 255, func(s *Stack) *int { return &s.tcpEnv.Retries1 }),
			"After so many retransmissions of a segment the layers below are told that something may be wrong with the path (R1 of RFC 9293, 3.8.3).",
		},
		{
			"net.ipv4.tcp_retries2", number(0, 255, func(s *Stack) *int { return &s.tcpEnv.Retries2 }),
			"After so many retransmissions of a segment the connection is given up (R2 of RFC 9293, 3.8.3).",
		},
		{
			"net.ipv4.tcp_orphan_retries", number(0, 255, func(s *Stack) *int { return &s.tcpEnv.OrphanRetries }),
			"After so many retransmissions a connection is given up that no program has open any more. 0 means 8.",
		},
		{
			"net.ipv4.tcp_fastopen", number(0, math.MaxInt32, func(s *Stack) *int { return &s.cfg.FastOpen }),
			"TCP Fast Open (RFC 7413), a sum. 1: programs may send data in a SYN. 2: listeners that want take it. 4: it is sent without a cookie. 512: it is taken without. 1024: all listeners want.",
		},
		{
			"net.ipv4.tcp_fastopen_key", fastOpenKeyKnob(),
			"The key of the cookies that servers on this host give to clients; behind a comma one that is still accepted.",
		},
		{
			"net.ipv4.tcp_fin_timeout", duration(time.Second, 1, seconds, func(s *Stack) *clock.Duration { return &s.tcpEnv.FinWait2Timeout }),
			"How long a connection that no program has open any more waits in FIN-WAIT-2 for the peer's FIN, before it is given up.",
		},
		{
			"net.ipv4.tcp_keepalive_time", duration(time.Second, 1, seconds, func(s *Stack) *clock.Duration { return &s.tcpEnv.KeepAliveIdle }),
			"How long a connection with SO_KEEPALIVE is silent before the peer is probed.",
		},
		{
			"net.ipv4.tcp_keepalive_intvl", duration(time.Second, 1, seconds, func(s *Stack) *clock.Duration { return &s.tcpEnv.KeepAliveInterval }),
			"The time between keep-alive probes.",
		},
		{
			"net.ipv4.tcp_keepalive_probes", number(1, 255, func(s *Stack) *int { return &s.tcpEnv.KeepAliveProbes }),
			"After so many keep-alive probes without an answer the peer counts as dead.",
		},
		{
			"net.ipv4.tcp_rto_min_us", duration(time.Microsecond, 1, unbounded, func(s *Stack) *clock.Duration { return &s.tcpEnv.MinRTO }),
			"The shortest retransmission time-out.",
		},
		{
			"net.ipv4.tcp_rto_max_ms", duration(time.Millisecond, 1000, 120_000, func(s *Stack) *clock.Duration { return &s.tcpEnv.MaxRTO }),
			"The longest retransmission time-out; it bounds the time between probes of a closed window, too.",
		},
	}
}

// tcpCongestion is how TCP finds out what the network can bear.
func tcpCongestion() []sysctl {
	return []sysctl{
		{
			"net.ipv4.tcp_congestion_control", oneOf(congestion.Names(), func(s *Stack) *string { return &s.tcpEnv.CongestionControl }),
			"The congestion control algorithm of connections that don't choose one by TCP_CONGESTION.",
		},
		{
			"net.ipv4.tcp_available_congestion_control", readOnly("names with spaces between", func(*Stack) string { return strings.Join(congestion.Names(), " ") }),
			"The congestion control algorithms that there are.",
		},
	}
}

// tcpTables is how much TCP remembers.
func tcpTables() []sysctl {
	return []sysctl{
		{
			"net.ipv4.tcp_max_syn_backlog", number(0, unbounded, func(s *Stack) *int { return &s.tcpEnv.SynBacklog }),
			"How many half-open connections a listener remembers: at most so many, and one more than its backlog. With tcp_syncookies at 0 the last quarter stays empty.",
		},
		{
			"net.ipv4.tcp_syncookies", number(0, 2, func(s *Stack) *int { return &s.tcpEnv.SynCookies }),
			"When a listener answers a SYN with a cookie, and remembers nothing (RFC 4987, 3.6). 0: never. 1: when it can remember no more half-open connections. 2: always.",
		},
		{
			"net.ipv4.tcp_abort_on_overflow", toggle(func(s *Stack) *bool { return &s.tcpEnv.AbortOnOverflow }),
			"1: reset a connection that completes its handshake when no more may wait to be accepted. 0: let the peer try again.",
		},
		{
			"net.core.somaxconn", number(0, unbounded, func(s *Stack) *int { return &s.tcpEnv.MaxBacklog }),
			"The most that listen(2) may ask for as its backlog, the length of the queue of connections that wait to be accepted. It counts for calls that come after.",
		},
		{
			"net.ipv4.tcp_max_tw_buckets", number(0, unbounded, func(s *Stack) *int { return &s.cfg.MaxTimeWait }),
			"How many connections may be in TIME-WAIT; one more is forgotten at once.",
		},
		{
			"net.ipv4.tcp_max_orphans", number(0, unbounded, func(s *Stack) *int { return &s.cfg.MaxOrphans }),
			"How many connections may go on that no program has open any more; one more is reset.",
		},
		{
			"net.ipv4.tcp_tw_reuse", number(0, 2, func(s *Stack) *int { return &s.cfg.ReuseTimeWait }),
			"Open connections between ports that are in TIME-WAIT, if both ends have timestamps and a second has passed. 0: never. 1: always. 2: to this machine itself only.",
		},
		{
			"net.ipv4.tcp_tw_recycle", toggle(func(s *Stack) *bool { return &s.cfg.RecycleTimeWait }),
			"As Linux had it until 4.12: TIME-WAIT of connections with timestamps lasts 3.5 retransmission time-outs; in exchange, for a minute, SYNs are dropped whose timestamp is older than the last from the same address. Several machines behind one address, or one that was restarted, can't connect then.",
		},
		{
			"net.ipv4.tcp_rfc1337", toggle(func(s *Stack) *bool { return &s.tcpEnv.ProtectTimeWait }),
			"1: a connection in TIME-WAIT ignores resets (RFC 1337). 0: a reset in the window ends TIME-WAIT, as on Linux if nobody sets this.",
		},
	}
}

// tcpOffers is what both ends must agree on.
func tcpOffers() []sysctl {
	return []sysctl{
		{
			"net.ipv4.tcp_ecn", number(tcp.ECNOff, tcp.ECNAccept, func(s *Stack) *int { return &s.tcpEnv.ECN }),
			"Explicit congestion notification (RFC 3168): 0 never, 1 ask for it and agree to it, 2 agree to it when asked. It counts for connections opened from now on.",
		},
		{
			"net.ipv4.tcp_ecn_fallback", toggle(func(s *Stack) *bool { return &s.tcpEnv.ECNFallback }),
			"Repeat a SYN that asked for explicit congestion notification, and got no answer, without asking (RFC 3168, 6.1.1.1).",
		},
		{
			"net.ipv4.tcp_sack", toggle(func(s *Stack) *bool { return &s.tcpEnv.SACK }),
			"Offer selective acknowledgments, and agree to them (RFC 2018). It counts for connections opened from now on.",
		},
		{
			"net.ipv4.tcp_dsack", toggle(func(s *Stack) *bool { return &s.tcpEnv.DSACK }),
			"Tell the peer what has arrived twice, in selective acknowledgments (RFC 2883).",
		},
		{
			"net.ipv4.tcp_timestamps", timestampsKnob(),
			"0: no timestamps. 1: offer timestamps, and agree to them (RFC 7323), with an offset by chance for every connection. 2: the same with one clock for all connections, which runs since the machine was switched on.",
		},
		{
			"net.ipv4.tcp_window_scaling", toggle(func(s *Stack) *bool { return &s.tcpEnv.WindowScaling }),
			"Offer windows of more than 65535 octets, and agree to them (RFC 7323). It counts for connections opened from now on.",
		},
	}
}

// tcpManners is how TCP treats the network and its peers.
func tcpManners() []sysctl {
	return []sysctl{
		{
			"net.ipv4.tcp_mtu_probing", number(0, 2, func(s *Stack) *int { return &s.tcpEnv.MTUProbing }),
			"1 makes connections whose long segments vanish send shorter ones, and look for the longest that get through (RFC 4821). 2: they begin with segments of tcp_base_mss, and look for longer ones at once. 0: neither.",
		},
		{
			"net.ipv4.tcp_probe_threshold", number(0, 65535, func(s *Stack) *int { return &s.tcpEnv.MTUProbeThreshold }),
			"The search for longer segments is over when fewer octets than this are uncertain (RFC 4821, 7.3).",
		},
		{
			"net.ipv4.tcp_probe_interval", duration(time.Second, 300, unbounded/1000, func(s *Stack) *clock.Duration { return &s.tcpEnv.MTUProbeInterval }),
			"How long after its beginning a search for longer segments that is over begins anew (RFC 4821, 7.3).",
		},
		{
			"net.ipv4.tcp_base_mss", number(48, 65535, func(s *Stack) *int { return &s.tcpEnv.BaseMSS }),
			"How long segments are, in octets, after longer ones have vanished.",
		},
		{
			"net.ipv4.tcp_mtu_probe_floor", number(48, 65535, func(s *Stack) *int { return &s.tcpEnv.MTUProbeFloor }),
			"How short segments become at most, in octets, where all seem to vanish.",
		},
		{
			"net.ipv4.tcp_min_snd_mss", number(48, 65535, func(s *Stack) *int { return &s.tcpEnv.MinSendMSS }),
			"Segments are never made shorter than this, TCP options included, whatever MSS a peer tells or a router demands.",
		},
		{
			"net.ipv4.tcp_min_tso_segs", number(1, 65535, func(s *Stack) *int { return &s.tcpEnv.MinBurst }),
			"How many segments leave together, at least, if there are as many. The last of them is marked with PSH.",
		},
		{
			"net.ipv4.tcp_tso_rtt_log", number(0, 255, func(s *Stack) *int { return &s.tcpEnv.BurstRTTLog }),
			"For each 2^N microseconds of the shortest round trip, half as many segments leave together beyond a millisecond's worth. 0: only that.",
		},
		{
			"net.ipv4.tcp_slow_start_after_idle", toggle(func(s *Stack) *bool { return &s.tcpEnv.SlowStartAfterIdle }),
			"Begin with the initial congestion window again after nothing was sent for a retransmission time-out (RFC 5681, 4.1).",
		},
		{
			"net.ipv4.tcp_newcwv", toggle(func(s *Stack) *bool { return &s.tcpEnv.ValidateWindow }),
			"Keep a congestion window that isn't used for five minutes, without letting it grow; a loss takes what isn't used of it (RFC 7661). It then counts instead of tcp_slow_start_after_idle. Linux has no such setting; FreeBSD calls it net.inet.tcp.newcwv.",
		},
		{
			"net.ipv4.tcp_challenge_ack_limit", number(0, unbounded, func(s *Stack) *int { return &s.tcpEnv.ChallengeACKs }),
			"About how many challenge ACKs the machine sends in a second (RFC 5961, 7); 2147483647 is no limit but that of each connection, tcp_invalid_ratelimit. It varies by chance, so that nobody can tell from it what others are doing.",
		},
		{
			"net.ipv4.tcp_invalid_ratelimit", duration(time.Millisecond, 0, unbounded, func(s *Stack) *clock.Duration { return &s.tcpEnv.InvalidACKInterval }),
			"The least time between two ACKs of a connection that answer unacceptable segments without data. 0: no limit.",
		},
	}
}

// tcpLosses is how losses are found.
func tcpLosses() []sysctl {
	const seconds = unbounded / 1000
	return []sysctl{
		{
			"net.ipv4.tcp_recovery", recoveryKnob(),
			"A sum of: 1, segments sent earlier than one that has arrived are lost (RACK, RFC 8985); without it they are counted (RFC 6675). 2, RACK's reordering window never grows. 4, three segments after a gap don't mean a loss at once.",
		},
		{
			"net.ipv4.tcp_early_retrans", choice(3, 0, 4, func(n int) bool { return n >= 3 }, func(s *Stack) (*int, *bool) { return &s.cfg.earlyRetrans, &s.tcpEnv.LossProbe }),
			"3 or 4: send a loss probe when an ACK is overdue (RFC 8985, 7). 0 to 2: don't.",
		},
		{
			"net.ipv4.tcp_frto", choice(2, 0, 2, func(n int) bool { return n > 0 }, func(s *Stack) (*int, *bool) { return &s.cfg.frto, &s.tcpEnv.FRTO }),
			"Find out after a retransmission time-out whether it was for nothing (F-RTO, RFC 5682). 0: don't.",
		},
		{
			"net.ipv4.tcp_rto_restart", toggle(func(s *Stack) *bool { return &s.tcpEnv.RTORestart }),
			"Let the retransmission time-out count from when the oldest segment was sent, where few are in flight and nothing waits to be sent (RFC 7765). Linux has no such setting.",
		},
		{
			"net.ipv4.tcp_reordering", number(1, 127, func(s *Stack) *int { return &s.tcpEnv.Reordering }),
			"How many segments that arrive after a gap mean that what is missing was lost, before the network was seen to change the order.",
		},
		{
			"net.ipv4.tcp_max_reordering", number(1, 65535, func(s *Stack) *int { return &s.tcpEnv.MaxReordering }),
			"The most that tcp_reordering can become for a connection whose network changes the order.",
		},
		{
			"net.ipv4.tcp_min_rtt_wlen", duration(time.Second, 0, seconds, func(s *Stack) *clock.Duration { return &s.tcpEnv.MinRTTWindow }),
			"How long the shortest round-trip time that was measured stands.",
		},
	}
}

// choice is a number of which only that counts for us whether it means yes. It
// reads as it was set; on a machine whose settings were made otherwise, as usual for
// yes and as 0 for no.
func choice(usual, least, most int, yes func(int) bool, at func(s *Stack) (said *int, is *bool)) knob {
	return quantity("number", least, most,
		func(s *Stack) int {
			if said, is := at(s); yes(*said) == *is {
				return *said
			}
			_, is := at(s)
			return usual * bit(*is)
		},
		func(s *Stack, n int) {
			said, is := at(s)
			*said, *is = n, yes(n)
		})
}

// recoveryKnob is tcp_recovery: three things in one number.
func recoveryKnob() knob {
	return quantity("number", 0, 7, func(s *Stack) int {
		return bit(s.tcpEnv.RACK) + 2*bit(s.tcpEnv.StaticReorderWindow) + 4*bit(s.tcpEnv.NoDupThresh)
	}, func(s *Stack, n int) {
		s.tcpEnv.RACK, s.tcpEnv.StaticReorderWindow, s.tcpEnv.NoDupThresh = n&1 != 0, n&2 != 0, n&4 != 0
	})
}

// timestampsKnob is tcp_timestamps: two things in one number.
func timestampsKnob() knob {
	return quantity("number", 0, 2, func(s *Stack) int {
		return bit(s.tcpEnv.Timestamps) * (1 + bit(s.cfg.PlainTimestamps))
	}, func(s *Stack, n int) {
		s.tcpEnv.Timestamps, s.cfg.PlainTimestamps = n > 0, n == 2
	})
}
