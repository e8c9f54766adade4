package capture

import (
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"hubbub/clock"
	"hubbub/event"
	"hubbub/wire"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares a text with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test -update writes it anew); got:\n%s", path, got)
	}
}

// A classroom is a stream made by hand: hosts on a hub, each 50 us away.
type classroom struct {
	stream event.Stream
	events []*event.Event
	now    clock.Time
	hosts  []string
	lose   bool // the next frame is lost between the hub and its receiver
}

const hop = 50 * time.Microsecond

var (
	macs = map[string]wire.MAC{
		"nick": {2, 0, 0, 0, 0, 1}, "feige": {2, 0, 0, 0, 0, 2}, "lily": {2, 0, 0, 0, 0, 3},
	}
	addrs = map[string]netip.Addr{
		"nick": netip.MustParseAddr("172.16.10.10"), "feige": netip.MustParseAddr("172.16.10.11"),
		"lily": netip.MustParseAddr("172.16.10.12"),
	}
	names = map[netip.Addr]string{addrs["nick"]: "nick", addrs["feige"]: "feige", addrs["lily"]: "lily"}
	ports = map[string]uint16{"nick": 40000, "feige": 8080}
)

func newClassroom() *classroom {
	c := &classroom{hosts: []string{"nick", "feige", "lily"}}
	c.stream.Listen(func(e *event.Event) { c.events = append(c.events, e) })
	return c
}

func (c *classroom) pass(d time.Duration) { c.now = c.now.Add(d) }

func (c *classroom) tell(node string, body event.Body) event.ID {
	return c.stream.Publish(c.now, node, body)
}

// because lets f happen with id as its cause.
func (c *classroom) because(id event.ID, f func()) {
	before := c.stream.Because(id)
	f()
	c.stream.Because(before)
}

func flowOfHost(node, peer string) event.Flow {
	return event.Flow{
		Local:  netip.AddrPortFrom(addrs[node], ports[node]),
		Remote: netip.AddrPortFrom(addrs[peer], ports[peer]),
	}
}

func (c *classroom) state(node, peer, from, to, why string) {
	c.tell(node, event.TCPState{Flow: flowOfHost(node, peer), From: from, To: to, Why: why})
}

// shout sends a frame over the hub. What its receiver does when it hears it is
// done by then.
func (c *classroom) shout(from string, frame []byte, reason, rfc string, then func()) {
	fcs := wire.FCS(frame)
	sent := c.tell(from, event.FrameSent{Port: "eth0", Data: frame, FCS: fcs, Reason: reason, RFC: rfc})
	c.pass(hop)
	heard := c.stream.PublishCaused(c.now, "hub", sent, event.FrameHeard{Port: portOf(from), Frame: sent, Data: frame, FCS: fcs})
	copies := make(map[string]event.ID)
	for _, host := range c.hosts {
		if host != from {
			copies[host] = c.stream.PublishCaused(c.now, "hub", heard, event.FrameSent{Port: portOf(host), Data: frame, FCS: fcs})
		}
	}
	lose := c.lose
	c.lose = false
	for _, host := range c.hosts {
		if lose && host != from && wire.MAC(frame[:6]) == macs[host] {
			c.stream.PublishCaused(c.now, host+"/eth0", copies[host], event.FrameDropped{
				Port: "hub/" + portOf(host), Frame: copies[host], Reason: "lost on the cable",
			})
			delete(copies, host)
		}
	}
	c.pass(hop)
	for _, host := range c.hosts {
		if id, ok := copies[host]; ok {
			c.hear(host, id, frame, fcs, then)
		}
	}
}

func (c *classroom) hear(host string, id event.ID, frame []byte, fcs uint32, then func()) {
	heard := c.stream.PublishCaused(c.now, host, id, event.FrameHeard{Port: "eth0", Frame: id, Data: frame, FCS: fcs})
	reason := ""
	switch p := Decode(frame); {
	case fcs != wire.FCS(frame):
		reason = "its frame check sequence is wrong: a bit was damaged on the way"
	case !p.Ethernet.Dst.IsGroup() && p.Ethernet.Dst != macs[host]:
		reason = "it is addressed to another MAC address"
	case p.Has&LayerARP != 0 && p.ARP.TargetIP != addrs[host]:
		reason = "it asks for an address that isn't this machine's"
	}
	c.because(heard, func() {
		if reason != "" {
			c.tell(host, event.FrameDropped{Port: "eth0", Frame: id, Reason: reason})
		} else if then != nil {
			then()
		}
	})
}

func portOf(host string) string {
	return map[string]string{"nick": "eth0", "feige": "eth1", "lily": "eth2"}[host]
}

// ethernet puts a header before a payload, and pads it.
func ethernet(dst, src wire.MAC, kind wire.EtherType, payload []byte) []byte {
	h := wire.Ethernet{Dst: dst, Src: src, Type: kind}
	frame := append(h.AppendTo(nil), payload...)
	for len(frame) < wire.MinFrame-wire.FCSLen {
		frame = append(frame, 0)
	}
	return frame
}

