package socket

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"

	"hubbub/clock"
)

// Dial opens a connection to an address of network "tcp" or "udp", or to a
// path of network "unix". "tcp4" and "tcp6" take addresses of that family only.
//
// A name may have several addresses: they are tried in the order of RFC 6724,
// the families taking turns, each a quarter of a second after the one before if
// that hasn't answered, and the first connection that opens is it (RFC 8305).
func (h *Host) Dial(network, address string) (net.Conn, error) {
	return h.DialContext(context.Background(), network, address)
}

// DialContext is [Host.Dial] with a context that can end the attempt. The
// context's deadline is a duration from now in the world's time.
func (h *Host) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, remote, err := h.dial(ctx, network, address)
	if err != nil {
		return nil, opError("dial", network, nil, remote, err)
	}
	return conn, nil
}

func (h *Host) dial(ctx context.Context, network, address string) (net.Conn, net.Addr, error) {
	w, err := parseNetwork(network)
	if err != nil {
		return nil, nil, err
	}
	if w.unix {
		s, err := h.Socket(AF_UNIX, w.kind)
		if err != nil {
			return nil, nil, err
		}
		conn, err := s.dialed(s.Connect(address))
		return conn, &net.UnixAddr{Name: address, Net: network}, err
	}
	remotes, err := h.addresses(ctx, &w, address)
	if err != nil {
		return nil, nil, err
	}
	if w.kind == SOCK_STREAM && len(remotes) > 1 {
		return h.race(ctx, takeTurns(remotes))
	}
	var first error
	for _, remote := range remotes {
		conn, err := h.dialOne(ctx, w.kind, remote)
		if err == nil {
			return conn, nil, nil
		}
		if first == nil {
			first = err
		}
	}
	return nil, netAddrOf(w.kind, remotes[0]), first
}

func netAddrOf(kind Type, addr netip.AddrPort) net.Addr {
	if kind == SOCK_STREAM {
		return net.TCPAddrFromAddrPort(addr)
	}
	return net.UDPAddrFromAddrPort(addr)
}

// dialOne opens a connection to one address.
func (h *Host) dialOne(ctx context.Context, kind Type, remote netip.AddrPort) (net.Conn, error) {
	s, err := h.goSocket(familyOf(remote.Addr()), kind)
	if err != nil {
		return nil, err
	}
	return s.dialed(failed("connect", s.connectWithin(ctx, remote)))
}

// takeTurns orders addresses so that the families take turns, beginning with
// that of the first: "If the first address in the list is of a given family, the
// next is of the other" (RFC 8305, 4, with First Address Family Count 1).
func takeTurns(all []netip.AddrPort) []netip.AddrPort {
	var first, other, mixed []netip.AddrPort
	for _, a := range all {
		if a.Addr().Is4() == all[0].Addr().Is4() {
			first = append(first, a)
		} else {
			other = append(other, a)
		}
	}
	for i := range all {
		if i < len(first) {
			mixed = append(mixed, first[i])
		}
		if i < len(other) {
			mixed = append(mixed, other[i])
		}
	}
	return mixed
}

// attemptDelay is when the next attempt begins: "the "Connection Attempt Delay"
// [...]. The RECOMMENDED value for a default delay is 250 milliseconds."
// (RFC 8305, 5)
const attemptDelay = 250 * time.Millisecond

// race tries several addresses: "Once one of the other connection attempts
// succeeds (generally when the TCP handshake completes), all other connections
// attempts that have not yet succeeded SHOULD be canceled." (RFC 8305, 5)
func (h *Host) race(ctx context.Context, remotes []netip.AddrPort) (net.Conn, net.Addr, error) {
	r := &attempts{host: h, remotes: remotes}
	defer r.cancel()
	until := clock.Never
	if t, ok := ctx.Deadline(); ok {
		h.world.Enter()
		until = h.outside(t)
		h.world.Unlock()
	}
	for {
		if s := r.begin(ctx); s != nil {
			return s, nil, nil
		}
		if len(r.polled) == 0 {
			return nil, net.TCPAddrFromAddrPort(remotes[0]), r.err
		}
		wait := clock.Duration(-1)
		if len(r.remotes) > 0 {
			wait = attemptDelay
		}
		if _, err := h.poll(ctx, r.polled, wait, until); err != nil {
			return nil, net.TCPAddrFromAddrPort(remotes[0]), failed("connect", err)
		}
		if s := r.settled(ctx); s != nil {
			return s, nil, nil
		}
	}
}

// attempts are those of one race.
type attempts struct {
	host    *Host
	remotes []netip.AddrPort // that are still to be tried
	polled  []PollFD         // under way
	err     error            // of the first that failed
}

// begin starts the next attempt, and others if it fails at once. It returns the
// connection if one is open already.
func (r *attempts) begin(ctx context.Context) net.Conn {
	for len(r.remotes) > 0 {
		remote := r.remotes[0]
		r.remotes = r.remotes[1:]
		s, err := r.host.goSocket(familyOf(remote.Addr()), SOCK_STREAM)
		if err != nil {
			r.fail(err)
			continue
		}
		s.SetBlocking(false)
		switch err := s.connect(ctx, remote); {
		case err == nil:
			return r.won(s)
		case errors.Is(err, syscall.EINPROGRESS):
			r.polled = append(r.polled, PollFD{Socket: s, Events: POLLOUT})
			return nil
		default:
			r.fail(failed("connect", err))
			_ = s.Close()
		}
	}
	return nil
}

func (r *attempts) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// settled looks at the attempts that have come to an end, and returns the
// connection that is open.
func (r *attempts) settled(ctx context.Context) net.Conn {
	for i := 0; i < len(r.polled); {
		p := r.polled[i]
		if p.Revents == 0 {
			i++
			continue
		}
		r.polled = append(r.polled[:i], r.polled[i+1:]...)
		err := p.Socket.connect(ctx, netip.AddrPort{})
		if err == nil {
			return r.won(p.Socket)
		}
		r.fail(failed("connect", err))
		_ = p.Socket.Close()
	}
	return nil
}

func (r *attempts) won(s *Socket) net.Conn {
	s.SetBlocking(true)
	return s.conn()
}

// cancel gives up what is under way.
func (r *attempts) cancel() {
	for _, p := range r.polled {
		_ = p.Socket.Close()
	}
}
