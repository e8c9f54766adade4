package socket

// A Family is an address family. The numbers are Linux's.
type Family uint8

// The address families.
const (
	AF_UNIX Family = 1 // within one machine; addresses are paths
	AF_INET Family = 2 // IPv4
	// AF_INET6 is IPv6, and IPv4 too: its addresses are written as IPv4-mapped
	// ones, such as ::ffff:172.16.10.10 (RFC 3493, 3.7).
	AF_INET6 Family = 10
)

// A Type is a socket's type.
type Type uint8

// The types of sockets.
const (
	SOCK_STREAM Type = 1 // a stream of bytes: TCP
	SOCK_DGRAM  Type = 2 // datagrams: UDP
	SOCK_RAW    Type = 3 // packets of a protocol of IP: ICMP
)

// The protocols, where there is more than one for a type.
const (
	IPPROTO_IP     = 0
	IPPROTO_ICMP   = 1
	IPPROTO_RAW    = 255
	IPPROTO_TCP    = 6
	IPPROTO_UDP    = 17
	IPPROTO_IPV6   = 41
	IPPROTO_ICMPV6 = 58
)

// SOL_SOCKET is the level of the options that all sockets have.
const SOL_SOCKET = 1

// The options of level SOL_SOCKET (socket(7)).
const (
	SO_DEBUG        = 1 // kept
	SO_REUSEADDR    = 2
	SO_TYPE         = 3
	SO_ERROR        = 4
	SO_DONTROUTE    = 5 // kept
	SO_BROADCAST    = 6
	SO_SNDBUF       = 7
	SO_RCVBUF       = 8
	SO_KEEPALIVE    = 9
	SO_OOBINLINE    = 10
	SO_NO_CHECK     = 11 // kept
	SO_PRIORITY     = 12 // kept
	SO_LINGER       = 13 // seconds; negative for off
	SO_REUSEPORT    = 15
	SO_RCVLOWAT     = 18 // octets that make a stream readable
	SO_SNDLOWAT     = 19 // always 1
	SO_RCVTIMEO     = 20 // microseconds; 0 for none
	SO_SNDTIMEO     = 21 // microseconds; 0 for none
	SO_TIMESTAMP    = 29 // kept
	SO_ACCEPTCONN   = 30
	SO_SNDBUFFORCE  = 32
	SO_RCVBUFFORCE  = 33
	SO_MARK         = 36 // kept
	SO_TIMESTAMPING = 37 // SOF_TIMESTAMPING_TX_SOFTWARE and others
	SO_PROTOCOL     = 38
	SO_DOMAIN       = 39
	SO_BUSY_POLL    = 46 // kept
	SO_INCOMING_CPU = 49 // kept
	SO_MEMINFO      = 55 // nine numbers: bytes only
	SO_ZEROCOPY     = 60 // MSG_ZEROCOPY is heeded
)

// The options of level IPPROTO_TCP (tcp(7)).
const (
	TCP_NODELAY            = 1
	TCP_MAXSEG             = 2
	TCP_CORK               = 3
	TCP_KEEPIDLE           = 4  // seconds
	TCP_KEEPINTVL          = 5  // seconds
	TCP_KEEPCNT            = 6  // probes
	TCP_SYNCNT             = 7  // how often a SYN, or SYN-ACK, is repeated
	TCP_LINGER2            = 8  // seconds in FIN-WAIT-2; negative for none
	TCP_DEFER_ACCEPT       = 9  // seconds that a listener waits for data
	TCP_WINDOW_CLAMP       = 10 // octets
	TCP_INFO               = 11 // a TCPInfo: bytes only
	TCP_QUICKACK           = 12
	TCP_CONGESTION         = 13 // a name: bytes only
	TCP_USER_TIMEOUT       = 18 // milliseconds
	TCP_TIMESTAMP          = 24 // milliseconds
	TCP_FASTOPEN           = 23 // of a listener: connections whose handshakes aren't over; 0: none
	TCP_NOTSENT_LOWAT      = 25 // octets
	TCP_CC_INFO            = 26 // bytes only
	TCP_FASTOPEN_CONNECT   = 30 // connect waits for what is written first, to put it into the SYN
	TCP_FASTOPEN_KEY       = 33 // of a listener's cookies: 16 octets, or 32 with the key before
	TCP_FASTOPEN_NO_COOKIE = 34 // data in SYNs needs no cookie
	TCP_INQ                = 36
)

