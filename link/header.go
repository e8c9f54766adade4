package link

import (
	"encoding/binary"

	"hubbub/internal/pkt"
	"hubbub/wire"
)

// minFrame is the least length of a frame without its frame check sequence,
// in octets.
const minFrame = wire.MinFrame - wire.FCSLen

// tagged reports whether a frame has a VLAN tag.
func tagged(p *pkt.Packet) bool {
	h := p.Head()
	return len(h) >= wire.EthernetHeaderLen &&
		wire.EtherType(binary.BigEndian.Uint16(h[12:])) == wire.EtherTypeVLAN
}
