package dhcp6

import (
	"encoding/binary"
	"time"

	"hubbub/clock"
	"hubbub/wire"
)

// An exchange is a message that is sent until it is answered.
type exchange struct {
	kind        wire.DHCP6Type
	transaction uint32
	began       clock.Time     // when it was first sent
	sent        int            // how often
	timeout     clock.Duration // RT
	due         clock.Time     // when it is sent next, clock.Never if it isn't
}

// A pace is how a message is sent again (RFC 8415, 7.6 and 15).
type pace struct {
	initial clock.Duration // IRT
	longest clock.Duration // MRT; zero: any
	count   int            // MRC; zero: any number
}

const defaultMaxRT = time.Hour // SOL_MAX_RT and INF_MAX_RT

// pace returns the parameters of the message that a state is named for.
func (c *Client) pace() pace {
	switch c.state {
	case Soliciting:
		return pace{initial: time.Second, longest: c.solicitMax}
	case Requesting:
		return pace{initial: time.Second, longest: 30 * time.Second, count: 10}
	case Renewing, Rebinding:
		return pace{initial: 10 * time.Second, longest: 10 * time.Minute}
	case Asking:
		return pace{initial: time.Second, longest: c.askMax}
	}
	return pace{initial: time.Second, count: 4} // Release and Decline
}

var kinds = map[State]wire.DHCP6Type{
	Soliciting: wire.DHCP6Solicit, Requesting: wire.DHCP6Request, Renewing: wire.DHCP6Renew, Rebinding: wire.DHCP6Rebind,
	Releasing: wire.DHCP6Release, Declining: wire.DHCP6Decline, Asking: wire.DHCP6InformationRequest,
}

var purposes = map[State]string{
	Soliciting: "who gives out addresses?", Requesting: "asks for what was offered", Renewing: "asks to keep the address",
	Rebinding: "asks anybody to be let keep the address", Releasing: "gives the address back",
	Declining: "gives an address back that somebody else uses", Asking: "asks for settings",
}

var sections = map[State]string{
	Soliciting: "RFC 8415, 18.2.1", Requesting: "RFC 8415, 18.2.2", Renewing: "RFC 8415, 18.2.4", Rebinding: "RFC 8415, 18.2.5",
	Asking: "RFC 8415, 18.2.6", Releasing: "RFC 8415, 18.2.7", Declining: "RFC 8415, 18.2.8",
}

// begin gets into a state that sends a message: "A client MUST generate a
// transaction ID" anew for each (RFC 8415, 16.1).
func (c *Client) begin(now clock.Time, s State) {
	c.state = s
	c.exchange = exchange{kind: kinds[s], transaction: c.rnd.Uint32() & 0xffffff, began: now}
}

// resend sends the message again, or gives it up: "the message exchange fails
// once the client has transmitted the message MRC times" (RFC 8415, 15).
func (c *Client) resend(now clock.Time) {
	x := &c.exchange
	if c.state == Soliciting && x.sent > 0 && c.best.preference >= 0 {
		c.request(now)
		return
	}
	if most := c.pace().count; most > 0 && x.sent >= most {
		c.giveUp(now)
		return
	}
	c.transmit(now)
}

// giveUp ends an exchange that nobody answers.
func (c *Client) giveUp(now clock.Time) {
	switch {
	case c.state == Releasing:
		c.stop()
		return
	case c.state == Declining && len(c.addresses) > 0:
		c.state, c.exchange = Bound, exchange{}
		return
	}
	c.discover(now) // RFC 8415, 18.2.2: "the client restarts the DHCP server discovery process"
}

