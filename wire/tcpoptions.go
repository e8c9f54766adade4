package wire

import "encoding/binary"

// The kinds of TCP options and their lengths in octets (RFC 9293, 3.2; RFC
// 7323, 2.2 and 3.2; RFC 2018, 2 and 3; RFC 7413, 4.1.1). A length counts kind
// and length.
const (
	optEnd           = 0
	optNop           = 1
	optMSS           = 2
	optWindowScale   = 3
	optSACKPermitted = 4
	optSACK          = 5
	optTimestamps    = 8
	optFastOpen      = 34
	optExperiment    = 254

	lenMSS           = 4
	lenWindowScale   = 3
	lenSACKPermitted = 2
	lenSACKBase      = 2
	lenSACKBlock     = 8
	lenTimestamps    = 10
	lenFastOpenBase  = 2
)

// Before fast open had a kind of its own it was an experiment with this number
// (RFC 6994, 3), and some hosts know it only so.
const (
	fastOpenExperiment    = 0xf989
	lenFastOpenExperiment = 4
)

// A SACKBlock is a run of sequence numbers that have arrived: from Left up to,
// and without, Right (RFC 2018, 3).
type SACKBlock struct {
	Left, Right uint32
}

// MaxSACKBlocks is how many blocks fit in a header without other options.
const MaxSACKBlocks = 4

// TCPOptions are the options of a segment; those of other kinds are skipped
// when it is read. TCPOptions can be compared.
type TCPOptions struct {
	MSS            uint16 // octets; zero if absent
	WindowScale    uint8  // bits to shift by: 0 to 14, though a peer may send more
	HasWindowScale bool
	SACKPermitted  bool
	Timestamps     bool
	TSVal, TSEcr   uint32 // zero without Timestamps
	SACK           [MaxSACKBlocks]SACKBlock
	NumSACK        uint8 // how many of SACK are there; the others are zero
	FastOpen       bool  // a cookie, or the request for one
	Cookie         FastOpenCookie
}

// A FastOpenCookie is what a server gives to a client for it to be recognized
// by: an even number of octets, 4 to 16 (RFC 7413, 4.1.1). The zero
// FastOpenCookie is the request for one.
type FastOpenCookie struct {
	Experimental bool // the option has the form that it had before RFC 7413
	len          uint8
	octets       [maxFastOpenCookie]byte
}

// The lengths of cookies in octets.
const (
	minFastOpenCookie = 4
	maxFastOpenCookie = 16
)

// NewFastOpenCookie returns the cookie with those octets, and false if there
// are too few, too many, or an odd number of them.
func NewFastOpenCookie(b []byte) (c FastOpenCookie, ok bool) {
	if len(b) < minFastOpenCookie || len(b) > maxFastOpenCookie || len(b)%2 != 0 {
		return c, false
	}
	c.len = uint8(copy(c.octets[:], b))
	return c, true
}

// Bytes returns the cookie's octets.
func (c *FastOpenCookie) Bytes() []byte { return c.octets[:c.len] }

// IsRequest reports whether there is no cookie: one is asked for.
func (c *FastOpenCookie) IsRequest() bool { return c.len == 0 }

// optionLen returns how many octets the cookie's option has, without padding.
func (c *FastOpenCookie) optionLen() int {
	if c.Experimental {
		return lenFastOpenExperiment + int(c.len)
	}
	return lenFastOpenBase + int(c.len)
}

// AddSACK adds a block, behind those that are there; it is left out if there
// are MaxSACKBlocks.
func (o *TCPOptions) AddSACK(left, right uint32) {
	if o.NumSACK < MaxSACKBlocks {
		o.SACK[o.NumSACK] = SACKBlock{left, right}
		o.NumSACK++
	}
}

// ParseTCPOptions reads the options of a header, whose end they are.
func ParseTCPOptions(b []byte) TCPOptions {
	var o TCPOptions
	o.Parse(b)
	return o
}

// TimestampsLen is how many octets the options take that nearly all segments have: timestamps, behind
// two NOPs (RFC 7323, appendix A).
const TimestampsLen = lenTimestamps + 2

// onlyTimestamps is how the options begin that nearly all segments have.
const onlyTimestamps = optNop<<24 | optNop<<16 | optTimestamps<<8 | lenTimestamps

