package stack

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"hubbub/clock"
)

// ipSysctls are the settings of IP, ICMP and the ports.
func ipSysctls() []sysctl {
	return []sysctl{
		{
			"net.ipv4.ip_forward", toggle(func(s *Stack) *bool { return &s.cfg.Forwarding }).then(func(s *Stack) {
				s.forgetRedirects()
				s.generation++
			}),
			"Forward packets that are for other machines: 1 for a router, 0 for a host.",
		},
		{
			"net.ipv4.ip_default_ttl", quantity("number", 1, 255,
				func(s *Stack) int { return int(s.cfg.TTL) },
				func(s *Stack, n int) { s.cfg.TTL = uint8(n) }),
			"The time to live of packets whose sender asks for none: how many routers they may pass.",
		},
		{
			"net.ipv4.ip_no_pmtu_disc", number(0, 2, func(s *Stack) *int { return &s.cfg.NoPathMTU }),
			"0: TCP finds the path's MTU (RFC 1191). 1: its packets may be fragmented on the way, and a router that tells of a smaller MTU makes it 552. 2: what routers tell is ignored as well.",
		},
		{
			"net.ipv4.ip_local_port_range", numbers(2, 1, 65535, checkPortRange, func(s *Stack) []*int {
				return []*int{&s.cfg.EphemeralLow, &s.cfg.EphemeralHigh}
			}),
			"The first and the last of the ports that sockets get which don't ask for one.",
		},
		{
			"net.ipv4.ip_local_reserved_ports", reservedPortsKnob(),
			"Ports of ip_local_port_range that no socket gets which doesn't ask for them, such as 8080,9000-9010.",
		},
		{
			"net.ipv4.ip_unprivileged_port_start", numbers(1, 0, 65535, checkPrivileged, func(s *Stack) []*int {
				return []*int{&s.cfg.PrivilegedBelow}
			}),
			"Ports below it take privilege to bind.",
		},
		{
			"net.ipv4.icmp_echo_ignore_all", toggle(func(s *Stack) *bool { return &s.cfg.IgnorePings }),
			"Answer no ping.",
		},
		{
			"net.ipv4.icmp_echo_ignore_broadcasts", toggle(func(s *Stack) *bool { return &s.cfg.IgnoreBroadcastPings }),
			"Answer no ping that was broadcast.",
		},
		{
			"net.ipv4.icmp_ratelimit", duration(time.Millisecond, 0, unbounded, func(s *Stack) *clock.Duration {
				return &s.cfg.ICMPErrors.DestEvery
			}).then(limitICMP),
			"The time between two ICMP errors to the same machine, on average; six may come at once. 0: no limit.",
		},
		{
			"net.ipv4.icmp_msgs_per_sec", number(0, unbounded, func(s *Stack) *int { return &s.cfg.ICMPErrors.Rate }).then(limitICMP),
			"How many ICMP errors the machine sends in a second, to all others together. 0: none.",
		},
		{
			"net.ipv4.icmp_msgs_burst", number(0, unbounded, func(s *Stack) *int { return &s.cfg.ICMPErrors.Burst }).then(limitICMP),
			"How many ICMP errors the machine sends at once.",
		},
		{
			"net.ipv4.ipfrag_time", duration(time.Second, 1, unbounded/1000, func(s *Stack) *clock.Duration {
				return &s.cfg.Fragments.Timeout
			}).then(boundFragments),
			"How long the fragments of a packet wait for those that are missing.",
		},
		{
			"net.ipv4.ipfrag_high_thresh", number(1, unbounded, func(s *Stack) *int { return &s.cfg.Fragments.Bytes }).then(boundFragments),
			"How much memory fragments take that wait for others, in octets; the packets that came first give way.",
		},
	}
}

// checkPortRange and checkPrivileged keep the ports that are given by chance
// apart from those that take privilege, as Linux does.
func checkPortRange(s *Stack, n []int) error {
	if n[0] > n[1] || n[0] < s.cfg.PrivilegedBelow {
		return fmt.Errorf("the first port, %d, must not be above the last, nor below ip_unprivileged_port_start, %d",
			n[0], s.cfg.PrivilegedBelow)
	}
	return nil
}

func checkPrivileged(s *Stack, n []int) error {
	if n[0] > s.cfg.EphemeralLow {
		return fmt.Errorf("%d is above the first port of ip_local_port_range, %d", n[0], s.cfg.EphemeralLow)
	}
	return nil
}

func limitICMP(s *Stack)      { s.icmpLimit.Configure(s.cfg.ICMPErrors) }
func boundFragments(s *Stack) { s.reassembly.Configure(s.cfg.Fragments) }

// portRange is a range of ports that are reserved: no connection gets one by
// chance.
type portRange struct{ first, last uint16 }

func (r portRange) String() string {
	if r.first == r.last {
		return strconv.Itoa(int(r.first))
	}
	return fmt.Sprintf("%d-%d", r.first, r.last)
}

// reserved reports whether no socket is to get the port by chance.
func (c *Config) reserved(port uint16) bool {
	for _, r := range c.reservedPorts {
		if r.first <= port && port <= r.last {
			return true
		}
	}
	return false
}

func reservedPortsKnob() knob {
	return knob{
		form: "ports and ranges of ports with commas between, or nothing",
		get: func(s *Stack) string {
			var texts []string
			for _, r := range s.cfg.reservedPorts {
				texts = append(texts, r.String())
			}
			return strings.Join(texts, ",")
		},
		set: func(s *Stack, value string) error {
			ranges, err := parsePortRanges(value)
			if err == nil {
				s.cfg.reservedPorts = ranges
			}
			return err
		},
	}
}

// maxPortRanges bounds the list: every other port.
const maxPortRanges = 1 << 15

func parsePortRanges(value string) ([]portRange, error) {
	if value == "" {
		return nil, nil
	}
	var all []portRange
	for _, text := range strings.Split(value, ",") {
		first, last, isRange := strings.Cut(strings.TrimSpace(text), "-")
		if !isRange {
			last = first
		}
		low, err := wholeNumber(first, "a port", 0, 65535)
		if err != nil {
			return nil, err
		}
		high, err := wholeNumber(last, "a port", 0, 65535)
		if err != nil {
			return nil, err
		}
		if low > high || len(all) == maxPortRanges {
			return nil, errors.New("a range is written from the lower port to the higher, such as 9000-9010")
		}
		all = append(all, portRange{uint16(low), uint16(high)})
	}
	return all, nil
}
