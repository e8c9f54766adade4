package tcp

import (
	"time"

	"hubbub/clock"
	"hubbub/internal/pkt"
	"hubbub/transport/tcp/congestion"
)

// A Conn is one end of one connection: RFC 9293's transmission control block
// and everything that acts on it.
//
// Its methods come in four groups: state (what it is), input (Handle…: what
// arrives), commands (what the program wants), and output (Poll…, NextTimer),
// which is drained after each input or command until it is empty. Time is
// given with each call and never runs backwards.
//
// An idle Conn holds no buffers: what only some connections need is behind a
// pointer.
type Conn struct {
	env   *Env
	state State

	passive   bool  // from LISTEN: SYN-RECEIVED goes back there (MUST-11; RFC 9293, 3.5)
	readShut  bool  // the program expects no more
	orphan    bool  // the program has let go of the connection
	unclaimed bool  // the program hasn't accepted it yet
	burst     burst // of segments that leave together
	noDelay   bool
	oobInline bool
	scaling   bool // window scaling is agreed on, or offered
	stamped   bool // timestamps are agreed on, or offered
	sackOK    bool // selective acknowledgments are agreed on, or offered
	synDue    bool // a SYN or SYN-ACK is to be sent
	synLost   bool // a SYN or SYN-ACK was sent again
	probeDue  bool // a keep-alive probe is to be sent
	holding   holding
	finWait   int8 // seconds in FIN-WAIT-2, 0: as the host has it, negative: none

	algorithm  uint8 // of congestion control
	ecn        ecn   // explicit congestion notification
	retries    uint8 // of the same segment, or SYN
	synRetries uint8 // how often a SYN or SYN-ACK may be repeated; 0: as the host has it
	charged    int32 // what the host's account of memory has for the queues
	ack        ackState
	persist    persist
	timers     timers
	snd        sendSpace
	rcv        receiveSpace
	ts         timestamps
	rtt        estimator
	loss       recovery
	cc         window
	control    congestion.Control // nil until it is needed
	rare       *rare              // never nil
	count      counters
}

// rare is what few connections need. All others share [nothing]: it is read by
// c.rare, and changed by c.own().
type rare struct {
	pace        *pacing
	urgent      *urgentState
	fast        *fastOpen // where a cookie, or text in a SYN, is concerned
	keep        *keepAlive
	records     *[]Seq // where the program's records end; see records.go
	discards    *[numDiscards]uint32
	err, soft   error
	userTimeout time.Duration
	invalidAt   clock.Time // when an invalid segment was last answered
	reset       pendingReset
	wishes      wishes

	// More of what [Info] tells.
	resent          uint64 // octets that had been sent before
	retransmissions uint32
	outOfOrder      uint32 // segments that came after a gap
	marked          uint32 // segments with text that arrived marked (CE)
}

// nothing is what a connection has that needs nothing rare. It is never
// written to.
var nothing rare

// own returns what the connection has of its own, to be changed.
func (c *Conn) own() *rare {
	if c.rare == &nothing {
		c.rare = new(rare)
	}
	return c.rare
}

// lastInvalid returns where it is noted when an invalid segment was last
// answered.
func (c *Conn) lastInvalid() *clock.Time { return &c.own().invalidAt }

// sendSpace is the send sequence space (RFC 9293, 3.3.1).
//
//	     1         2          3          4
//	----------|----------|----------|----------
//	       SND.UNA    SND.NXT    SND.UNA
//	                            +SND.WND
//
//	1 - acknowledged by the peer
//	2 - sent, not acknowledged: in flight
//	3 - may be sent
//	4 - must wait for a larger window
//
// A window is an unsigned number (MUST-1), kept in 32 bits (REC-1; RFC 9293, 3.1).
type sendSpace struct {
	iss       Seq    // the SYN's number
	una       Seq    // the oldest octet in flight
	nxt       Seq    // the next octet to be sent for the first time
	wnd       uint32 // the peer's window, an offset from una
	maxWnd    uint32 // the largest that it ever was
	wl1, wl2  Seq    // SEG.SEQ and SEG.ACK of the last window update
	fin       Seq    // the FIN's number, once it was sent
	small     Seq    // the end of the last segment under full size
	shift     uint8  // the peer's window scale
	shortened uint16 // the longest payload, since longer ones seem to vanish; 0 if they don't

	finQueued bool // a FIN follows the last octet of the queue
	finSent   bool

	peerMSS  uint16 // what the peer said
	limitMSS uint16 // what the path and the program allow
	mss      int32  // payload of a full segment (Eff.snd.MSS)
	limit    int32  // capacity of the queue

	lastAt     clock.Time // when data was last sent
	progressAt clock.Time // since when the oldest octet waits for its ACK
	queue      *pkt.Queue // from una (after the SYN) on; nil for an empty one
}

