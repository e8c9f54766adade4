package tcp

import (
	"math"
	"math/rand/v2"
	"time"

	"hubbub/clock"
	"hubbub/internal/pkt"
	"hubbub/transport/tcp/congestion"
)

// A Config holds what all connections of a host have in common. DefaultConfig
// has the values of the RFCs, and Linux's where the RFCs leave room.
type Config struct {
	// RFC 6298: the retransmission time-out before the first measurement, and
	// its limits. RFC 6298, 2 would have at least one second; Linux and
	// nearly everybody else wait 200 ms at least.
	InitialRTO, MinRTO, MaxRTO time.Duration

	// How long an ACK may wait for company, less than 0.5 s
	// (RFC 9293, 3.8.6.3).
	DelayedACK time.Duration

	// QuickACKs is how many segments at the start of a conversation are
	// acknowledged without delay, so that the peer's slow start gets going.
	QuickACKs int

	// MSL is the longest life of a segment. TIME-WAIT lasts twice as long:
	// RFC 9293, 3.4.2 says two minutes, Linux waits 60 s in all.
	MSL time.Duration

	// How often a segment is sent again before the connection is given up, at
	// most 255 times:
	// a SYN, a SYN-ACK, data (R2), data that no program waits for any more
	// (there 0 means 8).
	// R1 (Retries1) is when the layers below are told that something may be
	// wrong with the path: "R1 SHOULD correspond to at least 3
	// retransmissions" (SHLD-10), "R2 ... at least 100 seconds" (SHLD-11;
	// RFC 9293, 3.8.3).
	SynRetries, SynAckRetries, Retries1, Retries2, OrphanRetries int

	// Keep-alive of connections that don't set their own: idle time before
	// the first probe, time between probes, probes without an answer until
	// the peer counts as dead (RFC 9293, 3.8.4). Linux sends 9, the course 10.
	KeepAliveIdle, KeepAliveInterval time.Duration
	KeepAliveProbes                  int

	// FinWait2Timeout is how long a connection that the program has let go
	// of waits in FIN-WAIT-2 for the peer's FIN.
	FinWait2Timeout time.Duration

	// CongestionControl is the name of the algorithm of connections that don't
	// choose their own: see [congestion.Names].
	CongestionControl string

	// InitialWindow is how many segments may be sent before the first ACK
	// (RFC 6928, 2: ten, at most 14600 octets where segments are large).
	InitialWindow int

	// How many segments leave together, at least, 0 for all that may; and for
	// how many microseconds of the round trip, as a power of two, bursts are half
	// as long: 0 for always short. See burst.go.
	MinBurst, BurstRTTLog int

	// SlowStartAfterIdle begins with the initial window again after nothing
	// was sent for a retransmission time-out (RFC 5681, 4.1).
	SlowStartAfterIdle bool

	// ValidateWindow keeps the window instead, for five minutes, as a window that is
	// no longer proven: it doesn't grow, and a loss takes what of it isn't used
	// (RFC 7661). Linux doesn't do it; FreeBSD does if asked to.
	ValidateWindow bool

	// MTUProbing makes a connection whose segments are sent again Retries1
	// times for nothing try shorter ones, of BaseMSS, then of half that, down
	// to MTUProbeFloor (RFC 4821, 7.7), and then look for the longest that the path
	// lets through: 1 for yes, 0 for no, 2 to begin with BaseMSS.
	MTUProbing, BaseMSS, MTUProbeFloor int

	// The search is over when less than MTUProbeThreshold octets are uncertain,
	// and begins anew after MTUProbeInterval (RFC 4821, 7.3).
	MTUProbeThreshold int
	MTUProbeInterval  time.Duration

	// MinSendMSS is the least payload of a full segment, TCP options included,
	// whatever the peer or a router says, in octets.
	MinSendMSS int

	// ProtectTimeWait makes a connection in TIME-WAIT ignore resets (RFC 1337,
	// 3).
	ProtectTimeWait bool

	// Sizes of the buffers in octets of memory: the least, which every
	// connection has however short the host's memory is; that of a new
	// connection; and the most that tuning makes of it (tcp_wmem, tcp_rmem).
	MinSendBuffer, SendBuffer, MaxSendBuffer          int
	MinReceiveBuffer, ReceiveBuffer, MaxReceiveBuffer int

	// The largest sizes that a program may ask for, before they are doubled
	// (wmem_max, rmem_max).
	MaxSendOption, MaxReceiveOption int

	// AdvWinScale says how much of a receive buffer is for data, and can be
	// advertised as the window: all but 1/2^AdvWinScale of it; if it is
	// negative or zero, 1/2^-AdvWinScale of it.
	AdvWinScale int

	// ModerateReceive lets receive buffers grow with what programs read.
	ModerateReceive bool

	// NotSentLowat bounds how much may be written and not yet be sent: until
	// less is left, there is no room for more, in octets.
	NotSentLowat int

	// MemoryPages is what the queues of all connections may take, in pages of 4096
	// octets: below the first value there is no shortage, above the second
	// there is, above the third nothing more is taken in.
	MemoryPages [3]int

	// Options of RFC 7323 and RFC 2018 to offer and to accept.
	WindowScaling, Timestamps, SACK bool

	// TakeUnstamped takes segments without the timestamps that were agreed on, as
	// Linux and FreeBSD do, where RFC 7323, 3.2 would have them dropped: for paths
	// with boxes that take options away. What is older by its timestamp is still
	// dropped; what has none is judged by its sequence number alone.
	TakeUnstamped bool

	// DSACK tells the peer what has arrived twice (RFC 2883).
	DSACK bool

	// How losses are found where SACK is agreed on. RACK goes by time
	// (RFC 8985), otherwise segments are counted (RFC 6675).
	// StaticReorderWindow keeps RACK's reordering window from growing, and
	// NoDupThresh keeps three segments after a gap from meaning a loss at once.
	// LossProbe sends a probe when an ACK is overdue (RFC 8985, 7).
	RACK, StaticReorderWindow, NoDupThresh, LossProbe bool

	// Reordering is how many segments that arrive after a gap mean a loss (DupThresh), and
	// MaxReordering what that may grow to where the network changes the order.
	Reordering, MaxReordering int

	// FRTO finds out whether a retransmission time-out was for nothing
	// (RFC 5682). RTORestart lets the time-out of few segments count from when
	// they were sent (RFC 7765); Linux doesn't.
	FRTO, RTORestart bool

	// MinRTTWindow is how long the least round-trip time that was measured
	// stands (RFC 8985, 6.2).
	MinRTTWindow time.Duration

	// ECN says whether connections use explicit congestion notification:
	// ECNOff, ECNAsk or ECNAccept. ECNFallback lets a SYN that has got no
	// answer be repeated without asking (RFC 3168, 6.1.1.1).
	ECN         int
	ECNFallback bool

	// Offload is how many octets a segment may have that stands for several,
	// for whoever carries it to cut; 0 for none.
	Offload int

	// ChallengeACKs is how many challenge ACKs the host sends in one second
	// (RFC 5961, 7), on average; math.MaxInt32 is no limit. Beside it each
	// connection has its own, InvalidACKInterval. A limit that connections share
	// tells each of them how much the others use of it, and so who is
	// connected to whom (CVE-2016-5696): as on Linux there is none by default,
	// and one that is set is a little different in every second.
	ChallengeACKs int

	// InvalidACKInterval is the least time between two ACKs that answer
	// unacceptable segments without data, so that two ends which disagree
	// don't answer each other for ever.
	InvalidACKInterval time.Duration

	// SynBacklog bounds the half-open connections of one listener
	// (RFC 4987, 3.2); MaxBacklog is the longest accept queue.
	SynBacklog, MaxBacklog int

	// SynCookies says when a SYN is answered with a cookie (RFC 4987, 3.6):
	// 0 never, 1 when too many connections are half open, 2 always.
	SynCookies int

	// AbortOnOverflow answers the end of a handshake with a reset when the
	// accept queue is full, and doesn't wait for room.
	AbortOnOverflow bool
}

