package tcp

import (
	"math"
	"math/bits"
	"time"

	"hubbub/clock"
)

// A buffer's size counts memory, as on Linux: what is kept beside the data
// has to fit in as well. Of a receive buffer, Config.AdvWinScale says how much
// is for data; that is the largest window. A send buffer holds as many octets
// as its size says.

// windowOf returns the part of a receive buffer that is for data.
func (cfg *Config) windowOf(buffer int) int {
	if s := cfg.AdvWinScale; s > 0 {
		return buffer - buffer>>s
	}
	return buffer >> -cfg.AdvWinScale
}

// bufferFor returns how large a receive buffer must be for a window.
func (cfg *Config) bufferFor(window int) int {
	if s := cfg.AdvWinScale; s > 0 {
		return window << s / (1<<s - 1)
	}
	return window << -cfg.AdvWinScale
}

// wishes are what few programs want of a connection's buffers: nobody else
// has them.
type wishes struct {
	receive, send bool  // the sizes are set by the program, and not tuned
	clamp         int32 // the largest window; 0 for none
	notSent       int32 // TCP_NOTSENT_LOWAT; 0 for the host's
}

// wish returns the wishes, to be changed.
func (c *Conn) wish() *wishes {
	return &c.own().wishes
}

// wants returns the wishes, to be read.
func (c *Conn) wants() *wishes { return &c.rare.wishes }

// beginBuffers gives a new connection its buffers and its window scale. That
// suits the largest window that may come: of the host's limits, or of a buffer
// that the program has set and that is not tuned.
func (c *Conn) beginBuffers(p *Params) {
	env := c.env
	c.snd.limit = int32(min(orDefault(p.SendBuffer, env.SendBuffer), math.MaxInt32))
	c.rcv.buffer = int32(min(orDefault(p.RecvBuffer, env.ReceiveBuffer), math.MaxInt32))
	if w := (wishes{p.RecvBuffer > 0, p.SendBuffer > 0, int32(p.WindowClamp), int32(p.NotSentLowat)}); w != (wishes{}) {
		*c.wish() = w
	}
	window := c.fullWindow(maxWindow)
	most := window
	if !c.wants().receive {
		most = max(most, c.clamped(max(env.MaxReceiveBuffer, env.MaxReceiveOption)))
	}
	if c.scaling {
		c.rcv.shift = scaleFor(most)
	}
	c.rcv.limit = int32(max(window, 1<<c.rcv.shift))
}

// clamped returns a window that is no larger than the program wants.
func (c *Conn) clamped(window int) int {
	if clamp := int(c.wants().clamp); clamp > 0 {
		return min(window, clamp)
	}
	return window
}

// fullWindow returns the window that the receive buffer has room for.
func (c *Conn) fullWindow(most int) int {
	return c.clamped(min(c.env.windowOf(int(c.rcv.buffer)), most))
}

// firstWindow returns the window of a SYN: of the whole buffer, in full
// segments, as Linux has it. A SYN's window is not scaled.
func (c *Conn) firstWindow() int {
	mss, window := int(c.rcv.mss), max(c.fullWindow(maxWindow), 1<<c.rcv.shift)
	if c.passive && c.stamped {
		mss -= timestampLen
	}
	if mss > 0 && window > mss {
		window -= window % mss
	}
	return min(window, 0xffff) - c.rcv.queue.Len()
}

// resizeWindow makes the window fit the receive buffer. A window that was
// promised is not taken back.
func (c *Conn) resizeWindow(now clock.Time) {
	c.rcv.limit = int32(max(c.fullWindow(0xffff<<c.rcv.shift), 1<<c.rcv.shift))
	c.consumed(now)
}

// beginTuning starts to measure how fast the program reads.
func (c *Conn) beginTuning(now clock.Time) {
	c.rcv.read = min(c.rcv.limit, tuningSegments*int32(c.rcv.mss))
	c.rcv.readSeq, c.rcv.readAt = c.rcv.nxt.Add(-c.rcv.queue.Len()), now
	c.expandSendBuffer()
}

// tuningSegments is how much a sender sends in its first round trip.
const tuningSegments = 10

