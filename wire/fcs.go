package wire

import (
	"encoding/binary"
	"hash/crc32"
)

// FCS returns the frame check sequence of a frame that is given in parts: the
// CRC-32 of all its octets from the destination address to the padding (IEEE
// 802.3, 3.2.9).
func FCS(parts ...[]byte) uint32 {
	var sum uint32
	for _, p := range parts {
		sum = crc32.Update(sum, crc32.IEEETable, p)
	}
	return sum
}

// AppendFCS appends a frame check sequence as it is on the cable: least
// significant octet first.
func AppendFCS(b []byte, fcs uint32) []byte { return binary.LittleEndian.AppendUint32(b, fcs) }

// CheckFCS reports whether the last four octets of a frame are the frame check
// sequence of those before. A frame of fewer octets has none.
func CheckFCS(frame []byte) bool {
	n := len(frame) - FCSLen
	return n >= 0 && binary.LittleEndian.Uint32(frame[n:]) == FCS(frame[:n])
}
