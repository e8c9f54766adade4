package capture

import (
	"encoding/binary"
	"maps"
	"net/netip"
	"slices"

	"hubbub/wire"
)

// The types of blocks, and of options, of the pcapng format
// (draft-ietf-opsawg-pcapng).
const (
	blockSection   = 0x0a0d0d0a
	blockInterface = 1
	blockPacket    = 2 // obsolete
	blockSimple    = 3
	blockNames     = 4
	blockEnhanced  = 6

	byteOrderMagic = 0x1a2b3c4d
	linkEthernet   = 1

	optEnd     = 0
	optComment = 1

	optSectionApplication = 4

	optInterfaceName        = 2
	optInterfaceDescription = 3
	optInterfaceResolution  = 9
	optInterfaceFCSLength   = 13
	optInterfaceOffset      = 14

	optPacketFlags = 2
	optPacketID    = 5

	nameRecordEnd  = 0
	nameRecordIPv4 = 1
	nameRecordIPv6 = 2
)

// maxOption is how long an option's value may be.
const maxOption = 0xffff

// A block is being put together.
type block struct {
	b []byte
}

func (b *block) begin(kind uint32) {
	b.b = binary.LittleEndian.AppendUint32(b.b[:0], kind)
	b.uint32(0) // its length, which end fills in
}

func (b *block) uint16(v uint16) { b.b = binary.LittleEndian.AppendUint16(b.b, v) }
func (b *block) uint32(v uint32) { b.b = binary.LittleEndian.AppendUint32(b.b, v) }
func (b *block) uint64(v uint64) { b.b = binary.LittleEndian.AppendUint64(b.b, v) }

// pad fills up to a multiple of 4 octets.
func (b *block) pad() {
	for len(b.b)%4 != 0 {
		b.b = append(b.b, 0)
	}
}

func (b *block) option(code uint16, value []byte) {
	value = value[:min(len(value), maxOption)]
	b.uint16(code)
	b.uint16(uint16(len(value)))
	b.b = append(b.b, value...)
	b.pad()
}

func (b *block) text(code uint16, value string) {
	if value != "" {
		b.option(code, []byte(value))
	}
}

// write ends the block and writes it.
func (p *PcapngWriter) write() {
	b := &p.block
	b.uint32(0)
	n := uint32(len(b.b))
	binary.LittleEndian.PutUint32(b.b[4:], n)
	binary.LittleEndian.PutUint32(b.b[n-4:], n)
	_, err := p.out.Write(b.b)
	p.keep(err)
}

func (p *PcapngWriter) writeSection() {
	b := &p.block
	b.begin(blockSection)
	b.uint32(byteOrderMagic)
	b.uint16(1) // the format's version, 1.0
	b.uint16(0)
	b.uint64(1<<64 - 1) // the section's length is not told
	b.text(optComment, p.options.Comment)
	b.text(optSectionApplication, "hubbub")
	b.option(optEnd, nil)
	p.write()
}

// writeNames writes the hosts' names, in the order of their addresses.
func (p *PcapngWriter) writeNames() {
	if len(p.options.Names) == 0 {
		return
	}
	b := &p.block
	b.begin(blockNames)
	for _, addr := range slices.SortedFunc(maps.Keys(p.options.Names), netip.Addr.Compare) {
		kind := uint16(nameRecordIPv6)
		if addr.Is4() {
			kind = nameRecordIPv4
		}
		value := append(addr.AsSlice(), p.options.Names[addr]...)
		b.option(kind, append(value, 0))
	}
	b.option(nameRecordEnd, nil)
	p.write()
}

func (p *PcapngWriter) writeInterface(name string, h *heldPacket) {
	b := &p.block
	b.begin(blockInterface)
	b.uint16(linkEthernet)
	b.uint16(0)
	b.uint32(0) // no limit to a packet's length
	b.text(optInterfaceName, name)
	b.text(optInterfaceDescription, "port "+h.port+" of "+h.node)
	b.option(optInterfaceResolution, []byte{9}) // units of 10^-9 s
	b.option(optInterfaceFCSLength, []byte{wire.FCSLen})
	b.option(optEnd, nil)
	p.write()
}

func (p *PcapngWriter) writeEnhanced(index uint32, h *heldPacket) {
	b := &p.block
	n := uint32(len(h.data) + wire.FCSLen)
	b.begin(blockEnhanced)
	b.uint32(index)
	b.uint32(uint32(uint64(h.time) >> 32))
	b.uint32(uint32(h.time))
	b.uint32(n)
	b.uint32(n)
	b.b = append(b.b, h.data...)
	b.b = wire.AppendFCS(b.b, h.fcs)
	b.pad()
	for _, c := range h.comments {
		b.text(optComment, c)
	}
	b.option(optPacketFlags, binary.LittleEndian.AppendUint32(nil, h.flags()))
	// The same frame at its two ports has the same identifier.
	id := uint64(h.id)
	if h.sentAs != 0 {
		id = uint64(h.sentAs)
	}
	b.option(optPacketID, binary.LittleEndian.AppendUint64(nil, id))
	b.option(optEnd, nil)
	p.write()
}
