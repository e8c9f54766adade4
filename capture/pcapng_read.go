package capture

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"

	"hubbub/clock"
)

// A Frame is a frame that was read from a capture file.
type Frame struct {
	Number    int    // from 1
	Interface string // such as "nick/eth0"; empty if the file doesn't tell
	Time      clock.Time
	Data      []byte // from the destination address on
	HasFCS    bool   // Data ends with the frame check sequence
	Length    int    // of the whole frame; Data is shorter if it was cut
	Link      uint16 // what Data begins with; 1 is an Ethernet header
	Comments  []string
}

// Limits of what is read: no file needs more, and no hostile file gets more.
const (
	maxBlock      = 16 << 20
	maxInterfaces = 1 << 16
	maxComments   = 256
)

// ErrNotCapture says that a file is neither pcapng nor pcap.
var ErrNotCapture = errors.New("this is no capture file: it begins neither like pcapng nor like pcap")

// A FrameReader reads the frames of a pcapng or pcap file, in either byte
// order. It takes any bytes, and fails with an error that says where they stop
// making sense.
type FrameReader struct {
	in     *bufio.Reader
	order  binary.ByteOrder
	offset int64 // of the block or record that is being read
	next   func() (Frame, bool, error)
	number int

	ports []captured // pcapng's interfaces
	pcap  pcapHeader
}

// captured is an interface of a pcapng file.
type captured struct {
	name    string
	link    uint16
	snap    uint32
	fcs     bool
	offset  int64 // seconds
	perTick tick
}

// NewFrameReader reads the beginning of a file.
func NewFrameReader(r io.Reader) (*FrameReader, error) {
	f := &FrameReader{in: bufio.NewReader(r)}
	magic, err := f.in.Peek(4)
	if err != nil {
		return nil, ErrNotCapture
	}
	if binary.LittleEndian.Uint32(magic) == blockSection {
		f.next = f.nextBlock
		return f, nil
	}
	if err := f.readPcapHeader(); err != nil {
		return nil, err
	}
	f.next = f.nextRecord
	return f, nil
}

// Next returns the next frame, or io.EOF after the last.
func (f *FrameReader) Next() (Frame, error) {
	for {
		frame, ok, err := f.next()
		if err != nil {
			return Frame{}, err
		}
		if ok {
			f.number++
			frame.Number = f.number
			return frame, nil
		}
	}
}

// ReadFrames returns all frames of a file. What was read before an error is
// returned with it.
func ReadFrames(r io.Reader) ([]Frame, error) {
	f, err := NewFrameReader(r)
	if err != nil {
		return nil, err
	}
	var all []Frame
	for {
		frame, err := f.Next()
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all = append(all, frame)
	}
}

// fail says what is wrong, and where.
func (f *FrameReader) fail(format string, args ...any) error {
	return fmt.Errorf("the capture file is damaged at octet %d: %s", f.offset, fmt.Sprintf(format, args...))
}

// read reads n octets. It takes no more memory than there are octets to read.
func (f *FrameReader) read(n int) ([]byte, error) {
	var b bytes.Buffer
	if got, err := io.CopyN(&b, f.in, int64(n)); err != nil {
		if err == io.EOF {
			return nil, f.fail("it ends %d octets too early", int64(n)-got)
		}
		return nil, err
	}
	return b.Bytes(), nil
}

// nextBlock reads a block, and returns the frame in it if there is one.
func (f *FrameReader) nextBlock() (Frame, bool, error) {
	head, err := f.in.Peek(12)
	switch {
	case len(head) == 0 && err == io.EOF:
		return Frame{}, false, io.EOF
	case err != nil && err != io.EOF:
		return Frame{}, false, err
	case len(head) < 12:
		return Frame{}, false, f.fail("it ends inside a block's header")
	}
	if binary.LittleEndian.Uint32(head) == blockSection {
		if err := f.beginSection(head[8:12]); err != nil {
			return Frame{}, false, err
		}
	}
	if f.order == nil {
		return Frame{}, false, f.fail("a block is before the first section")
	}
	kind, length := f.order.Uint32(head), f.order.Uint32(head[4:])
	if length < 12 || length%4 != 0 || length > maxBlock {
		return Frame{}, false, f.fail("a block has a length of %d octets", length)
	}
	b, err := f.read(int(length))
	if err != nil {
		return Frame{}, false, err
	}
	if f.order.Uint32(b[length-4:]) != length {
		return Frame{}, false, f.fail("a block's two lengths differ")
	}
	frame, ok, err := f.block(kind, b[8:length-4])
	f.offset += int64(length)
	return frame, ok, err
}

func (f *FrameReader) beginSection(magic []byte) error {
	switch {
	case binary.LittleEndian.Uint32(magic) == byteOrderMagic:
		f.order = binary.LittleEndian
	case binary.BigEndian.Uint32(magic) == byteOrderMagic:
		f.order = binary.BigEndian
	default:
		return f.fail("a section tells no byte order")
	}
	f.ports = f.ports[:0]
	return nil
}

// block takes a block without its header.
func (f *FrameReader) block(kind uint32, b []byte) (Frame, bool, error) {
	switch kind {
	case blockSection:
		if len(b) < 16 {
			return Frame{}, false, f.fail("a section's header is too short")
		}
		if major := f.order.Uint16(b[4:]); major != 1 {
			return Frame{}, false, f.fail("it is of version %d of the format, and only 1 is known", major)
		}
		return Frame{}, false, nil
	case blockInterface:
		return Frame{}, false, f.addInterface(b)
	case blockEnhanced, blockPacket:
		return f.enhanced(kind, b)
	case blockSimple:
		return f.simple(b)
	}
	return Frame{}, false, nil
}

