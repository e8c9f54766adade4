package stack

import "errors"

// What can be wrong with a command. The socket layer gives each its errno.
var (
	ErrAddrInUse       = errors.New("address already in use")
	ErrAddrNotAvail    = errors.New("cannot assign requested address")
	ErrAccess          = errors.New("permission denied")
	ErrInvalid         = errors.New("invalid argument")
	ErrIsConnected     = errors.New("transport endpoint is already connected")
	ErrNotConnected    = errors.New("transport endpoint is not connected")
	ErrInProgress      = errors.New("operation now in progress")
	ErrNetUnreachable  = errors.New("network is unreachable")
	ErrHostUnreachable = errors.New("no route to host")
	ErrProtoUnreach    = errors.New("protocol not available")
	ErrRefused         = errors.New("connection refused")
	ErrMessageSize     = errors.New("message too long")
	ErrNoBuffers       = errors.New("no buffer space available")
	ErrNetDown         = errors.New("network is down")
	ErrNoDevice        = errors.New("no such device")
	ErrDestination     = errors.New("destination address required")
)
