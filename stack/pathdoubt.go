package stack

import (
	"net/netip"

	"hubbub/clock"
	"hubbub/transport/tcp"
	"hubbub/wire"
)

// A doubt is a router's word that a connection's segment was too long for its
// next link, where the path has carried such segments: it may be a forgery, made
// to have everything sent in small pieces (RFC 5927, 7.1).
type doubt struct {
	about  header // the packet
	mtu    int
	quoted tcp.Seq
}

// maxDoubts bounds how many connections' are remembered. Of one connection it is
// the last.
const maxDoubts = 1024

// doubtsMTU holds a router's word back, if the connection has made progress with
// segments that are longer: "the pending error will be processed" only if the
// segment gets no acknowledgment until its retransmission time-out, and is
// forgotten otherwise (RFC 5927, 7.2).
func (s *Stack) doubtsMTU(about *header, transport []byte, mtu int) bool {
	if about.protocol != wire.ProtocolTCP || len(transport) < 8 {
		return false
	}
	local, remote := quotedEnds(about, transport)
	e := s.connection(local, remote)
	if e == nil || len(s.doubts) >= maxDoubts || !e.conn.HasCarried(mtu-tcpOverhead(about.dst)) {
		return false
	}
	if s.doubts == nil {
		s.doubts = make(map[fourTuple]doubt)
	}
	s.doubts[s.tupleOf(local, remote)] = doubt{*about, mtu, quotedSeq(transport)}
	return true
}

// settleDoubt believes what was held back, if the segment has timed out.
func (s *Stack) settleDoubt(now clock.Time, e *TCP) {
	k := s.tupleOf(e.local, e.remote)
	d, ok := s.doubts[k]
	if !ok {
		return
	}
	info := e.conn.Info()
	lost := d.quoted.Between(info.SendUnacked, info.SendNext)
	if lost && info.Retries == 0 {
		return
	}
	delete(s.doubts, k)
	if lost {
		s.learnMTU(now, &d.about, d.mtu)
		s.pathShrunk(now, e, d.quoted)
	}
}

// pathShrunk tells a connection that the path lets less through than the segment
// that began at quoted.
func (s *Stack) pathShrunk(now clock.Time, e *TCP, quoted tcp.Seq) {
	if v, err := s.pathTo(e.remote.Addr(), e.local.Addr()); err == nil {
		e.path = s.sharePath(&v)
		e.conn.HandlePathMTU(now, s.mtuTo(now, e.remote.Addr(), &v)-tcpOverhead(e.remote.Addr()), quoted)
	}
}

// quotedEnds returns the two ends of a quoted packet's conversation.
func quotedEnds(h *header, transport []byte) (local, remote netip.AddrPort) {
	return netip.AddrPortFrom(h.src, be16(transport)), netip.AddrPortFrom(h.dst, be16(transport[2:]))
}
