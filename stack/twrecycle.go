package stack

import (
	"net/netip"
	"time"

	"hubbub/clock"
	"hubbub/transport/tcp"
	"hubbub/wire"
)

// recycled is what a machine with tcp_tw_recycle knows of an address: the last
// timestamp that came from it, and when. Linux had it until 4.12.
type recycled struct {
	stamp uint32
	at    clock.Time
}

const (
	// recycleMemory is how long an address is remembered: within it no segment
	// of an old connection can arrive any more (Linux's TCP_PAWS_MSL).
	recycleMemory = 60 * time.Second
	// recycledAddresses bounds how many addresses are.
	recycledAddresses = 4096
)

// recycle shortens a connection's TIME-WAIT to three and a half
// retransmission time-outs, and remembers the peer's last timestamp instead:
// as long as the timestamps from an address grow, an old segment is known by
// its own. It does nothing for connections without timestamps.
func (s *Stack) recycle(now clock.Time, e *TCP, tw *tcp.TimeWait) {
	stamp, at, ok := tw.LastTimestamp()
	if !s.cfg.RecycleTimeWait || !ok {
		return
	}
	s.forgetAddresses(now)
	if len(s.recycled) < recycledAddresses {
		s.recycled[e.remote.Addr()] = recycled{stamp, at}
		tw.ExpireAt(now.Add(e.conn.Info().RTO * 7 / 2))
	}
}

// forgetAddresses makes room among the remembered addresses if there is none:
// by those that say nothing any more.
func (s *Stack) forgetAddresses(now clock.Time) {
	if s.recycled == nil {
		s.recycled = make(map[netip.Addr]recycled)
	}
	if len(s.recycled) < recycledAddresses {
		return
	}
	for addr, r := range s.recycled {
		if now.Sub(r.at) >= recycleMemory {
			delete(s.recycled, addr)
		}
	}
}

// looksOld reports whether a SYN is taken for a duplicate from an old
// connection: its timestamp is before the last that came from the same
// address. So it is if two machines, or one that was restarted, have one
// address; nobody there is told.
func (s *Stack) looksOld(now clock.Time, from netip.Addr, seg *tcp.Segment) bool {
	r, known := s.recycled[from]
	return known && s.cfg.RecycleTimeWait && seg.Options.Timestamps && seg.Flags&(wire.SYN|wire.ACK|wire.RST) == wire.SYN &&
		now.Sub(r.at) < recycleMemory && int32(r.stamp-seg.Options.TSVal) > 1
}