// receiveSpace is the receive sequence space (RFC 9293, 3.3.1).
//
//	     1          2          3
//	----------|----------|----------
//	       RCV.NXT    RCV.NXT
//	                 +RCV.WND
//
//	1 - received and acknowledged
//	2 - may be received: the window
//	3 - not yet allowed
type receiveSpace struct {
	irs   Seq    // the peer's SYN's number
	nxt   Seq    // the next octet expected
	edge  Seq    // the right edge of the window, as promised
	acked Seq    // the last ACK sent (RFC 7323's Last.ACK.sent)
	shift uint8  // our window scale
	fin   bool   // the peer's FIN has arrived, and all before it
	seg   uint16 // the largest payload that arrived: what the peer's full segments hold
	mss   uint16 // what we told the peer

	pieces uint16      // appended to queue since it was last tidied, at most
	lastAt clock.Time  // when the peer was last heard
	dataAt clock.Time  // when text last arrived in order
	queue  *pkt.Queue  // what the program may read, up to nxt; nil for an empty one
	gaps   *reassembly // what arrived after a gap

	limit  int32 // the largest window that the buffer has room for
	buffer int32 // the buffer's size

	// For tuning it; see buffers.go.
	rtt     uint32     // of the peer's data, in microseconds, and one; 0 before it is measured
	echo    uint32     // the timestamp that was last measured by
	readSeq Seq        // what the program had read at readAt
	read    int32      // octets that it read in the round trip before
	readAt  clock.Time // when this round trip began
}

// counters are what [Info] tells.
type counters struct {
	bytesIn, bytesOut       uint64 // octets
	segmentsIn, segmentsOut uint32
	dataIn, dataOut         uint32 // segments with text
	delivered               uint32 // segments that have arrived at the peer
}

// Params are a connection's own parameters.
type Params struct {
	// ISS is the initial sequence number, of [ISN].
	ISS Seq
	// MSS is the largest payload that the peer may send in one segment, as
	// told in the SYN: the interface's MTU less 40 (60 for IPv6), 1 to 65535.
	MSS int
	// SendMSS is the largest payload, with TCP options, that the path takes;
	// 0 for the same as MSS.
	SendMSS int
	// DefaultMSS is what to send to a peer that doesn't tell its MSS: 0 means
	// 536, right for IPv4; it is 1220 for IPv6 (RFC 9293, 3.7.1).
	DefaultMSS int
	// TSOffset is added to the timestamp clock, of [Hash.TimestampOffset].
	TSOffset uint32
	// LastStamp is the last timestamp that the connection before has got between
	// the same ports, and LastStampAt when that was; [clock.Never] if there was
	// none. What is older is of that connection (RFC 6191, 2).
	LastStamp   uint32
	LastStampAt clock.Time

	// SynRetries is how often the SYN, or SYN-ACK, is repeated: 1 to 255, 0 for
	// what the host is set to (TCP_SYNCNT).
	SynRetries int

	// DeferAccept is how long a listener waits for data before it takes a
	// connection whose handshake is otherwise complete (TCP_DEFER_ACCEPT); 0
	// for not at all.
	DeferAccept time.Duration

	// Socket options, inherited from a listener. Zero buffers have the sizes
	// of Config, and are tuned; others stay as they are. A zero WindowClamp is
	// none, a zero NotSentLowat is the host's.
	NoDelay                   bool
	Cork                      bool
	FinWait2                  int // see [Conn.SetFinWait2]
	OOBInline                 bool
	SendBuffer                int
	RecvBuffer                int
	WindowClamp, NotSentLowat int
	UserTimeout               time.Duration
	KeepAlive                 KeepAlive
	// CongestionControl is the name of the algorithm, empty for Config's.
	CongestionControl string
	// FastOpen is what there is to do with fast open, nil for nothing.
	FastOpen *FastOpen
}

// congestionControl returns the name of the algorithm.
func (p *Params) congestionControl(env *Env) string {
	if p.CongestionControl != "" {
		return p.CongestionControl
	}
	return env.CongestionControl
}

