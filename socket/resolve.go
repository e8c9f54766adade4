package socket

import (
	"cmp"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"hubbub/wire"
)

// A resolver asks servers of names: a stub, which has none of the answers itself
// (RFC 1034, 5.3.1).
// The world's lock guards it.
type resolver struct {
	only    bool         // names of the network are not known without asking
	servers []netip.Addr // by hand, beside those that the machine hears of
	domains []string
	rnd     *rand.Rand
}

// How long a server has time to answer, and how often each is asked; which
// domains, addresses and aliases of one name are heeded. The first two are those
// of resolv.conf(5).
const (
	answerTime   = 5 * time.Second
	tries        = 2
	maxResolved  = 16
	maxAliases   = 8
	longestReply = 4096
)

// UseNameServersLocked makes the machine ask servers for all names, instead of
// knowing those of its network: the ones that it hears of by router
// advertisements and DHCPv6, and those given here. Names without a dot are looked
// for in the domains. It needs the world's lock.
func (h *Host) UseNameServersLocked(servers []netip.Addr, domains []string) {
	h.resolver.only, h.resolver.servers, h.resolver.domains = true, servers, domains
}

// NameServersLocked returns the servers that the machine asks for names, the first
// first. It needs the world's lock.
func (h *Host) NameServersLocked() []netip.Addr {
	return append(h.stack.NameServers(), h.resolver.servers...)
}

// known returns the addresses of a name that takes no asking.
func (h *Host) known(name string) (addrs []netip.Addr, ok bool) {
	h.world.Enter()
	defer h.world.Unlock()
	if name == "localhost" {
		addrs = []netip.Addr{netip.IPv6Loopback(), netip.AddrFrom4([4]byte{127, 0, 0, 1})}
		if !h.stack.UsesIPv6() {
			addrs = addrs[1:]
		}
		return addrs, true
	}
	if h.resolver.only || h.names == nil {
		return nil, false
	}
	addrs, ok = h.names.LookupHost(name)
	if len(addrs) > 1 {
		h.stack.SortAddrs(addrs)
	}
	return addrs, ok && len(addrs) > 0
}

// nameServers returns the servers to be asked, and the names that name may mean:
// one without a dot is looked for in the domains first, as resolv.conf(5) has it.
func (h *Host) nameServers(name string) (servers []netip.Addr, names []string) {
	h.world.Enter()
	defer h.world.Unlock()
	servers = h.NameServersLocked()
	if strings.HasSuffix(name, ".") {
		return servers, []string{name}
	}
	for _, domain := range append(h.stack.SearchDomains(), h.resolver.domains...) {
		if longer := name + "." + domain; !slices.Contains(names, longer) {
			names = append(names, longer)
		}
	}
	if strings.Contains(name, ".") {
		return servers, append([]string{name}, names...)
	}
	return servers, append(names, name)
}

