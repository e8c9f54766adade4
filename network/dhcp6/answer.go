package dhcp6

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"slices"
	"time"

	"hubbub/clock"
	"hubbub/wire"
)

// An answer is what a client has read of a server's message.
type answer struct {
	wire.DHCP6
	server []byte
	ia     wire.DHCP6IA // its ID is ours, if there is one
	hasIA  bool
}

// HandleMessage takes the payload of a datagram from a server. It returns why it
// was discarded, zero if it was not (RFC 8415, 16.3 and 16.10).
func (c *Client) HandleMessage(now clock.Time, b []byte) Reason {
	why := c.handle(now, b)
	if why != 0 {
		c.drops[why]++
	}
	return why
}

func (c *Client) handle(now clock.Time, b []byte) Reason {
	m, err := wire.ParseDHCP6(b)
	if err != nil {
		return Malformed
	}
	a := answer{DHCP6: m}
	client, named := wire.FindDHCP6Option(m.Options, wire.DHCP6ClientID)
	a.server, _ = wire.FindDHCP6Option(m.Options, wire.DHCP6ServerID)
	switch {
	case m.Type != wire.DHCP6Advertise && m.Type != wire.DHCP6Reply:
		return NotForUs
	case c.exchange.due == clock.Never || c.exchange.sent == 0 || m.Transaction != c.exchange.transaction:
		return NotAsked
	case !validDUID(a.server):
		return NoServerID
	case !named && c.state != Asking || named && !bytes.Equal(client, c.cfg.DUID):
		return NotForUs
	}
	c.findIA(&a)
	c.learnTimes(m.Options)
	if m.Type == wire.DHCP6Advertise {
		return c.hearAdvertise(now, &a)
	}
	return c.hearReply(now, &a)
}

// validDUID: a DUID has a type of two octets, and "no more than 128 octets (not
// including the type code)" (RFC 8415, 11.1).
func validDUID(d []byte) bool { return len(d) > 2 && len(d) <= 130 }

// findIA finds our identity association. "If a client receives an IA_NA with T1
// greater than T2 and both T1 and T2 are greater than 0, the client discards the
// IA_NA option" (RFC 8415, 21.4).
func (c *Client) findIA(a *answer) {
	for code, data, rest, ok := wire.NextDHCP6Option(a.Options); ok; code, data, rest, ok = wire.NextDHCP6Option(rest) {
		if code != wire.DHCP6IANA {
			continue
		}
		ia, whole := wire.ParseDHCP6IA(data)
		if whole && ia.ID == c.cfg.IAID && !(ia.T1 > ia.T2 && ia.T2 > 0) {
			a.ia, a.hasIA = ia, true
			return
		}
	}
}

// learnTimes: "The client MUST process any SOL_MAX_RT option and INF_MAX_RT
// option present" (RFC 8415, 18.2.9). "the value MUST be in this range: 60 <=
// "value" <= 86400 (1 day)" (21.24).
func (c *Client) learnTimes(options []byte) {
	for _, x := range [...]struct {
		code wire.DHCP6OptionCode
		to   *clock.Duration
	}{{wire.DHCP6SolMaxRT, &c.solicitMax}, {wire.DHCP6InfMaxRT, &c.askMax}} {
		if data, ok := wire.FindDHCP6Option(options, x.code); ok && len(data) == 4 {
			if n := binary.BigEndian.Uint32(data); n >= 60 && n <= 86400 {
				*x.to = clock.Duration(n) * time.Second
			}
		}
	}
}

// usable returns the addresses of an association that may be taken: those with
// lifetimes that can be, at most maxAddresses.
func (a *answer) usable() (all []wire.DHCP6Address) {
	for code, data, rest, ok := wire.NextDHCP6Option(a.ia.Options); ok; code, data, rest, ok = wire.NextDHCP6Option(rest) {
		if code != wire.DHCP6IAAddress || len(all) == maxAddresses {
			continue
		}
		x, whole := wire.ParseDHCP6Address(data)
		// "The client MUST discard any addresses for which the preferred lifetime
		// is greater than the valid lifetime." (RFC 8415, 21.6)
		if whole && x.Preferred <= x.Valid && unicast(x.Addr) {
			all = append(all, x)
		}
	}
	return all
}

