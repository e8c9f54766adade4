package stack

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"hubbub/clock"
	"hubbub/wire"
)

// A post is two machines on one cable, an endpoint of each, and all the frames that
// have crossed it. One that forgets knows nothing of the datagram before.
type post struct {
	t       *testing.T
	ends    [2]*machine
	a, b    *UDP
	forgets bool
	there   netip.Addr // b's
	frames  []string
}

func newPost(t *testing.T, forgets bool) *post {
	return newPostBetween(t, forgets, [2]string{own + "/24", peer + "/24"})
}

func newPostBetween(t *testing.T, forgets bool, addresses [2]string) *post {
	k := &post{t: t, forgets: forgets, there: prefix(addresses[1]).Addr()}
	for n, address := range addresses {
		m := newMachine(t, nil)
		i := m.AddInterface("eth0", cardOf(byte(n+1)), EthernetMTU)
		m.ok("the address", m.AddAddress(m.now, i, prefix(address), false))
		m.passes(seconds(3))
		m.forget()
		k.ends[n] = m
	}
	k.a, k.b = k.ends[0].NewUDP(), k.ends[1].listensUDP(netip.AddrPortFrom(unspecified(k.there.Is6()), 9).String())
	k.a.Options.IPv6 = k.there.Is6()
	return k
}

// settle lets all frames arrive.
func (k *post) settle() {
	for moved := true; moved; {
		moved = false
		for n, m := range k.ends {
			for port, p, ok := m.PollFrame(m.now); ok; port, p, ok = m.PollFrame(m.now) {
				moved = true
				k.frames = append(k.frames, fmt.Sprint(n, " ", hex.EncodeToString(p.AppendTo(nil))))
				if k.forgets {
					k.ends[1-n].udpLast.to = nil
				}
				k.ends[1-n].HandleFrame(m.now, port, p)
			}
			m.Stack.HandleTimer(m.now)
		}
	}
}

// passes lets time go by at both ends.
func (k *post) passes(d clock.Duration) {
	for _, m := range k.ends {
		m.now = m.now.Add(d)
		m.HandleTimer(m.now)
	}
	k.settle()
}

// sends sends a datagram from a.
func (k *post) sends(text, to string) {
	k.t.Helper()
	var addr netip.AddrPort
	if to != "" {
		addr = at(to)
	}
	if k.forgets {
		k.a.way = nil
	}
	k.ends[0].ok("sending", k.a.Send(k.ends[0].now, view(text), addr))
	k.settle()
}

// got appends what b has got to the frames.
func (k *post) got() {
	for d, ok := k.b.Receive(); ok; d, ok = k.b.Receive() {
		k.frames = append(k.frames, fmt.Sprintf("%v to %v by %d, TTL %d, TOS %d: %x", d.From, d.To, d.Interface, d.TTL, d.TOS, d.Payload.Bytes()))
		d.Payload.Release()
	}
}

// tell is a story in which datagrams follow each other and things change between.
func (k *post) tell() {
	to := netip.AddrPortFrom(k.there, 9).String()
	nobody := netip.AddrPortFrom(k.there, 10).String()
	for _, text := range []string{"", "x", "xy", "xyz", strings.Repeat("z", 1452), strings.Repeat("z", 1453), strings.Repeat("z", 1472), strings.Repeat("long", 1000), "x"} {
		k.sends(text, to)
		k.sends(text, to)
	}
	k.got()
	k.a.Options.TTL = 7
	k.sends("another TTL", to)
	k.a.Options.TOS = 0x20
	k.sends("another TOS", to)
	k.a.Options.DontFragment = true
	k.sends("in one piece", to)
	k.a.Options = UDPOptions{IPv6: k.there.Is6()}
	k.ends[0].Config().TTL = 99
	k.ends[0].ok("the setting", k.ends[0].SetSysctl("net.ipv6.conf.eth0.hop_limit", "98"))
	k.sends("another machine's TTL", to)
	k.ends[0].Config().FlowLabels = false
	k.sends("no label", to)
	k.ends[0].Interfaces()[1].MTU = 1400
	k.ends[0].limitMTU(k.ends[0].Interfaces()[1])
	k.sends(strings.Repeat("cut", 460), to)
	k.sends("nobody is there", nobody)
	k.sends("nobody is there", nobody)
	k.sends("back", to)
	k.ends[0].ok("connecting", k.a.Connect(at(to)))
	k.sends("connected", "")
	k.sends("connected", "")
	k.sends("or not", to)
	k.passes(seconds(100)) // the neighbour has to prove itself
	k.sends("later", to)
	k.sends("later", to)
	k.passes(seconds(10))
	k.ends[0].route("10.0.0.0/8", peer, 1)
	k.sends("with another route", to)
	k.got()
}

// A machine that remembers sends and hears the same, octet by octet, as one that
// doesn't, whatever is changed on the way.
func TestRememberedDatagramsAreTheSame(t *testing.T) {
	for name, addresses := range talkers {
		t.Run(name, func(t *testing.T) {
			k, plain := newPostBetween(t, false, addresses), newPostBetween(t, true, addresses)
			k.tell()
			plain.tell()
			for n, want := range plain.frames {
				if n >= len(k.frames) || k.frames[n] != want {
					t.Fatalf("frame %d of %d differs:\n%s\nwant\n%s", n, len(plain.frames), k.frames[n], want)
				}
			}
			if len(k.frames) != len(plain.frames) {
				t.Errorf("there are %d frames and datagrams, want %d", len(k.frames), len(plain.frames))
			}
			if k.ends[1].udpLast.to != k.b || !k.a.way.suits(k.ends[0].now, k.a, netip.AddrPortFrom(k.there, 9), 1) {
				t.Error("nothing is remembered")
			}
		})
	}
}

