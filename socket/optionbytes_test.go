package socket_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"hubbub/socket"
)

// TCP_INFO has Linux's layout on x86-64 as of 6.18: where each field begins is
// from the kernel's header.
func TestTCPInfoLayout(t *testing.T) {
	var i socket.TCPInfo
	for _, x := range []struct {
		name      string
		got, want uintptr
	}{
		{"tcpi_rto", unsafe.Offsetof(i.RTO), 8},
		{"tcpi_unacked", unsafe.Offsetof(i.Unacked), 24},
		{"tcpi_last_data_sent", unsafe.Offsetof(i.LastDataSent), 44},
		{"tcpi_pmtu", unsafe.Offsetof(i.PMTU), 60},
		{"tcpi_rtt", unsafe.Offsetof(i.RTT), 68},
		{"tcpi_snd_cwnd", unsafe.Offsetof(i.SndCwnd), 80},
		{"tcpi_rcv_rtt", unsafe.Offsetof(i.RcvRTT), 92},
		{"tcpi_total_retrans", unsafe.Offsetof(i.TotalRetrans), 100},
		{"tcpi_pacing_rate", unsafe.Offsetof(i.PacingRate), 104},
		{"tcpi_bytes_acked", unsafe.Offsetof(i.BytesAcked), 120},
		{"tcpi_segs_out", unsafe.Offsetof(i.SegsOut), 136},
		{"tcpi_min_rtt", unsafe.Offsetof(i.MinRTT), 148},
		{"tcpi_delivery_rate", unsafe.Offsetof(i.DeliveryRate), 160},
		{"tcpi_busy_time", unsafe.Offsetof(i.BusyTime), 168},
		{"tcpi_delivered", unsafe.Offsetof(i.Delivered), 192},
		{"tcpi_bytes_sent", unsafe.Offsetof(i.BytesSent), 200},
		{"tcpi_dsack_dups", unsafe.Offsetof(i.DSACKDups), 216},
		{"tcpi_rcv_ooopack", unsafe.Offsetof(i.RcvOOOPack), 224},
		{"tcpi_rehash", unsafe.Offsetof(i.Rehash), 236},
		{"tcpi_total_rto", unsafe.Offsetof(i.TotalRTO), 240},
		{"tcpi_received_ce", unsafe.Offsetof(i.ReceivedCE), 248},
		{"tcpi_accecn_opt_seen", unsafe.Offsetof(i.AccECNOptSeen), 278},
		{"all", unsafe.Sizeof(i), 280},
	} {
		if x.got != x.want {
			t.Errorf("%s begins at %d, want %d", x.name, x.got, x.want)
		}
	}
}

// TCP_INFO tells what has happened on a connection, as bytes and as a struct.
func TestTCPInfo(t *testing.T) {
	inRoom(t, func(r *room) {
		server, client := r.pair()
		r.sends(client, "hello")
		r.hears(server, 0, "hello")
		r.sends(server, "good day")
		r.hears(client, 0, "good day")
		r.sleep(3 * time.Second)
		i, err := client.TCPInfo()
		r.ok("TCP_INFO", err)
		for _, x := range []struct {
			what      string
			got, want any
		}{
			{"state", i.State, 1},
			{"options", i.Options, socket.InfoTimestamps | socket.InfoSACK | socket.InfoScaling},
			{"octets acknowledged, with the SYN", i.BytesAcked, 6},
			{"octets received", i.BytesReceived, 8},
			{"octets sent", i.BytesSent, 5},
			{"segments with data out and in", i.DataSegsOut + 10*i.DataSegsIn, 11},
			{"MSS", i.SndMSS, 1448 - r.overhead()},
			{"what the peer was told", i.AdvMSS, 1460 - r.overhead()},
			{"path MTU", i.PMTU, 1500},
			{"milliseconds since the last data", i.LastDataSent, 3000},
			{"slow start threshold", i.SndSsthresh, math.MaxInt32},
			{"in flight", i.Unacked, 0},
			{"RTO", i.RTO, 200000},
			{"what is read in a round trip", i.RcvSpace, 10 * i.AdvMSS},
			{"time-outs", i.TotalRTO + i.TotalRTORecoveries, 0},
		} {
			r.equal(x.what, x.got, x.want)
		}
		b, err := client.GetSockOptBytes(tcp, socket.TCP_INFO, 1000)
		r.ok("TCP_INFO", err)
		want, _ := binary.Append(nil, binary.NativeEndian, i)
		r.equal("as bytes", bytes.Equal(b, want), true)
		short, err := client.GetSockOptBytes(tcp, socket.TCP_INFO, 104)
		r.ok("TCP_INFO", err)
		r.equal("as short as asked for", bytes.Equal(short, want[:104]), true)
		_, err = r.udp(r.nick).TCPInfo()
		r.fails("of UDP", err, syscall.EOPNOTSUPP)
	})
}

// TCP_INFO of a listener tells its queue, and SO_MEMINFO what is queued.
func TestInfoOfQueues(t *testing.T) {
	inRoom(t, func(r *room) {
		l := r.listens(r.feige, ":8080", 7)
		c := r.tcp(r.nick)
		r.ok("connect", c.Connect("feige:8080"))
		i, err := l.TCPInfo()
		r.ok("TCP_INFO", err)
		r.equal("state", i.State, 10)
		r.equal("waiting, of", [2]uint32{i.Unacked, i.Sacked}, [2]uint32{1, 7})
		s, _, err := l.Accept()
		r.ok("accept", err)
		r.sends(c, "12345")
		r.sleep(time.Second)
		b, err := s.GetSockOptBytes(sol, socket.SO_MEMINFO, 36)
		r.ok("SO_MEMINFO", err)
		r.equal("octets that wait", [2]uint32{uint32(len(b)), binary.NativeEndian.Uint32(b)}, [2]uint32{36, 5})
	})
}

// SO_RCVTIMEO ends a call with EAGAIN after its time, SO_SNDTIMEO an attempt to
// connect with EINPROGRESS, which goes on.
func TestTimeoutOptions(t *testing.T) {
	inRoom(t, func(r *room) {
		server, _ := r.pair()
		r.set(server, sol, socket.SO_RCVTIMEO, 250000)
		r.takes("recv", 250*time.Millisecond, func() { r.fails("recv", recvError(server, 0), syscall.EAGAIN) })
		u := r.udp(r.feige)
		r.ok("bind", u.Bind(":9"))
		r.set(u, sol, socket.SO_RCVTIMEO, 1000)
		r.takes("recv", time.Millisecond, func() { r.fails("recv", recvError(u, 0), syscall.EAGAIN) })
		l := r.listens(r.feige, ":99", 1)
		r.set(l, sol, socket.SO_RCVTIMEO, 2e6)
		r.takes("accept", 2*time.Second, func() { r.fails("accept", acceptError(l), syscall.EAGAIN) })
		c := r.tcp(r.nick)
		r.set(c, sol, socket.SO_SNDTIMEO, 1e6)
		r.takes("connect", time.Second, func() { r.fails("connect", c.Connect(r.at("172.16.10.77:1")), syscall.EINPROGRESS) })
		r.fails("what the attempt came to", c.Connect(r.at("172.16.10.77:1")), syscall.EINPROGRESS)
	})
}