// newConn returns a closed connection.
func newConn(env *Env, p Params) *Conn {
	c := env.takeIdle()
	*c = Conn{env: env, noDelay: p.NoDelay, holding: holding{corked: p.Cork}, oobInline: p.OOBInline, rare: &nothing}
	c.SetUserTimeout(p.UserTimeout)
	c.synRetries = uint8(min(p.SynRetries, maxRetries))
	c.SetFinWait2(p.FinWait2)
	c.snd.iss, c.snd.una, c.snd.nxt = p.ISS, p.ISS, p.ISS.Add(1)
	c.snd.small = p.ISS
	c.loss.high = p.ISS
	c.cc.usage.until = p.ISS
	c.rcv.mss = uint16(min(p.MSS, 0xffff))
	c.rcv.seg = min(c.rcv.mss, defaultMSS)
	c.snd.limitMSS = uint16(min(orDefault(p.SendMSS, p.MSS), 0xffff))
	c.snd.peerMSS = uint16(orDefault(p.DefaultMSS, defaultMSS))
	c.stamped, c.ts.offset = env.Timestamps, p.TSOffset
	c.rtt.rto = env.InitialRTO
	c.scaling, c.sackOK = env.WindowScaling, env.SACK
	c.algorithm, _ = congestion.Number(p.congestionControl(env))
	c.beginBuffers(&p)
	if p.FastOpen != nil {
		c.own().fast = &fastOpen{FastOpen: *p.FastOpen}
	}
	if p.KeepAlive.On {
		c.own().keep = &keepAlive{KeepAlive: p.KeepAlive.withDefaults(env)}
	}
	return c
}

// takeIdle returns a Conn to begin with: the one that a half-open connection
// was folded from, if there is one.
func (e *Env) takeIdle() *Conn {
	c := e.idle
	if c == nil {
		return new(Conn)
	}
	e.idle = nil
	return c
}

// defaultMSS: "If an MSS Option is not received at connection setup, TCP
// implementations MUST assume a default send MSS of 536 (576 - 40) for IPv4
// or 1220 (1280 - 60) for IPv6 (MUST-15)." (RFC 9293, 3.7.1)
const defaultMSS = 536

func orDefault(value, fallback int) int {
	if value == 0 {
		return fallback
	}
	return value
}

// State returns the state.
func (c *Conn) State() State { return c.state }

// Passive reports whether the connection came from a listener.
func (c *Conn) Passive() bool { return c.passive }

// flight returns how much of the sequence space is in flight.
func (c *Conn) flight() int { return c.snd.nxt.Sub(c.snd.una) }

// dataStart returns the number of the send queue's first octet.
func (c *Conn) dataStart() Seq {
	if c.state == StateSynSent || c.state == StateSynReceived {
		return c.snd.iss.Add(1)
	}
	return c.snd.una
}

// dataEnd returns the number after the send queue's last octet: the FIN's, if
// one follows.
func (c *Conn) dataEnd() Seq {
	if c.snd.finSent {
		return c.snd.fin
	}
	return c.dataStart().Add(c.snd.queue.Len())
}

// finAcked reports whether the peer has acknowledged our FIN.
func (c *Conn) finAcked() bool { return c.snd.finSent && c.snd.fin.Less(c.snd.una) }

// setMSS computes the size of a full segment.
//
// "The maximum size of a segment that a TCP endpoint really sends, the
// "effective send MSS", MUST be the smaller (MUST-16) of the send MSS (that
// reflects the available reassembly buffer size at the remote host, the
// EMTU_R [19]) and the largest transmission size permitted by the IP layer
// (EMTU_S [19])" (RFC 9293, 3.7.1). The options that every segment carries
// are taken off it (RFC 6691, 4).
func (c *Conn) setMSS() {
	// A peer that tells an absurd MSS can't make us send a segment per octet.
	mss := max(int32(min(c.snd.peerMSS, c.snd.limitMSS)), int32(c.env.MinSendMSS))
	if c.stamped {
		mss -= timestampLen
	}
	if c.snd.shortened > 0 {
		mss = min(mss, int32(c.snd.shortened))
	}
	c.snd.mss = mss
	c.cc.MSS = c.snd.mss
}

// timestampLen is what the timestamps option takes, with its padding.
const timestampLen = 12

// PeerMSS returns what the peer said its MSS is, or the default, in octets.
func (c *Conn) PeerMSS() int { return int(c.snd.peerMSS) }

// SendMSS returns the payload of a full segment, in octets.
func (c *Conn) SendMSS() int { return int(c.snd.mss) }
