package capture

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"hubbub/wire"
)

// explained returns a frame's explanation. The frame is given its right frame
// check sequence.
func explained(t *testing.T, frame []byte, o ExplainOptions) string {
	t.Helper()
	var text strings.Builder
	if err := Explain(&text, wire.AppendFCS(bytes.Clone(frame), wire.FCS(frame)), o); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

func TestExplainGolden(t *testing.T) {
	for name, c := range map[string]struct {
		frame   []byte
		options ExplainOptions
	}{
		"explain-syn.txt":  {segment("nick", "feige", syn, 0, 0, "", 65535), ExplainOptions{Bits: true, Heading: "nick/eth0 at 0.000200"}},
		"explain-data.txt": {segment("nick", "feige", psh|ack, 1, 1, "hello", 512), ExplainOptions{View: Textbook}},
		"explain-arp.txt":  {arpFrame(wire.ARPRequest, "nick", "feige"), ExplainOptions{View: TCPIP, ASCII: true, Width: 80}},
		"explain-icmp.txt": {unreachable(), ExplainOptions{}},
		"explain-vlan.txt": {tagged(), ExplainOptions{}},
	} {
		c.options.Names = names
		golden(t, name, explained(t, c.frame, c.options))
	}
}

func unreachable() []byte {
	m := wire.ICMPv4{Type: wire.DestinationUnreachable, Code: wire.CodePortUnreachable}
	quoted := datagram("nick", "feige", []byte("ping"))[wire.EthernetHeaderLen:][:28]
	return packet("feige", "nick", wire.ProtocolICMP, m.AppendTo(nil, quoted))
}

// tagged is a fragment with an IP option, in a VLAN.
func tagged() []byte {
	h := wire.IPv4{
		TotalLen: 24 + 16, ID: 9, MF: true, FragOffset: 1480, TTL: 64, Protocol: wire.ProtocolUDP,
		Src: addrs["nick"], Dst: addrs["feige"], Options: []byte{148, 4, 0, 0},
	}
	eth := wire.Ethernet{
		Dst: macs["feige"], Src: wire.MAC{0x00, 0x1b, 0x21, 0xab, 0xcd, 0xef}, Tagged: true,
		VLAN: wire.VLAN{ID: 7, Priority: 3}, Type: wire.EtherTypeIPv4,
	}
	return append(h.AppendTo(eth.AppendTo(nil)), "0123456789abcdef"...)
}

// damage returns a frame with one octet changed.
func damage(frame []byte, at int, to byte) []byte {
	b := bytes.Clone(frame)
	b[at] = to
	return b
}

func TestExplainSaysWhereBytesStopMakingSense(t *testing.T) {
	tcp := segment("nick", "feige", psh|ack, 1, 1, "hello", 512)
	udp := datagram("nick", "feige", []byte("ping"))
	for _, c := range []struct {
		what  string
		frame []byte
		want  string
	}{
		{"nothing", nil, "Here the bytes end: an Ethernet header has at least 14 octets, and there are only 0."},
		{"half a header", tcp[:9], "an Ethernet header has at least 14 octets, and there are only 9."},
		{"half a tag", append(bytes.Clone(tcp[:12]), 0x81, 0, 0), "an Ethernet header with a tag has at least 18"},
		{"half an IPv4 header", tcp[:20], "an IPv4 header has at least 20 octets, and there are only 6."},
		{"another version", damage(tcp, 14, 0x65), "The version is 6: this is no IPv4 header"},
		{"a short IHL", damage(tcp, 14, 0x42), "A header of 8 octets can't be"},
		{"a long packet", damage(tcp, 16, 0xff), "The total length of 65325 can't be: 46 octets are here."},
		{"a wrong IPv4 checksum", damage(tcp, 22, 9), "wrong: over the header it should be"},
		{"a wrong TCP checksum", damage(tcp, 54, 'H'), "wrong: over the addresses, header and data it should be"},
		{"a short data offset", damage(tcp, 46, 0x10), "A header of 4 octets can't be"},
		{"a long data offset", damage(tcp, 46, 0xf0), "A header of 60 octets can't be"},
		{"half a TCP header", damage(tcp[:40], 17, 26), "a TCP header has at least 20 octets, and there are only 6."},
		{"half a UDP header", damage(udp[:40], 17, 26), "a UDP header has at least 8 octets, and there are only 6."},
		{"a long UDP length", damage(udp, 39, 99), "A length of 99 can't be: 12 octets are here."},
		{"half an ARP packet", arpFrame(wire.ARPRequest, "nick", "feige")[:30], "an ARP packet for IPv4 over Ethernet has at least 28"},
		{"ARP of another kind", damage(arpFrame(wire.ARPRequest, "nick", "feige"), 15, 6), "This ARP packet is not about IPv4 over Ethernet"},
		{"an unknown type", damage(tcp, 12, 0x99), "What follows the Ethernet header is of an unknown type"},
		{"an 802.3 frame", damage(damage(tcp, 12, 0), 13, 46), "an LLC header tells"},
		{"a later fragment", tagged(), "This is a later piece of a packet that was cut: the UDP header is in the first piece."},
	} {
		if got := explained(t, c.frame, ExplainOptions{FCS: FCSThere}); !strings.Contains(oneLine(got), oneLine(c.want)) {
			t.Errorf("%s: want %q in\n%s", c.what, c.want, got)
		}
	}
}

// oneLine undoes the wrapping of lines.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func TestExplainFrameCheckSequence(t *testing.T) {
	frame := segment("nick", "feige", syn, 0, 0, "", 65535)
	right := wire.AppendFCS(bytes.Clone(frame), wire.FCS(frame))
	wrong := wire.AppendFCS(bytes.Clone(frame), wire.FCS(frame)^1)
	for _, c := range []struct {
		what  string
		frame []byte
		mode  FCSMode
		want  string
	}{
		{"right, guessed", right, FCSGuess, "right: the CRC-32 of all octets before it"},
		{"wrong, known", wrong, FCSThere, "wrong: it should be 0x"},
		{"wrong, guessed", wrong, FCSGuess, "padding"},
		{"absent", frame, FCSAbsent, ""},
	} {
		var text strings.Builder
		if err := Explain(&text, c.frame, ExplainOptions{FCS: c.mode}); err != nil {
			t.Fatal(err)
		}
		has := strings.Contains(text.String(), "frame check sequence")
		if has != (c.what != "absent" && c.what != "wrong, guessed") || !strings.Contains(text.String(), c.want) {
			t.Errorf("%s: want %q in\n%s", c.what, c.want, text.String())
		}
	}
}

