package socket

import (
	"encoding/binary"
	"math"
	"syscall"
	"time"

	"hubbub/clock"
	"hubbub/transport/tcp"
)

// TCPInfo is what TCP_INFO tells of a connection: Linux's struct tcp_info of
// x86-64 as of 6.18, field by field. Times are in microseconds, those of the
// last segments in milliseconds; numbers of segments are octets divided by the
// MSS where octets are what this stack counts.
type TCPInfo struct {
	State       uint8 // tcpi_state: Linux's number, 1 for ESTABLISHED
	CAState     uint8 // tcpi_ca_state: 0 open, 1 disorder, 2 CWR, 3 recovery, 4 loss
	Retransmits uint8 // tcpi_retransmits: of the oldest segment
	Probes      uint8 // tcpi_probes: without an answer
	Backoff     uint8 // tcpi_backoff: how often the time-out was doubled
	Options     uint8 // tcpi_options: InfoTimestamps and so on
	Scales      uint8 // tcpi_snd_wscale in the low four bits, tcpi_rcv_wscale in the high
	AppLimited  uint8 // tcpi_delivery_rate_app_limited in bit 0, tcpi_fastopen_client_fail in bits 1 and 2: always 0

	RTO, ATO       uint32 // tcpi_rto, tcpi_ato
	SndMSS, RcvMSS uint32 // tcpi_snd_mss, tcpi_rcv_mss: octets

	Unacked, Sacked, Lost, Retrans, Fackets uint32 // tcpi_unacked…: segments

	LastDataSent, LastACKSent, LastDataRecv, LastACKRecv uint32 // tcpi_last_data_sent…: ms ago

	PMTU, RcvSsthresh     uint32 // tcpi_pmtu, tcpi_rcv_ssthresh: octets
	RTT, RTTVar           uint32 // tcpi_rtt, tcpi_rttvar
	SndSsthresh, SndCwnd  uint32 // tcpi_snd_ssthresh, tcpi_snd_cwnd: segments
	AdvMSS, Reordering    uint32 // tcpi_advmss: octets; tcpi_reordering: segments
	RcvRTT, RcvSpace      uint32 // tcpi_rcv_rtt; tcpi_rcv_space: octets
	TotalRetrans          uint32 // tcpi_total_retrans: segments
	PacingRate, MaxPacing uint64 // tcpi_pacing_rate, tcpi_max_pacing_rate: octets per second; all bits set for none

	BytesAcked, BytesReceived uint64 // tcpi_bytes_acked, tcpi_bytes_received
	SegsOut, SegsIn           uint32 // tcpi_segs_out, tcpi_segs_in
	NotsentBytes              uint32 // tcpi_notsent_bytes
	MinRTT                    uint32 // tcpi_min_rtt: all bits set before the first measurement
	DataSegsIn, DataSegsOut   uint32 // tcpi_data_segs_in, tcpi_data_segs_out
	DeliveryRate              uint64 // tcpi_delivery_rate: octets per second

	BusyTime, RwndLimited, SndbufLimited uint64 // tcpi_busy_time…: always 0, they aren't counted

	Delivered, DeliveredCE  uint32 // tcpi_delivered: segments; tcpi_delivered_ce: always 0
	BytesSent, BytesRetrans uint64 // tcpi_bytes_sent, tcpi_bytes_retrans
	DSACKDups, ReordSeen    uint32 // tcpi_dsack_dups, tcpi_reord_seen
	RcvOOOPack              uint32 // tcpi_rcv_ooopack: segments
	SndWnd, RcvWnd          uint32 // tcpi_snd_wnd, tcpi_rcv_wnd: octets
	Rehash                  uint32 // tcpi_rehash: always 0

	TotalRTO, TotalRTORecoveries uint16 // tcpi_total_rto, tcpi_total_rto_recoveries: without those of the handshake
	TotalRTOTime                 uint32 // tcpi_total_rto_time: ms

	ReceivedCE                                          uint32 // tcpi_received_ce and the rest: accurate ECN, always 0
	DeliveredE1Bytes, DeliveredE0Bytes, DeliveredCEByte uint32
	ReceivedE1Bytes, ReceivedE0Bytes, ReceivedCEBytes   uint32
	AccECNFailMode, AccECNOptSeen                       uint16
}

// The bits of TCPInfo.Options.
const (
	InfoTimestamps = 1  // TCPI_OPT_TIMESTAMPS
	InfoSACK       = 2  // TCPI_OPT_SACK
	InfoScaling    = 4  // TCPI_OPT_WSCALE
	InfoECN        = 8  // TCPI_OPT_ECN
	InfoECNSeen    = 16 // TCPI_OPT_ECN_SEEN
	InfoSYNData    = 32 // TCPI_OPT_SYN_DATA
)

// noThreshold is what a slow start threshold begins with, or more.
const noThreshold = 1 << 30

// linuxStates are Linux's numbers of the states.
var linuxStates = [...]uint8{
	tcp.StateEstablished: 1, tcp.StateSynSent: 2, tcp.StateSynReceived: 3, tcp.StateFinWait1: 4, tcp.StateFinWait2: 5,
	tcp.StateTimeWait: 6, tcp.StateClosed: 7, tcp.StateCloseWait: 8, tcp.StateLastAck: 9, tcp.StateListen: 10, tcp.StateClosing: 11,
}

