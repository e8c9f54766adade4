package drill

import (
	"cmp"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"time"

	"hubbub/link"
	"hubbub/network/route"
	"hubbub/sim"
	"hubbub/socket"
	"hubbub/stack"
	"hubbub/wire"
)

// A Machine is a host, and the end of its cable.
type Machine struct {
	turns  turns
	world  *sim.World
	stack  *stack.Stack
	host   *socket.Host
	card   *stack.Interface
	far    farEnd
	farEnd *sim.Node
	files  files
	sysctl sysctls
	epoch  time.Time
	wide   bool // the card takes so much more with IPv6, that segments are as long as with IPv4
	any    bool // any address that something is sent to, or bound to, is the host's
}

// Settings are what --so_flags may say, as "key=value" with commas between.
type Settings struct {
	Local netip.Addr // local_ip=: the host's address; without it any address is
	MTU   int        // mtu=: of the host's card; 0 for 1500, or 1520 once it has an IPv6 address
	Proc  string     // proc=: where the kernel's settings are read, default /proc/sys; "none" for nowhere
	Seed  uint64     // seed=: of all random numbers, default 1
}

// longestPacket is what the cable takes.
const longestPacket = 65536

// defaultAddress is what the host has where nothing says otherwise.
var defaultAddress = netip.AddrFrom4([4]byte{192, 168, 0, 1})

// ParseSettings reads --so_flags.
func ParseSettings(flags string) (Settings, error) {
	s := Settings{Proc: "/proc/sys", Seed: 1}
	for _, part := range strings.FieldsFunc(flags, func(r rune) bool { return r == ',' || r == ' ' }) {
		key, value, _ := strings.Cut(part, "=")
		var err error
		switch key {
		case "local_ip":
			s.Local, err = netip.ParseAddr(value)
		case "mtu":
			s.MTU, err = strconv.Atoi(value)
		case "proc":
			s.Proc = value
		case "seed":
			s.Seed, err = strconv.ParseUint(value, 0, 64)
		default:
			err = fmt.Errorf("there is no such setting; there are local_ip, mtu, proc and seed")
		}
		if err != nil {
			return s, fmt.Errorf("--so_flags %q: %w", part, err)
		}
	}
	return s, nil
}

// New returns a host whose main thread is the one with that number.
func New(s Settings, mainThread int64) *Machine {
	m := &Machine{
		world: sim.New(sim.Virtual, s.Seed),
		epoch: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC),
		any:   !s.Local.IsValid(),
		wide:  s.MTU == 0,
	}
	m.turns.main = mainThread
	m.turns.cond.L = &m.turns.mu
	m.files.init()
	m.world.Enter()
	defer m.world.Leave(nil)
	m.build(&s)
	m.sysctl.init(s.Proc, m.stack)
	return m
}

// build puts the host, its cable and the cable's far end into the world.
func (m *Machine) build(s *Settings) {
	w := m.world
	config := stack.DefaultConfig()
	config.Name, config.Stream, config.Random = "host", &w.Stream, w.Random("host")
	config.TCP.TakeUnstamped = true // scripts leave timestamps out, as Linux takes such segments
	m.stack = stack.New(config)
	m.card = m.stack.AddInterface("tun0", hostMAC, cmp.Or(s.MTU, stack.EthernetMTU))
	m.host = socket.NewHost(w, m.stack, nil, m.epoch)
	m.far.world = w
	m.farEnd = w.Add("packetdrill", &m.far, nil)
	m.farEnd.AddPort("port", false)
	cable := link.NewCable(w.Random("to"), w.Random("fro"))
	for side := range 2 {
		// Scripts send segments as long as a packet can be, as if cards had
		// put them together.
		if err := cable.Line(side).SetMTU(longestPacket); err != nil {
			panic(err) // it is a constant
		}
	}
	w.Join("cable", cable, m.host.Node(), m.card.Index, m.farEnd, 0)
	local := s.Local
	if m.any {
		local = defaultAddress
	}
	m.own(local)
	for _, all := range []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()} {
		if err := m.stack.AddRoute(route.Route{Prefix: netip.PrefixFrom(all, 0), Interface: m.card.Index}); err != nil {
			panic(err) // the routes are constants
		}
	}
}

// wideMTU is what packetdrill's scripts assume where they run over IPv6: their
// segments are as long as over IPv4.
const wideMTU = stack.EthernetMTU + wire.IPv6HeaderLen - wire.IPv4HeaderLen

// own gives the host an address, if it hasn't got it. It needs the world's
// lock. The address has a subnet of its own: no other is a broadcast address.
func (m *Machine) own(addr netip.Addr) {
	if !addr.IsValid() || addr.IsUnspecified() || addr.IsLoopback() || addr.IsMulticast() {
		return
	}
	if addr.Is6() && m.wide {
		m.card.MTU = wideMTU
	}
	// The host has it already: that is all the error can be.
	_ = m.stack.AddAddress(m.world.Now(), m.card, netip.PrefixFrom(addr, addr.BitLen()), false)
	m.world.Changed(m.host.Node())
}

// adopt makes addr the host's where any address is.
func (m *Machine) adopt(addr netip.Addr) {
	if !m.any {
		return
	}
	m.world.Enter()
	m.own(addr)
	m.world.Leave(m.host.Node())
}

// free ends the world.
func (m *Machine) free(*Args) (int64, syscall.Errno) {
	m.world.Close()
	return 0, 0
}

var (
	hostMAC = wire.MAC{0x02, 0, 0, 0, 0, 1}
	farMAC  = wire.MAC{0x02, 0, 0, 0, 0, 2}
)