func (f *FrameReader) addInterface(b []byte) error {
	if len(b) < 8 {
		return f.fail("an interface's description is too short")
	}
	if len(f.ports) >= maxInterfaces {
		return f.fail("there are more than %d interfaces", maxInterfaces)
	}
	port := captured{link: f.order.Uint16(b), snap: f.order.Uint32(b[4:]), perTick: decimal(6)}
	err := f.options(b[8:], func(code uint16, value []byte) {
		switch {
		case code == optInterfaceName:
			port.name = string(value)
		case code == optInterfaceFCSLength && len(value) == 1:
			port.fcs = value[0] == 4
		case code == optInterfaceResolution && len(value) == 1:
			port.perTick = resolution(value[0])
		case code == optInterfaceOffset && len(value) == 8:
			port.offset = int64(f.order.Uint64(value))
		}
	})
	if port.name == "" {
		port.name = fmt.Sprintf("interface %d", len(f.ports))
	}
	f.ports = append(f.ports, port)
	return err
}

// options calls each for the options of a block.
func (f *FrameReader) options(b []byte, each func(code uint16, value []byte)) error {
	for len(b) >= 4 {
		code, n := f.order.Uint16(b), int(f.order.Uint16(b[2:]))
		if code == optEnd {
			return nil
		}
		padded := (n + 3) &^ 3
		if padded > len(b)-4 {
			return f.fail("an option is longer than its block")
		}
		each(code, b[4:4+n])
		b = b[4+padded:]
	}
	return nil
}

func (f *FrameReader) port(index uint32) (*captured, error) {
	if uint64(index) >= uint64(len(f.ports)) {
		return nil, f.fail("a packet is of interface %d, and there are %d", index, len(f.ports))
	}
	return &f.ports[index], nil
}

// enhanced takes an enhanced packet block, or its obsolete forerunner, which
// differs in its first word.
func (f *FrameReader) enhanced(kind uint32, b []byte) (Frame, bool, error) {
	if len(b) < 20 {
		return Frame{}, false, f.fail("a packet's header is too short")
	}
	index := f.order.Uint32(b)
	if kind == blockPacket {
		index = uint32(f.order.Uint16(b))
	}
	port, err := f.port(index)
	if err != nil {
		return Frame{}, false, err
	}
	n := f.order.Uint32(b[12:])
	if uint64(n) > uint64(len(b)-20) {
		return Frame{}, false, f.fail("a packet is longer than its block")
	}
	ticks := uint64(f.order.Uint32(b[4:]))<<32 | uint64(f.order.Uint32(b[8:]))
	frame := Frame{
		Interface: port.name, Time: port.time(ticks), Data: b[20 : 20+n : 20+n], HasFCS: port.fcs,
		Length: int(f.order.Uint32(b[16:])), Link: port.link,
	}
	err = f.options(b[min(20+int(n+3)&^3, len(b)):], func(code uint16, value []byte) {
		switch {
		case code == optComment && len(frame.Comments) < maxComments:
			frame.Comments = append(frame.Comments, string(value))
		case code == optPacketFlags && len(value) == 4:
			if fcs := f.order.Uint32(value) >> 5 & 15; fcs != 0 {
				frame.HasFCS = fcs == 4
			}
		}
	})
	frame.HasFCS = frame.HasFCS && len(frame.Data) >= frame.Length
	return frame, err == nil, err
}

// simple takes a simple packet block, which is of the first interface and has
// no time.
func (f *FrameReader) simple(b []byte) (Frame, bool, error) {
	if len(b) < 4 {
		return Frame{}, false, f.fail("a packet's header is too short")
	}
	port, err := f.port(0)
	if err != nil {
		return Frame{}, false, err
	}
	length := f.order.Uint32(b)
	n := min(uint64(length), uint64(len(b)-4))
	if port.snap != 0 {
		n = min(n, uint64(port.snap))
	}
	data := b[4 : 4+n : 4+n]
	return Frame{
		Interface: port.name, Data: data, Length: int(length), Link: port.link,
		HasFCS: port.fcs && uint64(length) == n,
	}, true, nil
}

// A tick is the unit of an interface's times: a second divided by units.
type tick struct {
	units uint64 // zero if it is shorter than can be told
}

func decimal(digits uint8) tick {
	t := tick{1}
	for range digits {
		t.units *= 10
	}
	return t
}

// resolution reads an if_tsresol: a negative power of 10, or of 2 if its
// highest bit is set.
func resolution(b byte) tick {
	switch {
	case b&0x80 == 0 && b <= 19:
		return decimal(b)
	case b&0x80 != 0 && b&0x7f <= 63:
		return tick{1 << (b & 0x7f)}
	}
	return tick{}
}

// time turns an interface's ticks into nanoseconds. Times beyond what a Time
// can hold become the last that it can.
func (p *captured) time(ticks uint64) clock.Time {
	if p.perTick.units == 0 {
		return 0
	}
	seconds, rest := ticks/p.perTick.units, ticks%p.perTick.units
	hi, lo := bits.Mul64(rest, 1e9)
	nano, _ := bits.Div64(hi, lo, p.perTick.units)
	const most = math.MaxInt64 / 1_000_000_000
	if seconds >= most || p.offset >= most || p.offset <= -most || int64(seconds)+p.offset >= most {
		return clock.End
	}
	return clock.Time((int64(seconds)+p.offset)*1e9 + int64(nano))
}