func TestExplainTCPOptions(t *testing.T) {
	h := wire.TCP{SrcPort: 1, DstPort: 2, Flags: ack, Options: wire.TCPOptions{NumSACK: 1, SACK: [4]wire.SACKBlock{{Left: 100, Right: 200}}}}
	sack := packet("nick", "feige", wire.ProtocolTCP, h.AppendTo(nil))
	if got := oneLine(explained(t, sack, ExplainOptions{})); !strings.Contains(got, "100 up to 200, have arrived too") {
		t.Errorf("the SACK block isn't explained in\n%s", got)
	}
	h.Options = wire.TCPOptions{MSS: 1460}
	odd := h.AppendTo(nil)
	odd[20], odd[21] = 99, 77
	if got := oneLine(explained(t, packet("nick", "feige", wire.ProtocolTCP, odd), ExplainOptions{})); !strings.Contains(got, "a length that can't be") {
		t.Errorf("the option's length isn't refused in\n%s", got)
	}
}

// Every octet of a frame is in its bits, in order, once.
func TestExplainBitsAreTheFrame(t *testing.T) {
	for _, frame := range [][]byte{segment("nick", "feige", psh|ack, 1, 1, "hello", 512), arpFrame(wire.ARPReply, "nick", "feige"), unreachable(), tagged(), {1, 2, 3}} {
		text := explained(t, frame, ExplainOptions{Bits: true})
		_, bits, _ := strings.Cut(text, "in groups of eight\n")
		var got []byte
		for l := range strings.Lines(bits) {
			for _, word := range strings.Fields(l) {
				if len(word) == 8 && strings.Trim(word, "01") == "" {
					var c byte
					for i := range word {
						c = c<<1 | word[i]&1
					}
					got = append(got, c)
				}
			}
		}
		if want := wire.AppendFCS(bytes.Clone(frame), wire.FCS(frame)); !bytes.Equal(got, want) {
			t.Errorf("the bits are those of % x, want % x", got, want)
		}
	}
}