// Parse is [ParseTCPOptions] into options that are there already, whatever they
// were.
func (o *TCPOptions) Parse(b []byte) {
	*o = TCPOptions{}
	if len(b) == TimestampsLen && binary.BigEndian.Uint32(b) == onlyTimestamps {
		// RFC 7323, appendix A: this is how it should be laid out.
		o.Timestamps = true
		o.TSVal, o.TSEcr = binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[8:])
		return
	}
	o.parse(b)
}

// parse reads the options one by one, wherever they begin (MUST-64; RFC 9293, 3.2).
//
// "All TCP Options except End of Option List Option (EOL) and No-Operation (NOP)
// MUST have length fields, including all future options (MUST-68)."
// (RFC 9293, 3.1)
//
// RFC 9293, 3.1, MUST-6: a TCP implementation MUST ignore without error any TCP
// option it does not implement, assuming that the option has a length field.
//
// RFC 9293, 3.1, MUST-7: TCP implementations MUST be prepared to handle an
// illegal option length. Reading ends there, and what came before counts.
func (o *TCPOptions) parse(b []byte) {
	for len(b) > 0 && b[0] != optEnd {
		if b[0] == optNop {
			b = b[1:]
			continue
		}
		if len(b) < 2 || b[1] < 2 || int(b[1]) > len(b) {
			return
		}
		n := b[1]
		o.take(b[0], b[2:n])
		b = b[n:]
	}
}

// take stores one option's value, if that has the length of its kind. "A TCP
// implementation MUST be able to receive a TCP Option in any segment (MUST-5)",
// and knows the End of Option List, the No-Operation and the Maximum Segment
// Size (MUST-4; RFC 9293, 3.1). Of two
// options of a kind the last one counts.
func (o *TCPOptions) take(kind byte, value []byte) {
	switch {
	case kind == optMSS && len(value) == lenMSS-2:
		o.MSS = binary.BigEndian.Uint16(value)
	case kind == optWindowScale && len(value) == lenWindowScale-2:
		o.WindowScale, o.HasWindowScale = value[0], true
	case kind == optSACKPermitted && len(value) == lenSACKPermitted-2:
		o.SACKPermitted = true
	case kind == optTimestamps && len(value) == lenTimestamps-2:
		o.Timestamps = true
		o.TSVal, o.TSEcr = binary.BigEndian.Uint32(value), binary.BigEndian.Uint32(value[4:])
	case kind == optFastOpen:
		o.takeFastOpen(value, false)
	case kind == optExperiment && len(value) >= 2 && binary.BigEndian.Uint16(value) == fastOpenExperiment:
		o.takeFastOpen(value[2:], true)
	case kind == optSACK && len(value) > 0 && len(value)%lenSACKBlock == 0:
		o.takeSACK(value)
	}
}

// takeFastOpen stores a cookie, or that one is asked for. An option of another
// length is ignored (RFC 7413, 4.1.1).
func (o *TCPOptions) takeFastOpen(value []byte, experimental bool) {
	if cookie, ok := NewFastOpenCookie(value); ok || len(value) == 0 {
		cookie.Experimental = experimental
		o.FastOpen, o.Cookie = true, cookie
	}
}

// takeSACK stores the blocks of a SACK option.
func (o *TCPOptions) takeSACK(value []byte) {
	o.SACK, o.NumSACK = [MaxSACKBlocks]SACKBlock{}, 0
	for len(value) >= lenSACKBlock && o.NumSACK < MaxSACKBlocks {
		o.SACK[o.NumSACK] = SACKBlock{binary.BigEndian.Uint32(value), binary.BigEndian.Uint32(value[4:])}
		o.NumSACK++
		value = value[lenSACKBlock:]
	}
}

// numSACK returns how many blocks are sent: as many as there is room for
// beside the other options (RFC 2018, 3), which are n octets.
func (o *TCPOptions) numSACK(n int) int {
	room := (MaxTCPOptionsLen - n - 2 - lenSACKBase) / lenSACKBlock
	return min(int(o.NumSACK), MaxSACKBlocks, room)
}

// Len returns how many octets AppendTo appends: a multiple of 4, at most
// [MaxTCPOptionsLen].
func (o *TCPOptions) Len() int {
	if o.OnlyTimestamps() {
		return TimestampsLen
	}
	n := o.lenWithoutSACK()
	if o.NumSACK == 0 {
		return n
	}
	if blocks := o.numSACK(n); blocks > 0 {
		n += 2 + lenSACKBase + blocks*lenSACKBlock
	}
	return n
}

