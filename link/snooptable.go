package link

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"hubbub/clock"
)

const (
	defaultGroups = 1024

	// The times that hold until a querier tells others (RFC 3376, 8).
	defaultRobustness    = 2
	defaultQueryInterval = 125 * time.Second
	defaultResponse      = 10 * time.Second

	// leaveTime is how long a port still belongs to a group that somebody behind
	// it has left: the querier asks twice within this time whether others listen
	// (RFC 3376, 8.10).
	leaveTime = 2 * time.Second
)

// A domain is what has a querier of its own: a VLAN, for one family.
type domain struct {
	vlan uint16
	six  bool
}

// A place is when and where a message entered.
type place struct {
	now  clock.Time
	port int
	domain
}

type groupKey struct {
	domain
	addr netip.Addr
}

// portTimes are ports, each with the time until which it counts.
type portTimes []portTime

type portTime struct {
	port  int
	until clock.Time
}

func (t *portTimes) has(port int) bool {
	return t != nil && slices.ContainsFunc(*t, func(x portTime) bool { return x.port == port })
}

// set makes a port count until then, and reports whether that is news.
func (t *portTimes) set(port int, until clock.Time) bool {
	for i := range *t {
		if (*t)[i].port == port {
			(*t)[i].until = until
			return false
		}
	}
	*t = append(*t, portTime{port, until})
	return true
}

// snooping is what a switch knows of listeners and multicast routers.
type snooping struct {
	size    int
	domains map[domain]*domainState
	groups  map[groupKey]*portTimes
	due     clock.Time // when to look for what is over; not after the first
	refused uint64
}

type domainState struct {
	querier     clock.Time // until when one counts as present; clock.Never: none
	querierPort int
	membership  clock.Duration // how long a report counts
	routers     portTimes
	crowded     clock.Time // until when groups may be listened to that found no room in the table
}

func newSnooping(size int) *snooping {
	if size <= 0 {
		size = defaultGroups
	}
	return &snooping{size: size, domains: make(map[domain]*domainState), groups: make(map[groupKey]*portTimes)}
}

// A ListenedGroup is a line of a switch's table of groups.
type ListenedGroup struct {
	VLAN  uint16
	Group netip.Addr
	Ports []int // behind which somebody listens, in ascending order
}

// Groups returns the table of groups, ordered by VLAN and address; nil if the
// switch doesn't snoop.
func (b *Bridge) Groups() []ListenedGroup {
	if b.snoop == nil {
		return nil
	}
	var all []ListenedGroup
	for key, ports := range b.snoop.groups {
		all = append(all, ListenedGroup{key.vlan, key.addr, ports.list()})
	}
	slices.SortFunc(all, func(x, y ListenedGroup) int {
		return cmp.Or(cmp.Compare(x.VLAN, y.VLAN), x.Group.Compare(y.Group))
	})
	return all
}

// RouterPorts returns the ports of a VLAN behind which a multicast router of a
// family was heard.
func (b *Bridge) RouterPorts(vlan uint16, six bool) []int {
	if b.snoop == nil || b.snoop.domains[domain{vlan, six}] == nil {
		return nil
	}
	return b.snoop.domains[domain{vlan, six}].routers.list()
}

// UnlistedGroups returns how many reports were of groups that the table had no
// room for.
func (b *Bridge) UnlistedGroups() uint64 {
	if b.snoop == nil {
		return 0
	}
	return b.snoop.refused
}

func (t *portTimes) list() []int {
	var all []int
	for _, x := range *t {
		all = append(all, x.port)
	}
	slices.Sort(all)
	return all
}

func (n *snooping) domain(s domain) *domainState {
	state := n.domains[s]
	if state == nil {
		state = &domainState{membership: defaultRobustness*defaultQueryInterval + defaultResponse}
		n.domains[s] = state
	}
	return state
}

// wake sees to it that something that is over at a time is seen.
func (n *snooping) wake(at clock.Time) { n.due = clock.Earlier(n.due, at) }

// queryTimes are what a querier tells; zero where it doesn't.
type queryTimes struct {
	robustness int
	interval   clock.Duration
	response   clock.Duration
}