// RFC 768: "If the computed checksum is zero, it is transmitted as all ones".
func TestRememberedDatagramsHaveAChecksum(t *testing.T) {
	k := newPost(t, false)
	k.sends("x", peer+":9")
	k.got()
	ones := 0
	for n := range 1 << 16 {
		k.frames = nil
		k.sends(string([]byte{byte(n >> 8), byte(n)}), peer+":9")
		k.got()
		frame, err := hex.DecodeString(strings.TrimPrefix(k.frames[0], "0 "))
		if err != nil {
			t.Fatal(err)
		}
		u := frame[wire.EthernetHeaderLen+wire.IPv4HeaderLen:][:wire.UDPHeaderLen+2]
		sum := binary.BigEndian.Uint16(u[6:])
		if sum == 0xffff {
			ones++
		}
		if over := wire.PseudoHeader(ip(own), ip(peer), wire.ProtocolUDP, len(u)).Add(u).Fold(); over != 0 || sum == 0 {
			t.Fatalf("the datagram %x has a checksum of %#x", u, sum)
		}
	}
	if ones == 0 {
		t.Error("no checksum was zero")
	}
}

// What was remembered is left when another endpoint is to have the datagram, or none.
func TestArrivalsAreForgotten(t *testing.T) {
	k := newPost(t, false)
	there := k.ends[1]
	hello := func() { k.t.Helper(); k.sends("x", peer+":9") }
	k.b.Options.ReuseAddr = true
	hello()
	from := k.a.Local().Port()
	k.b.Close()
	one := there.listensUDP("0.0.0.0:9", func(o *UDPOptions) { o.ReuseAddr = true })
	said := fmt.Sprintf("%s:%d: x", own, from)
	hello()
	hello()
	one.gets(t, said, said)
	two := there.listensUDP(peer+":9", func(o *UDPOptions) { o.ReuseAddr = true })
	hello()
	two.gets(t, said)
	one.gets(t)
	there.ok("connecting", two.Connect(at(gateway+":1000")))
	hello()
	one.gets(t, said)
	two.gets(t)
	two.Close()
	hello()
	hello()
	one.gets(t, said, said)
	there.ok("connecting", one.Connect(at(gateway+":1000")))
	there.discards()
	hello()
	one.gets(t)
	there.discards(discardNoPort)
}

// Whom a datagram is for makes no difference to what is done with one that isn't in
// order, or for which there is no room.
func TestRememberedArrivalsAreLookedAt(t *testing.T) {
	for name, x := range map[string]struct {
		mangle func(frame []byte)
		why    Discard
	}{
		"IP checksum": {func(b []byte) { b[14+8]++ }, discardIPv4Header},
		"UDP length":  {func(b []byte) { b[14+20+5] = 7 }, discardBadTransportHeader},
		"too long":    {func(b []byte) { b[14+20+5] = 99 }, discardBadTransportHeader},
		"other MAC":   {func(b []byte) { b[5]++ }, discardOtherMAC},
	} {
		k := newPost(t, false)
		k.sends("x", peer+":9")
		k.sends("x", peer+":9")
		k.got()
		there := k.ends[1]
		there.discards()
		k.ends[0].ok("sending", k.a.Send(k.ends[0].now, view("x"), at(peer+":9")))
		port, p, _ := k.ends[0].PollFrame(k.ends[0].now)
		x.mangle(p.Head())
		there.HandleFrame(there.now, port, p)
		if k.b.Pending() != 0 {
			t.Errorf("%s: it was delivered", name)
		}
		there.discards(x.why)
	}
	k := newPost(t, false)
	k.b.Options.Buffer = 2
	for range 3 {
		k.sends("x", peer+":9")
	}
	k.ends[1].discards(discardReceiveBuffer, discardReceiveBuffer)
}

// RFC 8200, 8.1 (R8200-14): "IPv6 receivers must discard UDP packets containing a zero
// checksum", whoever was expected to send them.
func TestRememberedArrivalsOfIPv6HaveAChecksum(t *testing.T) {
	k := newPostBetween(t, false, talkers["IPv6"])
	to := netip.AddrPortFrom(k.there, 9)
	k.sends("x", to.String())
	k.got()
	there := k.ends[1]
	there.discards()
	k.ends[0].ok("sending", k.a.Send(k.ends[0].now, view("x"), to))
	port, p, _ := k.ends[0].PollFrame(k.ends[0].now)
	if _, _, ok := there.udpLast.expects(p.Head()); !ok {
		t.Fatal("it is not expected")
	}
	copy(p.Head()[wire.EthernetHeaderLen+wire.IPv6HeaderLen+6:], []byte{0, 0})
	there.HandleFrame(there.now, port, p)
	if k.b.Pending() != 0 {
		t.Error("it was delivered")
	}
	there.discards(discardNoChecksum)
}
