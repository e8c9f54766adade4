package groups

import "errors"

// What commands are refused for.
var (
	ErrNotMulticast   = errors.New("groups: the address is not one of a group of this family")
	ErrSourceSpecific = errors.New("groups: a group of source-specific multicast is joined with its sources named (RFC 4604)")
	ErrBadSource      = errors.New("groups: a source is an address of a single machine, of the group's family")
	ErrTooManyGroups  = errors.New("groups: the interface is in as many groups as it may be")
	ErrTooManySources = errors.New("groups: the filter has more sources than it may have")
	ErrNotMember      = errors.New("groups: the socket has not joined the group")
	ErrMember         = errors.New("groups: the socket has joined the group already")
	ErrMode           = errors.New("groups: the socket has joined the group in the other way, with or without sources named")
	ErrNoSuchSource   = errors.New("groups: the source is not in the socket's list")
	ErrSourceListed   = errors.New("groups: the source is in the socket's list already")
)