func TestExplainLinesFitTheWidth(t *testing.T) {
	for _, width := range []int{80, 100} {
		for _, view := range []View{OSI, Textbook, TCPIP} {
			for _, frame := range [][]byte{segment("nick", "feige", syn, 0, 0, "", 1), arpFrame(wire.ARPRequest, "nick", "feige"), unreachable(), tagged()} {
				for l := range strings.Lines(explained(t, frame, ExplainOptions{View: view, Width: width, Names: names})) {
					if n := textWidth(strings.TrimRight(l, "\n")); n > width {
						t.Errorf("a line has %d columns, want at most %d: %s", n, width, l)
					}
				}
			}
		}
	}
}

func TestExplainDataIsBounded(t *testing.T) {
	frame := datagram("nick", "feige", bytes.Repeat([]byte{1}, 1000))
	if got := explained(t, frame, ExplainOptions{}); !strings.Contains(got, "... and 744 octets more") {
		t.Errorf("the data isn't cut after 256 octets:\n%s", got)
	}
	if got := explained(t, frame, ExplainOptions{Data: -1}); strings.Contains(got, "01 01 01") {
		t.Error("data is printed that wasn't wanted")
	}
}

func FuzzExplain(f *testing.F) {
	f.Add(segment("nick", "feige", syn, 0, 0, "", 65535), uint8(0))
	f.Add(segment("nick", "feige", psh|ack, 1, 1, "hello", 512), uint8(1))
	f.Add(datagram("nick", "feige", []byte("ping")), uint8(2))
	f.Add(arpFrame(wire.ARPRequest, "nick", "feige"), uint8(3))
	f.Add(unreachable(), uint8(4))
	f.Add(tagged(), uint8(5))
	f.Add([]byte{}, uint8(6))
	f.Fuzz(func(t *testing.T, frame []byte, mode uint8) {
		o := ExplainOptions{View: View(4 + mode%4), FCS: FCSMode(mode % 3), Bits: mode&16 != 0, ASCII: mode&32 != 0}
		var text strings.Builder
		if err := Explain(&text, frame, o); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(text.String(), "\x1b\r\x00") {
			t.Error("the explanation has control characters")
		}
	})
}

// Whatever a frame is, decoding it ends, and its summary has one line.
func FuzzDecode(f *testing.F) {
	f.Add(segment("nick", "feige", syn, 0, 0, "", 65535))
	f.Add(unreachable())
	f.Add(tagged())
	f.Fuzz(func(t *testing.T, frame []byte) {
		p := Decode(frame)
		if text := p.Summary(); text == "" || strings.ContainsAny(text, "\n\x1b") {
			t.Errorf("the summary is %q", text)
		}
		if len(p.Payload) > len(frame) {
			t.Error("the payload is longer than the frame")
		}
		if p.Has&LayerTCP != 0 && p.TCP.SrcPort != binary.BigEndian.Uint16(frame[p.Ethernet.Len()+p.IP.HeaderLen():]) {
			t.Error("the source port is not the frame's")
		}
	})
}
