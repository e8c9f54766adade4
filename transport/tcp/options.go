package tcp

import (
	"math"
	"time"

	"hubbub/clock"
)

// SetNoDelay turns the Nagle algorithm off, or on again (TCP_NODELAY). To turn
// it off pushes what waits, even behind a cork.
func (c *Conn) SetNoDelay(on bool) { c.noDelay, c.holding.push = on, on }

// SetOOBInline leaves urgent octets in the stream (SO_OOBINLINE).
func (c *Conn) SetOOBInline(on bool) { c.oobInline = on }

// SetSendBuffer sets the capacity of the send queue in octets, 1 at least, and
// ends its tuning (SO_SNDBUF). What it holds stays.
func (c *Conn) SetSendBuffer(n int) {
	c.wish().send = true
	c.snd.limit = int32(min(max(1, n), math.MaxInt32))
}

// SetReceiveBuffer sets the size of the receive buffer in octets of memory, and
// ends its tuning (SO_RCVBUF). Config.AdvWinScale says how much of it is for
// data: one unit of the window scale at least, and no more than the window
// scale of the handshake can express. A window that was promised is not taken
// back.
func (c *Conn) SetReceiveBuffer(now clock.Time, n int) {
	c.wish().receive = true
	c.rcv.buffer = int32(min(max(0, n), math.MaxInt32))
	c.resizeWindow(now)
}

// SendBuffer and ReceiveBuffer return the present sizes of the buffers, in
// octets.
func (c *Conn) SendBuffer() int    { return int(c.snd.limit) }
func (c *Conn) ReceiveBuffer() int { return int(c.rcv.buffer) }

// SetWindowClamp sets the largest window that is advertised, in octets; 0 for
// none (TCP_WINDOW_CLAMP).
func (c *Conn) SetWindowClamp(now clock.Time, n int) {
	c.wish().clamp = int32(n)
	c.resizeWindow(now)
}

// SetNotSentLowat sets how many octets may be written and not sent
// (TCP_NOTSENT_LOWAT); 0 for the host's number.
func (c *Conn) SetNotSentLowat(n int) { c.wish().notSent = int32(min(max(0, n), math.MaxInt32)) }

// SetMaxSegment limits the payload of segments that are sent (TCP_MAXSEG) and,
// before the SYN, of those that are received.
func (c *Conn) SetMaxSegment(n int) {
	n = min(max(n, c.env.MinSendMSS), 0xffff)
	if c.state == StateSynSent && c.synDue && !c.synLost {
		c.rcv.mss = min(c.rcv.mss, uint16(n))
	}
	c.limitSegments(min(n, int(c.snd.limitMSS)))
}

// SetSynRetries limits how often the SYN is sent again, 1 to 255 (TCP_SYNCNT).
func (c *Conn) SetSynRetries(n int) { c.synRetries = uint8(min(max(n, 1), maxRetries)) }

// SetUserTimeout limits how long data, or a keep-alive probe, may go
// unacknowledged before the connection is given up; 0 for the host's number
// of retries. "An application MUST (MUST-21) be able to set the value for R2
// for a particular connection." (RFC 9293, 3.8.3)
func (c *Conn) SetUserTimeout(d time.Duration) {
	if c.rare.userTimeout != d {
		c.own().userTimeout = max(0, d)
	}
}
