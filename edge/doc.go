// Package edge is where a network meets the real one.
//
// A [TAP] is a network card of the Linux kernel whose cable ends in the
// program: plugged into a LAN as an uplink, it makes the kernel one more host
// there.
//
//	tap, err := edge.OpenTAP("hubbub0") // needs CAP_NET_ADMIN
//	room.Uplink("kernel", tap)
//	// ip link set hubbub0 up; ip address add 172.16.10.1/24 dev hubbub0
//
// A [TUN] is one without Ethernet, as VPNs and sandboxes have it: there the kernel is a host
// that the program answers for, under the addresses that it names.
//
//	tun, err := edge.OpenTUN("hubbub0", netip.MustParseAddr("172.16.10.1"))
//
// What crosses either are whole TCP segments of up to 64 KiB, whose checksums nobody has
// computed: that is left to the other end, as to a network card. Where something in
// the network looks at frames, or harms them, they are cut and computed there.
//
// Nothing here configures the kernel: whoever opens a card says with ip(8)
// which address it has and what is routed by it. [OpenTAPIn] and [OpenTUNIn] keep all that
// inside of a network namespace, so that nothing outside of it is touched.
//
// To add an edge: an io.ReadWriteCloser of which a Read gives one whole frame
// and a Write takes one, and whose Close ends a Read that is under way; to be fast,
// it is a hubbub.Offloader, and a hubbub.Trier. For
// what exists on one system only, a file with that system's name and an
// error in the file for all others that names the system it needs.
package edge
