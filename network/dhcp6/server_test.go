package dhcp6

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"hubbub/clock"
	"hubbub/wire"
)

// asks is a client's message.
func asks(kind wire.DHCP6Type, client, server []byte, options ...[]byte) []byte {
	m := wire.DHCP6{Type: kind, Transaction: 5}
	if client != nil {
		m.Options = wire.AppendDHCP6Option(m.Options, wire.DHCP6ClientID, client)
	}
	if server != nil {
		m.Options = wire.AppendDHCP6Option(m.Options, wire.DHCP6ServerID, server)
	}
	for _, o := range options {
		m.Options = append(m.Options, o...)
	}
	return m.AppendTo(nil)
}

var ofNothing = (&wire.DHCP6IA{ID: 7}).AppendTo(nil)

// RFC 8415, 16.2 to 16.12: which messages a server discards.
func TestAServerChecksMessages(t *testing.T) {
	for _, x := range []struct {
		b   []byte
		why Reason
	}{
		{[]byte{1, 2}, Malformed},
		{asks(wire.DHCP6Solicit, clientID, serverID, ofNothing), HasServerID},
		{asks(wire.DHCP6Confirm, clientID, serverID, ofNothing), HasServerID},
		{asks(wire.DHCP6Rebind, clientID, serverID, ofNothing), HasServerID},
		{asks(wire.DHCP6Solicit, nil, nil, ofNothing), NoClientID},
		{asks(wire.DHCP6Solicit, make([]byte, 200), nil, ofNothing), NoClientID},
		{asks(wire.DHCP6Solicit, clientID, nil), NoAssociation},
		{asks(wire.DHCP6Request, clientID, nil, ofNothing), NoServerID},
		{asks(wire.DHCP6Renew, clientID, nil, ofNothing), NoServerID},
		{asks(wire.DHCP6Release, clientID, nil, ofNothing), NoServerID},
		{asks(wire.DHCP6Decline, clientID, nil, ofNothing), NoServerID},
		{asks(wire.DHCP6Request, clientID, otherID, ofNothing), OtherServer},
		{asks(wire.DHCP6InformationRequest, clientID, nil, ofNothing), HasAssociation},
		{asks(wire.DHCP6InformationRequest, clientID, otherID), OtherServer},
		{asks(wire.DHCP6Reply, clientID, serverID), NotForUs},
		{asks(wire.DHCP6Confirm, clientID, nil, ofNothing), NoAddress},
	} {
		cfg := pool()
		server := NewServer(&cfg)
		answer, why := server.HandleMessage(0, x.b)
		if answer != nil || why != x.why || server.Drops()[x.why] != 1 {
			t.Errorf("% x: %s, want %s", x.b, why, x.why)
		}
	}
}

// status returns the status of the association that a server answers with, or of
// the whole answer.
func status(t *testing.T, server *Server, now clock.Time, b []byte) wire.DHCP6Status {
	t.Helper()
	answer, why := server.HandleMessage(now, b)
	if why != 0 {
		t.Fatal(why)
	}
	m, err := wire.ParseDHCP6(answer)
	if err != nil || m.Transaction != 5 {
		t.Fatalf("%v: transaction %d", err, m.Transaction)
	}
	if data, ok := wire.FindDHCP6Option(m.Options, wire.DHCP6IANA); ok {
		ia, _ := wire.ParseDHCP6IA(data)
		return wire.DHCP6StatusOf(ia.Options)
	}
	return wire.DHCP6StatusOf(m.Options)
}

// RFC 8415, 18.3.2 to 18.3.8: what a server answers.
func TestWhatAServerSays(t *testing.T) {
	cfg := pool()
	server := NewServer(&cfg)
	for _, x := range []struct {
		what string
		b    []byte
		want wire.DHCP6Status
	}{
		{"an address elsewhere", asks(wire.DHCP6Request, clientID, serverID, gives("2001:db8:9::1", 0, 0, 0, 0)), wire.DHCP6NotOnLink},
		{"no lease to renew", asks(wire.DHCP6Renew, clientID, serverID, gives("2001:db8::1000", 0, 0, 0, 0)), wire.DHCP6NoBinding},
		{"no lease to rebind", asks(wire.DHCP6Rebind, clientID, nil, gives("2001:db8::1000", 0, 0, 0, 0)), wire.DHCP6NoBinding},
		{"no lease to release", asks(wire.DHCP6Release, clientID, serverID, gives("2001:db8::1000", 0, 0, 0, 0)), wire.DHCP6NoBinding},
		{"no lease to decline", asks(wire.DHCP6Decline, clientID, serverID, gives("2001:db8::1000", 0, 0, 0, 0)), wire.DHCP6NoBinding},
		{"on the link", asks(wire.DHCP6Confirm, clientID, nil, gives("2001:db8::1000", 0, 0, 0, 0)), wire.DHCP6Success},
		{"not on the link", asks(wire.DHCP6Confirm, clientID, nil, gives("2001:db8:9::1", 0, 0, 0, 0)), wire.DHCP6NotOnLink},
		{"a request", asks(wire.DHCP6Request, clientID, serverID, ofNothing), wire.DHCP6Success},
		{"settings", asks(wire.DHCP6InformationRequest, nil, nil), wire.DHCP6Success},
	} {
		if got := status(t, server, 0, x.b); got != x.want {
			t.Errorf("%s: %v, want %v", x.what, got, x.want)
		}
	}
	if n := len(server.Leases(0)); n != 1 {
		t.Errorf("%d leases", n)
	}
	// RFC 8415, 18.3.4: an address that isn't the client's any more comes back with
	// lifetimes of 0.
	answer, _ := server.HandleMessage(0, asks(wire.DHCP6Renew, clientID, serverID, gives("2001:db8::9999", 0, 0, 0, 0)))
	m, _ := wire.ParseDHCP6(answer)
	data, _ := wire.FindDHCP6Option(m.Options, wire.DHCP6IANA)
	ia, _ := wire.ParseDHCP6IA(data)
	if all := addressesOf(&ia); len(all) != 2 || all[1] != netip.MustParseAddr("2001:db8::9999") {
		t.Errorf("the answer has %v", all)
	}
}

