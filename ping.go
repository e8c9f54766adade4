package hubbub

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"hubbub/sim"
	"hubbub/socket"
	"hubbub/wire"
)

// A PingReply is an answer to an echo request.
type PingReply struct {
	From  netip.Addr
	RTT   time.Duration // in the network's time
	TTL   uint8         // of the answer as it arrived
	Seq   int
	Bytes int // of the ICMP message, its header of 8 counted
}

// ping is one echo request and what comes of it.
type ping struct {
	network *Network
	socket  *socket.Socket
	to      netip.Addr
	id      uint16
	seq     uint16
	size    int // of the data
	ttl     uint8
	timeout time.Duration
}

// A PingOption says what the echo request is like.
type PingOption func(*ping)

// PingSeq gives the request a sequence number, 0 to 65,535; without it, 1.
func PingSeq(seq int) PingOption { return func(p *ping) { p.seq = uint16(seq) } }

// PingSize sends so many bytes of data, at most 65,507; without it 56, as
// ping(8) does.
func PingSize(bytes int) PingOption { return func(p *ping) { p.size = max(0, bytes) } }

// PingTTL lets the request live for so many hops: the router where it ends
// says so. Without it, it is the host's.
func PingTTL(ttl uint8) PingOption { return func(p *ping) { p.ttl = ttl } }

// PingTimeout sets how long an answer is waited for, in the network's time;
// without it, a second.
func PingTimeout(d time.Duration) PingOption { return func(p *ping) { p.timeout = d } }

// Ping sends an echo request (RFC 792, page 14; RFC 4443, 4.1) to an address or a name and
// waits for the reply. The errors are [*net.OpError]: around
// [os.ErrDeadlineExceeded] if nothing comes in time, around the context's error
// if that is done before, around what a router or this host has to say, such
// as "host unreachable (from 172.16.10.1)", which is also the fitting
// syscall.Errno, and around any other why nothing could be sent. A deadline
// of the context is a duration from now in the network's time.
func (h *Host) Ping(ctx context.Context, address string, options ...PingOption) (PingReply, error) {
	p := ping{network: h.network, seq: 1, size: 56, timeout: time.Second}
	for _, option := range options {
		option(&p)
	}
	reply, err := p.run(ctx, h, address)
	if err != nil {
		op := &net.OpError{Op: "ping", Net: "ip4:icmp", Err: err}
		if p.to.Is6() {
			op.Net = "ip6:ipv6-icmp"
		}
		if p.to.IsValid() {
			op.Addr = &net.IPAddr{IP: p.to.AsSlice(), Zone: p.to.Zone()}
		}
		return PingReply{}, op
	}
	return reply, nil
}

func (p *ping) run(ctx context.Context, h *Host, address string) (PingReply, error) {
	if err := errors.Join(h.network.Err(), ctx.Err()); err != nil {
		return PingReply{}, err
	}
	var err error
	if p.to, err = h.sockets.LookupAddr(address); err != nil {
		return PingReply{}, err
	}
	family := socket.AF_INET
	if p.to.Is6() {
		family = socket.AF_INET6
	}
	if p.socket, p.id, err = h.sockets.PingSocket(family); err != nil {
		return PingReply{}, err
	}
	defer p.socket.Close()
	stop := context.AfterFunc(ctx, func() { p.socket.Close() })
	defer stop()
	if deadline, ok := ctx.Deadline(); ok {
		p.timeout = min(p.timeout, sim.Until(deadline).Round(time.Millisecond))
	}
	reply, err := p.exchange()
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return reply, err
}

// exchange sends the request and waits for what concerns it.
func (p *ping) exchange() (PingReply, error) {
	if err := p.tellsHops(); err != nil {
		return PingReply{}, err
	}
	if p.ttl != 0 {
		if err := p.socket.SetSockOpt(socket.IPPROTO_IP, socket.IP_TTL, int(p.ttl)); err != nil {
			return PingReply{}, err
		}
	}
	data := make([]byte, p.size)
	for i := range data {
		data[i] = byte(i)
	}
	start := p.network.Elapsed()
	if _, err := p.socket.SendTo(p.request(data), p.to.String()); err != nil {
		return PingReply{}, err
	}
	for {
		left := p.timeout - (p.network.Elapsed() - start)
		if left <= 0 {
			return PingReply{}, os.ErrDeadlineExceeded
		}
		p.socket.SetTimeout(left)
		reply, ok, err := p.hear()
		if ok || err != nil {
			reply.RTT = p.network.Elapsed() - start
			return reply, err
		}
	}
}

// request returns the message that is sent.
func (p *ping) request(data []byte) []byte {
	if p.to.Is6() {
		m := wire.ICMPv6{Type: wire.ICMPv6EchoRequest}
		m.SetEcho(p.id, p.seq)
		return m.AppendTo(p.to, p.to, nil, data) // the stack fills in the checksum
	}
	m := wire.ICMPv4{Type: wire.Echo}
	m.SetEcho(p.id, p.seq)
	return m.AppendTo(nil, data)
}

// hear waits for the next message that the raw socket hears. It reports false
// for what isn't about this request.
func (p *ping) hear() (PingReply, bool, error) {
	if p.to.Is6() {
		return p.hear6()
	}
	packet, _, err := p.socket.RecvFrom(wire.MaxIPv4Len)
	if err != nil {
		return PingReply{}, false, err
	}
	return p.concerned(packet)
}

// concerned reads what a raw socket has heard: all of ICMP.
func (p *ping) concerned(packet []byte) (PingReply, bool, error) {
	h, body, err := wire.ParseIPv4(packet)
	if err != nil {
		return PingReply{}, false, nil
	}
	m, payload, err := wire.ParseICMPv4(body)
	switch {
	case err != nil:
		return PingReply{}, false, nil
	case m.Type == wire.EchoReply && m.ID() == p.id && m.Seq() == p.seq:
		return PingReply{From: h.Src, TTL: h.TTL, Seq: int(m.Seq()), Bytes: len(body)}, true, nil
	case m.IsError() && m.Type != wire.Redirect && p.quoted(payload):
		return PingReply{}, false, &unreachable{text: m.Text(), from: h.Src, errno: errnoOf(&m)}
	}
	return PingReply{}, false, nil
}

// quoted reports whether an error is about this request.
func (p *ping) quoted(b []byte) bool {
	h, body, err := wire.ParseIPv4Quote(b)
	if err != nil || h.Protocol != wire.ProtocolICMP || h.Dst != p.to {
		return false
	}
	m, _, err := wire.ParseICMPv4Header(body)
	return err == nil && m.Type == wire.Echo && m.ID() == p.id && m.Seq() == p.seq
}

// unreachable is what ICMP says of a request, and who says it.
type unreachable struct {
	text  string
	from  netip.Addr
	errno syscall.Errno
}

func (e *unreachable) Error() string { return fmt.Sprintf("%s (from %v)", e.text, e.from) }

func (e *unreachable) Unwrap() error { return e.errno }

func errnoOf(m *wire.ICMPv4) syscall.Errno {
	switch {
	case m.Type == wire.ParameterProblem:
		return syscall.EPROTO
	case m.Type == wire.DestinationUnreachable && m.Code == wire.CodeNetUnreachable:
		return syscall.ENETUNREACH
	case m.Type == wire.DestinationUnreachable && m.Code == wire.CodeFragmentationNeeded:
		return syscall.EMSGSIZE
	}
	return syscall.EHOSTUNREACH
}
