package stack

import (
	"hubbub/clock"
	"hubbub/event"
	"hubbub/internal/pkt"
	"hubbub/network/dhcp6"
	"hubbub/network/groups"
	"hubbub/network/neigh"
)

// A Discard is a reason for which a packet goes no further at this machine.
type Discard uint8

// The reasons, in the order of the layers that find them.
const (
	discardFCS Discard = iota
	discardShortFrame
	discardOtherMAC
	discardTagged
	discardEtherType
	discardARP
	discardIPv4Header
	discardTruncated
	discardMartianSource
	discardMartianDestination
	discardOtherAddress
	discardFragment
	discardProtocol
	discardBadTransportHeader
	discardBadChecksum
	discardNoPort
	discardBroadcastTCP
	discardTTL
	discardNoRoute
	discardTooBig
	discardUnresolved
	discardCrowded
	discardReceiveBuffer
	discardAcceptQueue
	discardSYNQueue
	discardDeferred
	discardNotSYN
	discardICMP
	discardICMPLimit
	discardOptions
	discardSourceRoute
	discardRedirect
	discardGroup
	discardDirectedBroadcast
	discardLinkBroadcast
	discardNoDestination
	discardTentative
	discardRecycled
	discardUntranslatable
	discardNoMapping
	discardUnasked
	discardIPv6Header
	discardExtensions
	discardNothing
	discardScope
	discardNoChecksum
	discardRouterAsked
	discardRouterAdvert
	discardGroupMAC
	discardIPv6Off
	// discardNDP is no reason: behind it come those of neigh.Invalid.
	discardNDP
	// discardGroups is none either: behind it come those of groups.Reason.
	discardGroups = discardNDP + maxInvalid
	// Nor is discardDHCP: behind it come those of dhcp6.Reason.
	discardDHCP = discardGroups + maxInvalid
	numDiscards = discardDHCP + maxInvalid
)

// maxInvalid is more than there are reasons of neigh.Invalid, groups.Reason or
// dhcp6.Reason.
const maxInvalid = 16

var discardText = [numDiscards]string{
	discardFCS:                "its frame check sequence is wrong: a bit was damaged on the way",
	discardShortFrame:         "it is too short for an Ethernet frame",
	discardOtherMAC:           "it is addressed to another MAC address",
	discardTagged:             "it is tagged for a VLAN, and this machine is in none",
	discardEtherType:          "nothing here speaks its EtherType",
	discardARP:                "it asks for an address that isn't this machine's",
	discardIPv4Header:         "its IPv4 header is damaged",
	discardTruncated:          "it is shorter than its header says",
	discardMartianSource:      "its source address can't be a sender's",
	discardMartianDestination: "its destination address doesn't belong on a link",
	discardOtherAddress:       "it is for another IP address, and this machine is no router",
	discardFragment:           "it is a fragment that doesn't fit the others",
	discardProtocol:           "nothing here speaks its protocol",
	discardBadTransportHeader: "its transport header is damaged",
	discardBadChecksum:        "its checksum is wrong",
	discardNoPort:             "no socket has its port",
	discardBroadcastTCP:       "TCP can't be broadcast",
	discardTTL:                "its time to live has run out",
	discardNoRoute:            "there is no route to its destination",
	discardTooBig:             "it exceeds the next link's MTU and may not be cut",
	discardUnresolved:         "its next hop doesn't answer",
	discardCrowded:            "too many neighbours that strangers were to be answered at have been asked for",
	discardReceiveBuffer:      "the socket's receive buffer is full",
	discardAcceptQueue:        "the queue of connections to be accepted is full",
	discardSYNQueue:           "the queue of half-open connections is full",
	discardDeferred:           "the listener waits for data before it takes the connection",
	discardNotSYN:             "a listener takes nothing but SYNs",
	discardICMP:               "its ICMP message concerns nothing here",
	discardICMPLimit:          "too many ICMP errors have been sent already",
	discardOptions:            "its IP options are malformed",
	discardSourceRoute:        "its source route leads further, and this machine follows none",
	discardRedirect:           "the redirect is not from the gateway in use, or leads off the link",
	discardGroup:              "it is for a multicast group that this machine hasn't joined",
	discardDirectedBroadcast:  "it is a broadcast into a subnet, which routers don't let in",
	discardLinkBroadcast:      "it was broadcast on the link, but its IP address is a single machine's",
	discardNoDestination:      "its destination is no address of the machine any more",
	discardTentative:          "its destination is an address that isn't in use yet",
	discardUntranslatable:     "it has no port that NAT could change",
	discardNoMapping:          "NAT has no port left for its sender",
	discardUnasked:            "it is for a machine behind NAT, and is no answer",
	discardRecycled:           "its timestamp is older than the last from its address (tcp_tw_recycle)",
	discardIPv6Header:         "its IPv6 header is damaged",
	discardExtensions:         "its IPv6 extension headers are damaged, or too many",
	discardNothing:            "its header says that nothing follows it",
	discardScope:              "its source address counts on its own link only",
	discardNoChecksum:         "it has no UDP checksum, which IPv6 demands",
	discardRouterAsked:        "it asks for a router, and this machine is none",
	discardGroupMAC:           "it is addressed to the MAC address of a group that this machine hasn't joined",
	discardIPv6Off:            "IPv6 is switched off on the interface (disable_ipv6)",
	discardRouterAdvert:       "it advertises a router, and this machine heeds none",
}

// String says the reason in a sentence about "it", the packet.
func (d Discard) String() string {
	if d > discardDHCP {
		return "DHCPv6: " + dhcp6.Reason(d-discardDHCP).String()
	}
	if d > discardGroups {
		return groups.Reason(d - discardGroups).String()
	}
	if d > discardNDP {
		return neigh.Invalid(d - discardNDP).String()
	}
	return discardText[d]
}

// Discards returns how many packets were discarded for each reason that there
// was.
func (s *Stack) Discards() map[string]uint64 {
	counts := make(map[string]uint64)
	for d, n := range s.discards {
		if n > 0 {
			counts[Discard(d).String()] = n
		}
	}
	return counts
}

// discard counts and tells that p, which came or would have left by i, goes
// no further, and releases it.
func (s *Stack) discard(now clock.Time, i *Interface, p *pkt.Packet, why Discard) {
	s.discards[why]++
	if s.stream.On() {
		e := event.FrameDropped{Port: i.Name, Frame: event.ID(p.ID), Reason: why.String()}
		if p.ID == 0 {
			e.Data = p.AppendTo(nil)
		}
		s.stream.Publish(now, s.cfg.Name, e)
	}
	p.Release()
}
