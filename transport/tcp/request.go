package tcp

import (
	"hubbub/clock"
	"hubbub/wire"
)

// A Request is a connection in SYN-RECEIVED that came from a listener: what
// the peer's SYN said, and when the SYN-ACK is to be repeated. It is a tenth
// of a [Conn], and there may be many: anybody can send SYNs (RFC 4987, 2).
//
// It is a Conn put by. [Conn.Fold] makes a Request of a Conn that [Accept] has
// made; when something happens to it, [Request.Unfold] makes it that Conn
// again, to handle the segment or the timer. If the connection is still half
// open then, it is folded again. So there is one machine for the handshake,
// and the program's side of a connection begins when it is established.
type Request struct {
	began    clock.Time // when the SYN came
	due      clock.Time // when the SYN-ACK is to be repeated
	cause    uint64     // the event that set that timer
	answered clock.Time // when an invalid segment was last answered

	iss, irs Seq
	tsVal    uint32 // the SYN's timestamp: no later one counts before the handshake is over
	window   uint16 // of the SYN
	mss      uint16 // the peer's, or what counts in its place
	flags    wire.TCPFlags
	offers   offers
	scale    uint8
	retries  uint8
	tries    uint8 // how often the SYN-ACK is repeated at most; 0: as the host has it
	acked    bool  // its ACK came, and could not be used yet
}

// offers are the options that a SYN carries, as bits.
type offers uint8

const (
	offersScale offers = 1 << iota
	offersSACK
	offersTimestamps
)

// Fold puts by a half-open connection that came from a listener. The Conn
// must not be used after.
func (c *Conn) Fold(r *Request) {
	r.due, r.cause = c.timers.slots[TimerRetransmit], c.timers.cause(TimerRetransmit)
	r.answered, r.retries = c.rare.invalidAt, c.retries
	c.rcv.releaseReassembly(c.env)
	c.env.idle = c
}

// NewRequest notes what a SYN says. The Conn that [Accept] makes of the same
// SYN and parameters is then folded into it.
func NewRequest(now clock.Time, p *Params, seg *Segment) Request {
	o := &seg.Options
	r := Request{
		began: now, iss: p.ISS, irs: seg.Seq, tsVal: o.TSVal, window: seg.Window, mss: o.MSS,
		flags: seg.Flags & (syn | wire.ECE | wire.CWR), scale: o.WindowScale, tries: uint8(min(p.SynRetries, maxRetries)),
	}
	if seg.ECN != ECNNone {
		r.flags &^= ecnSetup
	}
	if o.HasWindowScale {
		r.offers |= offersScale
	}
	if o.SACKPermitted {
		r.offers |= offersSACK
	}
	if o.Timestamps {
		r.offers |= offersTimestamps
	}
	return r
}

// syn returns the SYN again.
func (r *Request) syn() Segment {
	return Segment{Seq: r.irs, Flags: r.flags, Window: r.window, Options: wire.TCPOptions{
		MSS: r.mss, HasWindowScale: r.offers&offersScale != 0, WindowScale: r.scale,
		SACKPermitted: r.offers&offersSACK != 0, Timestamps: r.offers&offersTimestamps != 0, TSVal: r.tsVal,
	}}
}

// Unfold returns the connection in SYN-RECEIVED that the request stands for.
// The parameters are those of its SYN, but for the ISS, which the request
// knows.
func (r *Request) Unfold(env *Env, p Params) *Conn {
	p.ISS = r.iss
	c := r.open(env, p)
	c.retries, c.synLost = r.retries, r.retries > 0
	if r.answered != clock.Never {
		c.own().invalidAt = r.answered
	}
	c.timers.place(TimerRetransmit, r.due, r.cause)
	c.count.segmentsOut = 1 + uint32(r.retries)
	if r.retries > 0 {
		c.own().retransmissions = uint32(r.retries)
	}
	c.snd.lastAt = r.began
	for range r.retries {
		c.rtt.backOff(env)
	}
	return c
}

// open returns a connection in SYN-RECEIVED whose SYN-ACK was sent.
func (r *Request) open(env *Env, p Params) *Conn {
	seg := r.syn()
	c := newConn(env, p)
	c.passive = true
	c.snd.progressAt = r.began
	c.count.segmentsIn++
	c.takeSYN(r.began, &seg)
	c.state = StateSynReceived
	c.synWindow()
	return c
}

// Due returns when HandleTimer of the connection is to be called.
func (r *Request) Due() clock.Time { return r.due }

// Young reports whether its SYN-ACK was sent but once.
func (r *Request) Young() bool { return r.retries == 0 }