// ask finds the addresses of a name.
func (h *Host) ask(ctx context.Context, name string, servers []netip.Addr, names []string) ([]netip.Addr, error) {
	switch {
	case len(servers) == 0 && h.resolver.only:
		return nil, &net.DNSError{Err: "the host has heard of no name server", Name: name, IsTemporary: true}
	case len(servers) == 0:
		return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	var first *net.DNSError
	denied := false
	for _, candidate := range names {
		addrs, err := h.askAll(ctx, candidate, servers)
		switch {
		case len(addrs) > 0:
			return addrs, nil
		case err == nil:
			denied = true
		case first == nil || err.IsTimeout:
			first = err
		}
	}
	// Servers refuse names that aren't theirs: it counts if none was.
	if first != nil && (first.IsTimeout || !denied) {
		return nil, first
	}
	return nil, &net.DNSError{Err: "no such host", Name: name, Server: servers[0].String(), IsNotFound: true}
}

// askAll asks one server after the other, and again, until one answers. It
// returns neither addresses nor an error where there is no such name.
func (h *Host) askAll(ctx context.Context, name string, servers []netip.Addr) ([]netip.Addr, *net.DNSError) {
	var last *net.DNSError
	for range tries {
		for _, server := range servers {
			if err := ctx.Err(); err != nil {
				return nil, &net.DNSError{Err: err.Error(), Name: name, Server: server.String(), IsTimeout: true}
			}
			addrs, err := h.askOne(ctx, name, netip.AddrPortFrom(server, wire.DNSPort))
			if err == nil {
				return addrs, nil
			}
			last = &net.DNSError{Err: err.Error(), Name: name, Server: server.String(), IsTemporary: true}
			var timeout net.Error
			last.IsTimeout = errors.As(err, &timeout) && timeout.Timeout()
		}
	}
	return nil, last
}

// A query is a question that was asked, and what was answered.
type query struct {
	id     uint16
	name   string
	kind   wire.DNSType
	packed []byte
	done   bool
	addrs  []netip.Addr
	err    error // what the server says that it is no answer for
}

// askOne asks one server for the addresses of both families, "as soon after one
// another as possible, with the AAAA query made first" (RFC 8305, 3), from a port that nobody can foresee and with numbers
// that nobody can (RFC 5452, 9.2).
func (h *Host) askOne(ctx context.Context, name string, server netip.AddrPort) ([]netip.Addr, error) {
	var both [2]query
	for i, kind := range [...]wire.DNSType{wire.DNSTypeAAAA, wire.DNSTypeA} {
		q := &both[i]
		*q = query{id: h.queryID(), name: name, kind: kind}
		var err error
		if q.packed, err = wire.AppendDNSQuery(nil, q.id, name, kind); err != nil {
			return nil, nil // what is no name nobody has
		}
	}
	conn, err := h.dialOne(ctx, SOCK_DGRAM, server)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	_ = conn.SetDeadline(h.Now().Add(answerTime))
	for i := range both {
		if _, err := conn.Write(both[i].packed); err != nil {
			return nil, err
		}
	}
	var room [longestReply]byte
	for !both[0].done || !both[1].done {
		n, err := conn.Read(room[:])
		if err != nil {
			return nil, err
		}
		for i := range both {
			if err := h.hear(ctx, &both[i], room[:n], server); err != nil {
				return nil, err
			}
		}
	}
	addrs := append(both[0].addrs, both[1].addrs...)
	if len(addrs) > 0 { // a server may know nothing of one of the families
		return addrs, nil
	}
	return nil, cmp.Or(both[0].err, both[1].err)
}

// queryID returns a number by chance.
func (h *Host) queryID() uint16 {
	h.world.Enter()
	defer h.world.Unlock()
	if h.resolver.rnd == nil {
		h.resolver.rnd = h.world.Random(h.stack.Name() + " names")
	}
	return uint16(h.resolver.rnd.Uint32())
}

// hear takes a message that may answer the question. "A resolver implementation
// MUST match responses to all of the following attributes of the query: source
// address, destination address and port, query ID, question" (RFC 5452, 9.1): the
// first two the socket sees to.
func (h *Host) hear(ctx context.Context, q *query, b []byte, server netip.AddrPort) error {
	m, err := wire.ParseDNS(b)
	switch {
	case err != nil, q.done, !m.Answers(q.id, q.name, q.kind):
		return nil // somebody else's, or a forgery: the answer may still come
	case m.Truncated:
		if m, err = h.askByTCP(ctx, q, server); err != nil {
			return err
		}
	}
	switch m.Code {
	case wire.DNSSuccess:
		q.addrs = addressesIn(&m)
	case wire.DNSNameError:
	default:
		q.err = errors.New(m.Code.String())
	}
	q.done = true
	return nil
}

// askByTCP asks for what is too long for a datagram (RFC 7766, 5): each message
// has its length before it (RFC 1035, 4.2.2).
func (h *Host) askByTCP(ctx context.Context, q *query, server netip.AddrPort) (wire.DNS, error) {
	conn, err := h.dialOne(ctx, SOCK_STREAM, server)
	if err != nil {
		return wire.DNS{}, err
	}
	defer conn.Close()
	_ = conn.SetDeadline(h.Now().Add(answerTime))
	if _, err := conn.Write(append([]byte{byte(len(q.packed) >> 8), byte(len(q.packed))}, q.packed...)); err != nil {
		return wire.DNS{}, err
	}
	var head [2]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return wire.DNS{}, err
	}
	b := make([]byte, int(head[0])<<8|int(head[1]))
	if _, err := io.ReadFull(conn, b); err != nil {
		return wire.DNS{}, err
	}
	m, err := wire.ParseDNS(b)
	if err == nil && !m.Answers(q.id, q.name, q.kind) {
		err = errors.New("the server answers another question")
	}
	return m, err
}

// addressesIn returns the addresses of the name that a message is about, or of
// those that it stands for.
func addressesIn(m *wire.DNS) (addrs []netip.Addr) {
	name := m.Name
	for range maxAliases {
		alias := ""
		all := *m
		for r, ok := all.NextAnswer(); ok; r, ok = all.NextAnswer() {
			switch {
			case !strings.EqualFold(r.Name, name):
			case r.Type == wire.DNSTypeCNAME:
				alias = r.Alias
			case r.Type == m.Type && len(addrs) < maxResolved:
				addrs = append(addrs, r.Addr.Unmap())
			}
		}
		if alias == "" || len(addrs) > 0 {
			return addrs
		}
		name = alias
	}
	return nil
}

// sorted orders addresses as they are to be tried (RFC 6724, 6).
func (h *Host) sorted(addrs []netip.Addr) []netip.Addr {
	h.world.Enter()
	defer h.world.Unlock()
	if len(addrs) > 1 {
		h.stack.SortAddrs(addrs)
	}
	return addrs
}
