package stack

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"net/netip"
	"testing"

	"hubbub/clock"
	"hubbub/internal/pkt"
	"hubbub/transport/tcp"
	"hubbub/wire"
)

// A talk is two machines on one cable, a client and a server, and all the frames
// that have crossed it. A machine with a raw socket predicts nothing.
type talk struct {
	t              *testing.T
	ends           [2]*machine
	client, server *TCP
	frames         []string
}

func newTalk(t *testing.T, addresses [2]string, predict bool) *talk {
	k := &talk{t: t}
	for n, address := range addresses {
		m := newMachine(t, func(c *Config) { c.TCP.ECN = tcp.ECNAsk })
		i := m.AddInterface("eth0", cardOf(byte(n+1)), EthernetMTU)
		m.ok("the address", m.AddAddress(m.now, i, prefix(address), false))
		other := prefix(addresses[1-n]).Addr()
		if other.Is6() {
			i.IPv6().SetPermanent(m.now, other, cardOf(byte(2-n)))
		} else {
			i.Neighbors().SetPermanent(m.now, other, cardOf(byte(2-n)))
		}
		m.passes(3e9)
		m.forget()
		if !predict {
			m.ok("the raw socket", m.NewRaw(200).Bind(prefix(address).Addr()))
		}
		k.ends[n] = m
	}
	listener := k.ends[1].NewTCP()
	local := at("0.0.0.0:8080")
	if prefix(addresses[1]).Addr().Is6() {
		local = at("[::]:8080")
	}
	k.ends[1].ok("the address", listener.Bind(local))
	k.ends[1].ok("listening", listener.Listen(5))
	k.client = k.ends[0].NewTCP()
	to := prefix(addresses[1]).Addr()
	k.ends[0].ok("connecting", k.client.Connect(k.ends[0].now, netip.AddrPortFrom(to, 8080)))
	k.settle()
	server, ok := listener.Accept()
	if !ok {
		t.Fatal("nobody has connected")
	}
	k.server = server
	return k
}

// settle lets all frames arrive.
func (k *talk) settle() {
	for moved := true; moved; {
		moved = false
		for n, m := range k.ends {
			for port, p, ok := m.PollFrame(m.now); ok; port, p, ok = m.PollFrame(m.now) {
				moved = true
				k.frames = append(k.frames, fmt.Sprint(n, " ", hex.EncodeToString(p.AppendTo(nil))))
				k.ends[1-n].HandleFrame(m.now, port, p)
			}
		}
	}
}

// passes lets time go by at both ends.
func (k *talk) passes(d clock.Duration) {
	for _, m := range k.ends {
		m.now = m.now.Add(d)
		m.HandleTimer(m.now)
	}
	k.settle()
}

// says sends n octets from one end and reads them at the other.
func (k *talk) says(from, to *TCP, n int) {
	k.t.Helper()
	now := k.ends[0].now
	if wrote, err := from.Conn().WriteBytes(now, bytes.Repeat([]byte{byte(n)}, n)); wrote != n || err != nil {
		k.t.Fatalf("%d octets of %d were written, %v", wrote, n, err)
	}
	from.Push(now)
	k.settle()
	for left := n; left > 0; {
		v := to.Conn().Read(now, left)
		if v.Len() == 0 {
			k.t.Fatalf("%d octets of %d have not arrived", left, n)
		}
		left -= v.Len()
		v.Release()
	}
	to.Push(now)
	k.passes(seconds(0.1))
}

var talkers = map[string][2]string{
	"IPv4": {"172.16.10.10/24", "172.16.10.11/24"},
	"IPv6": {"2001:db8:10::10/64", "2001:db8:10::11/64"},
}

