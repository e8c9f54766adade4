package wire

import "encoding/binary"

// The kinds of TCP options, and their lengths.
const (
	optEnd           = 0
	optNop           = 1
	optMSS           = 2
	optWindowScale   = 3
	optSACKPermitted = 4
	optSACK          = 5
	optTimestamps    = 8

	lenMSS           = 4
	lenWindowScale   = 3
	lenSACKPermitted = 2
	lenTimestamps    = 10
	lenSACKBlock     = 8
)

// A SACKBlock is a run of sequence numbers that have arrived: from Left up to,
// and without, Right (RFC 2018, 3).
type SACKBlock struct {
	Left, Right uint32
}

// MaxSACKBlocks is how many blocks fit in a header without other options.
const MaxSACKBlocks = 4

// TCPOptions are the options of a segment. Those that hubbub doesn't know are
// skipped. TCPOptions can be compared.
type TCPOptions struct {
	MSS            uint16 // zero if absent
	WindowScale    uint8
	HasWindowScale bool
	SACKPermitted  bool
	Timestamps     bool
	TSVal, TSEcr   uint32
	SACK           [MaxSACKBlocks]SACKBlock
	NumSACK        uint8
}

// ParseTCPOptions reads the options of a header. Options whose kind is unknown
// are skipped by their length (RFC 9293, 3.2, MUST-6); at a length that can't
// be, reading ends, and what was understood counts (MUST-7).
func ParseTCPOptions(b []byte) TCPOptions {
	var o TCPOptions
	for len(b) > 0 && b[0] != optEnd {
		if b[0] == optNop {
			b = b[1:]
			continue
		}
		if len(b) < 2 || b[1] < 2 || int(b[1]) > len(b) {
			break
		}
		n := b[1]
		o.read(b[0], b[2:n])
		b = b[n:]
	}
	return o
}

// read takes one option, without its kind and length, if it has the length of
// its kind.
func (o *TCPOptions) read(kind byte, b []byte) {
	switch {
	case kind == optMSS && len(b) == lenMSS-2:
		o.MSS = binary.BigEndian.Uint16(b)
	case kind == optWindowScale && len(b) == lenWindowScale-2:
		o.WindowScale, o.HasWindowScale = b[0], true
	case kind == optSACKPermitted && len(b) == lenSACKPermitted-2:
		o.SACKPermitted = true
	case kind == optTimestamps && len(b) == lenTimestamps-2:
		o.Timestamps = true
		o.TSVal, o.TSEcr = binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	case kind == optSACK && len(b)%lenSACKBlock == 0:
		o.NumSACK = 0
		for ; len(b) > 0 && o.NumSACK < MaxSACKBlocks; b = b[lenSACKBlock:] {
			o.SACK[o.NumSACK] = SACKBlock{binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])}
			o.NumSACK++
		}
	}
}

// sackBlocks returns how many blocks there is room for beside the timestamps.
func (o *TCPOptions) sackBlocks() int {
	if o.Timestamps {
		return min(int(o.NumSACK), MaxSACKBlocks-1)
	}
	return min(int(o.NumSACK), MaxSACKBlocks)
}

// Len returns how many octets AppendTo appends: a multiple of 4.
func (o *TCPOptions) Len() int {
	n := 0
	if o.MSS != 0 {
		n += lenMSS
	}
	if o.Timestamps {
		n += lenTimestamps + 2
	} else if o.SACKPermitted {
		n += lenSACKPermitted + 2
	}
	if o.HasWindowScale {
		n += lenWindowScale + 1
	}
	if blocks := o.sackBlocks(); blocks > 0 {
		n += 4 + blocks*lenSACKBlock
	}
	return n
}

// AppendTo appends the options in the order that Linux has, padded with NOPs
// in front so that they are aligned: MSS, SACK permitted and timestamps,
// window scale, SACK.
func (o *TCPOptions) AppendTo(b []byte) []byte {
	if o.MSS != 0 {
		b = append(b, optMSS, lenMSS, byte(o.MSS>>8), byte(o.MSS))
	}
	switch {
	case o.Timestamps && o.SACKPermitted:
		b = append(b, optSACKPermitted, lenSACKPermitted)
	case o.Timestamps:
		b = append(b, optNop, optNop)
	case o.SACKPermitted:
		b = append(b, optNop, optNop, optSACKPermitted, lenSACKPermitted)
	}
	if o.Timestamps {
		b = append(b, optTimestamps, lenTimestamps)
		b = binary.BigEndian.AppendUint32(b, o.TSVal)
		b = binary.BigEndian.AppendUint32(b, o.TSEcr)
	}
	if o.HasWindowScale {
		b = append(b, optNop, optWindowScale, lenWindowScale, o.WindowScale)
	}
	return o.appendSACK(b)
}

func (o *TCPOptions) appendSACK(b []byte) []byte {
	blocks := o.sackBlocks()
	if blocks == 0 {
		return b
	}
	b = append(b, optNop, optNop, optSACK, byte(2+blocks*lenSACKBlock))
	for _, block := range o.SACK[:blocks] {
		b = binary.BigEndian.AppendUint32(b, block.Left)
		b = binary.BigEndian.AppendUint32(b, block.Right)
	}
	return b
}
