// Package stack is one machine's layers put together: what a host, or a
// router, is from its network cards up to the ports of its transports.
//
// A [Stack] is a pure machine, as those it is made of. Frames come in by
// [Stack.HandleFrame] and leave by [Stack.PollFrame]; a frame on its way up
// goes through in.go (Ethernet), ipv4in.go (the network layer: is it for us,
// to be forwarded, whole?) and one of tcpin.go, udp.go and icmp.go; what is
// sent goes down through tcpout.go or udp.go, then ipv4out.go (route,
// fragments) and out.go (neighbour, Ethernet). What is forwarded takes forward.go,
// and nat.go if it is hidden behind the router.
//
// IPv6 goes beside it: ipv6in.go and ipv6out.go are its network layer, ipv6.go,
// autoconf.go and dhcp6.go its addresses, ndp.go its neighbours and routers,
// conf6.go and sysctlipv6.go what an interface's settings make of all that. What the
// layers above see of either is a header on the way up and an envelope on the
// way down (ip.go): none of them knows which it runs on. A link-local address
// has its link as zone there, and nowhere else (zone.go).
//
// The transports' ends that a socket stands on are [TCP], [UDP] and [Raw].
// Whoever drives them calls [Stack.PollReady] afterwards, to learn whose
// readiness has changed.
//
// The protocol machines return facts; tell.go turns them into events. While a
// frame or a timer is handled its event is the stream's current cause, and
// everything that is sent has that cause.
//
// To add a transport: give it a number in wire, handle it in deliver, and
// send with transmit. To add a reason to discard something: name it in
// discard.go.
package stack
