package lab

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"hubbub/socket"
	"hubbub/wire"
)

// floodSources is where the SYNs of a flood say that they come from, if the
// file doesn't say: addresses for tests of machines like this, that are nobody's
// (RFC 2544, C.2.2).
var floodSources = netip.MustParsePrefix("198.18.0.0/15")

// floodTick is how often a flood sends: so much at once as is due since.
const floodTick = 100 * time.Microsecond

// flood sends SYNs to a port, each from another invented address, and waits for
// no answer (RFC 4987, 2).
func (a *actor) flood(c *Call) error {
	s, err := a.host().SocketOf(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
	if err != nil {
		return err
	}
	defer s.Close()
	addresses, err := a.host().Resolver().LookupNetIP(context.Background(), "ip4", c.Host)
	if err != nil {
		return err
	}
	target := addresses[0]
	n := a.player.network
	began, sent := n.Elapsed(), 0
	f := flooder{rnd: rand.New(rand.NewPCG(uint64(began), uint64(c.Rate))), to: netip.AddrPortFrom(target, c.Port), sources: c.Sources}
	if !f.sources.IsValid() {
		f.sources = floodSources
	}
	if c.For == 0 {
		c.For = time.Second
	}
	for {
		elapsed := min(n.Elapsed()-began+floodTick, c.For)
		for due := int(int64(c.Rate) * int64(elapsed) / int64(time.Second)); sent < due; sent++ {
			if _, err := s.SendTo(f.next(), target.String()); err != nil {
				return err
			}
		}
		if elapsed == c.For {
			break
		}
		if err := n.Sleep(floodTick); err != nil {
			return err
		}
	}
	a.player.held(a.name, fmt.Sprintf("sent %d SYNs to %v in %v", sent, f.to, c.For))
	return nil
}

// A flooder makes SYNs. They are the same in every run.
type flooder struct {
	rnd     *rand.Rand
	to      netip.AddrPort
	sources netip.Prefix
	packet  [wire.IPv4HeaderLen + wire.MaxTCPHeaderLen]byte
}

// next returns the next SYN, as Linux would send it, with its IPv4 header. It
// is good until the one after it.
func (f *flooder) next() []byte {
	from := f.source()
	t := wire.TCP{
		SrcPort: uint16(1024 + f.rnd.IntN(64512)), DstPort: f.to.Port(), Seq: f.rnd.Uint32(), Flags: wire.SYN, Window: 64240,
		Options: wire.TCPOptions{
			MSS: 1460, SACKPermitted: true, Timestamps: true, TSVal: f.rnd.Uint32(), HasWindowScale: true, WindowScale: 7,
		},
	}
	h := wire.IPv4{TTL: 64, DF: true, Protocol: wire.ProtocolTCP, Src: from, Dst: f.to.Addr()}
	h.TotalLen = h.HeaderLen() + t.HeaderLen()
	b := t.AppendTo(h.AppendTo(f.packet[:0]))
	segment := b[h.HeaderLen():]
	sum := wire.TransportChecksum(from, f.to.Addr(), wire.ProtocolTCP, segment, nil)
	segment[16], segment[17] = byte(sum>>8), byte(sum)
	return b
}

// source invents an address: neither the subnet's own nor its broadcast.
func (f *flooder) source() netip.Addr {
	host := 32 - f.sources.Bits()
	base := f.sources.Masked().Addr().As4()
	n := uint32(f.rnd.Uint64N(1<<host-2)) + 1
	for i := range base {
		base[i] |= byte(n >> (24 - 8*i))
	}
	return netip.AddrFrom4(base)
}

func parseSources(s string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	if err != nil || !p.Addr().Is4() || p.Bits() > 24 {
		return p, fmt.Errorf("%q is no subnet of 256 addresses or more, such as 198.18.0.0/15", s)
	}
	return p, nil
}

// maxFlood bounds how many SYNs a flood sends in a second.
const maxFlood = 10_000_000

func parseFloodRate(s string) (int, error) { return parseCount(s, 1, maxFlood) }
