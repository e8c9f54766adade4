package stack

import (
	"math/rand/v2"
	"net/netip"

	"hubbub/clock"
	"hubbub/event"
	"hubbub/internal/fifo"
	"hubbub/internal/pkt"
	"hubbub/internal/timerq"
	"hubbub/network/addrselect"
	"hubbub/network/frag"
	"hubbub/network/icmperr"
	"hubbub/network/neigh"
	"hubbub/network/pmtu"
	"hubbub/network/route"
	"hubbub/transport/tcp"
	"hubbub/wire"
)

// Config says what kind of machine a Stack is.
type Config struct {
	Name       string
	Stream     *event.Stream // never nil
	Random     *rand.Rand    // the machine's own stream of random numbers
	Forwarding bool          // it is a router
	// Forwarding6 is the same for IPv6 alone; Forwarding sets it too.
	Forwarding6 bool
	// ForwardBroadcasts makes a router let broadcasts into its subnets
	// (RFC 1812, 5.3.5.2; RFC 2644, 2 has it off).
	ForwardBroadcasts bool
	TCP               tcp.Config
	// GSO has the large segments that TCP.Offload makes cut before they leave,
	// so that each frame goes its own way, as without a card that can do it.
	GSO bool

	Neighbors neigh.Config // zero fields mean the defaults

	Fragments  frag.Config           // zero fields mean the defaults
	Fragments6 frag.Config           // of IPv6
	ICMPErrors icmperr.LimiterConfig // how many are sent

	TTL             uint8 // of what it sends, default 64
	EphemeralLow    int   // the ports that sockets get which ask for none
	EphemeralHigh   int
	PrivilegedBelow int          // ports below it take privilege to bind, default 1024
	DatagramBuffer  int          // bytes of datagrams that wait for a reader
	MaxTimeWait     int          // connections in TIME-WAIT
	MaxOrphans      int          // connections that no program has open any more
	earlyRetrans    int          // what net.ipv4.tcp_early_retrans was set to
	frto            int          // what net.ipv4.tcp_frto was set to
	flowLabels      int          // what net.ipv6.auto_flowlabels was set to
	FastOpen        int          // TCP Fast Open: the bits of net.ipv4.tcp_fastopen
	FastOpenKeys    []tcp.Secret // of its cookies; none: one that nobody knows

	// ReuseTimeWait lets a connection be opened between ports that are in
	// TIME-WAIT, where timestamps allow it: 0 never, 1 always, 2 within this
	// machine.
	ReuseTimeWait int

	NoPathMTU            int  // 0, or what net.ipv4.ip_no_pmtu_disc says
	PlainTimestamps      bool // all connections' timestamps are of one clock
	RecycleTimeWait      bool // net.ipv4.tcp_tw_recycle
	IgnorePings          bool
	IgnoreBroadcastPings bool
	IgnorePings6         bool // over IPv6
	IgnoreGroupPings6    bool
	BindV6Only           bool // sockets of AF_INET6 begin with IPV6_V6ONLY
	FlowLabels           bool // packets of IPv6 have one

	reservedPorts []portRange
}

// DefaultConfig returns a host's configuration, with Linux's values.
func DefaultConfig() Config {
	return Config{
		TCP: tcp.DefaultConfig(),
		// Room for the longest datagram, in 45 fragments, while a neighbour's
		// MAC address is asked for: Linux's unres_qlen_bytes.
		Neighbors:       neigh.Config{PendingCount: 101, PendingBytes: 208 << 10},
		TTL:             64,
		EphemeralLow:    32768,
		EphemeralHigh:   60999,
		PrivilegedBelow: 1024,
		DatagramBuffer:  208 << 10,
		MaxTimeWait:     1 << 18,
		MaxOrphans:      1 << 16,
		FastOpen:        fastOpenClient,
		ReuseTimeWait:   2,
		Fragments:       frag.DefaultConfig(),
		Fragments6:      frag.DefaultConfig(),
		FlowLabels:      true,
		ICMPErrors:      icmperr.DefaultLimiterConfig(),

		IgnoreBroadcastPings: true,
	}
}

