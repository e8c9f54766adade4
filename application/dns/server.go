package dns

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// A Server answers questions for names of its zone.
type Server struct {
	// Zone is the domain that the server is the authority for, such as
	// "lab.test"; the empty one is that of all names.
	Zone string
	// Lookup returns the addresses of a name of the zone, without the zone: those
	// of "feige.lab.test" are Lookup("feige"). It returns none for a name that
	// there isn't. It may be called from several goroutines.
	Lookup func(name string) []netip.Addr
	// TTL is how long answers may be kept, in seconds; 0: not at all.
	TTL uint32
}

// longest is what a datagram may have (RFC 1035, 4.2.1).
const longest = 512

// Serve answers what comes to a socket, until that is closed; then it returns
// nil.
func (s *Server) Serve(c net.PacketConn) error {
	b := make([]byte, 64<<10)
	for {
		n, from, err := c.ReadFrom(b)
		switch {
		case errors.Is(err, net.ErrClosed):
			return nil
		case err != nil:
			return err
		}
		if answer := s.Answer(b[:n], longest); answer != nil {
			// Who asked may be gone: he alone is hurt by that.
			_, _ = c.WriteTo(answer, from)
		}
	}
}

// ServeTCP answers who connects, one after the other, until the listener is
// closed; then it returns nil.
func (s *Server) ServeTCP(l net.Listener) error {
	for {
		c, err := l.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return nil
		case err != nil:
			return err
		}
		s.converse(c)
	}
}

// converse answers one client: "The message is prefixed with a two byte length
// field" (RFC 1035, 4.2.2).
func (s *Server) converse(c net.Conn) {
	defer c.Close()
	for {
		var head [2]byte
		if _, err := io.ReadFull(c, head[:]); err != nil {
			return
		}
		b := make([]byte, int(head[0])<<8|int(head[1]))
		if _, err := io.ReadFull(c, b); err != nil {
			return
		}
		answer := s.Answer(b, 1<<16-1)
		if answer == nil {
			return
		}
		if _, err := c.Write(append([]byte{byte(len(answer) >> 8), byte(len(answer))}, answer...)); err != nil {
			return
		}
	}
}

// Answer returns the answer to a query, at most so many octets long: one that has
// no room for all addresses has none of them, and says so. It returns nil for
// what isn't a query at all.
func (s *Server) Answer(query []byte, most int) []byte {
	var p dnsmessage.Parser
	h, err := p.Start(query)
	if err != nil || h.Response {
		return nil
	}
	m := dnsmessage.Message{Header: dnsmessage.Header{
		ID: h.ID, Response: true, OpCode: h.OpCode, RecursionDesired: h.RecursionDesired,
	}}
	questions, err := p.AllQuestions()
	switch {
	case err != nil || len(questions) != 1:
		m.RCode = dnsmessage.RCodeFormatError
	case h.OpCode != 0:
		m.RCode = dnsmessage.RCodeNotImplemented
	default:
		m.Questions = questions
		s.answer(&m, questions[0])
	}
	b, err := m.Pack()
	if err == nil && len(b) > most {
		m.Truncated, m.Answers, m.Authorities = true, nil, nil
		b, err = m.Pack()
	}
	if err != nil {
		return nil
	}
	return b
}

// answer fills in what there is to say to a question. Names that don't belong to
// the zone are none of the server's business, and it asks nobody.
func (s *Server) answer(m *dnsmessage.Message, q dnsmessage.Question) {
	name, ok := s.inside(q.Name.String())
	if !ok || q.Class != dnsmessage.ClassINET {
		m.RCode = dnsmessage.RCodeRefused
		return
	}
	m.Authoritative = true
	addrs := s.Lookup(name)
	switch {
	case len(addrs) == 0 && name != "":
		m.RCode = dnsmessage.RCodeNameError
	default:
		m.Answers = s.records(q, addrs)
	}
	if len(m.Answers) == 0 {
		m.Authorities = s.authority()
	}
}

// inside returns a name without the zone, if it belongs there: "domain names [...]
// are compared in a case-insensitive manner" (RFC 1034, 3.1).
func (s *Server) inside(name string) (string, bool) {
	name = strings.TrimSuffix(name, ".")
	zone := strings.TrimSuffix(s.Zone, ".")
	switch {
	case zone == "":
		return strings.ToLower(name), true
	case strings.EqualFold(name, zone):
		return "", true
	case len(name) <= len(zone) || name[len(name)-len(zone)-1] != '.' || !strings.EqualFold(name[len(name)-len(zone):], zone):
		return "", false
	}
	return strings.ToLower(name[:len(name)-len(zone)-1]), true
}

// records returns those of the type that is asked for.
func (s *Server) records(q dnsmessage.Question, addrs []netip.Addr) (all []dnsmessage.Resource) {
	for _, addr := range addrs {
		h := dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, TTL: s.TTL}
		switch {
		case addr.Is4() && (q.Type == dnsmessage.TypeA || q.Type == dnsmessage.TypeALL):
			all = append(all, dnsmessage.Resource{Header: h, Body: &dnsmessage.AResource{A: addr.As4()}})
		case addr.Is6() && (q.Type == dnsmessage.TypeAAAA || q.Type == dnsmessage.TypeALL):
			all = append(all, dnsmessage.Resource{Header: h, Body: &dnsmessage.AAAAResource{AAAA: addr.As16()}})
		}
	}
	return all
}

// authority says for how long there is nothing: "Name servers authoritative for a
// zone MUST include the SOA record of the zone in the authority section of the
// response when reporting an NXDOMAIN or indicating that no data of the requested
// type exists." (RFC 2308, 3)
func (s *Server) authority() []dnsmessage.Resource {
	zone, err := dnsmessage.NewName(strings.TrimSuffix(s.Zone, ".") + ".")
	if err != nil {
		return nil
	}
	return []dnsmessage.Resource{{
		Header: dnsmessage.ResourceHeader{Name: zone, Class: dnsmessage.ClassINET, TTL: s.TTL},
		Body:   &dnsmessage.SOAResource{NS: zone, MBox: zone, Serial: 1, Refresh: 3600, Retry: 600, Expire: 86400, MinTTL: s.TTL},
	}}
}