// An offer is no lease: Solicit alone takes nothing from the pool.
func TestAnOfferIsNoLease(t *testing.T) {
	cfg := pool()
	cfg.RapidCommit = true
	server := NewServer(&cfg)
	server.HandleMessage(0, asks(wire.DHCP6Solicit, clientID, nil, ofNothing))
	if n := len(server.Leases(0)); n != 0 {
		t.Errorf("%d leases", n)
	}
	server.HandleMessage(0, asks(wire.DHCP6Solicit, clientID, nil, ofNothing, wire.AppendDHCP6Option(nil, wire.DHCP6RapidCommit, nil)))
	if n := len(server.Leases(0)); n != 1 {
		t.Errorf("%d leases with Rapid Commit", n)
	}
}

// The pool is all that a server remembers. When it is empty, it says so; leases
// that are over are given to others, and a client gets its own again.
func TestThePoolIsBounded(t *testing.T) {
	cfg := pool()
	cfg.Count = 4
	server := NewServer(&cfg)
	request := func(n uint16, now clock.Time) wire.DHCP6Status {
		duid := binary.BigEndian.AppendUint16([]byte{0, 4, 9, 9}, n)
		return status(t, server, now, asks(wire.DHCP6Request, duid, serverID, ofNothing))
	}
	for n := range uint16(4) {
		if got := request(n, 1*s); got != wire.DHCP6Success {
			t.Fatalf("client %d: %v", n, got)
		}
	}
	first := server.Leases(1 * s)
	seen := map[netip.Addr]bool{}
	for _, l := range first {
		seen[l.Addr] = true
	}
	if len(seen) != 4 {
		t.Errorf("leases %v", first)
	}
	for n := range uint16(1000) {
		if got := request(100+n, 2*s); got != wire.DHCP6NoAddrsAvail {
			t.Fatalf("client %d: %v", n, got)
		}
	}
	if n := len(server.leases); n != 4 {
		t.Errorf("%d addresses are remembered", n)
	}
	for n := range uint16(4) {
		request(n, 3000*s)
	}
	for i, l := range server.Leases(3000 * s) {
		if l.Addr != first[i].Addr || string(l.DUID) != string(first[i].DUID) {
			t.Errorf("%v is %x's, was %x's", l.Addr, l.DUID, first[i].DUID)
		}
	}
	if got := request(200, 6000*s); got != wire.DHCP6Success {
		t.Errorf("an address whose lease is over: %v", got)
	}
	none := NewServer(&ServerConfig{DUID: serverID})
	if got := status(t, none, 0, asks(wire.DHCP6Solicit, clientID, nil, ofNothing)); got != wire.DHCP6NoAddrsAvail {
		t.Errorf("a server of settings alone: %v", got)
	}
}

func FuzzServer(f *testing.F) {
	f.Add(asks(wire.DHCP6Solicit, clientID, nil, ofNothing))
	f.Add(asks(wire.DHCP6Request, clientID, serverID, gives("2001:db8::5", 10, 20, 5, 8)))
	f.Fuzz(func(t *testing.T, b []byte) {
		cfg := pool()
		cfg.RapidCommit = true
		server := NewServer(&cfg)
		for n := range 8 {
			answer, _ := server.HandleMessage(clock.Time(n)*1000*s, b)
			if answer != nil {
				if _, err := wire.ParseDHCP6(answer); err != nil {
					t.Error(err)
				}
			}
		}
		if len(server.leases) > cfg.Count {
			t.Errorf("%d leases", len(server.leases))
		}
	})
}