// A machine that predicts sends the same frames, octet by octet, as one that
// doesn't, whatever is changed on the way.
func TestPredictedFramesAreTheSame(t *testing.T) {
	for name, addresses := range talkers {
		t.Run(name, func(t *testing.T) {
			frames := map[bool][]string{}
			for _, predict := range []bool{true, false} {
				k := newTalk(t, addresses, predict)
				k.says(k.client, k.server, 1)
				k.says(k.server, k.client, 3000)
				k.client.Set(func(o *Settings) { o.Options.TTL = 7 })
				k.says(k.client, k.server, 5000)
				k.client.Set(func(o *Settings) { o.Options.TOS = 0x20 })
				k.says(k.client, k.server, 5)
				k.ends[1].Config().TTL = 99
				k.says(k.server, k.client, 2)
				k.server.Set(func(o *Settings) { o.Options.MayFragment = true })
				k.says(k.server, k.client, 3)
				k.ends[1].route("10.0.0.0/8", "172.16.10.10", 1) // every path is looked up anew
				k.says(k.server, k.client, 4)
				if f, ok := k.ends[0].predictions.of(k.client); predict != (ok && f.headLen > 0) {
					t.Errorf("predicting is %v, and the client's last headers are remembered: %v", predict, ok)
				}
				k.client.Close(k.ends[0].now)
				k.settle()
				k.server.Close(k.ends[1].now)
				k.settle()
				frames[predict] = k.frames
			}
			for n, want := range frames[false] {
				if n >= len(frames[true]) || frames[true][n] != want {
					t.Fatalf("frame %d of %d differs:\n%s\nwant\n%s", n, len(frames[false]), frames[true][n], want)
				}
			}
		})
	}
}

// A raw socket that is opened later gets what was predicted before.
func TestARawSocketSeesWhatWasPredicted(t *testing.T) {
	k := newTalk(t, talkers["IPv4"], true)
	k.says(k.client, k.server, 1)
	raw := k.ends[1].NewRaw(wire.ProtocolTCP)
	k.says(k.client, k.server, 1)
	if raw.Pending() == 0 {
		t.Error("it has got nothing")
	}
}

// A frame of which one octet of the headers is another comes to the same as where
// nothing is predicted.
func TestWhatIsNotPredictedIsLookedAt(t *testing.T) {
	headers := map[string]int{"IPv4": 14 + 20 + 20, "IPv6": 14 + 40 + 20}
	for name, addresses := range talkers {
		for i := range headers[name] {
			var came [2]string
			for n, predict := range []bool{true, false} {
				k := newTalk(t, addresses, predict)
				k.says(k.client, k.server, 1)
				now, server := k.ends[0].now, k.ends[1]
				k.client.Conn().WriteBytes(now, []byte("hello"))
				k.client.Push(now)
				_, p, _ := k.ends[0].PollFrame(now)
				frame := p.AppendTo(nil)
				frame[i] ^= 0x11
				if name == "IPv4" && i != 24 && i != 25 && i >= 14 {
					header := frame[14:34]
					header[10], header[11] = 0, 0
					sum := wire.Checksum(header)
					header[10], header[11] = byte(sum>>8), byte(sum)
				}
				altered := pkt.FromBytes(frame, headers[name]+12)
				altered.Vouch()
				server.HandleFrame(now, server.Interfaces()[1].Index, altered)
				k.settle()
				came[n] = fmt.Sprint(k.server.Conn().Readable(), server.Discards(), k.frames[len(k.frames)-1])
			}
			if came[0] != came[1] {
				t.Errorf("%s, octet %d: predicted it came to\n%s\nand else to\n%s", name, i, came[0], came[1])
			}
		}
	}
}

// A segment that came in fragments has no Ethernet header that the next could have.
func TestASegmentInFragmentsIsNotRemembered(t *testing.T) {
	k := newTalk(t, talkers["IPv4"], true)
	k.says(k.client, k.server, 1)
	k.ends[0].Interfaces()[1].MTU = 300
	k.client.Set(func(o *Settings) { o.Options.MayFragment = true })
	k.says(k.client, k.server, 1000)
	if got := k.ends[1].Discards(); len(got) != 0 {
		t.Errorf("discarded because %v", got)
	}
	k.ends[0].Interfaces()[1].MTU = EthernetMTU
	k.says(k.client, k.server, 1)
}
