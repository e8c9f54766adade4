package autoconf

import (
	"net/netip"
	"time"

	"hubbub/clock"
)

const second = time.Second

// A Kind says what a Change asks for.
type Kind uint8

// The kinds of changes.
const (
	AddAddress    Kind = iota + 1 // Prefix holds the address; it is tentative
	RemoveAddress                 // Prefix holds the address
	Deprecate                     // Addr should not begin new conversations any more
	Prefer                        // Addr may begin new conversations again
	AddRouter                     // Addr is a default router, of preference Value: 1, 0, -1 as int8
	RemoveRouter                  // Addr is none any more
	AddPrefix                     // Prefix is on the link
	RemovePrefix                  // Prefix isn't known to be on the link any more
	SetMTU                        // Value octets
	SetHopLimit                   // Value, of what is sent
	SetReachable                  // Value milliseconds, RFC 4861's BaseReachableTime
	SetRetrans                    // Value milliseconds, RFC 4861's RetransTimer
	SetServers                    // the DNS servers are those of Servers
	SetDomains                    // the domains in which names are looked for are those of Domains
	AskDHCP                       // ask a DHCPv6 server for Value: DHCPSettings or DHCPAddresses
	GiveUp                        // no address that is ours alone was found: IPv6 can't be used on the interface
)

var kindNames = [...]string{
	"", "address added", "address removed", "address deprecated", "address preferred", "router added", "router removed",
	"prefix added", "prefix removed", "MTU", "hop limit", "reachable time", "retransmission time", "DNS servers", "search domains", "DHCPv6", "given up",
}

// String returns a few words such as "address added".
func (k Kind) String() string { return kindNames[k] }

// A Change is what the owner of a Host has to do.
type Change struct {
	Kind      Kind
	Addr      netip.Addr
	Prefix    netip.Prefix
	Value     uint32
	Temporary bool // the address
	Why       string
}

// What AskDHCP asks for.
const (
	DHCPSettings  = 1 // all but addresses
	DHCPAddresses = 2 // addresses, and settings
)

// PollChange returns the next change.
func (h *Host) PollChange() (Change, bool) { return h.changes.Pop() }

func (h *Host) change(c Change) { h.changes.Push(c) }

// A router is one of the default router list (RFC 4861, 5.1).
type router struct {
	Router
	until clock.Time
}

// A Router is a default router.
type Router struct {
	Addr       netip.Addr
	Preference int8 // 1 high, 0 medium, -1 low (RFC 4191, 2.1)
}