func arpFrame(op wire.ARPOp, from, to string) []byte {
	a := wire.ARP{Op: op, SenderMAC: macs[from], SenderIP: addrs[from], TargetIP: addrs[to]}
	dst := wire.Broadcast
	if op == wire.ARPReply {
		a.TargetMAC, dst = macs[to], macs[to]
	}
	return ethernet(dst, macs[from], wire.EtherTypeARP, a.AppendTo(nil))
}

// packet puts an IPv4 header before a payload.
func packet(from, to string, proto wire.Protocol, payload []byte) []byte {
	h := wire.IPv4{
		TotalLen: wire.IPv4HeaderLen + len(payload), ID: 7, DF: true, TTL: 64, Protocol: proto,
		Src: addrs[from], Dst: addrs[to],
	}
	return ethernet(macs[to], macs[from], wire.EtherTypeIPv4, append(h.AppendTo(nil), payload...))
}

const (
	nickISN  = 1_000_000
	feigeISN = 5_000_000
)

// segment makes a frame of a TCP segment; numbers are relative.
func segment(from, to string, flags wire.TCPFlags, seq, ack uint32, data string, window uint16) []byte {
	isn := map[string]uint32{"nick": nickISN, "feige": feigeISN}
	h := wire.TCP{
		SrcPort: ports[from], DstPort: ports[to], Seq: isn[from] + seq, Flags: flags, Window: window,
	}
	if flags.Has(wire.ACK) {
		h.Ack = isn[to] + ack
	}
	if flags.Has(wire.SYN) {
		h.Options = wire.TCPOptions{MSS: 1460, WindowScale: 7, HasWindowScale: true, SACKPermitted: true, Timestamps: true, TSVal: 1}
	}
	h.Checksum = wire.TransportChecksum(addrs[from], addrs[to], wire.ProtocolTCP, h.AppendTo(nil), []byte(data))
	return packet(from, to, wire.ProtocolTCP, append(h.AppendTo(nil), data...))
}

func datagram(from, to string, data []byte) []byte {
	h := wire.UDP{SrcPort: ports[from], DstPort: ports[to], Length: wire.UDPHeaderLen + len(data)}
	h.Checksum = wire.UDPChecksum(addrs[from], addrs[to], h.AppendTo(nil), data)
	return packet(from, to, wire.ProtocolUDP, append(h.AppendTo(nil), data...))
}

const (
	syn    = wire.SYN
	ack    = wire.ACK
	psh    = wire.PSH
	fin    = wire.FIN
	rfcTCP = "RFC 9293, 3.5"
)

// lesson is the course's conversation: nick asks for feige's address, opens a
// connection, sends hello, hears HELLO, and closes. lostSYN loses the first
// SYN.
func lesson(lostSYN bool) *classroom {
	c := newClassroom()
	connect := c.tell("nick", event.SocketCall{Program: "nick", FD: 3, Call: "connect", Args: "172.16.10.11:8080", Blocked: true})
	c.because(connect, func() {
		c.state("nick", "feige", "CLOSED", "SYN-SENT", "the program connects")
		c.shout("nick", arpFrame(wire.ARPRequest, "nick", "feige"), "ARP request", "RFC 826", func() {
			c.tell("feige", event.Neighbor{
				Port: "eth0", Address: addrs["nick"], MAC: macs["nick"], From: "none", To: "stale", Why: "it asks for us",
			})
		})
		c.shout("feige", arpFrame(wire.ARPReply, "feige", "nick"), "ARP reply: the address is ours", "RFC 826", nil)
	})
	if lostSYN {
		c.lose = true
		c.shout("nick", segment("nick", "feige", syn, 0, 0, "", 65535), "handshake: asks for a connection", rfcTCP, nil)
		c.pass(time.Second - 2*hop)
		timer := c.tell("nick", event.TimerFired{Flow: flowOfHost("nick", "feige"), Timer: "retransmission"})
		c.because(timer, func() {
			c.shout("nick", segment("nick", "feige", syn, 0, 0, "", 65535), "handshake: no answer, asked again", "RFC 9293, 3.8.3", c.synArrives)
		})
	} else {
		c.shout("nick", segment("nick", "feige", syn, 0, 0, "", 65535), "handshake: asks for a connection", rfcTCP, c.synArrives)
	}
	c.openAndClose(connect)
	return c
}

func (c *classroom) synArrives() {
	c.state("feige", "nick", "LISTEN", "SYN-RECEIVED", "a SYN arrived")
}