// hearQuery learns that there is a querier, and a multicast router behind the
// port, unless the query comes from nobody: then a switch asks in the place of
// a router (RFC 4541, 2.1.1).
func (b *Bridge) hearQuery(at place, src netip.Addr, t queryTimes) {
	robustness := clock.Duration(cmp.Or(t.robustness, defaultRobustness))
	interval, response := cmp.Or(t.interval, defaultQueryInterval), cmp.Or(t.response, defaultResponse)
	state := b.snoop.domain(at.domain)
	state.membership = robustness*interval + response
	state.querier, state.querierPort = at.now.Add(robustness*interval+response/2), at.port
	b.snoop.wake(state.querier)
	if !src.IsUnspecified() {
		b.routerIs(at, state, state.querier)
	}
}

// hearRouter learns from a multicast router's advertisement that it is behind
// the port: for three times as long as it says that it takes to the next one
// (RFC 4286, 3.1.4 and 7.1).
func (b *Bridge) hearRouter(at place, seconds uint8) {
	until := at.now.Add(3 * time.Duration(max(seconds, 4)) * time.Second)
	b.routerIs(at, b.snoop.domain(at.domain), until)
}

func (b *Bridge) routerIs(at place, state *domainState, until clock.Time) {
	if state.routers.set(at.port, until) {
		b.tellGroup(Fact{Kind: Learned, Port: at.port, VLAN: at.vlan, Router: true})
	}
	b.snoop.wake(until)
}

// listens notes that somebody behind a port listens to a group.
func (b *Bridge) listens(at place, addr netip.Addr) {
	n, state := b.snoop, b.snoop.domain(at.domain)
	key, until := groupKey{at.domain, addr}, at.now.Add(state.membership)
	g := n.groups[key]
	if g == nil {
		if len(n.groups) >= n.size {
			n.refused++
			state.crowded = until
			return
		}
		g = new(portTimes)
		n.groups[key] = g
	}
	if g.set(at.port, until) {
		b.tellGroup(Fact{Kind: Learned, Port: at.port, VLAN: at.vlan, Group: addr})
	}
	n.wake(until)
}

// listensNoLonger notes that somebody behind a port has left a group: unless
// another reports it soon, nobody there listens to it.
func (b *Bridge) listensNoLonger(at place, addr netip.Addr) {
	g := b.snoop.groups[groupKey{at.domain, addr}]
	if !g.has(at.port) {
		return
	}
	for i := range *g {
		if x := &(*g)[i]; x.port == at.port {
			x.until = min(x.until, at.now.Add(leaveTime))
			b.snoop.wake(x.until)
		}
	}
}

func (b *Bridge) tellGroup(f Fact) {
	if b.Watch {
		b.facts.Push(f)
	}
}

// expireGroups forgets listeners and routers that were silent for too long.
func (b *Bridge) expireGroups(now clock.Time) {
	n := b.snoop
	if n == nil || !n.due.Due(now) {
		return
	}
	n.due = clock.Never
	for _, state := range n.domains {
		if state.querier.Due(now) {
			state.querier = clock.Never
		}
		n.wake(state.querier)
	}
	b.forgetGroups("it has been silent for too long", func(x portTime) bool { return x.until.Due(now) })
}

// forgetGroups forgets the listeners and routers that are chosen, in a fixed
// order, and notes when the next is over.
func (b *Bridge) forgetGroups(why string, chosen func(portTime) bool) {
	n := b.snoop
	if n == nil {
		return
	}
	for _, s := range n.sortedDomains() {
		b.prune(&n.domains[s].routers, chosen, Fact{Kind: Forgot, VLAN: s.vlan, Router: true, Text: why})
	}
	for _, line := range b.Groups() {
		key := groupKey{domain{line.VLAN, line.Group.Is6()}, line.Group}
		g := n.groups[key]
		b.prune(g, chosen, Fact{Kind: Forgot, VLAN: line.VLAN, Group: line.Group, Text: why})
		if len(*g) == 0 {
			delete(n.groups, key)
		}
	}
}

// prune takes out the ports that are chosen, and tells f of each.
func (b *Bridge) prune(t *portTimes, chosen func(portTime) bool, f Fact) {
	*t = slices.DeleteFunc(*t, func(x portTime) bool {
		if !chosen(x) {
			b.snoop.wake(x.until)
			return false
		}
		f.Port = x.port
		b.tellGroup(f)
		return true
	})
}

func (n *snooping) sortedDomains() []domain {
	all := make([]domain, 0, len(n.domains))
	for s := range n.domains {
		all = append(all, s)
	}
	slices.SortFunc(all, func(x, y domain) int {
		switch {
		case x.six == y.six || x.vlan != y.vlan:
			return cmp.Compare(x.vlan, y.vlan)
		case y.six:
			return -1
		}
		return 1
	})
	return all
}