// TCPInfo returns what TCP_INFO tells. The error is EOPNOTSUPP for a socket of
// another kind.
func (s *Socket) TCPInfo() (TCPInfo, error) {
	now, err := s.enter()
	if err != nil {
		return TCPInfo{}, failed("getsockopt", err)
	}
	defer s.host.world.Unlock()
	if s.tcp == nil {
		return TCPInfo{}, failed("getsockopt", syscall.EOPNOTSUPP)
	}
	return s.tcpInfo(now), nil
}

// linuxInfo returns TCP_INFO as a program in C gets it.
func (s *Socket) linuxInfo(now clock.Time) ([]byte, error) {
	return binary.Append(nil, binary.NativeEndian, s.tcpInfo(now))
}

// tcpInfo fills in what there is: of a listener its queue, as Linux does.
func (s *Socket) tcpInfo(now clock.Time) TCPInfo {
	info := TCPInfo{State: linuxStates[s.tcp.State()], MinRTT: math.MaxUint32}
	switch {
	case s.tcp.Listener() != nil:
		info.Unacked, info.Sacked = uint32(s.tcp.Pending()), uint32(s.tcp.Backlog())
	case s.tcp.Conn() != nil:
		t := s.tcp.Conn().Info()
		info.fill(now, &t)
		info.PMTU = uint32(s.tcp.PathMTU(now))
	}
	return info
}

func (i *TCPInfo) fill(now clock.Time, t *tcp.Info) {
	mss := max(1, t.SendMSS)
	i.CAState = uint8(t.Phase) // the phases have Linux's order
	i.Retransmits, i.Probes, i.Backoff = uint8(min(t.Retries, 255)), uint8(min(t.Probes, 255)), uint8(t.Backoff)
	i.Options = bit(t.Timestamps, InfoTimestamps) | bit(t.Recovery.SACK, InfoSACK) | bit(t.WindowScaling, InfoScaling) |
		bit(t.ECN, InfoECN) | bit(t.SYNData, InfoSYNData)
	i.Scales = t.SendScale&15 | t.ReceiveScale<<4
	i.RTO, i.ATO = micros(t.RTO), micros(t.ATO)
	i.SndMSS, i.RcvMSS = uint32(t.SendMSS), uint32(t.ReceiveMSS)
	i.Unacked, i.Sacked, i.Lost = uint32(t.Recovery.Segments), uint32(t.Recovery.Sacked), uint32(t.Recovery.Lost)
	i.Retrans = uint32(t.Recovery.Resent)
	i.LastDataSent, i.LastACKSent = ago(now, t.LastDataSent), 0
	i.LastDataRecv, i.LastACKRecv = ago(now, t.LastDataReceived), ago(now, t.LastReceived)
	i.RcvSsthresh, i.RTT, i.RTTVar = uint32(t.ReceiveWindow), micros(t.SRTT), micros(t.RTTVAR)
	i.SndSsthresh, i.SndCwnd = uint32(math.MaxInt32), segments(t.Cwnd, mss)
	if t.Ssthresh < noThreshold {
		i.SndSsthresh = segments(t.Ssthresh, mss)
	}
	i.AdvMSS, i.Reordering = uint32(t.AdvertisedMSS), uint32(t.Recovery.Reordering)
	i.TotalRetrans = uint32(t.Retransmissions)
	i.PacingRate, i.MaxPacing, i.DeliveryRate = t.PacingRate, math.MaxUint64, t.DeliveryRate
	if t.PacingRate == 0 {
		i.PacingRate = math.MaxUint64
	}
	i.BytesAcked, i.BytesReceived = t.BytesAcked, t.BytesIn
	i.SegsOut, i.SegsIn = uint32(t.SegmentsOut), uint32(t.SegmentsIn)
	i.NotsentBytes = uint32(t.Unsent)
	i.DataSegsIn, i.DataSegsOut = t.DataSegmentsIn, t.DataSegmentsOut
	i.Delivered, i.DSACKDups, i.ReordSeen = t.Recovery.Delivered, t.Recovery.Duplicates, t.Recovery.ReorderingSeen
	i.BytesSent, i.BytesRetrans = t.BytesOut+t.BytesRetransmitted, t.BytesRetransmitted
	if t.Recovery.MinRTT >= 0 {
		i.MinRTT = micros(t.Recovery.MinRTT)
	}
	i.RcvRTT, i.RcvSpace = micros(t.ReceiveRTT), uint32(t.ReadPerRound)
	i.TotalRTO, i.TotalRTORecoveries = uint16(t.Recovery.Timeouts), uint16(t.Recovery.TimeoutRuns)
	i.TotalRTOTime = uint32(min(t.Recovery.TimeoutTime/time.Millisecond, math.MaxUint32))
	i.RcvOOOPack, i.SndWnd, i.RcvWnd = t.OutOfOrderSegments, uint32(t.SendWindow), uint32(t.ReceiveWindow)
}

func bit(on bool, value uint8) uint8 {
	if on {
		return value
	}
	return 0
}

func micros(d time.Duration) uint32 { return uint32(min(d/time.Microsecond, math.MaxUint32)) }

// segments returns how many whole segments n octets are: Linux counts a window in
// those.
func segments(n, mss int) uint32 { return uint32(max(1, n/mss)) }

// ago returns how long ago something was, in milliseconds; something that never
// was, since the world began.
func ago(now, at clock.Time) uint32 {
	return uint32(min(now.Sub(at)/time.Millisecond, math.MaxUint32))
}
