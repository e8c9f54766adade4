package tcp

import (
	"math/bits"
	"time"

	"hubbub/clock"
)

// Info is a picture of a connection, for people.
type Info struct {
	State                    State
	Passive                  bool
	SRTT, RTTVAR, RTO        time.Duration // RTO with its back-off
	Cwnd, Ssthresh, InFlight int           // octets
	Phase                    Phase
	Congestion               string // such as "reno"
	SendWindow               int    // the peer's, octets
	ReceiveWindow            int    // ours, octets
	SendMSS, PeerMSS         int    // octets; what is sent, and what the peer told
	SendScale, ReceiveScale  uint8
	WindowScaling            bool
	Timestamps               bool
	ECN                      bool   // is agreed on (RFC 3168)
	Retries                  int    // of the present segment
	Retransmissions          uint64 // in all
	PacingRate               uint64 // octets per second; 0: not paced
	DeliveryRate             uint64 // octets per second; 0: not measured
	Marked                   uint64 // segments with text that arrived marked (RFC 3168, 6.1.3)
	Unsent, Unacked, Unread  int    // octets in the queues
	OutOfOrder               int    // octets held after a gap
	Recovery                 RecoveryInfo
	ISS, IRS                 Seq
	SendNext, SendUnacked    Seq
	ReceiveNext              Seq
	BytesIn, BytesOut        uint64
	SYNData                  bool // text in a SYN was taken, here or there (RFC 7413)
	SegmentsIn, SegmentsOut  uint64
	DataSegmentsIn           uint32 // with text
	DataSegmentsOut          uint32
	BytesAcked               uint64        // with our SYN, if we asked first, and FIN
	BytesRetransmitted       uint64        // sent when they had been sent before
	OutOfOrderSegments       uint32        // that came after a gap
	Probes                   int           // of the window or of a silent peer, without an answer
	Backoff                  int           // how often the time-out was doubled
	ReceiveMSS               int           // the largest payload that arrived, octets
	AdvertisedMSS            int           // what the peer was told, octets
	ReadPerRound             int           // what the program reads in a round trip, octets: as much as the window has to hold
	ReceiveRTT               time.Duration // as the receiver of data sees it, 0 before it is measured
	ATO                      time.Duration
	LastDataSent             clock.Time
	LastDataReceived         clock.Time
	LastReceived             clock.Time
	Discards                 [numDiscards]uint32 // by Discard
}

// Info returns a picture of the connection.
func (c *Conn) Info() Info {
	info := Info{
		State: c.state, Passive: c.passive,
		SRTT: c.rtt.srtt, RTTVAR: c.rtt.rttvar, RTO: c.rtt.timeout(c.env),
		Cwnd: c.cc.Cwnd, Ssthresh: c.cc.Ssthresh, InFlight: c.flight(),
		Phase: c.loss.phase, Congestion: c.CongestionControl(),
		SendWindow: int(c.snd.wnd), ReceiveWindow: c.rcv.window(),
		SendMSS: int(c.snd.mss), PeerMSS: int(c.snd.peerMSS),
		SendScale: c.snd.shift, ReceiveScale: c.rcv.shift,
		WindowScaling: c.scaling, Timestamps: c.stamped, ECN: c.ecn&ecnOK != 0,
		Retries: int(c.retries), Retransmissions: uint64(c.rare.retransmissions), Marked: uint64(c.rare.marked),
		PacingRate: c.PacingRate(), DeliveryRate: c.cc.deliveryRate(),
		Unsent: c.Unsent(), Unacked: c.Unacked(), Unread: c.rcv.queue.Len(),
		OutOfOrder: c.rcv.gaps.size(), Recovery: c.recoveryInfo(),
		ISS: c.snd.iss, IRS: c.rcv.irs,
		SendNext: c.snd.nxt, SendUnacked: c.snd.una, ReceiveNext: c.rcv.nxt,
		BytesIn: c.count.bytesIn, BytesOut: c.count.bytesOut,
		SYNData:    c.rare.fast != nil && c.rare.fast.taken && !c.rare.fast.partly,
		SegmentsIn: uint64(c.count.segmentsIn), SegmentsOut: uint64(c.count.segmentsOut),
		DataSegmentsIn: c.count.dataIn, DataSegmentsOut: c.count.dataOut,
		BytesAcked: c.bytesAcked(), BytesRetransmitted: c.rare.resent, OutOfOrderSegments: c.rare.outOfOrder,
		Probes: c.probes(), Backoff: int(max(c.rtt.shift, c.persist.shift)),
		ReceiveMSS: int(c.rcv.seg), AdvertisedMSS: int(c.rcv.mss), ATO: c.env.DelayedACK,
		LastDataReceived: c.rcv.dataAt, LastReceived: c.rcv.lastAt,
		ReadPerRound: int(c.rcv.read),
	}
	if c.rcv.rtt > 0 {
		info.ReceiveRTT = c.peerRTT()
	}
	if c.count.dataOut > 0 {
		info.LastDataSent = c.snd.lastAt
	}
	if c.rare.discards != nil {
		info.Discards = *c.rare.discards
	}
	return info
}