// tuneReceiveBuffer lets the receive buffer grow with what the program reads
// in a round trip: dynamic right-sizing, as Linux does it. The window must
// hold twice that, since the peer has a round trip more of it under way when
// it hears of a larger one, and twice the growth again while the peer's window
// doubles. So the program, not the buffer, is what limits the transfer. A round
// trip that is shorter than a tick of the timestamp clock counts as one: what
// is read in it is chance.
func (c *Conn) tuneReceiveBuffer(now clock.Time) {
	r := &c.rcv
	if now.Sub(r.readAt) < max(c.peerRTT(), tick) || r.read == 0 {
		return
	}
	at := r.nxt.Add(-r.queue.Len())
	read := at.Sub(r.readSeq)
	if read > int(r.read) {
		if c.env.ModerateReceive && !c.wants().receive && !c.env.memory.pressure {
			c.growReceiveBuffer(read)
		}
		r.read = int32(read)
	}
	r.readSeq, r.readAt = at, now
}

func (c *Conn) growReceiveBuffer(read int) {
	r := &c.rcv
	window := 2*read + 16*int(r.mss)
	window += 2 * min(window*(read-int(r.read))/int(r.read), maxWindow)
	c.widen(window)
}

// widen makes the receive buffer large enough for a window, as far as the host
// allows.
func (c *Conn) widen(window int) {
	r := &c.rcv
	if buffer := min(c.env.bufferFor(window), c.env.MaxReceiveBuffer); buffer > int(r.buffer) {
		r.buffer = int32(min(buffer, math.MaxInt32))
		r.limit = max(r.limit, int32(c.fullWindow(0xffff<<r.shift)))
	}
}

// growForGap lets the receive buffer grow where what arrived after a gap reaches
// up to end: while the gap is open the program reads nothing, and the peer needs
// a window for what is held and for a round trip's text beside it. It is so on
// Linux: for connections that the program has accepted. An ACK that changes the
// window is no duplicate to a peer that counts them (RFC 5681, 2): it must
// understand SACK.
func (c *Conn) growForGap(end Seq) {
	r := &c.rcv
	if !c.sackOK || c.unclaimed || !c.env.ModerateReceive || c.wants().receive || c.env.memory.pressure {
		return
	}
	c.widen(2*int(r.read) + end.Sub(r.nxt))
}

// peerRTT returns the round-trip time as the receiver of data sees it: by the
// timestamps that the peer echoes with its data, or as it was measured when
// we sent something.
func (c *Conn) peerRTT() time.Duration {
	if c.rcv.rtt > 0 {
		return time.Duration(c.rcv.rtt-1) * time.Microsecond
	}
	return c.rtt.srtt
}

// measurePeer takes a measurement from full segments of data: each echo counts
// once, when it comes first.
func (c *Conn) measurePeer(now clock.Time, seg *Segment) {
	r := &c.rcv
	if !c.stamped || !seg.Options.Timestamps || seg.Options.TSEcr == r.echo || seg.Payload.Len() < int(r.seg) {
		return
	}
	r.echo = seg.Options.TSEcr
	sample, ok := c.ts.elapsed(now, seg.Options.TSEcr)
	if !ok || sample > time.Hour {
		return
	}
	m := 1 + int64(sample/time.Microsecond)
	if r.rtt == 0 {
		r.rtt = uint32(m)
	}
	r.rtt = uint32(int64(r.rtt) + (m-int64(r.rtt))/8)
}

// tuneSendBuffer looks whether the congestion window has outgrown the send
// buffer: so it has when the buffer holds no more than the window and what
// segments take beside their data.
func (c *Conn) tuneSendBuffer() {
	if limit := int(c.snd.limit); 3*c.cc.Cwnd > limit && limit < c.env.MaxSendBuffer {
		c.expandSendBuffer()
	}
}

// expandSendBuffer lets the send buffer hold twice what may be in flight, so
// that there is always something to be sent while the program is being told
// that there is room. A segment counts for what it takes on Linux.
func (c *Conn) expandSendBuffer() {
	if c.wants().send || c.env.memory.pressure || c.env.memory.used >= c.env.calm() {
		return
	}
	segments := max(tuningSegments, c.cc.Cwnd/int(c.snd.mss))
	c.snd.limit = max(c.snd.limit, int32(min(2*segments*segmentMemory(int(c.snd.mss)), c.env.MaxSendBuffer, math.MaxInt32)))
}

// segmentMemory returns what a segment takes on Linux: its data and headers in
// a piece of memory whose size is a power of two, and what describes it.
func segmentMemory(mss int) int {
	const headers, description = 640, 256
	return 1<<bits.Len(uint(mss+headers-1)) + description
}