// A Stack is one machine's layers. It is a pure machine: its owner drives it
// under one lock and drains it after every call.
type Stack struct {
	cfg    Config
	stream *event.Stream
	rnd    *rand.Rand

	// Network layer.
	interfaces  []*Interface
	conf6       conf6             // of interfaces that are still to be made
	scratch     bool              // nobody uses it: its settings are looked at
	own         ownAddresses      // the machine's own addresses
	policy      *addrselect.Table // RFC 6724
	routes      route.Table
	paths       map[path]*path // to be shared
	generation  uint32         // grows whenever a path that was looked up may be wrong
	reassembly  *frag.Reassembler[wire.IPv4]
	reassembly6 *frag.Reassembler[frag.Head6]
	pathMTU     *pmtu.Cache
	icmpLimit   *icmperr.Limiter
	ipID        uint16
	out         outbox
	packets     pkt.Pool
	joined      joint
	loopback    *Interface

	// Transport layer.
	tcpEnv      *tcp.Env
	secret      secret
	stable      tcp.Secret // of addresses: it outlives the power (RFC 7217, 5)
	fast        fastOpens
	switchedOn  clock.Time             // where the clock of plain timestamps begins
	settings    map[Settings]*Settings // to be shared
	lately      *Settings              // what was shared last
	plain       *Settings              // nothing is set
	conns       connTable
	recent      *TCP // the connection that the last segment was for
	predictions predictions
	passages    passages
	others      otherTimers
	requests    map[fourTuple]*request  // half open, from listeners
	waits       waits                   // connections in TIME-WAIT
	doubts      map[fourTuple]doubt     // what routers say of paths and is not believed yet
	orphans     int                     // connections that no program has open any more
	recycled    map[netip.Addr]recycled // last timestamps by address
	tcpPorts    portTable
	groupUsers  uint64 // endpoints that have had to do with groups
	listeners   map[netip.AddrPort][]*TCP
	udpPorts    portTable
	udps        map[uint16][]*UDP
	udpLast     udpArrival
	candidate   [1]*UDP // room for the one that a datagram is for
	raws        []*Raw
	timers      timerq.Queue[timed]
	ready       fifo.Queue[Endpoint]
	segment     tcp.Segment // the one that is being handled
	reply       tcp.Segment // the one that is being sent

	discards [numDiscards]uint64
}

// timed is what has a timer in the stack's queue.
type timed interface {
	expire(s *Stack, now clock.Time)
}

// New returns a machine with a loopback interface and nothing else.
func New(cfg Config) *Stack {
	s := &Stack{
		cfg:       cfg,
		stream:    cfg.Stream,
		rnd:       cfg.Random,
		policy:    addrselect.New(),
		pathMTU:   pmtu.New(nil),
		icmpLimit: icmperr.NewLimiter(&cfg.ICMPErrors),
		conns:     newConnTable(),
		settings:  make(map[Settings]*Settings),
		plain:     new(Settings),
		requests:  make(map[fourTuple]*request),
		paths:     make(map[path]*path),
		listeners: make(map[netip.AddrPort][]*TCP),
		udps:      make(map[uint16][]*UDP),
		conf6:     defaultConf6(),
	}
	s.cfg.Forwarding6 = s.cfg.Forwarding6 || s.cfg.Forwarding
	s.tcpPorts.init(&s.cfg)
	s.udpPorts.init(&s.cfg)
	s.Restart(0)
	s.loopback = s.AddInterface("lo", wire.MAC{}, LoopbackMTU)
	s.loopback.Loopback = true
	s.mustAddLoopback()
	return s
}

func (s *Stack) mustAddLoopback() {
	for _, p := range [...]string{"127.0.0.1/8", "::1/128"} {
		if err := s.AddAddress(0, s.loopback, netip.MustParsePrefix(p), false); err != nil {
			panic(err) // the address is a constant
		}
	}
}

// State.

// Name returns the machine's name.
func (s *Stack) Name() string { return s.cfg.Name }

// Forwarding reports whether the machine is a router.
func (s *Stack) Forwarding() bool { return s.cfg.Forwarding }

// Config returns the machine's configuration.
func (s *Stack) Config() *Config { return &s.cfg }

// TCPEnv returns what the machine's TCP connections share.
func (s *Stack) TCPEnv() *tcp.Env { return s.tcpEnv }

// Commands.

