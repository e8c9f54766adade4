package capture

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"hubbub/event"
	"hubbub/internal/need"
	"hubbub/wire"
)

// captured writes a stream to a pcapng file.
func capturedFile(t testing.TB, events []*event.Event, o PcapngOptions) []byte {
	t.Helper()
	var out bytes.Buffer
	w := NewPcapngWriter(&out, o)
	for _, e := range events {
		w.Handle(e)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func readFrames(t *testing.T, file []byte) []Frame {
	t.Helper()
	frames, err := ReadFrames(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	return frames
}

func TestPcapngHoldsEveryFrameAtEveryPort(t *testing.T) {
	c := lesson(true)
	frames := readFrames(t, capturedFile(t, c.events, PcapngOptions{Names: names}))
	var want []event.Event
	for _, e := range c.events {
		switch e.Body.(type) {
		case event.FrameSent, event.FrameHeard:
			want = append(want, *e)
		}
	}
	if len(frames) != len(want) {
		t.Fatalf("%d frames, want %d", len(frames), len(want))
	}
	for i, f := range frames {
		var port string
		var data []byte
		switch b := want[i].Body.(type) {
		case event.FrameSent:
			port, data = b.Port, b.Data
		case event.FrameHeard:
			port, data = b.Port, b.Data
		}
		if f.Interface != want[i].Node+"/"+port || f.Time != want[i].Time || f.Number != i+1 || !f.HasFCS {
			t.Errorf("frame %d is at %s, %v; want %s/%s, %v", f.Number, f.Interface, f.Time, want[i].Node, port, want[i].Time)
		}
		if !bytes.Equal(f.Data, wire.AppendFCS(bytes.Clone(data), wire.FCS(data))) {
			t.Errorf("frame %d is % x, want % x and its check sequence", f.Number, f.Data, data)
		}
	}
}

// comments returns the comments of the packets that a filter chooses.
func comments(frames []Frame, keep func(*Frame, *Packet) bool) [][]string {
	var all [][]string
	for i := range frames {
		p := Decode(frames[i].Data[:len(frames[i].Data)-wire.FCSLen])
		if keep(&frames[i], &p) {
			all = append(all, frames[i].Comments)
		}
	}
	return all
}

func wantComments(t *testing.T, what string, got [][]string, want ...[]string) {
	t.Helper()
	if !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("%s has the comments\n%q, want\n%q", what, got, want)
	}
}

func TestPcapngComments(t *testing.T) {
	frames := readFrames(t, capturedFile(t, lesson(true).events, PcapngOptions{}))
	isSYN := func(p *Packet) bool { return p.Has&LayerTCP != 0 && p.TCP.Flags == syn }
	at := func(port string, match func(*Packet) bool) [][]string {
		return comments(frames, func(f *Frame, p *Packet) bool { return f.Interface == port && match(p) })
	}
	wantComments(t, "nick's SYN as it is sent", at("nick/eth0", isSYN),
		[]string{"handshake: asks for a connection (RFC 9293, 3.5)", "nick: CLOSED -> SYN-SENT"},
		[]string{"handshake: no answer, asked again (RFC 9293, 3.8.3)"})
	wantComments(t, "nick's SYN on feige's side of the hub", at("hub/eth1", isSYN),
		[]string{"went no further at feige/eth0: lost on the cable"}, nil)
	wantComments(t, "nick's SYN as feige hears it", at("feige/eth0", isSYN), []string{"feige: LISTEN -> SYN-RECEIVED"})
	wantComments(t, "nick's SYN as lily hears it", at("lily/eth0", isSYN),
		[]string{"discarded by lily: it is addressed to another MAC address"},
		[]string{"discarded by lily: it is addressed to another MAC address"})
	wantComments(t, "the FINs at nick", at("nick/eth0", func(p *Packet) bool { return p.Has&LayerTCP != 0 && p.TCP.Flags.Has(fin) }),
		[]string{"no more data to send (RFC 9293, 3.6)", "nick: ESTABLISHED -> FIN-WAIT-1"},
		[]string{"nick: FIN-WAIT-1 -> FIN-WAIT-2", "nick: FIN-WAIT-2 -> TIME-WAIT"})
}

func TestPcapngOnce(t *testing.T) {
	frames := readFrames(t, capturedFile(t, lesson(true).events, PcapngOptions{Once: true}))
	if len(frames) != 12 {
		t.Fatalf("%d packets, want the 12 that hosts have sent", len(frames))
	}
	wantComments(t, "the SYN", comments(frames, func(_ *Frame, p *Packet) bool { return p.Has&LayerTCP != 0 && p.TCP.Flags == syn }),
		[]string{
			"handshake: asks for a connection (RFC 9293, 3.5)", "nick: CLOSED -> SYN-SENT",
			"went no further at feige/eth0: lost on the cable",
		},
		[]string{"handshake: no answer, asked again (RFC 9293, 3.8.3)", "feige: LISTEN -> SYN-RECEIVED"})
}

func TestPcapngChoosesPortsAndFrames(t *testing.T) {
	f, err := ParseFilter("arp", names)
	if err != nil {
		t.Fatal(err)
	}
	frames := readFrames(t, capturedFile(t, lesson(false).events, PcapngOptions{
		Filter: f, Port: func(node, port string) bool { return node == "lily" && port == "eth0" },
	}))
	if len(frames) != 2 || frames[0].Interface != "lily/eth0" {
		t.Errorf("got %d frames, want the 2 of ARP that lily hears", len(frames))
	}
}

func TestPcapngIsTheSameEveryTime(t *testing.T) {
	for _, once := range []bool{false, true} {
		o := PcapngOptions{Names: names, Comment: "a lesson", Once: once}
		if !bytes.Equal(capturedFile(t, lesson(true).events, o), capturedFile(t, lesson(true).events, o)) {
			t.Error("the same stream made two different files")
		}
	}
}

// A frame whose fate is never told doesn't keep the others waiting for ever.
func TestPcapngHoldsABoundedNumber(t *testing.T) {
	var out bytes.Buffer
	w := NewPcapngWriter(&out, PcapngOptions{})
	frame := segment("nick", "feige", ack, 1, 1, "", 512)
	for i := range maxHeld + 100 {
		w.Handle(&event.Event{ID: event.ID(i + 1), Time: 1, Node: "nick", Body: event.FrameSent{Port: "eth0", Data: frame}})
		if n := w.held.len(); n > maxHeld {
			t.Fatalf("%d packets are held, want at most %d", n, maxHeld)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if n := len(readFrames(t, out.Bytes())); n != maxHeld+100 {
		t.Errorf("%d packets were written, want %d", n, maxHeld+100)
	}
}

func TestPcapngFlags(t *testing.T) {
	arp, tcp := arpFrame(wire.ARPRequest, "nick", "feige"), segment("nick", "feige", syn, 0, 0, "", 1)
	for _, c := range []struct {
		what string
		h    heldPacket
		want uint32
	}{
		{"a broadcast that is sent", heldPacket{data: arp, fcs: wire.FCS(arp)}, 0x8e},
		{"a broadcast that is heard", heldPacket{data: arp, fcs: wire.FCS(arp), sentAs: 1}, 0x8d},
		{"a frame for one", heldPacket{data: tcp, fcs: wire.FCS(tcp), sentAs: 1}, 0x85},
		{"a frame for a group", heldPacket{data: damage(tcp, 0, 1)}, 0x8a},
		{"a damaged frame", heldPacket{data: tcp, fcs: wire.FCS(tcp) ^ 1, sentAs: 1}, 0x01000085},
		{"a runt", heldPacket{data: tcp[:40], fcs: wire.FCS(tcp[:40]), sentAs: 1}, 0x04000085},
		{"a giant", heldPacket{data: make([]byte, 1600), fcs: wire.FCS(make([]byte, 1600)), sentAs: 1}, 0x02000085},
	} {
		if got := c.h.flags(); got != c.want {
			t.Errorf("%s has the flags %#x, want %#x", c.what, got, c.want)
		}
	}
}

// bigEndian turns a pcapng file of ours into the other byte order.
func bigEndian(t *testing.T, file []byte) []byte {
	t.Helper()
	b := bytes.Clone(file)
	for at := 0; at < len(b); {
		kind, n := binary.LittleEndian.Uint32(b[at:]), int(binary.LittleEndian.Uint32(b[at+4:]))
		body := b[at+8 : at+n-4]
		options := body
		words, halves := 0, 0
		switch kind {
		case blockSection:
			words, options = 1, body[16:]
			halves = 2
		case blockInterface:
			slices.Reverse(body[:2])
			slices.Reverse(body[4:8])
			options = body[8:]
		case blockEnhanced:
			words = 5
			options = body[20+(binary.LittleEndian.Uint32(body[12:])+3)&^3:]
		}
		for i := range words {
			slices.Reverse(body[4*i : 4*i+4])
		}
		for i := range halves {
			slices.Reverse(body[4*words+2*i : 4*words+2*i+2])
		}
		for len(options) >= 4 {
			size := int(binary.LittleEndian.Uint16(options[2:]))
			if code := binary.LittleEndian.Uint16(options); code == optPacketFlags && kind == blockEnhanced {
				slices.Reverse(options[4 : 4+size])
			}
			slices.Reverse(options[:2])
			slices.Reverse(options[2:4])
			options = options[4+(size+3)&^3:]
		}
		for _, w := range [][]byte{b[at : at+4], b[at+4 : at+8], b[at+n-4 : at+n]} {
			slices.Reverse(w)
		}
		at += n
	}
	return b
}

func TestReadEitherByteOrder(t *testing.T) {
	file := capturedFile(t, lesson(true).events, PcapngOptions{Comment: "a lesson"})
	want, got := readFrames(t, file), readFrames(t, bigEndian(t, file))
	equal := slices.EqualFunc(got, want, func(a, b Frame) bool {
		return a.Interface == b.Interface && a.Time == b.Time && bytes.Equal(a.Data, b.Data) && slices.Equal(a.Comments, b.Comments) && a.HasFCS == b.HasFCS
	})
	if !equal {
		t.Error("the same file in the other byte order reads differently")
	}
}

// pcapFile makes a file of the older format with one frame.
func pcapFile(order binary.AppendByteOrder, magic, link uint32, frame []byte) []byte {
	b := order.AppendUint32(nil, magic)
	b = order.AppendUint16(b, 2)
	b = order.AppendUint16(b, 4)
	for _, v := range []uint32{0, 0, 65535, link, 3, 500, uint32(len(frame)), uint32(len(frame))} {
		b = order.AppendUint32(b, v)
	}
	return append(b, frame...)
}

func TestReadPcap(t *testing.T) {
	frame := segment("nick", "feige", syn, 0, 0, "", 65535)
	for _, c := range []struct {
		what string
		file []byte
		want time.Duration
		fcs  bool
	}{
		{"microseconds", pcapFile(binary.LittleEndian, pcapMicro, 1, frame), 3*time.Second + 500*time.Microsecond, false},
		{"nanoseconds", pcapFile(binary.LittleEndian, pcapNano, 1, frame), 3*time.Second + 500, false},
		{"big-endian", pcapFile(binary.BigEndian, pcapMicro, 1, frame), 3*time.Second + 500*time.Microsecond, false},
		{"with check sequences", pcapFile(binary.BigEndian, pcapMicro, 1|1<<26|2<<28, frame), 3*time.Second + 500*time.Microsecond, true},
	} {
		frames := readFrames(t, c.file)
		if len(frames) != 1 || time.Duration(frames[0].Time) != c.want || frames[0].HasFCS != c.fcs || !bytes.Equal(frames[0].Data, frame) {
			t.Errorf("%s: read %+v", c.what, frames)
		}
	}
}

// words makes a block of 32-bit words.
func words(kind uint32, body ...uint32) []byte {
	n := uint32(12 + 4*len(body))
	b := binary.LittleEndian.AppendUint32(nil, kind)
	b = binary.LittleEndian.AppendUint32(b, n)
	for _, w := range body {
		b = binary.LittleEndian.AppendUint32(b, w)
	}
	return binary.LittleEndian.AppendUint32(b, n)
}

var section = words(blockSection, byteOrderMagic, 1, 0xffffffff, 0xffffffff)

func TestReadSimplePackets(t *testing.T) {
	file := slices.Concat(section, words(blockInterface, 1, 6), words(blockSimple, 8, 0x04030201, 0x08070605))
	frames := readFrames(t, file)
	if len(frames) != 1 || !bytes.Equal(frames[0].Data, []byte{1, 2, 3, 4, 5, 6}) || frames[0].Length != 8 || frames[0].Interface != "interface 0" {
		t.Errorf("read %+v, want one frame of 8 octets, cut to 6", frames)
	}
}

func TestReadTimesOfAnyResolution(t *testing.T) {
	for _, c := range []struct {
		resolution byte
		ticks      uint64
		want       int64
	}{
		{6, 1_500_000, 1_500_000_000},
		{9, 1_500_000_000, 1_500_000_000},
		{0, 7, 7_000_000_000},
		{12, 1_500_000_000_999, 1_500_000_000},
		{0x80 | 1, 3, 1_500_000_000},
		{0x80 | 63, 1 << 62, 500_000_000},
		{9, 1 << 63, 1<<63 - 1},
		{200, 5, 0},
		{99, 5, 0},
	} {
		port := captured{perTick: resolution(c.resolution)}
		if got := int64(port.time(c.ticks)); got != c.want {
			t.Errorf("%d ticks of resolution %#x are %d ns, want %d", c.ticks, c.resolution, got, c.want)
		}
	}
}

func TestReadRefusesDamagedFiles(t *testing.T) {
	good := capturedFile(t, lesson(false).events, PcapngOptions{})
	port := words(blockInterface, 1, 0)
	for _, c := range []struct {
		what, want string
		file       []byte
	}{
		{"nothing", "this is no capture file", nil},
		{"a picture", "this is no capture file", []byte("\x89PNG\r\n\x1a\n and so on and on and on")},
		{"half a pcap header", "it ends inside its header", binary.LittleEndian.AppendUint32(nil, pcapMicro)},
		{"half a packet of pcap", "octets too early", pcapFile(binary.LittleEndian, pcapMicro, 1, make([]byte, 60))[:50]},
		{"a huge packet of pcap", "a packet has a length of", append(pcapFile(binary.LittleEndian, pcapMicro, 1, nil)[:32], 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0)},
		{"half a block", "octets too early", good[:len(good)-9]},
		{"a block's header", "it ends inside a block's header", slices.Concat(section, section[:6])},
		{"no byte order", "a section tells no byte order", words(blockSection, 1, 1, 0, 0)},
		{"another version", "it is of version 2", words(blockSection, byteOrderMagic, 2, 0, 0)},
		{"a length of 7", "a block has a length of 7 octets", append(slices.Clone(section), 1, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0)},
		{"a huge length", "a block has a length of 4294967292 octets", append(slices.Clone(section), 1, 0, 0, 0, 0xfc, 0xff, 0xff, 0xff, 0, 0, 0, 0)},
		{"two lengths", "a block's two lengths differ", append(slices.Clone(section), 9, 0, 0, 0, 12, 0, 0, 0, 16, 0, 0, 0)},
		{"no interface", "a packet is of interface 0, and there are 0", slices.Concat(section, words(blockEnhanced, 0, 0, 0, 0, 0))},
		{"a long packet", "a packet is longer than its block", slices.Concat(section, port, words(blockEnhanced, 0, 0, 0, 5, 5, 0))},
		{"a long option", "an option is longer than its block", slices.Concat(section, port, words(blockEnhanced, 0, 0, 0, 0, 0, 0x00990001))},
		{"a short packet block", "a packet's header is too short", slices.Concat(section, port, words(blockEnhanced, 0))},
		{"a short interface", "an interface's description is too short", slices.Concat(section, words(blockInterface, 1))},
	} {
		_, err := ReadFrames(bytes.NewReader(c.file))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.what, err, c.want)
		}
	}
}

func FuzzFrameReader(f *testing.F) {
	f.Add(capturedFile(f, lesson(true).events, PcapngOptions{Names: names})[:2000])
	f.Add(pcapFile(binary.BigEndian, pcapNano, 1, make([]byte, 60)))
	f.Add(slices.Concat(section, words(blockInterface, 1, 6), words(blockSimple, 8, 1, 2)))
	f.Fuzz(func(t *testing.T, file []byte) {
		frames, _ := ReadFrames(bytes.NewReader(file))
		total := 0
		for _, frame := range frames {
			total += len(frame.Data)
		}
		if total > len(file) {
			t.Errorf("%d octets of frames in a file of %d", total, len(file))
		}
	})
}

// tshark reads a file, and returns what it prints.
func tshark(t *testing.T, file []byte, args ...string) string {
	t.Helper()
	command := need.Command(t, "tshark")
	path := filepath.Join(t.TempDir(), "lesson.pcapng")
	if err := os.WriteFile(path, file, 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(command, append([]string{"-r", path, "-o", "eth.check_fcs:TRUE"}, args...)...)
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("tshark: %v: %s", err, problems.String())
	}
	return string(out)
}

// An independent reader finds in the file what was put there: nothing
// malformed, no checksum wrong, the times in nanoseconds, the comments.
func TestTsharkReadsPcapng(t *testing.T) {
	file := capturedFile(t, lesson(true).events, PcapngOptions{Names: names, Once: true})
	if bad := tshark(t, file, "-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE", "-Y",
		"_ws.malformed or eth.fcs.status == 0 or ip.checksum.status == 0 or tcp.checksum.status == 0 or _ws.expert.severity >= warning"); bad != "" {
		t.Errorf("tshark objects to\n%s", bad)
	}
	got := tshark(t, file, "-Y", "frame.number == 3", "-T", "fields", "-e", "frame.time_epoch", "-e", "frame.interface_name",
		"-e", "frame.comment", "-e", "eth.fcs.status", "-e", "tcp.flags.str")
	want := "0.000200000\tnick/eth0\thandshake: asks for a connection (RFC 9293, 3.5),nick: CLOSED -> SYN-SENT," +
		"went no further at feige/eth0: lost on the cable\t1\t··········S·\n"
	if got != want {
		t.Errorf("tshark reads\n%q, want\n%q", got, want)
	}
}

func TestTsharkFindsTheNames(t *testing.T) {
	file := capturedFile(t, lesson(false).events, PcapngOptions{Names: names})
	got := tshark(t, file, "-N", "n", "-T", "fields", "-e", "ip.src_host", "-e", "ip.dst_host", "-Y", "tcp.flags == 2")
	if !strings.HasPrefix(got, "nick\tfeige\n") {
		t.Errorf("tshark calls the ends\n%s, want nick and feige", got)
	}
}

func TestTsharkSeesADamagedFrame(t *testing.T) {
	frame := segment("nick", "feige", psh|ack, 1, 1, "hello", 512)
	c := newClassroom()
	sent := c.tell("nick", event.FrameSent{Port: "eth0", Data: frame, FCS: wire.FCS(frame)})
	c.pass(hop)
	c.hear("feige", sent, damage(frame, 55, 'H'), wire.FCS(frame), nil)
	got := tshark(t, capturedFile(t, c.events, PcapngOptions{}), "-T", "fields", "-e", "eth.fcs.status", "-e", "frame.packet_flags_crc_error")
	if want := "1\t0\n0\t1\n"; got != want {
		t.Errorf("tshark reads the check sequences as %q, want %q", got, want)
	}
}