// OnlyTimestamps reports whether the options are those that nearly all segments have. They
// then take TimestampsLen octets.
func (o *TCPOptions) OnlyTimestamps() bool {
	return o.Timestamps && o.MSS == 0 && o.NumSACK == 0 && !o.SACKPermitted && !o.HasWindowScale && !o.FastOpen
}

// PutTimestamps is AppendTo for options that are OnlyTimestamps.
func (o *TCPOptions) PutTimestamps(b *[TimestampsLen]byte) {
	binary.BigEndian.PutUint32(b[:], onlyTimestamps)
	binary.BigEndian.PutUint64(b[4:], uint64(o.TSVal)<<32|uint64(o.TSEcr))
}

// lenWithoutSACK is [TCPOptions.Len] as if there were no blocks. It is at most
// 40.
func (o *TCPOptions) lenWithoutSACK() int {
	n := 0
	if o.MSS != 0 {
		n += lenMSS
	}
	switch {
	case o.Timestamps:
		n += lenTimestamps + 2 // NOPs, or SACK permitted
	case o.SACKPermitted:
		n += lenSACKPermitted + 2
	}
	if o.HasWindowScale {
		n += lenWindowScale + 1
	}
	if o.FastOpen {
		n += pad4(o.Cookie.optionLen())
	}
	return n
}

// AppendTo appends the options in the order that Linux has and other hosts
// expect, each with NOPs before it so that its values are aligned and no End of
// Option List follows, after which there would have to be zeros (MUST-69;
// RFC 9293, 3.1): MSS, SACK permitted and timestamps, window scale, SACK; at last
// the cookie of fast open, with NOPs behind. Blocks that there is no room for are
// left out: beside timestamps there is room for three.
func (o *TCPOptions) AppendTo(b []byte) []byte {
	if o.OnlyTimestamps() {
		b = append(b, make([]byte, TimestampsLen)...)
		o.PutTimestamps((*[TimestampsLen]byte)(b[len(b)-TimestampsLen:]))
		return b
	}
	if o.MSS != 0 {
		b = append(b, optMSS, lenMSS, byte(o.MSS>>8), byte(o.MSS))
	}
	if o.SACKPermitted && !o.Timestamps {
		b = append(b, optNop, optNop, optSACKPermitted, lenSACKPermitted)
	}
	if o.Timestamps {
		before := uint32(optNop<<8 | optNop)
		if o.SACKPermitted {
			before = optSACKPermitted<<8 | lenSACKPermitted
		}
		b = binary.BigEndian.AppendUint32(b, before<<16|optTimestamps<<8|lenTimestamps)
		b = binary.BigEndian.AppendUint64(b, uint64(o.TSVal)<<32|uint64(o.TSEcr))
	}
	if o.HasWindowScale {
		b = append(b, optNop, optWindowScale, lenWindowScale, o.WindowScale)
	}
	b = o.appendSACK(b)
	if o.FastOpen {
		b = o.appendFastOpen(b)
	}
	return b
}

func (o *TCPOptions) appendFastOpen(b []byte) []byte {
	n := o.Cookie.optionLen()
	if o.Cookie.Experimental {
		b = append(b, optExperiment, byte(n))
		b = binary.BigEndian.AppendUint16(b, fastOpenExperiment)
	} else {
		b = append(b, optFastOpen, byte(n))
	}
	b = append(b, o.Cookie.Bytes()...)
	for range pad4(n) - n {
		b = append(b, optNop)
	}
	return b
}

// appendSACK appends as many blocks as there is room for.
func (o *TCPOptions) appendSACK(b []byte) []byte {
	if o.NumSACK == 0 {
		return b
	}
	blocks := o.numSACK(o.lenWithoutSACK())
	if blocks == 0 {
		return b
	}
	b = append(b, optNop, optNop, optSACK, byte(lenSACKBase+blocks*lenSACKBlock))
	for _, block := range o.SACK[:blocks] {
		b = binary.BigEndian.AppendUint32(b, block.Left)
		b = binary.BigEndian.AppendUint32(b, block.Right)
	}
	return b
}
