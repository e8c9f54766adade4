// Package icmperr holds the rules for sending ICMP error messages: about
// which packets none may be sent, how much of the packet is quoted, and how
// many are sent.
//
// To add a rule: a line in [MayAnswer], with its text.
package icmperr