// TCP_CM_INQ is the kind of control message that tells what TCP_INQ asked for.
const TCP_CM_INQ = TCP_INQ

// The options of level IPPROTO_IP (ip(7)).
const (
	IP_TOS                  = 1
	IP_TTL                  = 2
	IP_OPTIONS              = 4 // none: bytes only
	IP_PKTINFO              = 8
	IP_MTU_DISCOVER         = 10
	IP_RECVERR              = 11 // kept
	IP_RECVTTL              = 12
	IP_RECVTOS              = 13
	IP_MTU                  = 14
	IP_FREEBIND             = 15 // kept
	IP_MINTTL               = 21
	IP_BIND_ADDRESS_NO_PORT = 24 // kept
	IP_MULTICAST_IF         = 32 // bytes only
	IP_MULTICAST_TTL        = 33
	IP_MULTICAST_LOOP       = 34
	IP_ADD_MEMBERSHIP       = 35 // this and the next five: bytes only
	IP_DROP_MEMBERSHIP      = 36
	IP_UNBLOCK_SOURCE       = 37
	IP_BLOCK_SOURCE         = 38
	IP_ADD_SOURCE           = 39 // IP_ADD_SOURCE_MEMBERSHIP
	IP_DROP_SOURCE          = 40 // IP_DROP_SOURCE_MEMBERSHIP
	IP_MULTICAST_ALL        = 49
)

// The options of level IPPROTO_IPV6 (ipv6(7); RFC 3493, 5; RFC 3542).
const (
	IPV6_UNICAST_HOPS   = 16
	IPV6_MULTICAST_IF   = 17
	IPV6_MULTICAST_HOPS = 18
	IPV6_MULTICAST_LOOP = 19
	IPV6_JOIN_GROUP     = 20 // bytes only
	IPV6_LEAVE_GROUP    = 21 // bytes only
	IPV6_MTU_DISCOVER   = 23
	IPV6_MULTICAST_ALL  = 29
	IPV6_MTU            = 24
	IPV6_RECVERR        = 25 // kept
	IPV6_V6ONLY         = 26
	IPV6_RECVPKTINFO    = 49
	IPV6_PKTINFO        = 50 // bytes only; and of control messages
	IPV6_RECVHOPLIMIT   = 51
	IPV6_HOPLIMIT       = 52 // of control messages
	IPV6_DONTFRAG       = 62
	IPV6_RECVTCLASS     = 66
	IPV6_TCLASS         = 67
	IPV6_AUTOFLOWLABEL  = 70 // kept
	IPV6_FREEBIND       = 78 // kept
)

// The options of both levels by which groups are joined, and their sources chosen
// (RFC 3678, 5.1): bytes only.
const (
	MCAST_JOIN_GROUP         = 42
	MCAST_BLOCK_SOURCE       = 43
	MCAST_UNBLOCK_SOURCE     = 44
	MCAST_LEAVE_GROUP        = 45
	MCAST_JOIN_SOURCE_GROUP  = 46
	MCAST_LEAVE_SOURCE_GROUP = 47
)

// The values of IP_MTU_DISCOVER, and of IPV6_MTU_DISCOVER.
const (
	IP_PMTUDISC_DONT      = 0 // fragment
	IP_PMTUDISC_WANT      = 1 // of TCP: find the path MTU
	IP_PMTUDISC_DO        = 2 // set DF; what is too long is refused
	IP_PMTUDISC_PROBE     = 3 // set DF
	IP_PMTUDISC_INTERFACE = 4 // fragment
	IP_PMTUDISC_OMIT      = 5 // fragment
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
	MSG_CTRUNC   = 0x8  // of RecvMsg's result: there was more control data
	MSG_TRUNC    = 0x20 // cut a datagram, and tell its length; drop what a stream has
	MSG_DONTWAIT = 0x40
	MSG_EOR      = 0x80 // the end of a record: no segment goes beyond it
	MSG_WAITALL  = 0x100
	MSG_ERRQUEUE = 0x2000     // what there is to be told of what was sent (SO_TIMESTAMPING, SO_ZEROCOPY)
	MSG_NOSIGNAL = 0x4000     // there are no signals
	MSG_MORE     = 0x8000     // more follows: see TCP_CORK
	MSG_ZEROCOPY = 0x4000000  // tell when the data is needed no more
	MSG_FASTOPEN = 0x20000000 // connect, with data in the SYN (RFC 7413)
)
