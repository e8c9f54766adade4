package hubbub_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"hubbub"
	"hubbub/event"
	"hubbub/socket"
	"hubbub/wire"
)

// RFC 4541: where a switch looks into IGMP and MLD, and a router asks for groups,
// packets for a group go to those who listen and to the router, and to nobody else.
func TestSnoopingKeepsGroupsFromOthers(t *testing.T) {
	for _, c := range []struct {
		options []hubbub.LANOption
		bored   int // datagrams that a host hears that isn't in the group
	}{{nil, 2}, {[]hubbub.LANOption{hubbub.Snooping()}, 0}} {
		n := hubbub.New(hubbub.Virtual())
		defer n.Close()
		room := n.LAN("room", "172.16.10.0/24, 2001:db8:10::/64", c.options...)
		n.Router("gateway", room)
		nick, feige := room.Host("nick"), room.Host("feige")
		room.Host("bored")
		heard := make(map[string]int)
		n.Watch(func(e *event.Event) {
			if f, ok := e.Body.(event.FrameHeard); ok && len(f.Data) > 200 {
				heard[e.Node]++
			}
		})
		n.Go("test", func() {
			groups := map[socket.Family]netip.Addr{
				socket.AF_INET: netip.MustParseAddr("239.1.1.1"), socket.AF_INET6: netip.MustParseAddr("ff05::1234"),
			}
			_ = n.Sleep(5 * time.Second)
			for family, group := range groups {
				level := socket.IPPROTO_IP
				request := append([]byte{1, 0, 0, 0, 0, 0, 0, 0}, make([]byte, 128)...)
				request[8] = byte(family)
				copy(request[12:], group.AsSlice())
				if group.Is6() {
					level = socket.IPPROTO_IPV6
					copy(request[12:], make([]byte, 16))
					copy(request[16:], group.AsSlice())
				}
				s, err := feige.Socket(family, socket.SOCK_DGRAM)
				if err != nil {
					t.Error(err)
					return
				}
				port := 5000 + uint16(family)
				if err := s.Bind(fmt.Sprint(":", port)); err != nil {
					t.Error(err)
				}
				if err := s.SetSockOptBytes(level, socket.MCAST_JOIN_GROUP, request); err != nil {
					t.Error(err)
				}
				_ = n.Sleep(20 * time.Second)
				u, err := nick.Socket(family, socket.SOCK_DGRAM)
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := u.SendTo(make([]byte, 300), netip.AddrPortFrom(group, port).String()); err != nil {
					t.Error(err)
				}
				s.SetTimeout(5 * time.Second)
				if b, err := s.Recv(1000, 0); len(b) != 300 || err != nil {
					t.Errorf("feige hears %d octets, %v", len(b), err)
				}
			}
		})
		if err := n.Run(); err != nil {
			t.Error(err)
		}
		if heard["bored"] != c.bored || heard["feige"] != 2 {
			t.Errorf("with %d options bored hears %d and feige %d frames for groups, want %d and 2", len(c.options), heard["bored"], heard["feige"], c.bored)
		}
		if listed := fmt.Sprint(room.Groups()); (listed != "[]") != (c.options != nil) {
			t.Errorf("the switch knows the groups %s", listed)
		}
	}
}

// RFC 6105: a switch that guards lets no host advertise itself as a router; the
// router does.
func TestRouterAdvertsAreGuarded(t *testing.T) {
	for _, guarded := range []bool{false, true} {
		n := hubbub.New(hubbub.Virtual())
		defer n.Close()
		var options []hubbub.LANOption
		if guarded {
			options = append(options, hubbub.GuardRouterAdverts())
		}
		room := n.LAN("room", "2001:db8:10::/64", options...)
		n.Router("gateway", room)
		guest, mallory := room.Host("guest", hubbub.Autoconfigure()), room.Host("mallory")
		n.Go("test", func() {
			_ = n.Sleep(8 * time.Second)
			s, err := mallory.SocketOf(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
			if err != nil {
				t.Error(err)
				return
			}
			for _, option := range []int{socket.IPV6_MULTICAST_HOPS, socket.IPV6_UNICAST_HOPS} {
				if err := s.SetSockOpt(socket.IPPROTO_IPV6, option, 255); err != nil {
					t.Error(err)
				}
			}
			rogue := wire.PrefixInfo{Prefix: netip.MustParsePrefix("2001:db8:bad::/64"), OnLink: true, Autonomous: true, Valid: 9000, Preferred: 9000}
			a := wire.RouterAdvert{Lifetime: 9000, Options: rogue.AppendTo(nil)}
			m, payload := a.Message(nil)
			own := netip.MustParseAddr("fe80::ff:fe00:3")
			if _, err := s.SendTo(m.AppendTo(own, wire.AllNodes, nil, payload), "ff02::1%eth0"); err != nil {
				t.Error(err)
			}
			_ = n.Sleep(8 * time.Second)
		})
		if err := n.Run(); err != nil {
			t.Error(err)
		}
		deceived := false
		for _, a := range guest.Addresses() {
			deceived = deceived || netip.MustParsePrefix("2001:db8:bad::/64").Contains(a.Prefix.Addr())
		}
		if deceived == guarded || len(guest.Addresses()) < 2 {
			t.Errorf("guarded: %v; the guest has the addresses %v", guarded, guest.Addresses())
		}
	}
}

func TestAHubLooksIntoNothing(t *testing.T) {
	for _, option := range []hubbub.LANOption{hubbub.Snooping(), hubbub.GuardRouterAdverts()} {
		n := hubbub.New()
		n.LAN("room", "172.16.10.0/24", hubbub.Hub(), option)
		if n.Err() == nil {
			t.Error("a hub looks into packets")
		}
		n.Close()
	}
}
