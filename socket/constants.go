package socket

// A Family is an address family. The numbers are Linux's.
type Family int

// The address families.
const (
	AF_UNIX Family = 1 // within one machine; addresses are paths
	AF_INET Family = 2 // IPv4
)

// A Type is a socket's type.
type Type int

// The types of sockets.
const (
	SOCK_STREAM Type = 1 // a stream of bytes: TCP
	SOCK_DGRAM  Type = 2 // datagrams: UDP
	SOCK_RAW    Type = 3 // packets of a protocol of IP: ICMP
)

// The protocols, where there is more than one for a type.
const (
	IPPROTO_IP   = 0
	IPPROTO_ICMP = 1
	IPPROTO_RAW  = 255
	IPPROTO_TCP  = 6
	IPPROTO_UDP  = 17
)

// SOL_SOCKET is the level of the options that all sockets have.
const SOL_SOCKET = 1

// The options of level SOL_SOCKET (socket(7)).
const (
	SO_REUSEADDR  = 2
	SO_TYPE       = 3
	SO_ERROR      = 4
	SO_BROADCAST  = 6
	SO_SNDBUF     = 7
	SO_RCVBUF     = 8
	SO_KEEPALIVE  = 9
	SO_OOBINLINE  = 10
	SO_LINGER     = 13 // seconds; negative for off
	SO_REUSEPORT  = 15
	SO_ACCEPTCONN = 30
	SO_PROTOCOL   = 38
	SO_DOMAIN     = 39
)

// The options of level IPPROTO_TCP (tcp(7)).
const (
	TCP_NODELAY      = 1
	TCP_MAXSEG       = 2
	TCP_KEEPIDLE     = 4  // seconds
	TCP_KEEPINTVL    = 5  // seconds
	TCP_KEEPCNT      = 6  // probes
	TCP_USER_TIMEOUT = 18 // milliseconds
)

// The options of level IPPROTO_IP (ip(7)).
const (
	IP_TOS          = 1
	IP_TTL          = 2
	IP_MTU_DISCOVER = 10
	IP_MTU          = 14
)

// The values of IP_MTU_DISCOVER.
const (
	IP_PMTUDISC_DONT = 0 // fragment
	IP_PMTUDISC_DO   = 2 // set DF; what is too long is refused
)

// A How says which direction Shutdown closes.
type How int

// The directions.
const (
	SHUT_RD   How = 0
	SHUT_WR   How = 1
	SHUT_RDWR How = 2
)

// The flags of Recv and Send.
const (
	MSG_OOB      = 0x1
	MSG_PEEK     = 0x2
	MSG_DONTWAIT = 0x40
	MSG_WAITALL  = 0x100
)
