package capture

import (
	"testing"

	"hubbub/event"
	"hubbub/wire"
)

// fragmentOf makes a frame of a part of a UDP packet from nick to feige.
func fragmentOf(id uint16, from, n int, more bool, ttl uint8, src, dst wire.MAC) []byte {
	h := wire.IPv4{
		TotalLen: wire.IPv4HeaderLen + n, ID: id, MF: more, FragOffset: from, TTL: ttl, Protocol: wire.ProtocolUDP,
		Src: addrs["nick"], Dst: addrs["feige"],
	}
	return ethernet(dst, src, wire.EtherTypeIPv4, append(h.AppendTo(nil), make([]byte, n)...))
}

// A router's copy of a packet is found by what the packet keeps on its way,
// whatever made the router send it: it may have waited for an ARP reply.
func TestOriginsThroughARouter(t *testing.T) {
	near, far, router := macs["nick"], macs["feige"], macs["lily"]
	whole := func(ttl uint8, src, dst wire.MAC) []byte { return fragmentOf(9, 0, 2000, false, ttl, src, dst) }
	for _, c := range []struct {
		what        string
		sent        []byte
		forwarded   []byte
		wantTheSame bool
	}{
		{"the packet", whole(64, near, router), whole(63, router, far), true},
		{"its beginning", whole(64, near, router), fragmentOf(9, 0, 976, true, 63, router, far), true},
		{"its end", whole(64, near, router), fragmentOf(9, 976, 1024, false, 63, router, far), true},
		{"more than was heard", fragmentOf(9, 0, 976, true, 64, near, router), fragmentOf(9, 0, 1480, true, 63, router, far), false},
		{"another packet", whole(64, near, router), fragmentOf(10, 0, 2000, false, 63, router, far), false},
		{"ARP", arpFrame(wire.ARPRequest, "nick", "feige"), arpFrame(wire.ARPRequest, "nick", "feige"), false},
	} {
		o := newOrigins()
		send := func(id, cause event.ID, node string, frame []byte) event.ID {
			b := event.FrameSent{Port: "eth0", Data: frame, Reason: "some reason"}
			return o.handleSent(&event.Event{ID: id, Cause: cause, Node: node, Body: b}, &b)
		}
		if got := send(1, 0, "nick", c.sent); got != 1 {
			t.Errorf("%s: what nick sends has the origin %d, want itself", c.what, got)
		}
		heard := event.FrameHeard{Port: "eth0", Frame: 1, Data: c.sent}
		o.handleHeard(&event.Event{ID: 2, Cause: 1, Node: "gateway", Body: heard}, &heard)
		want := event.ID(4)
		if c.wantTheSame {
			want = 1
		}
		if got := send(4, 3, "gateway", c.forwarded); got != want {
			t.Errorf("%s: the origin is %d, want %d", c.what, got, want)
		}
	}
}

func TestOriginsAreBounded(t *testing.T) {
	o := newOrigins()
	frame := segment("nick", "feige", syn, 0, 0, "", 65535)
	for id := event.ID(1); id < 3*maxOrigins; id += 2 {
		sent := event.FrameSent{Data: frame, Reason: "some reason"}
		o.handleSent(&event.Event{ID: id, Node: "nick", Body: sent}, &sent)
		heard := event.FrameHeard{Frame: id, Data: frame}
		o.handleHeard(&event.Event{ID: id + 1, Node: "feige", Body: heard}, &heard)
	}
	if len(o.sent) > maxOrigins || len(o.heard) > maxOrigins || len(o.waiting) > maxOrigins || len(o.whole) > maxOrigins {
		t.Errorf("%d, %d, %d and %d are remembered, want at most %d each", len(o.sent), len(o.heard), len(o.waiting), len(o.whole), maxOrigins)
	}
	if o.of(1) != 0 {
		t.Error("the first frame is still remembered")
	}
}

// Whatever frames a stream has, in whatever order they are sent, heard and
// dropped, those who listen take it.
func FuzzListeners(f *testing.F) {
	f.Add(segment("nick", "feige", syn, 0, 0, "", 65535), segment("feige", "nick", syn|ack, 0, 1, "", 9), []byte{0, 1, 2, 3, 4})
	f.Add(datagram("nick", "feige", []byte("ping")), unreachable(), []byte{0, 5, 9, 1, 200})
	f.Add(tagged(), arpFrame(wire.ARPRequest, "nick", "feige"), []byte{7, 7, 7})
	f.Fuzz(func(t *testing.T, a, b, script []byte) {
		c := newClassroom()
		for _, step := range script[:min(len(script), 64)] {
			c.step(step, [][]byte{a, b}[step>>7])
		}
		drawn(t, c.events, LadderOptions{Names: names})
		told(t, c.events, StoryOptions{Detail: EveryLayer})
		capturedFile(t, c.events, PcapngOptions{})
		capturedFile(t, c.events, PcapngOptions{Once: true})
		jsonLines(t, c.events, JSONOptions{Bytes: true})
	})
}

// step publishes an event that has little to do with those before.
func (c *classroom) step(step byte, frame []byte) {
	node := c.hosts[int(step>>2)%len(c.hosts)]
	last := event.ID(len(c.events))
	c.stream.Because(last)
	c.now += hopOf(step)
	switch step & 3 {
	case 0:
		c.tell(node, event.FrameSent{Port: "eth0", Data: frame, Reason: []string{"", "data"}[step>>4&1]})
	case 1:
		c.tell(node, event.FrameHeard{Port: "eth0", Frame: last, Data: frame})
	case 2:
		c.tell(node, event.FrameDropped{Port: "eth0", Frame: last * event.ID(step>>5&1), Data: frame, Reason: "no reason"})
	case 3:
		c.state(node, "feige", "CLOSED", "SYN-SENT", "the program connects")
	}
}
