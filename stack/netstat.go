package stack

import (
	"cmp"
	"net/netip"
	"slices"

	"hubbub/transport/tcp"
)

// SocketState is a line of what netstat -an prints.
type SocketState struct {
	Proto         string // "tcp" or "udp"
	Local, Remote netip.AddrPort
	State         string // of TCP, such as "ESTABLISHED"
	RecvQ, SendQ  int    // bytes; of a listener, connections that wait and their greatest number
}

// Netstat returns the machine's sockets and connections: TCP before UDP, then
// by addresses.
func (s *Stack) Netstat() []SocketState {
	var all []SocketState
	for _, l := range s.listeners {
		for _, e := range l {
			all = append(all, SocketState{
				Proto: "tcp", Local: e.local, State: tcp.StateListen.String(), RecvQ: e.Pending(),
			})
		}
	}
	s.conns.all(func(e *TCP) {
		info := e.conn.Info()
		all = append(all, SocketState{
			Proto: "tcp", Local: e.local, Remote: e.remote, State: info.State.String(),
			RecvQ: info.Unread, SendQ: info.Unacked,
		})
	})
	for _, r := range s.requests {
		local, remote := r.ends()
		all = append(all, SocketState{Proto: "tcp", Local: local, Remote: remote, State: tcp.StateSynReceived.String()})
	}
	s.waits.all(func(n uint32) {
		local, remote := s.endsOf(s.waits.record(n))
		all = append(all, SocketState{
			Proto: "tcp", Local: local, Remote: remote, State: tcp.StateTimeWait.String(),
		})
	})
	for _, u := range s.udps {
		for _, e := range u {
			all = append(all, SocketState{Proto: "udp", Local: e.local, Remote: e.remote, RecvQ: e.waiting})
		}
	}
	slices.SortFunc(all, func(a, b SocketState) int {
		return cmp.Or(cmp.Compare(a.Proto, b.Proto), a.Local.Compare(b.Local), a.Remote.Compare(b.Remote))
	})
	return all
}
