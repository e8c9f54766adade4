package lab

import (
	"testing"

	"hubbub/internal/pkt"
	"hubbub/wire"
)

func TestFramesPhrases(t *testing.T) {
	r := &reader{reporter: newReporter("", nil)}
	r.config.Hosts = []Host{{Name: "nick", Address: addr32(1)}, {Name: "feige", Address: addr32(2)}}
	for text, want := range map[string]Frames{
		"the second SYN-ACK":                {Kind: "SYN-ACK", First: 2, Count: 1},
		"SYN":                               {Kind: "SYN", First: 1, Count: 1},
		"the next ACK from nick":            {Kind: "ACK", First: 1, Count: 1, From: "nick"},
		"every ARP request to feige":        {Kind: "ARP request", First: 1, Count: -1, To: "feige"},
		"all data segments":                 {Kind: "data segment", First: 1, Count: -1},
		"the 12th frame":                    {Kind: "frame", First: 12, Count: 1},
		"the third 2 fins":                  {Kind: "FIN", First: 3, Count: 2},
		"the next 3 ARP replies":            {Kind: "ARP reply", First: 1, Count: 3},
		"the first ping from nick to feige": {Kind: "ping", First: 1, Count: 1, From: "nick", To: "feige"},
	} {
		want.Text = text
		got, ok := r.frames(&node{text: text, at: Position{1, 1}}, text)
		if !ok || got != want {
			t.Errorf("%q: %+v, %v, want %+v", text, got, ok, want)
		}
	}
	if err := r.err(); err != nil {
		t.Error(err)
	}
}

// Each kind chooses the frames that it is called after, and no others.
func TestFrameKinds(t *testing.T) {
	frames := map[string][]byte{
		"ARP request": arpFrame(arpRequest), "ARP reply": arpFrame(arpReply),
		"ping": icmpFrame(8), "pong": icmpFrame(0), "unreachable": icmpFrame(3),
		"datagram": ipFrame(wire.ProtocolUDP, 0, make([]byte, 12)),
		"fragment": ipFrame(wire.ProtocolUDP, 0x2000, make([]byte, 16)),
		"later":    ipFrame(wire.ProtocolTCP, 0x0001, make([]byte, 32)),
		"SYN":      tcpFrame(wire.SYN, 0), "SYN-ACK": tcpFrame(wire.SYN|wire.ACK, 0),
		"ACK": tcpFrame(wire.ACK, 0), "data": tcpFrame(wire.ACK|wire.PSH, 5),
		"FIN": tcpFrame(wire.FIN|wire.ACK, 0), "RST": tcpFrame(wire.RST, 0),
	}
	for kind, want := range map[string][]string{
		"ARP request": {"ARP request"}, "ARP reply": {"ARP reply"}, "ping": {"ping"}, "pong": {"pong"},
		"ICMP message": {"ping", "pong", "unreachable"}, "fragment": {"fragment", "later"},
		"datagram": {"datagram", "fragment"},
		"segment":  {"SYN", "SYN-ACK", "ACK", "data", "FIN", "RST", "later"},
		"SYN":      {"SYN"}, "SYN-ACK": {"SYN-ACK"}, "ACK": {"ACK"}, "data segment": {"data"}, "FIN": {"FIN"}, "RST": {"RST"},
	} {
		f := Frames{Kind: kind}
		m := f.match(new(Config), nil)
		chosen := make(map[string]bool)
		for _, name := range want {
			chosen[name] = true
		}
		for name, b := range frames {
			p := pkt.FromBytes(b, 54)
			if got := m.Matches(p); got != chosen[name] {
				t.Errorf("%s: %s is chosen: %v", kind, name, got)
			}
			p.Release()
		}
	}
}

func ethernet(t wire.EtherType, payload []byte) []byte {
	b := append(make([]byte, 12), byte(t>>8), byte(t))
	b[5], b[11] = 2, 4
	b = append(b, payload...)
	for len(b) < 60 {
		b = append(b, 0)
	}
	return b
}

func arpFrame(operation byte) []byte {
	return ethernet(wire.EtherTypeARP, append([]byte{0, 1, 8, 0, 6, 4, 0, operation}, make([]byte, 20)...))
}

func ipFrame(protocol wire.Protocol, fragment uint16, payload []byte) []byte {
	n := 20 + len(payload)
	h := []byte{
		0x45, 0, byte(n >> 8), byte(n), 0, 1, byte(fragment >> 8), byte(fragment), 64, byte(protocol), 0, 0,
		10, 0, 0, 1, 10, 0, 0, 2,
	}
	return ethernet(wire.EtherTypeIPv4, append(h, payload...))
}

func icmpFrame(kind byte) []byte {
	return ipFrame(wire.ProtocolICMP, 0, append([]byte{kind}, make([]byte, 15)...))
}

func tcpFrame(flags wire.TCPFlags, data int) []byte {
	segment := make([]byte, 20+data)
	segment[12], segment[13] = 5<<4, byte(flags)
	return ipFrame(wire.ProtocolTCP, 0, segment)
}