// DefaultConfig returns the defaults.
func DefaultConfig() Config {
	return Config{
		InitialRTO: time.Second, MinRTO: 200 * time.Millisecond, MaxRTO: 120 * time.Second,
		DelayedACK: 40 * time.Millisecond,
		QuickACKs:  16,
		MSL:        30 * time.Second,
		// "R2 for a SYN segment MUST be set large enough to provide
		// retransmission of the segment for at least 3 minutes (MUST-23)"
		// (RFC 9293, 3.8.3): seven retries end after 247 s. Linux has six.
		SynRetries: 7, SynAckRetries: 5, Retries1: 3, Retries2: 15, OrphanRetries: 0,
		KeepAliveIdle: 2 * time.Hour, KeepAliveInterval: 75 * time.Second, KeepAliveProbes: 9,
		FinWait2Timeout:   60 * time.Second,
		CongestionControl: congestion.Default,
		InitialWindow:     10, SlowStartAfterIdle: true, MinBurst: 2, BurstRTTLog: 9,
		BaseMSS: 1024, MTUProbeFloor: 48, MTUProbeThreshold: 8, MTUProbeInterval: 10 * time.Minute, MinSendMSS: 48, ProtectTimeWait: true,
		MinSendBuffer: 4096, SendBuffer: 16 << 10, MaxSendBuffer: 4 << 20,
		MinReceiveBuffer: 4096, ReceiveBuffer: 128 << 10, MaxReceiveBuffer: 32 << 20,
		MaxSendOption: 4 << 20, MaxReceiveOption: 4 << 20,
		AdvWinScale: 1, ModerateReceive: true, NotSentLowat: math.MaxUint32,
		MemoryPages:   [3]int{48 << 10, 64 << 10, 96 << 10},
		WindowScaling: true, Timestamps: true, SACK: true, DSACK: true,
		RACK: true, LossProbe: true, FRTO: true,
		Reordering: 3, MaxReordering: 300, MinRTTWindow: 300 * time.Second,
		ECN: ECNAccept, ECNFallback: true,
		ChallengeACKs:      math.MaxInt32,
		InvalidACKInterval: 500 * time.Millisecond,
		SynBacklog:         1024, MaxBacklog: 4096, SynCookies: 1,
	}
}

