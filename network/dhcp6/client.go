package dhcp6

import (
	"math/rand/v2"
	"net/netip"
	"time"

	"hubbub/clock"
	"hubbub/internal/fifo"
	"hubbub/wire"
)

// ClientConfig is what a Client is built from.
type ClientConfig struct {
	DUID        []byte // who the client is, 3 to 130 octets (RFC 8415, 11); see LinkLayerDUID
	IAID        uint32 // the identity association; another for each interface
	Stateless   bool   // ask for no address, just for settings
	RapidCommit bool   // take an address that a server gives at once (RFC 8415, 18.2.1)
}

// LinkLayerDUID makes a DUID from an Ethernet address (RFC 8415, 11.4).
func LinkLayerDUID(m wire.MAC) []byte { return append([]byte{0, 3, 0, 1}, m[:]...) }

// A State says how far a client is.
type State uint8

// The states. All but Idle, Bound and Informed are named for the message that is
// sent until it is answered.
const (
	Idle State = iota
	Soliciting
	Requesting
	Bound
	Renewing
	Rebinding
	Releasing
	Declining
	Asking   // for settings alone
	Informed // has them
)

// String returns the state as a word.
func (s State) String() string {
	return [...]string{
		"idle", "soliciting", "requesting", "bound", "renewing", "rebinding", "releasing", "declining", "asking", "informed",
	}[s]
}

// maxAddresses bounds what a server can make a client have, and maxServers how
// many DNS servers it keeps.
const (
	maxAddresses = 4
	maxServers   = 8
)

// maxDomains bounds how many domains a client keeps.
const maxDomains = 8

// A Client configures one interface.
//
// State: State, Addresses, Servers, Domains, Drops. Input: HandleMessage, HandleTimer,
// HandleAddressLost. Commands: Start, Release. Output: PollMessage, PollChange,
// NextTimer.
type Client struct {
	cfg ClientConfig
	rnd *rand.Rand

	state     State
	exchange  exchange
	best      offer  // of the advertisements so far
	server    []byte // the DUID of the one that the addresses are from
	addresses []Address
	declined  []netip.Addr
	servers   []netip.Addr
	domains   []string
	t1, t2    clock.Time
	refresh   clock.Time // when settings are asked for anew

	solicitMax, askMax clock.Duration // SOL_MAX_RT and INF_MAX_RT

	messages fifo.Queue[Message]
	changes  fifo.Queue[Change]
	drops    Drops
}

// An Address is one that a server has given.
type Address struct {
	Addr      netip.Addr
	Preferred clock.Time // until when it begins new conversations; clock.End: for ever
	Valid     clock.Time // until when it is the client's

	deprecated bool // its preferred lifetime is over
}

// An offer is a server's advertisement.
type offer struct {
	server     []byte
	preference int // 0 to 255; -1: there is none
	addresses  []netip.Addr
}

// A Message is to be sent to all servers.
type Message struct {
	Payload []byte
	Reason  string // such as "DHCPv6 solicit"
	RFC     string // where that is laid down
}

// A Kind says what a Change asks for.
type Kind uint8

// The kinds of changes.
const (
	AddAddress    Kind = iota + 1 // Addr is to be claimed, with those lifetimes; its prefix has 128 bits
	UpdateAddress                 // its lifetimes are others
	RemoveAddress                 // it isn't ours any more
	Deprecate                     // Addr is to begin no new conversations any more
	SetServers                    // the DNS servers are those of Servers
	SetDomains                    // the domains in which names are looked for are those of Domains
)

// String returns a few words such as "address added".
func (k Kind) String() string {
	return [...]string{
		"", "address added", "address kept", "address removed", "address deprecated", "DNS servers", "search domains",
	}[k]
}

// A Change is what the owner of a Client has to do. "Addresses obtained from an
// IA_NA or IA_TA MUST NOT be used to form an implicit prefix with a length other
// than 128." (RFC 8415, 18.2.10.1)
type Change struct {
	Kind Kind
	Address
	Why string
}

// NewClient returns a client that has done nothing yet.
func NewClient(cfg *ClientConfig, rnd *rand.Rand) *Client {
	return &Client{cfg: *cfg, rnd: rnd, best: offer{preference: -1}, solicitMax: defaultMaxRT, askMax: defaultMaxRT}
}

// State returns how far the client is.
func (c *Client) State() State { return c.state }

// Addresses returns the addresses that the client has.
func (c *Client) Addresses() []Address { return c.addresses }

// Servers returns the DNS servers.
func (c *Client) Servers() []netip.Addr { return c.servers }

// Domains returns the domains in which names are to be looked for.
func (c *Client) Domains() []string { return c.domains }

// Drops returns how many messages were discarded, by reason.
func (c *Client) Drops() Drops { return c.drops }

