package capture

import (
	"encoding/binary"
	"io"

	"hubbub/clock"
)

// pcapHeader is what the header of a file of the older format says.
type pcapHeader struct {
	link   uint16
	fcs    bool
	factor int64 // nanoseconds in the unit of the times' fractions
}

// The first word of a pcap file, by the unit of its times.
const (
	pcapMicro = 0xa1b2c3d4
	pcapNano  = 0xa1b23c4d
)

const (
	pcapHeaderLen = 24
	pcapRecordLen = 16
)

// readPcapHeader reads the header of a file of the older format.
func (f *FrameReader) readPcapHeader() error {
	b, _ := f.in.Peek(pcapHeaderLen)
	if len(b) < 4 {
		return ErrNotCapture
	}
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		switch order.Uint32(b) {
		case pcapMicro:
			f.order, f.pcap.factor = order, 1000
		case pcapNano:
			f.order, f.pcap.factor = order, 1
		}
	}
	switch {
	case f.order == nil:
		return ErrNotCapture
	case len(b) < pcapHeaderLen:
		return f.fail("it ends inside its header")
	}
	// The last word's upper bits may say how long frame check sequences are.
	link := f.order.Uint32(b[20:])
	f.pcap.link = uint16(link)
	f.pcap.fcs = link>>26&1 != 0 && link>>28 == 2 // in units of 16 bits
	_, err := f.in.Discard(pcapHeaderLen)
	f.offset = pcapHeaderLen
	return err
}

// nextRecord reads a frame of a file of the older format.
func (f *FrameReader) nextRecord() (Frame, bool, error) {
	head, err := f.in.Peek(pcapRecordLen)
	switch {
	case len(head) == 0 && err == io.EOF:
		return Frame{}, false, io.EOF
	case err != nil && err != io.EOF:
		return Frame{}, false, err
	case len(head) < pcapRecordLen:
		return Frame{}, false, f.fail("it ends inside a packet's header")
	}
	n := f.order.Uint32(head[8:])
	if n > maxBlock {
		return Frame{}, false, f.fail("a packet has a length of %d octets", n)
	}
	b, err := f.read(pcapRecordLen + int(n))
	if err != nil {
		return Frame{}, false, err
	}
	seconds, fraction := int64(f.order.Uint32(b)), int64(f.order.Uint32(b[4:]))
	frame := Frame{
		Time: clock.Time(seconds*1e9 + fraction*f.pcap.factor), Data: b[pcapRecordLen:],
		Length: int(f.order.Uint32(b[12:])), Link: f.pcap.link,
	}
	frame.HasFCS = f.pcap.fcs && len(frame.Data) >= frame.Length
	f.offset += int64(len(b))
	return frame, true, nil
}