func (c *classroom) openAndClose(connect event.ID) {
	c.shout("feige", segment("feige", "nick", syn|ack, 0, 1, "", 65535), "handshake: accepts the connection", rfcTCP, func() {
		c.state("nick", "feige", "SYN-SENT", "ESTABLISHED", "the SYN-ACK arrived")
	})
	c.shout("nick", segment("nick", "feige", ack, 1, 1, "", 512), "handshake: acknowledges the peer's SYN", rfcTCP, func() {
		c.state("feige", "nick", "SYN-RECEIVED", "ESTABLISHED", "our SYN is acknowledged")
	})
	c.stream.PublishCaused(c.now, "nick", connect, event.SocketCall{Program: "nick", FD: 3, Call: "connect", Args: "172.16.10.11:8080", Result: "0"})
	c.tell("feige", event.SocketCall{Program: "feige", FD: 3, Call: "accept", Args: "172.16.10.10:40000", Result: "4"})
	c.tell("nick", event.SocketCall{Program: "nick", FD: 3, Call: "send", Args: "5 bytes", Result: "5"})
	c.shout("nick", segment("nick", "feige", psh|ack, 1, 1, "hello", 512), "data", "RFC 9293, 3.7", nil)
	c.tell("feige", event.SocketCall{Program: "feige", FD: 4, Call: "recv", Args: "1024", Result: "5"})
	c.shout("feige", segment("feige", "nick", psh|ack, 1, 6, "HELLO", 512), "data", "RFC 9293, 3.7", nil)
	c.shout("nick", segment("nick", "feige", ack, 6, 6, "", 512), "delayed ACK", "RFC 9293, 3.8.6.3", nil)
	c.tell("nick", event.Said{Text: "heard HELLO"})
	closing := c.tell("nick", event.SocketCall{Program: "nick", FD: 3, Call: "close", Result: "0"})
	c.because(closing, func() {
		c.state("nick", "feige", "ESTABLISHED", "FIN-WAIT-1", "the program closed")
		c.shout("nick", segment("nick", "feige", fin|ack, 6, 6, "", 512), "no more data to send", "RFC 9293, 3.6", func() {
			c.state("feige", "nick", "ESTABLISHED", "CLOSE-WAIT", "the peer's FIN arrived")
		})
	})
	closing = c.tell("feige", event.SocketCall{Program: "feige", FD: 4, Call: "close", Result: "0"})
	c.because(closing, func() {
		c.state("feige", "nick", "CLOSE-WAIT", "LAST-ACK", "the program closed")
		c.shout("feige", segment("feige", "nick", fin|ack, 6, 7, "", 512), "no more data to send", "RFC 9293, 3.6", func() {
			c.state("nick", "feige", "FIN-WAIT-1", "FIN-WAIT-2", "our FIN is acknowledged")
			c.state("nick", "feige", "FIN-WAIT-2", "TIME-WAIT", "the peer's FIN arrived")
		})
	})
	c.shout("nick", segment("nick", "feige", ack, 7, 7, "", 512), "ACK of the peer's FIN", "RFC 9293, 3.10.7.4", func() {
		c.state("feige", "nick", "LAST-ACK", "CLOSED", "our FIN is acknowledged")
	})
	c.pass(time.Minute - 2*hop)
	c.state("nick", "feige", "TIME-WAIT", "CLOSED", "2MSL have passed")
	c.tell("nick", event.Expected{What: "nick: CLOSED", OK: true, Got: "CLOSED"})
}

// simultaneous is an open from both ends at once: the SYNs cross.
func simultaneous() *classroom {
	c := newClassroom()
	c.hosts = []string{"nick", "feige"}
	put := func(from, to string, flags wire.TCPFlags, seq, ack uint32, reason string) (event.ID, []byte) {
		frame := segment(from, to, flags, seq, ack, "", 65535)
		return c.tell(from, event.FrameSent{Port: "eth0", Data: frame, FCS: wire.FCS(frame), Reason: reason}), frame
	}
	get := func(at string, id event.ID, frame []byte, then func()) { c.hear(at, id, frame, wire.FCS(frame), then) }
	c.state("nick", "feige", "CLOSED", "SYN-SENT", "the program connects")
	a, aFrame := put("nick", "feige", syn, 0, 0, "handshake: asks for a connection")
	c.pass(hop / 5)
	c.state("feige", "nick", "CLOSED", "SYN-SENT", "the program connects")
	b, bFrame := put("feige", "nick", syn, 0, 0, "handshake: asks for a connection")
	c.pass(hop)
	get("feige", a, aFrame, func() { c.state("feige", "nick", "SYN-SENT", "SYN-RECEIVED", "a SYN arrived") })
	x, xFrame := put("feige", "nick", syn|ack, 0, 1, "handshake: accepts the connection")
	c.pass(hop / 5)
	get("nick", b, bFrame, func() { c.state("nick", "feige", "SYN-SENT", "SYN-RECEIVED", "a SYN arrived") })
	y, yFrame := put("nick", "feige", syn|ack, 0, 1, "handshake: accepts the connection")
	c.pass(hop)
	get("nick", x, xFrame, func() { c.state("nick", "feige", "SYN-RECEIVED", "ESTABLISHED", "our SYN is acknowledged") })
	c.pass(hop / 5)
	get("feige", y, yFrame, func() { c.state("feige", "nick", "SYN-RECEIVED", "ESTABLISHED", "our SYN is acknowledged") })
	return c
}
