package tcp

// pageSize is the unit of Config.Memory, in octets: Linux's pages.
const pageSize = 4096

// memory is what the queues of all of a host's connections take, and whether
// that is too much: "TCP memory pressure" begins above the second of
// Config.MemoryPages' values and ends below the first; above the third nothing is
// taken in that isn't needed.
type memory struct {
	used     int // octets
	pressure bool
}

// The three limits, in octets.
func (e *Env) calm() int     { return e.MemoryPages[0] * pageSize }
func (e *Env) alarming() int { return e.MemoryPages[1] * pageSize }

// exhausted reports whether the third limit is reached.
func (e *Env) exhausted() bool { return e.memory.used >= e.MemoryPages[2]*pageSize }

// Memory returns how many octets the queues of the host's connections take,
// with what is kept beside the data, and whether the host is short of memory:
// then windows stop growing, and what has arrived out of order is given up.
func (e *Env) Memory() (used int, pressure bool) { return e.memory.used, e.memory.pressure }

// account keeps the host's account of what the connection's queues take. It
// follows every input and every command.
func (c *Conn) account() {
	n := c.snd.queue.Storage() + c.rcv.queue.Storage()
	if c.rcv.gaps != nil {
		n += c.rcv.gaps.storage
	}
	if n != int(c.charged) {
		c.charge(n)
	}
}

// charge makes n what the account has for the connection, and gives queues back that are empty.
func (c *Conn) charge(n int) {
	m := &c.env.memory
	m.used += n - int(c.charged)
	c.charged = int32(n)
	if c.snd.queue != nil && c.snd.queue.Len() == 0 {
		c.snd.queue = c.env.keep(c.snd.queue)
	}
	if c.rcv.queue != nil && c.rcv.queue.Len() == 0 {
		c.rcv.queue = c.env.keep(c.rcv.queue)
	}
	switch {
	case m.used > c.env.alarming():
		m.pressure = true
	case m.used < c.env.calm():
		m.pressure = false
	}
}

// hasMemory reports whether the host has memory for more of what arrives. Every
// connection may fill the least receive buffer, however short the memory is.
func (c *Conn) hasMemory() bool {
	return !c.env.exhausted() || c.rcv.queue.Storage() < c.env.MinReceiveBuffer
}

// refuseText throws away text that there is no memory for. The peer sends it
// again; the ACK lets it know that nothing is amiss.
func (c *Conn) refuseText() {
	c.discard(DiscardMemory)
	c.ackNow(ReasonWindowFull)
}

// pruneGaps gives up what was held after a gap while the host is short of
// memory: "the data receiver is permitted to discard data in its queue that
// has not been acknowledged to the data sender, even if the data has already
// been reported in a SACK option." (RFC 2018, 8)
func (c *Conn) pruneGaps() {
	if c.rcv.gaps != nil && c.rcv.gaps.holds() {
		c.discard(DiscardPruned)
	}
	c.rcv.releaseReassembly(c.env)
}

// memorySpace returns how much the program may write as far as the host's
// memory goes: the least send buffer in any case. A buffer that was tuned
// shrinks to half of what it holds.
func (c *Conn) memorySpace() int {
	if !c.env.exhausted() {
		return maxWindow
	}
	n := c.snd.queue.Len()
	if !c.wants().send {
		c.snd.limit = int32(max(min(int(c.snd.limit), n/2), c.env.MinSendBuffer))
	}
	return max(0, c.env.MinSendBuffer-n)
}

// costly reports whether a connection that no program has open any more takes
// memory that the host has no more of: it is reset, as on Linux.
func (c *Conn) costly() bool {
	return c.env.exhausted() && c.snd.queue.Storage() > c.env.MinSendBuffer
}
