package event

import (
	"net/netip"
	"testing"
	"time"

	"hubbub/wire"
)

func TestEventsAreNumberedFromOne(t *testing.T) {
	var s Stream
	var heard []*Event
	s.Listen(func(e *Event) { heard = append(heard, e) })
	if next := s.Upcoming(); next != 1 {
		t.Errorf("the next event will be %d, want 1", next)
	}
	first := s.Publish(5, "nick", Said{"hello"})
	second := s.Publish(7, "feige", Said{"HELLO"})
	if first != 1 || second != 2 || len(heard) != 2 {
		t.Fatalf("events %d and %d, %d heard; want 1, 2 and 2", first, second, len(heard))
	}
	if e := heard[1]; e.ID != 2 || e.Time != 7 || e.Node != "feige" || e.Body.String() != "HELLO" {
		t.Errorf("the second event is %+v", *e)
	}
}

func TestWithoutListenersNothingIsPublished(t *testing.T) {
	var s Stream
	if s.On() || s.Upcoming() != 0 || s.Publish(1, "nick", Said{"hello"}) != 0 {
		t.Error("a stream without listeners published something")
	}
}

func TestTheCauseIsWhatIsBeingHandled(t *testing.T) {
	var s Stream
	var causes []ID
	s.Listen(func(e *Event) { causes = append(causes, e.Cause) })
	call := s.Publish(1, "nick", SocketCall{Call: "send"})
	before := s.Because(call)
	s.Publish(1, "nick", FrameSent{})
	s.PublishCaused(1, "nick", 77, FrameSent{})
	s.Because(before)
	s.Publish(2, "nick", Said{})
	for i, want := range []ID{0, call, 77, 0} {
		if causes[i] != want {
			t.Errorf("event %d was caused by %d, want %d", i+1, causes[i], want)
		}
	}
}

func TestEventsInWords(t *testing.T) {
	addr := netip.MustParseAddr("172.16.10.11")
	mac := wire.MustParseMAC("02:00:00:00:00:01")
	here := netip.MustParseAddrPort("172.16.10.10:32768")
	there := netip.AddrPortFrom(addr, 8080)
	at := Flow{Local: here, Remote: there}
	for want, body := range map[string]Body{
		"sent a frame of 3 bytes from eth0":                        FrameSent{Port: "eth0", Data: []byte("abc")},
		"sent a frame of 3 bytes from eth0: delayed ACK":           FrameSent{Port: "eth0", Data: []byte("abc"), Reason: "delayed ACK"},
		"heard a frame of 3 bytes at eth0":                         FrameHeard{Port: "eth0", Data: []byte("abc")},
		"dropped a frame at eth0: lost on the cable":               FrameDropped{Port: "eth0", Reason: "lost on the cable"},
		"the cable is cut":                                         Fault{"the cable is cut"},
		"learned that 02:00:00:00:00:01 is behind eth3":            Learned{Address: mac.String(), Port: "eth3"},
		"forgot that 02:00:00:00:00:01 is behind eth3: silent":     Learned{Address: mac.String(), Port: "eth3", Forgot: true, Why: "silent"},
		"held a frame for 1ms more: jitter":                        Held{For: time.Millisecond, Why: "jitter"},
		"a frame: bit 7 was inverted on the way":                   Harmed{What: "bit 7 was inverted on the way"},
		"neighbour 172.16.10.11: none -> incomplete: needed":       Neighbor{Address: addr, From: "none", To: "incomplete", Why: "needed"},
		"route to 172.16.10.11: it is on the link":                 Routed{Destination: addr, Why: "it is on the link"},
		"172.16.10.11 is also used by 02:00:00:00:00:01: defended": Conflict{Address: addr, MAC: mac, What: "defended"},
		"cut a packet of 3000 bytes for 172.16.10.11 into 3 fragments: the MTU is 1500": Fragmented{
			Destination: addr, Size: 3000, MTU: 1500, Pieces: 3,
		},
		"put 3 fragments from 172.16.10.11 together: 3000 bytes": Reassembled{Source: addr, Pieces: 3, Size: 3000},
		"gave up 2 fragments from 172.16.10.11: one is missing":  Reassembled{Source: addr, Pieces: 2, Why: "one is missing"},
		"172.16.10.10:32768 - 172.16.10.11:8080: SYN-SENT -> ESTABLISHED: answered": TCPState{
			Flow: at, From: "SYN-SENT", To: "ESTABLISHED", Why: "answered",
		},
		"172.16.10.10:32768 - 172.16.10.11:8080: 2MSL timer set to 60.000000":   TimerSet{Flow: at, Timer: "2MSL", At: 60e9},
		"172.16.10.10:32768 - 172.16.10.11:8080: 2MSL timer stopped":            TimerStopped{Flow: at, Timer: "2MSL"},
		"172.16.10.10:32768: 2MSL timer expired":                                TimerFired{Flow: Flow{Local: here}, Timer: "2MSL"},
		"172.16.10.10:32768 - 172.16.10.11:8080: urgent data pends":             Advice{Flow: at, What: "urgent data pends"},
		"172.16.10.10:32768: the receive buffer is full":                        Overflow{Local: here, What: "the receive buffer is full"},
		"172.16.10.10:32768 - 172.16.10.11:8080: open: cwnd 10, ssthresh 5: ok": Congestion{Flow: at, Cwnd: 10, Ssthresh: 5, Phase: "open", Why: "ok"},
		"accept() waits":               SocketCall{Call: "accept", Blocked: true},
		"connect(feige:80) = 0":        SocketCall{Call: "connect", Args: "feige:80", Result: "0"},
		"bind(:80) = EADDRINUSE":       SocketCall{Call: "bind", Args: ":80", Result: "-1", Error: "EADDRINUSE"},
		"as expected: nick: TIME-WAIT": Expected{What: "nick: TIME-WAIT", OK: true},
		"expected HELLO, got hello":    Expected{What: "HELLO", Got: "hello"},
	} {
		if got := body.String(); got != want {
			t.Errorf("%T reads %q, want %q", body, got, want)
		}
	}
}
