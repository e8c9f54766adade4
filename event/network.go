package event

import (
	"fmt"
	"net/netip"

	"hubbub/wire"
)

// Neighbor is a change in a host's table of its neighbours' link addresses:
// for IPv4 the ARP cache.
type Neighbor struct {
	Port     string
	Address  netip.Addr
	MAC      wire.MAC // zero while it is not known
	From, To string   // states, such as "none", "incomplete", "reachable"
	Why      string
}

// Routed is a decision where to send a packet.
type Routed struct {
	Destination netip.Addr
	Prefix      netip.Prefix // the route that matched best
	NextHop     netip.Addr   // the destination itself where it is on the link
	Port        string
	Why         string // such as "172.16.11.10 is outside 172.16.10.0/24: to the gateway"
}

// Conflict is an address that somebody else on the link uses too (RFC 5227).
type Conflict struct {
	Port    string
	Address netip.Addr
	MAC     wire.MAC // the other's
	What    string   // what was done about it
}

// Fragmented is a packet that was cut because it exceeded an MTU.
type Fragmented struct {
	Destination netip.Addr
	Size, MTU   int
	Pieces      int
}

// Reassembled is a packet made whole again, or given up.
type Reassembled struct {
	Source netip.Addr
	Pieces int
	Size   int    // bytes of the whole packet; zero if it was given up
	Why    string // why it was given up
}

func (Neighbor) isBody()    {}
func (Routed) isBody()      {}
func (Conflict) isBody()    {}
func (Fragmented) isBody()  {}
func (Reassembled) isBody() {}

func (e Neighbor) String() string {
	return fmt.Sprintf("neighbour %v: %s -> %s: %s", e.Address, e.From, e.To, e.Why)
}

func (e Routed) String() string { return fmt.Sprintf("route to %v: %s", e.Destination, e.Why) }

func (e Conflict) String() string {
	return fmt.Sprintf("%v is also used by %v: %s", e.Address, e.MAC, e.What)
}

func (e Fragmented) String() string {
	return fmt.Sprintf("cut a packet of %d bytes for %v into %d fragments: the MTU is %d",
		e.Size, e.Destination, e.Pieces, e.MTU)
}

func (e Reassembled) String() string {
	if e.Size == 0 {
		return fmt.Sprintf("gave up %d fragments from %v: %s", e.Pieces, e.Source, e.Why)
	}
	return fmt.Sprintf("put %d fragments from %v together: %d bytes", e.Pieces, e.Source, e.Size)
}

// Configured is what a machine has found out about its link, or made of it, by
// IPv6's autoconfiguration (RFC 4861, 6.3.4; RFC 4862).
type Configured struct {
	Port string
	What string // such as "address added"
	Of   string // the address, prefix or value
	Why  string
}

func (Configured) isBody() {}

func (e Configured) String() string { return fmt.Sprintf("%s: %s: %s", e.What, e.Of, e.Why) }
