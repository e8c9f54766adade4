// Package autoconf is how an IPv6 machine finds out what it needs to know of
// its link, and how a router tells it.
//
// A [Host] makes itself a link-local address, asks for routers, and from what
// they advertise keeps the default routers (RFC 4861, 6.3.4), the prefixes that
// are on the link, and addresses of its own with their lifetimes (RFC 4862,
// 5.5): stable ones that tell nothing of the machine (RFC 7217), and, if it is
// asked to, temporary ones besides (RFC 8981). An [Advertiser] is the other
// side: it advertises a router, unasked and when asked (RFC 4861, 6.2).
//
// Both are pure machines. They know no packets: whoever owns them checks the
// messages that arrive, hands in what they say, sends what is polled, and does
// what the changes ask for.
//
// To add an option of router advertisements: a case in Host.HandleRouterAdvert
// that takes it, a kind of Change that tells what follows from it, and a line
// in Advertiser.options that advertises it.
package autoconf