// Start begins to ask: "The first Solicit message from the client on the
// interface SHOULD be delayed by a random amount of time between 0 and
// SOL_MAX_DELAY." (RFC 8415, 18.2.1; 18.2.6)
func (c *Client) Start(now clock.Time) {
	if c.state == Idle {
		c.discover(now)
	}
}

// discover looks for servers from the beginning. "the client SHOULD stop using
// all the addresses [...] for which it has bindings" (RFC 8415, 18.2.10.1).
func (c *Client) discover(now clock.Time) {
	c.removeAll("a server is looked for anew")
	c.best, c.server, c.t1, c.t2 = offer{preference: -1}, nil, clock.Never, clock.Never
	if c.cfg.Stateless {
		c.begin(now, Asking)
	} else {
		c.begin(now, Soliciting)
	}
	c.exchange.due = now.Add(1 + clock.Duration(c.rnd.Int64N(int64(time.Second))))
}

// Release gives the addresses back: "The client MUST stop using all of the
// leases being released before the client begins the Release message exchange
// process." (RFC 8415, 18.2.7) A client without any just stops.
func (c *Client) Release(now clock.Time) {
	if len(c.addresses) == 0 {
		c.stop()
		return
	}
	c.declined = c.declined[:0]
	for _, a := range c.addresses {
		c.declined = append(c.declined, a.Addr)
	}
	c.removeAll("it is given back")
	c.begin(now, Releasing)
	c.transmit(now)
}

// HandleAddressLost gives an address back that somebody else uses (RFC 8415,
// 18.2.8).
func (c *Client) HandleAddressLost(now clock.Time, addr netip.Addr) {
	for i, a := range c.addresses {
		if a.Addr != addr {
			continue
		}
		c.remove(i, "somebody else uses it")
		c.declined = append(c.declined[:0], addr)
		c.begin(now, Declining)
		c.transmit(now)
		return
	}
}

func (c *Client) stop() { c.state, c.exchange = Idle, exchange{} }

func (c *Client) remove(i int, why string) {
	c.changes.Push(Change{Kind: RemoveAddress, Address: c.addresses[i], Why: why})
	c.addresses = append(c.addresses[:i:i], c.addresses[i+1:]...)
}

func (c *Client) removeAll(why string) {
	for len(c.addresses) > 0 {
		c.remove(0, why)
	}
}

// HandleTimer does what is due at now.
func (c *Client) HandleTimer(now clock.Time) {
	c.expire(now)
	switch {
	case c.state == Bound && c.t2.Due(now):
		c.begin(now, Rebinding)
		c.transmit(now)
	case c.state == Bound && c.t1.Due(now):
		c.begin(now, Renewing)
		c.transmit(now)
	case c.state == Renewing && c.t2.Due(now):
		c.begin(now, Rebinding) // "the client initiates a Rebind/Reply message exchange" at T2 (RFC 8415, 18.2.5)
		c.transmit(now)
	case c.state == Informed && c.refresh.Due(now):
		c.refresh = clock.Never
		c.discover(now)
	case c.exchange.due.Due(now):
		c.resend(now)
	}
}

// expire takes away the addresses whose lifetime is over; without any, servers
// are looked for anew.
func (c *Client) expire(now clock.Time) {
	had := len(c.addresses)
	for i := 0; i < len(c.addresses); {
		if c.addresses[i].Valid.Due(now) {
			c.remove(i, "its lifetime is over")
			continue
		}
		if a := &c.addresses[i]; !a.deprecated && a.Preferred.Due(now) {
			a.deprecated = true
			c.changes.Push(Change{Kind: Deprecate, Address: *a, Why: "its preferred lifetime is over"})
		}
		i++
	}
	if had > 0 && len(c.addresses) == 0 && c.state != Declining {
		c.discover(now)
	}
}

// NextTimer returns when HandleTimer has something to do, clock.Never if
// nothing waits for time to pass.
func (c *Client) NextTimer() clock.Time {
	next := c.exchange.due
	switch c.state {
	case Bound:
		next = clock.Earlier(next, clock.Earlier(c.t1, c.t2))
	case Renewing:
		next = clock.Earlier(next, c.t2)
	case Informed:
		next = clock.Earlier(next, c.refresh)
	}
	for _, a := range c.addresses {
		if a.Valid != clock.End {
			next = clock.Earlier(next, a.Valid)
		}
		if a.Preferred != clock.End && !a.deprecated {
			next = clock.Earlier(next, a.Preferred)
		}
	}
	return next
}

// PollMessage returns the next message to be sent.
func (c *Client) PollMessage(clock.Time) (Message, bool) { return c.messages.Pop() }

// PollChange returns the next change.
func (c *Client) PollChange() (Change, bool) { return c.changes.Pop() }