// An Env is what the TCP machines of one host share: settings, and the
// context of the call that is under way. It is plain data; its owner sets
// Cause and Watch before a call. The machines keep a pointer to it.
type Env struct {
	Config

	// Cause is the id of the event that is being handled. A timer that is set
	// meanwhile remembers it.
	Cause uint64
	// Watch says whether anybody wants facts; without it none are recorded.
	Watch bool
	// Random varies the limit of challenge ACKs; without it they are as many
	// in each second.
	Random *rand.Rand
	// Discards counts what all connections threw away, by reason.
	Discards [numDiscards]uint64

	current    bool              // the timestamp of the segment that is being handled is TS.Recent, if its ACK is good
	boards     []*scoreboard     // kept for connections that send something
	sample     congestion.Sample // what the ACK that is being handled tells
	facts      []Event
	read       int // facts taken by PollEvent
	challenges challengeLimit
	memory     memory
	queues     []*pkt.Queue // kept for connections that send or receive something
	spare      *reassembly  // kept for the next connection with a gap
	idle       *Conn        // kept for the next half-open connection
}

// NewEnv returns an Env with the given settings.
func NewEnv(config Config) *Env { return &Env{Config: config} }

// keepQueues is how many of the queues that connections give back are kept.
const keepQueues = 64

// takeQueue returns an empty queue.
func (e *Env) takeQueue() *pkt.Queue {
	last := len(e.queues) - 1
	if last < 0 {
		return new(pkt.Queue)
	}
	q := e.queues[last]
	e.queues = e.queues[:last]
	return q
}

// keep takes an empty queue back, and returns nil: a connection at rest has none.
func (e *Env) keep(q *pkt.Queue) *pkt.Queue {
	if len(e.queues) < keepQueues {
		e.queues = append(e.queues, q)
	}
	return nil
}

// challengeLimit counts the challenge ACKs of the present second.
type challengeLimit struct {
	second clock.Time // from 1; 0 before the first
	left   int
}

// allowChallenge reports whether one more challenge ACK may be sent.
//
// "An implementation SHOULD include an ACK throttling mechanism to be
// conservative" (R5961-5; RFC 5961, 7).
func (e *Env) allowChallenge(now clock.Time) bool {
	if e.ChallengeACKs == math.MaxInt32 {
		return true
	}
	if second := 1 + now/clock.Time(time.Second); second != e.challenges.second {
		e.challenges = challengeLimit{second, e.challengesOfASecond()}
	}
	if e.challenges.left <= 0 {
		return false
	}
	e.challenges.left--
	return true
}

// challengesOfASecond is what may be sent in a second: from half of the limit up to
// half as much again, so that whoever provokes them can't count those of others.
func (e *Env) challengesOfASecond() int {
	if e.Random == nil || e.ChallengeACKs <= 0 {
		return e.ChallengeACKs
	}
	return (e.ChallengeACKs+1)/2 + e.Random.IntN(e.ChallengeACKs)
}