// transmit sends the message of the state, and sets the time to send it again:
//
//	RT for the first message transmission is based on IRT: RT = IRT + RAND*IRT
//	RT for each subsequent message transmission: RT = 2*RTprev + RAND*RTprev
//	if (RT > MRT) RT = MRT + RAND*MRT
//
// where RAND is between -0.1 and 0.1 (RFC 8415, 15).
func (c *Client) transmit(now clock.Time) {
	x, p := &c.exchange, c.pace()
	if x.sent == 0 {
		x.began = now
		x.timeout = p.initial + c.random(p.initial)
		if c.state == Soliciting {
			// "the first RT MUST be selected to be strictly greater than IRT"
			// (RFC 8415, 18.2.1).
			x.timeout = p.initial + 1 + max(x.timeout-p.initial, p.initial-x.timeout)
		}
	} else {
		x.timeout = 2*x.timeout + c.random(x.timeout)
	}
	if p.longest > 0 && x.timeout > p.longest {
		x.timeout = p.longest + c.random(p.longest)
	}
	x.sent++
	x.due = now.Add(x.timeout)
	reason := "DHCPv6: " + purposes[c.state]
	if x.sent > 1 {
		reason += ", again: no answer"
	}
	c.messages.Push(Message{Payload: c.compose(now), Reason: reason, RFC: sections[c.state]})
}

// random returns RAND times a duration.
func (c *Client) random(d clock.Duration) clock.Duration {
	tenth := int64(d) / 10
	return clock.Duration(c.rnd.Int64N(2*tenth+1) - tenth)
}

// compose makes the message of the state.
func (c *Client) compose(now clock.Time) []byte {
	x := &c.exchange
	b := wire.AppendDHCP6Option(nil, wire.DHCP6ClientID, c.cfg.DUID)
	if c.state != Soliciting && c.state != Rebinding && c.state != Asking {
		b = wire.AppendDHCP6Option(b, wire.DHCP6ServerID, c.server)
	}
	if c.state != Asking {
		ia := wire.DHCP6IA{ID: c.cfg.IAID, Options: c.mentioned()}
		b = ia.AppendTo(b)
	}
	// "a client MUST include an Elapsed Time option [...] in hundredths of a
	// second" (RFC 8415, 21.9).
	elapsed := min(now.Sub(x.began)/(10*time.Millisecond), 0xffff)
	b = wire.AppendDHCP6Option(b, wire.DHCP6ElapsedTime, binary.BigEndian.AppendUint16(nil, uint16(elapsed)))
	if c.state != Releasing && c.state != Declining {
		b = wire.AppendDHCP6Option(b, wire.DHCP6OptionRequest, c.requested())
	}
	if c.state == Soliciting && c.cfg.RapidCommit {
		b = wire.AppendDHCP6Option(b, wire.DHCP6RapidCommit, nil)
	}
	m := wire.DHCP6{Type: x.kind, Transaction: x.transaction, Options: b}
	return m.AppendTo(nil)
}

// mentioned are the addresses that a message is about, as options.
func (c *Client) mentioned() (b []byte) {
	addrs := c.declined
	switch c.state {
	case Soliciting:
		return nil
	case Requesting:
		addrs = c.best.addresses
	case Renewing, Rebinding:
		addrs = nil
		for _, a := range c.addresses {
			addrs = append(addrs, a.Addr)
		}
	}
	for _, addr := range addrs {
		a := wire.DHCP6Address{Addr: addr}
		b = a.AppendTo(b)
	}
	return b
}

// requested are the codes of the options that the client wants: "The client MUST
// include an Option Request option to request the SOL_MAX_RT option" (RFC 8415,
// 18.2.1), and INF_MAX_RT and the refresh time with Information-request
// (18.2.6).
func (c *Client) requested() (b []byte) {
	codes := []wire.DHCP6OptionCode{wire.DHCP6DNSServers, wire.DHCP6SearchList, wire.DHCP6SolMaxRT}
	if c.state == Asking {
		codes = []wire.DHCP6OptionCode{wire.DHCP6DNSServers, wire.DHCP6SearchList, wire.DHCP6RefreshTime, wire.DHCP6InfMaxRT}
	}
	for _, code := range codes {
		b = binary.BigEndian.AppendUint16(b, uint16(code))
	}
	return b
}
