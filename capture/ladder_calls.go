package capture

import (
	"net/netip"
	"strconv"

	"hubbub/event"
	"hubbub/wire"
)

// A callBook finds out which conversation a socket call is about: calls tell
// a descriptor, and connect, accept and sendto tell an address.
type callBook struct {
	peers map[descriptor]peer
	begun map[event.ID]descriptor // calls of connect
	order []event.ID
	told  map[descriptor]string // calls whose beginning was shown
	exact map[descriptor]bool   // peers whose local end is known too
}

type descriptor struct {
	node string
	fd   int
}

type peer struct {
	local, remote netip.AddrPort // local may be zero
}

func newCallBook() callBook {
	return callBook{
		peers: make(map[descriptor]peer), begun: make(map[event.ID]descriptor),
		told: make(map[descriptor]string), exact: make(map[descriptor]bool),
	}
}

// learn takes what a call tells about its descriptor's peer.
func (k *callBook) learn(e *event.Event, b *event.SocketCall) {
	d := descriptor{e.Node, b.FD}
	switch b.Call {
	case "connect":
		if remote, err := netip.ParseAddrPort(b.Args); err == nil && (b.Blocked || !k.exact[d]) {
			k.set(d, peer{remote: remote})
		}
		if b.Blocked {
			k.begun[e.ID] = d
			k.order = append(k.order, e.ID)
			if len(k.order) > maxChanges {
				delete(k.begun, k.order[0])
				k.order = k.order[1:]
			}
		}
	case "accept":
		fd, err := strconv.Atoi(b.Result)
		if remote, addrErr := netip.ParseAddrPort(b.Args); err == nil && addrErr == nil && fd > 0 {
			k.set(descriptor{e.Node, fd}, peer{remote: remote})
		}
	case "close":
		delete(k.told, d)
	}
}

func (k *callBook) set(d descriptor, p peer) {
	if len(k.peers) < maxOrigins {
		k.peers[d] = p
		delete(k.exact, d)
	}
}

// connected learns from a connection's first state which call began it.
func (k *callBook) connected(e *event.Event, flow event.Flow) {
	if d, ok := k.begun[e.Cause]; ok {
		k.set(d, peer{flow.Local, flow.Remote})
		k.exact[d] = true
	}
}

// opening returns the call that a connection began with.
func (k *callBook) opening(cause event.ID) string {
	if d, ok := k.begun[cause]; ok {
		return k.told[d]
	}
	return ""
}

// called draws a call beside the end that it belongs to.
func (l *Ladder) called(e *event.Event, b *event.SocketCall) {
	l.calls.learn(e, b)
	if l.o.NoCalls {
		return
	}
	d := descriptor{e.Node, b.FD}
	if b.Call == "accept" {
		if fd, err := strconv.Atoi(b.Result); err == nil {
			d.fd = fd
		}
	}
	c, side := l.conversationAt(d)
	if c == nil {
		l.calls.text(d, b) // it may be the one that begins a conversation
		return
	}
	if b.Call == "connect" && b.Blocked && c.began() {
		l.calls.text(d, b)
		return
	}
	if text := l.calls.text(d, b); text != "" {
		c.mark(e, side, text)
	}
}

// conversationAt returns the latest conversation of a descriptor, and which
// end it is.
func (l *Ladder) conversationAt(d descriptor) (*conversation, int) {
	p, ok := l.calls.peers[d]
	if !ok {
		return nil, 0
	}
	if p.local.IsValid() {
		if c := l.byKey[keyOf(wire.ProtocolTCP, p.local, p.remote)]; c != nil {
			return c, c.sideOf(p.local)
		}
	}
	for i := len(l.all) - 1; i >= 0; i-- {
		c := l.all[i]
		for side := range c.ends {
			if c.ends[1-side].addr == p.remote && l.owners[c.ends[side].addr.Addr()] == d.node {
				return c, side
			}
		}
	}
	return nil, 0
}

// text says what to show of a call: where it is told twice, its beginning, and
// of its end only what is new.
func (k *callBook) text(d descriptor, b *event.SocketCall) string {
	call := b.Call + "(" + b.Args + ")"
	if b.Blocked {
		if b.Args == "" {
			return "" // it only waits
		}
		if len(k.told) < maxOrigins {
			k.told[d] = call
		}
		return call
	}
	result := b.Result
	if b.Error != "" {
		result = b.Error
	}
	if k.told[d] == call {
		delete(k.told, d)
		if b.Call == "send" && b.Error == "" {
			return ""
		}
		return b.Call + " = " + result
	}
	if b.Call == "close" && b.Error == "" || b.Call == "shutdown" && b.Error == "" {
		return call
	}
	return call + " = " + result
}
