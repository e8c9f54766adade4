package lab

import (
	"fmt"
	"net/netip"

	"hubbub"
	"hubbub/wire"
)

// Build puts the lab's LANs, hosts and routers into a network.
func (c *Config) Build(n *hubbub.Network) error {
	if err := c.place(n); err != nil {
		return err
	}
	return c.harm(n)
}

// place puts the machines into the network and plugs their cables in.
func (c *Config) place(n *hubbub.Network) error {
	lans := make(map[string]*hubbub.LAN, len(c.LANs))
	for i := range c.LANs {
		l := &c.LANs[i]
		lans[l.Name] = n.LAN(l.Name, l.subnets(), l.options()...)
	}
	for i := range c.Hosts {
		h := &c.Hosts[i]
		if err := configure(lans[h.LAN].Host(h.Name, c.hostOptions(h)...), h.Settings); err != nil {
			return err
		}
	}
	for i := range c.Routers {
		r := &c.Routers[i]
		var ports []hubbub.RouterPort
		for _, p := range r.Ports {
			link := linkOf(c.changes(Card{r.Name, p.LAN}))
			ports = append(ports, hubbub.RouterPort{LAN: lans[p.LAN], Address: words(p.Address, p.Address6), Cable: &link})
		}
		router := n.RouterAt(r.Name, ports...)
		if r.NAT != "" {
			router.Masquerade(lans[r.NAT])
		}
		if err := configure(router.Host, r.Settings); err != nil {
			return err
		}
	}
	for _, name := range c.Names {
		n.AddName(name.Name, name.Address)
	}
	return n.Err()
}

func (c *Config) hostOptions(h *Host) []hubbub.HostOption {
	options := []hubbub.HostOption{
		hubbub.WithCable(linkOf(c.changes(Card{Node: h.Name}))),
	}
	for _, addr := range [...]netip.Addr{h.Address, h.Address6} {
		if addr.IsValid() {
			options = append(options, hubbub.Address(addr.String()))
		}
	}
	if h.Auto {
		options = append(options, hubbub.Autoconfigure())
	}
	if h.FromMAC {
		options = append(options, hubbub.FromMAC())
	}
	if h.Gateway.IsValid() {
		options = append(options, hubbub.Gateway(h.Gateway.String()))
	}
	if !h.MAC.IsZero() {
		options = append(options, hubbub.HardwareAddress(h.MAC))
	}
	if h.VLAN != 0 {
		options = append(options, hubbub.VLAN(h.VLAN))
	}
	if h.Unprivileged {
		options = append(options, hubbub.Unprivileged())
	}
	if h.Detect {
		options = append(options, hubbub.DetectConflicts())
	}
	return options
}

// changes returns what is done to a cable from the beginning: what its LAN
// says of all cables, then what the file says of this one.
func (c *Config) changes(card Card) []Change {
	lan := card.LAN
	if h := c.host(card.Node); h != nil {
		lan = h.LAN
	}
	all := append([]Change(nil), c.lan(lan).Cables...)
	for _, cable := range c.Cables {
		if cable.Card == card {
			all = append(all, cable.Changes...)
		}
	}
	return all
}

// linkOf returns what a new cable is like. What a cable can't have from the
// beginning, [Config.harm] does to it.
func linkOf(changes []Change) hubbub.Link {
	l := hubbub.Link{Rate: DefaultRate, Delay: DefaultDelay}
	for _, c := range changes {
		switch c.Kind {
		case Rate:
			l.Rate = c.Rate
		case Delay:
			l.Delay = c.Time
		case Queue:
			l.Queue = c.Count
		case MTU:
			l.MTU = c.Count
		}
	}
	return l
}

// harm does to the cables what a new cable can't have.
func (c *Config) harm(n *hubbub.Network) error {
	var cards []Card
	for _, h := range c.Hosts {
		cards = append(cards, Card{Node: h.Name})
	}
	for _, r := range c.Routers {
		for _, p := range r.Ports {
			cards = append(cards, Card{r.Name, p.LAN})
		}
	}
	for _, card := range cards {
		for _, change := range c.changes(card) {
			switch change.Kind {
			case Rate, Delay, Queue, MTU:
				continue
			}
			if err := c.apply(n, card, BothWays, &change); err != nil {
				return err
			}
		}
	}
	return nil
}

// cable returns the cable of a card.
func (c *Config) cable(n *hubbub.Network, card Card) (*hubbub.Cable, error) {
	if h := n.Lookup(card.Node); h != nil {
		for _, i := range h.Interfaces() {
			if card.LAN == "" || card.LAN == i.LAN {
				return i.Cable, nil
			}
		}
	}
	return nil, fmt.Errorf("the network has no cable %v", card)
}

var directions = map[Direction]hubbub.Direction{BothWays: hubbub.Both, ToCard: hubbub.In, FromCard: hubbub.Out}

// apply does one thing to a cable.
func (c *Config) apply(n *hubbub.Network, card Card, way Direction, change *Change) error {
	cable, err := c.cable(n, card)
	if err != nil {
		return err
	}
	switch d := directions[way]; change.Kind {
	case Cut:
		cable.CutDirection(d)
	case Mend:
		cable.Mend()
	case Rate:
		return cable.SetRate(d, change.Rate)
	case Delay:
		return cable.SetDelay(d, change.Time)
	case Jitter:
		return cable.SetJitter(d, change.Time, false)
	case Queue:
		return cable.SetQueue(d, change.Count, 0)
	case Marking:
		return cable.SetMarking(d, change.Count)
	case MTU:
		return cable.SetMTU(d, change.Count)
	case Loss:
		return cable.SetLoss(d, change.Share)
	case Corrupt:
		return cable.SetCorruption(d, change.Share)
	case Duplicate:
		return cable.SetDuplication(d, change.Share)
	case Reorder:
		return cable.SetReordering(d, change.Share, change.Time)
	case Bursts:
		return cable.SetBurst(d, change.Burst)
	case Trap:
		return c.setTrap(n, cable, card, way, change)
	}
	return nil
}

// setTrap adds a rule for certain frames. Where it is for both directions, the
// frames of both are counted together.
func (c *Config) setTrap(n *hubbub.Network, cable *hubbub.Cable, card Card, way Direction, change *Change) error {
	f := &change.Frames
	switch {
	case way == BothWays && f.From == card.Node:
		way = FromCard
	case way == BothWays && f.To == card.Node:
		way = ToCard
	}
	rule := hubbub.Rule{
		Match: f.match(c, macsOf(n)), Action: change.Action, Nth: f.First, Count: f.Count, For: change.Time, Name: f.Text,
	}
	if way == BothWays {
		rule.Match.Func = counted(rule.Match.Func, f.First, f.Count)
		rule.Nth, rule.Count = 1, -1
	}
	return cable.AddRule(directions[way], rule)
}

func macsOf(n *hubbub.Network) map[string]wire.MAC {
	macs := make(map[string]wire.MAC)
	for _, h := range n.Hosts() {
		macs[h.Name()] = h.MAC()
	}
	return macs
}

// AddressNames returns a name for every address of the lab.
func (c *Config) AddressNames() map[netip.Addr]string {
	names := make(map[netip.Addr]string)
	for _, h := range c.Hosts {
		names[h.Address], names[h.Address6] = h.Name, h.Name
	}
	for _, r := range c.Routers {
		for _, p := range r.Ports {
			names[p.Address], names[p.Address6] = r.Name, r.Name
		}
	}
	delete(names, netip.Addr{})
	for _, n := range c.Names {
		if names[n.Address] == "" {
			names[n.Address] = n.Name
		}
	}
	return names
}