func unicast(a netip.Addr) bool {
	return !a.IsMulticast() && !a.IsUnspecified() && !a.IsLoopback() && !a.IsLinkLocalUnicast() && !a.Is4In6()
}

// hearAdvertise takes an offer: the one with the highest preference until the
// first timeout, then any. "The client MUST ignore any Advertise message that
// contains no addresses" (RFC 8415, 18.2.9). With a preference of 255 nothing is
// waited for (18.2.1).
func (c *Client) hearAdvertise(now clock.Time, a *answer) Reason {
	if c.state != Soliciting {
		return NotAsked
	}
	addresses := a.usable()
	if !a.hasIA || len(addresses) == 0 || wire.DHCP6StatusOf(a.ia.Options) != wire.DHCP6Success ||
		wire.DHCP6StatusOf(a.Options) != wire.DHCP6Success {
		return NoAddress
	}
	preference := 0
	if data, ok := wire.FindDHCP6Option(a.Options, wire.DHCP6Preference); ok && len(data) == 1 {
		preference = int(data[0])
	}
	if preference > c.best.preference {
		c.best = offer{server: slices.Clone(a.server), preference: preference}
		for _, x := range addresses {
			c.best.addresses = append(c.best.addresses, x.Addr)
		}
	}
	if preference == 255 || c.exchange.sent > 1 {
		c.request(now)
	}
	return 0
}

// request asks the best server for what it offers.
func (c *Client) request(now clock.Time) {
	c.server = c.best.server
	c.begin(now, Requesting)
	c.transmit(now)
}

// hearReply takes a server's word (RFC 8415, 18.2.10).
func (c *Client) hearReply(now clock.Time, a *answer) Reason {
	if c.state == Releasing || c.state == Declining || c.state == Asking {
		return c.hearEnd(now, a)
	}
	_, rapid := wire.FindDHCP6Option(a.Options, wire.DHCP6RapidCommit)
	if c.state == Soliciting && !(rapid && c.cfg.RapidCommit) {
		return NotAsked // "The client will discard any Reply messages that do not contain the Rapid Commit option."
	}
	if c.state != Soliciting && c.state != Rebinding && !bytes.Equal(a.server, c.server) {
		return OtherServer
	}
	status := wire.DHCP6StatusOf(a.ia.Options)
	if s := wire.DHCP6StatusOf(a.Options); s != wire.DHCP6Success {
		status = s
	}
	switch {
	case status == wire.DHCP6UnspecFail:
		return Refused // it is asked again at the usual pace
	case status == wire.DHCP6NoBinding && (c.state == Renewing || c.state == Rebinding):
		return c.requestAgain(now, a)
	case status != wire.DHCP6Success:
		c.removeAll("the server says: " + status.String())
		c.discover(now)
		return 0
	case !a.hasIA:
		return NoAddress
	}
	c.take(now, a)
	return 0
}

// hearEnd takes the answer to a Release, Decline or Information-request: "the
// client considers the Release event completed, regardless of the Status Code
// option" (RFC 8415, 18.2.10.2).
func (c *Client) hearEnd(now clock.Time, a *answer) Reason {
	switch {
	case c.state == Asking:
		c.learn(a.Options)
		c.state, c.exchange = Informed, exchange{}
		c.refresh = now.Add(refreshTime(a.Options))
	case !bytes.Equal(a.server, c.server):
		return OtherServer
	case c.state == Releasing:
		c.stop()
	case len(c.addresses) > 0:
		c.state, c.exchange = Bound, exchange{}
	default:
		c.discover(now)
	}
	return 0
}

// refreshTime: 24 hours unless told, and 600 s at least (RFC 8415, 21.23).
func refreshTime(options []byte) clock.Duration {
	if data, ok := wire.FindDHCP6Option(options, wire.DHCP6RefreshTime); ok && len(data) == 4 {
		return clock.Duration(max(binary.BigEndian.Uint32(data), 600)) * time.Second
	}
	return 24 * time.Hour
}

