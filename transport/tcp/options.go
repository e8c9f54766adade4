package tcp

import (
	"time"

	"hubbub/clock"
)

// SetNoDelay turns the Nagle algorithm off, or on again (TCP_NODELAY). To turn
// it off pushes what waits, even behind a cork.
func (c *Conn) SetNoDelay(on bool) { c.noDelay, c.holding.push = on, on }

// SetOOBInline leaves urgent octets in the stream (SO_OOBINLINE).
func (c *Conn) SetOOBInline(on bool) { c.oobInline = on }

// SetSendBuffer sets the capacity of the send queue in octets, 1 at least.
// What it holds stays.
func (c *Conn) SetSendBuffer(n int) { c.snd.limit = max(1, n) }

// SetReceiveBuffer sets how much may wait to be read, in octets: one
// unit of the window scale at least, and no more than the window scale of the handshake can express. A window
// that was promised is not taken back.
func (c *Conn) SetReceiveBuffer(_ clock.Time, n int) {
	c.rcv.limit = min(max(1<<c.rcv.shift, n), 0xffff<<c.rcv.shift)
	c.consumed()
}

// SetMaxSegment limits the payload of segments that are sent (TCP_MAXSEG) and,
// before the SYN, of those that are received.
func (c *Conn) SetMaxSegment(n int) {
	n = min(max(n, c.env.MinSendMSS), 0xffff)
	if c.state == StateSynSent && c.synDue && !c.synLost {
		c.rcv.mss = min(c.rcv.mss, uint16(n))
	}
	c.SetSendMSS(min(n, int(c.snd.limitMSS)))
}

// SetSynRetries limits how often the SYN is sent again, 1 to 255 (TCP_SYNCNT).
func (c *Conn) SetSynRetries(n int) { c.synRetries = uint8(min(max(n, 1), maxRetries)) }

// SetUserTimeout limits how long data, or a keep-alive probe, may go
// unacknowledged before the connection is given up; 0 for the host's number
// of retries. "An application MUST (MUST-21) be able to set the value for R2
// for a particular connection." (RFC 9293, 3.8.3)
func (c *Conn) SetUserTimeout(d time.Duration) { c.userTimeout = max(0, d) }
