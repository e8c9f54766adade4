package main

import (
	"fmt"
	"net/netip"
	"strings"

	"hubbub"
	"hubbub/lab"
)

type showCommand struct {
	File string `arg:"" help:"The lab file." placeholder:"FILE"`
	A    string `arg:"" optional:"" help:"A machine of the lab." placeholder:"A"`
	B    string `arg:"" optional:"" help:"Another one." placeholder:"B"`
}

// Help is the longer help text.
func (showCommand) Help() string {
	return `Without machines, every LAN is shown with its addresses, and every machine's
routes. With two machines, it is shown whether they are in the same subnet, why
(the binary AND of both addresses with the mask), and where a packet from the
first to the second goes.

Examples:

  hubbub show examples/classrooms.yaml
  hubbub show examples/classrooms.yaml nick wang`
}

// Run shows the lab.
func (c *showCommand) Run(s streams) error {
	config, err := lab.Load(c.File)
	if err != nil {
		return err
	}
	show := config.Show
	if c.A != "" {
		if c.B == "" {
			return fmt.Errorf("to compare, name two machines, such as hubbub show %s %s %s", c.File, c.A, "feige")
		}
		show = func() (string, error) { return config.Between(c.A, c.B) }
	}
	text, err := show()
	if err == nil {
		fmt.Fprint(s.out, text)
	}
	return err
}

type subnetCommand struct {
	Address string   `arg:"" help:"An address and the length of its network part, or a mask." placeholder:"ADDRESS/LENGTH"`
	Others  []string `arg:"" optional:"" help:"Addresses to compare it with." placeholder:"OTHER"`
}

// Help is the longer help text.
func (subnetCommand) Help() string {
	return `Prints the network that an address belongs to, its mask and its machines, and
how they are found: the binary AND of address and mask, eight bits to a group.
With more addresses, it is told of each whether it is in the same subnet.

Examples:

  hubbub subnet 172.16.10.1/24
  hubbub subnet 172.16.10.1/255.255.255.0
  hubbub subnet 172.16.10.1/24 172.16.10.2 172.16.11.2
  hubbub subnet 2001:db8:10::1/64`
}

// Run prints the subnet.
func (c *subnetCommand) Run(s streams) error {
	p, err := hubbub.ParsePrefix(c.Address)
	if err != nil {
		return err
	}
	if len(c.Others) == 0 {
		fmt.Fprint(s.out, lab.DescribeSubnet(p))
		return nil
	}
	texts := make([]string, len(c.Others))
	for i, other := range c.Others {
		addr, err := netip.ParseAddr(other)
		switch {
		case err != nil || addr.Is4In6():
			return fmt.Errorf("%q is not an IP address such as 172.16.10.2", other)
		case addr.Is4() != p.Addr().Is4():
			return fmt.Errorf("%v is of another family than %v: they can't be in one subnet", addr, p)
		}
		texts[i] = lab.Compare(p, addr)
	}
	fmt.Fprint(s.out, strings.Join(texts, "\n"))
	return nil
}