// requestAgain: "Sends a Request message to the server that responded if any of
// the IAs in the Reply message contain the NoBinding status code." (RFC 8415,
// 18.2.10.1)
func (c *Client) requestAgain(now clock.Time, a *answer) Reason {
	c.best = offer{server: slices.Clone(a.server)}
	for _, x := range c.addresses {
		c.best.addresses = append(c.best.addresses, x.Addr)
	}
	c.request(now)
	return 0
}

// take makes the addresses of a reply the client's: new ones are added,
// lifetimes brought up to date, and those taken away whose valid lifetime is
// zero (RFC 8415, 18.2.10.1).
func (c *Client) take(now clock.Time, a *answer) {
	for _, x := range a.usable() {
		c.update(now, &x)
	}
	if len(c.addresses) == 0 {
		c.discover(now)
		return
	}
	c.server = slices.Clone(a.server)
	c.learn(a.Options)
	c.state, c.exchange = Bound, exchange{}
	c.setTimes(now, &a.ia)
}

func (c *Client) update(now clock.Time, x *wire.DHCP6Address) {
	i := slices.IndexFunc(c.addresses, func(a Address) bool { return a.Addr == x.Addr })
	a := Address{Addr: x.Addr, Preferred: lifetime(now, x.Preferred), Valid: lifetime(now, x.Valid)}
	switch {
	case x.Valid == 0 && i >= 0:
		c.remove(i, "the server takes it back")
	case x.Valid == 0:
	case i >= 0:
		c.addresses[i] = a
		c.changes.Push(Change{Kind: UpdateAddress, Address: a, Why: "the server lets it be kept"})
	case len(c.addresses) < maxAddresses:
		c.addresses = append(c.addresses, a)
		c.changes.Push(Change{Kind: AddAddress, Address: a, Why: "a DHCPv6 server has given it"})
	}
}

func lifetime(now clock.Time, seconds uint32) clock.Time {
	if seconds == wire.Forever {
		return clock.End
	}
	return now.Add(clock.Duration(seconds) * time.Second)
}

// setTimes sets T1 and T2: those of the server, or half and four fifths of the
// shortest preferred lifetime where it leaves them to the client (RFC 8415, 14.2
// and 21.4).
func (c *Client) setTimes(now clock.Time, ia *wire.DHCP6IA) {
	shortest := clock.End
	for _, a := range c.addresses {
		shortest = min(shortest, a.Preferred)
	}
	c.t1, c.t2 = lifetime(now, ia.T1), lifetime(now, ia.T2)
	if ia.T1 == wire.Forever {
		c.t1 = clock.Never
	}
	if ia.T2 == wire.Forever {
		c.t2 = clock.Never
	}
	left := max(shortest.Sub(now), clock.Duration(time.Second))
	if ia.T1 == 0 {
		c.t1 = now.Add(left / 2)
	}
	if ia.T2 == 0 {
		c.t2 = now.Add(left/5*4 + 1)
	}
	if shortest == clock.End {
		c.t1, c.t2 = clock.Never, clock.Never
	}
}

// learn takes the settings of a reply. "the client SHOULD stop using the
// previously received configuration information" that a reply doesn't have
// (RFC 8415, 18.2.10).
func (c *Client) learn(options []byte) {
	data, _ := wire.FindDHCP6Option(options, wire.DHCP6DNSServers)
	var servers []netip.Addr
	for ; len(data) >= 16 && len(servers) < maxServers; data = data[16:] {
		servers = append(servers, netip.AddrFrom16([16]byte(data)))
	}
	if !slices.Equal(servers, c.servers) {
		c.servers = servers
		c.changes.Push(Change{Kind: SetServers, Why: "a DHCPv6 server tells them"})
	}
	data, _ = wire.FindDHCP6Option(options, wire.DHCP6SearchList)
	if domains := wire.ParseDNSNames(data, maxDomains); !slices.Equal(domains, c.domains) {
		c.domains = domains
		c.changes.Push(Change{Kind: SetDomains, Why: "a DHCPv6 server tells them"})
	}
}
