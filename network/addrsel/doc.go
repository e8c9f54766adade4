// Package addrsel chooses addresses as RFC 6724 has it: the source address for
// a destination ([Source]), and the order in which the addresses that a name
// has are tried ([Sort]). IPv4 addresses take part as IPv4-mapped ones.
//
// Its functions are pure, and know no network: their caller says which
// addresses a machine has, and what they are like.
//
// To add a rule: a function from two candidates to a comparison, at its place
// in the list of [Source] or [Sort], with the rule's sentence.
package addrsel
