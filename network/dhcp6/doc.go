// Package dhcp6 gets addresses and settings from a DHCPv6 server, or gives them
// out (RFC 8415; RFC 9915).
//
// A [Client] asks for an address with Solicit and Request, keeps it with Renew
// and Rebind, and gives it back with Release, or with Decline if it turns out to
// be somebody else's; or, stateless, it asks with Information-request for what
// else there is to know. A [Server] answers all of that from a pool.
//
// Both are pure machines. They know no packets: messages are the payloads of
// UDP datagrams, a client's from port 546 to port 547 of ff02::1:2. Neither
// speaks with relays, nor of prefixes to delegate, nor of temporary addresses,
// which RFC 9915 has dropped.
//
// To add an option: its code in package wire, a line in Client.requested and one
// in Client.learn, and a field of ServerConfig with a line in Server.settings.
package dhcp6
