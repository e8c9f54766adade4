// A small program with gVisor's network: a stack says hello to itself. Bench
// looks at how big it is.
package main

import (
	"fmt"
	"io"
	"os"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/link/loopback"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
)

func main() {
	if err := hello(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func hello(out io.Writer) error {
	s := stack.New(stack.Options{
		NetworkProtocols:   []stack.NetworkProtocolFactory{ipv4.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocol, udp.NewProtocol},
	})
	if err := s.CreateNIC(1, loopback.New()); err != nil {
		return fmt.Errorf("network card: %v", err)
	}
	address := tcpip.AddrFrom4([4]byte{10, 0, 0, 1})
	err := s.AddProtocolAddress(1, tcpip.ProtocolAddress{
		Protocol: ipv4.ProtocolNumber, AddressWithPrefix: tcpip.AddressWithPrefix{Address: address, PrefixLen: 24},
	}, stack.AddressProperties{})
	if err != nil {
		return fmt.Errorf("address: %v", err)
	}
	s.SetRouteTable([]tcpip.Route{{Destination: header.IPv4EmptySubnet, NIC: 1}})
	return talk(s, tcpip.FullAddress{NIC: 1, Addr: address, Port: 7000}, out)
}

func talk(s *stack.Stack, at tcpip.FullAddress, out io.Writer) error {
	ln, err := gonet.ListenTCP(s, at, ipv4.ProtocolNumber)
	if err != nil {
		return err
	}
	go func() {
		if c, err := ln.Accept(); err == nil {
			fmt.Fprintln(c, "hello")
			c.Close()
		}
	}()
	c, err := gonet.DialTCP(s, at, ipv4.ProtocolNumber)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, c)
	return err
}