// RecoveryInfo is what Info has of loss recovery; segments are those in flight,
// where nothing else is said.
type RecoveryInfo struct {
	SACK                    bool // is agreed on
	Pipe                    int  // octets on their way, by what is known
	Segments                int  // sent and not acknowledged
	Sacked, Lost, Resent    int  // of those: arrived after a gap, lost, sent again
	Reordering              int  // how many segments after a gap mean a loss
	ReorderingSeen          uint32
	MinRTT                  time.Duration // -1 before the first measurement
	ReorderWindow           time.Duration // how late a segment may be (RACK.reo_wnd)
	Delivered               uint32        // segments that have arrived, in all, the SYN counted
	LostInAll, LostAgain    uint32        // segments that counted as lost, and retransmissions among them
	Duplicates              uint32        // segments that arrived twice, by D-SACKs
	Undone                  uint32        // reductions of the window that were for nothing
	LossProbes              uint32
	Timeouts, TimeoutRuns   int           // after the handshake, in all; and how often the first of several
	TimeoutTime             time.Duration // how long what had timed out then took to be acknowledged, in all
	ProbeInFlight, Spurious bool          // a loss probe; whether the last time-out is in doubt (F-RTO)
}

// recoveryInfo returns a picture of loss recovery.
func (c *Conn) recoveryInfo() RecoveryInfo {
	info := RecoveryInfo{
		SACK: c.sackOK, Pipe: c.pipe(), Reordering: c.dupThresh(),
		MinRTT: -1, Delivered: c.count.delivered + uint32(oneIf(c.state >= StateEstablished)),
	}
	if c.rtt.leastAt != 0 {
		info.MinRTT = c.rtt.least
	}
	if b := c.loss.board; b != nil {
		info.Segments, info.ReorderWindow = b.n, c.reorderWindow()
		info.Sacked, info.Lost, info.Resent = int(b.sacked.segments), int(b.lost.segments), int(b.again.segments)+c.againEarly()
	}
	if h := c.loss.history; h != nil {
		info.ReorderingSeen, info.LostInAll, info.LostAgain = h.reordered, h.lost, h.lostAgain
		info.Duplicates, info.Undone, info.LossProbes = h.duplicates, h.undone, h.probes
		info.Timeouts, info.TimeoutRuns, info.TimeoutTime = int(h.timeouts), int(h.timeoutRuns), h.timeoutTime
		info.ProbeInFlight, info.Spurious = h.probing, h.frto && c.loss.phase == PhaseLoss
	}
	return info
}

// bytesAcked returns how much of the stream the peer has acknowledged. As on
// Linux, the SYN counts where we asked first, and the FIN. While the SYN is in
// flight, it is none of the octets that were sent.
func (c *Conn) bytesAcked() uint64 {
	syn := uint64(1)
	if c.passive && c.state != StateSynReceived {
		syn = 0
	}
	return c.count.bytesOut + syn - uint64(c.flight())
}

// probes returns how many probes were not answered: of the peer's window, or
// whether it is there.
func (c *Conn) probes() int {
	if c.rare.keep != nil && !c.persist.active {
		return c.rare.keep.unanswered
	}
	return int(c.persist.unanswered)
}

// Readiness is a set of conditions that a program can wait for.
type Readiness uint8

const (
	// ReadyRead: there is something to read, or the end of the stream.
	ReadyRead Readiness = 1 << iota
	// ReadyWrite: a good part of the send buffer is free.
	ReadyWrite
	// ReadyConnected: the handshake is complete.
	ReadyConnected
	// ReadyPeerClosed: the peer's FIN has arrived.
	ReadyPeerClosed
	// ReadyHungUp: the connection is over in both directions.
	ReadyHungUp
	// ReadyError: the connection ended with an error.
	ReadyError
	// ReadyUrgent: the urgent octet is here, and nobody has taken it.
	ReadyUrgent
)

var readinessNames = [...]string{"read", "write", "connected", "peer closed", "hung up", "error", "urgent"}

// String lists the conditions, such as "read|write".
func (r Readiness) String() string {
	text := ""
	for left := uint(r); left != 0; left &= left - 1 {
		if text != "" {
			text += "|"
		}
		text += readinessNames[bits.TrailingZeros(left)]
	}
	return text
}

// Ready returns the conditions that hold now. A connection that is over is
// ready for everything: no call blocks.
func (c *Conn) Ready() Readiness {
	var r Readiness
	set := func(bit Readiness, holds bool) {
		if holds {
			r |= bit
		}
	}
	over := c.state == StateClosed || c.state == StateTimeWait
	set(ReadyRead, c.Readable() > 0 || c.EOF() || c.state == StateClosed)
	set(ReadyWrite, !c.Opening() && c.roomToWrite())
	set(ReadyConnected, c.state >= StateEstablished)
	set(ReadyPeerClosed, c.rcv.fin || c.state == StateClosed)
	set(ReadyHungUp, over)
	set(ReadyError, c.rare.err != nil)
	set(ReadyUrgent, c.rare.urgent != nil && c.rare.urgent.pending && c.rare.urgent.hasOctet && !c.rare.urgent.taken)
	return r
}

// roomToWrite reports whether waking a writer is worth it: a third of the
// send buffer is free. Where writing fails, it fails at once.
func (c *Conn) roomToWrite() bool {
	if !c.CanWrite() {
		return true
	}
	if lowat := c.notSentLowat(); lowat < int(c.snd.limit) {
		return 2*c.unsent() < lowat && c.WriteSpace() > 0
	}
	return 3*c.WriteSpace() >= int(c.snd.limit)
}

// PollEvent returns the next fact; see [Env.PollEvent].
func (c *Conn) PollEvent() (Event, bool) { return c.env.PollEvent() }

// size returns how many octets are held.
func (g *reassembly) size() int {
	n := 0
	if g != nil {
		for _, b := range g.blocks {
			n += b.view.Len()
		}
	}
	return n
}