// Restart forgets everything that is lost with the power: connections,
// listeners, sockets, neighbours, fragments. Addresses, routes and settings
// are configuration, and stay, but for those that routers advertised: [Stack.Boot]
// begins anew to ask for them. The clock of plain timestamps begins anew.
// Endpoints that were open are told nothing; they must not be used again.
func (s *Stack) Restart(now clock.Time) {
	s.switchedOn = now
	if s.tcpEnv != nil {
		s.cfg.TCP = s.tcpEnv.Config
	}
	s.tcpEnv = tcp.NewEnv(s.cfg.TCP)
	s.tcpEnv.Random = s.rnd
	s.secret = newSecret(s.rnd)
	s.fast.forget()
	s.SetFastOpenKeys(s.cfg.FastOpenKeys...)
	s.ipID = uint16(s.rnd.Uint32())
	s.conns = newConnTable()
	s.recent = nil
	s.predictions.clear()
	clear(s.requests)
	s.orphans = 0
	s.waits.init()
	clear(s.doubts)
	clear(s.recycled)
	clear(s.listeners)
	clear(s.udps)
	s.udpLast, s.passages = udpArrival{}, nil
	s.tcpPorts.init(&s.cfg)
	s.udpPorts.init(&s.cfg)
	s.raws, s.ready = nil, fifo.Queue[Endpoint]{}
	s.timers = timerq.Queue[timed]{}
	s.out.clear()
	s.joined.clear()
	s.reassembly = frag.NewReassembler(&s.cfg.Fragments)
	s.reassembly6 = frag.NewReassembler6(&s.cfg.Fragments6)
	s.pathMTU.Flush()
	s.forgetRedirects()
	for _, i := range s.interfaces {
		i.restart(s)
		s.forgetIPv6(i)
	}
	s.generation++
}

// HandleTimer lets what is due happen.
func (s *Stack) HandleTimer(now clock.Time) {
	s.others.known = false
	for {
		owner, ok := s.timers.Pop(now)
		if !ok {
			break
		}
		owner.expire(s, now)
	}
	s.expireWaits(now)
	for _, i := range s.interfaces {
		i.handleTimer(s, now)
		s.handleTimer6(now, i)
	}
	s.expireFragments(now)
	s.expireFragments6(now)
	if s.pathMTU.NextTimer().Due(now) {
		s.pathMTU.HandleTimer(now)
		s.generation++ // a path's MTU may have grown
	}
}

// Output.

// PollFrame gives the next frame to be sent and the interface it leaves by.
func (s *Stack) PollFrame(now clock.Time) (port int, p *pkt.Packet, ok bool) {
	if s.joined.packet != nil {
		s.handleJoined(now)
	}
	return s.out.pop()
}

// HasReady reports whether there is an endpoint whose readiness has changed.
func (s *Stack) HasReady() bool { return s.ready.Len() > 0 }

// PollReady returns an endpoint whose readiness has changed.
func (s *Stack) PollReady() (Endpoint, bool) {
	if s.ready.Len() == 0 {
		return nil, false
	}
	e, ok := s.ready.Pop()
	e.settled()
	return e, ok
}

// NextTimer returns when HandleTimer is to be called, clock.Never if nothing
// is due.
func (s *Stack) NextTimer() clock.Time {
	if o := &s.others; !o.known || !o.still {
		o.next, o.known = s.nextOther(), true
	}
	s.others.still = false
	return clock.Earlier(clock.Earlier(s.timers.Next(), s.waits.next()), s.others.next)
}

// otherTimers are those that aren't of a connection. After a segment, or what a
// program wrote, they are as they were.
type otherTimers struct {
	next  clock.Time
	known bool // what next says was so, and nothing has changed it
	still bool // since then only connections were at work

	// Of the frame that is being handled:
	touched bool // it has set one of them, or may have
	onlyTCP bool // it was for TCP, which has none
}

// nextOther returns when the first timer is due that isn't of a connection.
func (s *Stack) nextOther() clock.Time {
	next := clock.Earlier(s.reassembly.NextTimer(), s.reassembly6.NextTimer())
	next = clock.Earlier(next, s.pathMTU.NextTimer())
	for _, i := range s.interfaces {
		if i.neighbors != nil {
			next = clock.Earlier(next, clock.Earlier(i.neighbors.NextTimer(), i.groups.NextTimer()))
		}
		if i.six != nil {
			next = clock.Earlier(next, i.six.nextTimer())
		}
		next = clock.Earlier(next, i.queriers.nextTimer())
	}
	return next
}

// An Endpoint is where a socket stands on the stack: a *TCP, *UDP or *Raw.
type Endpoint interface {
	// Owner returns what the socket layer has put there.
	Owner() any
	settled()
}

// endpoint is what the kinds of endpoint have in common.
type endpoint struct {
	stack *Stack
	owner any
}

// Owner returns what SetOwner was given.
func (e *endpoint) Owner() any { return e.owner }

// SetOwner attaches the socket that stands on the endpoint.
func (e *endpoint) SetOwner(owner any) { e.owner = owner }

// tell puts e among those whose readiness has changed, unless told says that it is.
func (s *Stack) tell(base *endpoint, told *bool, e Endpoint) {
	if *told || base.owner == nil {
		return
	}
	*told = true
	s.ready.Push(e)
}
