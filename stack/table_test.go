package stack

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"unsafe"

	"hubbub/clock"
)

// randomEnds returns two ends out of a few, of either family.
func randomEnds(rnd *rand.Rand) (local, remote netip.AddrPort) {
	addr := func() netip.Addr {
		if rnd.IntN(2) == 0 {
			return netip.AddrFrom4([4]byte{10, 0, 0, byte(rnd.IntN(4))})
		}
		return netip.AddrFrom16([16]byte{0xfd, 15: byte(rnd.IntN(4))})
	}
	return netip.AddrPortFrom(addr(), uint16(rnd.IntN(30))), netip.AddrPortFrom(addr(), uint16(rnd.IntN(30)))
}

type bothEnds [2]netip.AddrPort

// wantChains checks that each of the lists has what belongs there, and nothing else.
func wantChains[E comparable](t *testing.T, c *chains[E], count int) {
	t.Helper()
	var none E
	found := 0
	for n := range c.buckets {
		for e := *c.at(n); e != none; found++ {
			hash, next := c.link(e)
			if c.bucket(hash) != n {
				t.Fatalf("%x is in bucket %d of %d", hash, n, c.buckets)
			}
			e = *next
		}
	}
	if found != count || c.count != count || count > int(c.buckets) || len(c.pieces) != (int(c.buckets)+piece-1)/piece {
		t.Fatalf("%d are in %d buckets, want %d, and it counts %d", found, c.buckets, count, c.count)
	}
}

// What a table finds is what a map would, while it grows and shrinks.
func TestConnectionsAreFound(t *testing.T) {
	s := newHost(t).Stack
	rnd := rand.New(rand.NewPCG(1, 2))
	table, known := newConnTable(), make(map[bothEnds]*TCP)
	for step := range 60_000 {
		local, remote := randomEnds(rnd)
		k, hash := bothEnds{local, remote}, s.hashOf(local, remote)
		if got := table.find(hash, local, remote); got != known[k] {
			t.Fatalf("step %d: found %p, want %p", step, got, known[k])
		}
		switch wave := step / 15_000 % 2; {
		case known[k] == nil && rnd.IntN(4) > wave:
			e := &TCP{local: local, remote: remote, hash: hash}
			known[k] = e
			table.add(e)
		case known[k] != nil && rnd.IntN(4) <= 3*wave:
			table.remove(known[k])
			delete(known, k)
		}
		if step%1000 == 0 {
			wantChains(t, &table.chains, len(known))
		}
	}
	for k, e := range known {
		table.remove(e)
		delete(known, k)
	}
	wantChains(t, &table.chains, 0)
	if table.buckets > piece {
		t.Errorf("%d buckets remain", table.buckets)
	}
}

// An end of a link-local address is the same with its link and without.
func TestTheLinkOfAnOwnAddressMakesNoDifference(t *testing.T) {
	s := newHost(t).Stack
	local, remote := netip.MustParseAddrPort("[fe80::1%eth0]:1"), netip.MustParseAddrPort("[fe80::2%eth0]:2")
	table := newConnTable()
	e := &TCP{local: local, remote: remote, hash: s.hashOf(local, remote)}
	table.add(e)
	without := netip.AddrPortFrom(local.Addr().WithZone(""), local.Port())
	if table.find(s.hashOf(without, remote), without, remote) != e {
		t.Error("not found without the zone of this machine's address")
	}
	elsewhere := netip.MustParseAddrPort("[fe80::2%eth1]:2")
	if table.find(s.hashOf(local, elsewhere), local, elsewhere) != nil {
		t.Error("found on another link")
	}
}

// Who knows no secret can't tell where a connection is found: the same ends are
// elsewhere on another machine, and ends that follow each other are spread evenly.
func TestHashesAreSpread(t *testing.T) {
	s, other := newHost(t).Stack, newHost(t).Stack
	other.secret = newSecret(rand.New(rand.NewPCG(9, 9)))
	const ends, buckets = 1 << 14, 1 << 8
	var count [buckets]int
	same := 0
	for i := range ends {
		local := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 12), 1}), 80)
		remote := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, 2}), uint16(i&0xfff))
		h := s.hashOf(local, remote)
		count[h%buckets]++
		if h%buckets == other.hashOf(local, remote)%buckets {
			same++
		}
	}
	for n, c := range count {
		if c < ends/buckets/2 || c > ends/buckets*2 {
			t.Errorf("%d of %d are in bucket %d of %d", c, ends, n, buckets)
		}
	}
	if same > ends/buckets*2 {
		t.Errorf("%d of %d are in the same bucket of two machines", same, ends)
	}
}

// What is left of connections is found, ends in the order of its time, and takes
// memory only as long as it is there.
func TestTimeWaitsAreFoundAndEndInOrder(t *testing.T) {
	s := newHost(t).Stack
	rnd := rand.New(rand.NewPCG(3, 4))
	w, known := &s.waits, make(map[bothEnds]clock.Time)
	numberOf := func(k bothEnds) uint32 { return s.waitFor(s.hashOf(k[0], k[1]), k[0], k[1]) }
	for step := range 40_000 {
		local, remote := randomEnds(rnd)
		k := bothEnds{local, remote}
		n := numberOf(k)
		if at, ok := known[k]; ok != (n != 0) || ok && w.record(n).Expires() != at {
			t.Fatalf("step %d: number %d, want one that ends at %v: %v", step, n, at, ok)
		}
		at := clock.Time(step) // most end in the order in which they come
		if rnd.IntN(4) == 0 {
			at = clock.Time(1 + rnd.IntN(40_000))
		}
		switch {
		case n == 0 && step < 30_000:
			tw := timeWait{
				local: local.Addr().As16(), remote: remote.Addr().As16(),
				ports: [2]uint16{local.Port(), remote.Port()}, hash: s.hashOf(local, remote),
			}
			tw.ExpireAt(at)
			w.add(&tw)
			known[k] = at
		case n != 0 && rnd.IntN(3) > 0:
			s.forget(n)
			delete(known, k)
		case n != 0:
			w.record(n).ExpireAt(at)
			w.requeue(n)
			known[k] = at
		}
		if step%1000 == 0 {
			wantChains(t, &w.chains, len(known))
			if pieces := (len(known) + waitPiece - 1) / waitPiece; len(w.records) != pieces || len(w.turns)+inLineOf(t, w) != len(known) {
				t.Fatalf("%d pieces, %d turns and %d in line for %d", len(w.records), len(w.turns), inLineOf(t, w), len(known))
			}
		}
	}
	wantInOrder(t, s, known)
}

// inLineOf counts who stands in line, and sees to it that who is before and after each are right.
func inLineOf(t *testing.T, w *waits) (count int) {
	t.Helper()
	before := uint32(0)
	for n := w.head; n != 0; n = w.record(n).after {
		tw := w.record(n)
		if tw.turn != inLine || tw.before != before || before != 0 && w.record(before).Expires() > tw.Expires() {
			t.Fatalf("number %d has %d before it, want %d, which ends no later", n, tw.before, before)
		}
		before = n
		count++
	}
	if w.tail != before {
		t.Fatalf("the last in line is %d, want %d", w.tail, before)
	}
	return count
}

func wantInOrder(t *testing.T, s *Stack, known map[bothEnds]clock.Time) {
	t.Helper()
	w := &s.waits
	for last := clock.Time(0); len(known) > 0; {
		n, at := w.soonest(), w.next()
		local, remote := s.endsOf(w.record(n))
		if at < last || known[bothEnds{local, remote}] != at {
			t.Fatalf("%v to %v ends at %v, after %v", local, remote, at, last)
		}
		last = at
		s.forget(n)
		delete(known, bothEnds{local, remote})
	}
	if w.next() != clock.Never || w.head != 0 || w.tail != 0 || len(w.records) != 0 || cap(w.turns) > 5*waitPiece {
		t.Errorf("after all have ended: %v, %d pieces, room for %d", w.next(), len(w.records), cap(w.turns))
	}
}

// How large things are of which there can be a million. Go's allocator has size
// classes of 160 and 176 octets.
func TestWhatThereAreManyOfIsSmall(t *testing.T) {
	for _, x := range []struct {
		name      string
		size, max uintptr
	}{
		{"an endpoint", unsafe.Sizeof(TCP{}), 160},
		{"what is left in TIME-WAIT", unsafe.Sizeof(timeWait{}), 120},
		{"a port of one user", unsafe.Sizeof(use{}), 12},
	} {
		if x.size > x.max {
			t.Errorf("%s takes %d octets, want at most %d", x.name, x.size, x.max)
		}
	}
}

// Endpoints with the same settings share them, and a change is of one alone.
func TestSettingsAreShared(t *testing.T) {
	m := newHost(t)
	a, b := m.NewTCP(), m.NewTCP()
	a.Set(func(set *Settings) { set.Params.NoDelay = true })
	if a.settings == b.settings || b.Settings().Params.NoDelay || !a.Settings().Params.NoDelay {
		t.Error("a change is of more than one endpoint")
	}
	b.Set(func(set *Settings) { set.Params.NoDelay = true })
	if a.settings != b.settings {
		t.Error("the same settings are there twice")
	}
	for i := range 10 * manySettings {
		a.Set(func(set *Settings) { set.Params.UserTimeout = clock.Duration(i) })
	}
	if n := len(m.settings); n > manySettings {
		t.Errorf("%d settings are remembered, want at most %d", n, manySettings)
	}
	if !b.Settings().Params.NoDelay {
		t.Error("what was forgotten isn't there any more")
	}
}

// Connections that take the same path share it.
func TestPathsAreShared(t *testing.T) {
	m := newHost(t)
	first, second := m.connects(peer+":80"), m.connects(peer+":81")
	if first.path != second.path {
		t.Error("two connections to one host have different paths")
	}
	for i := range 2 * manyPaths {
		v, err := m.pathTo(netip.AddrFrom4([4]byte{10, 9, byte(i >> 8), byte(i)}), netip.Addr{})
		if err == nil {
			m.sharePath(&v)
		}
	}
	if n := len(m.paths); n > manyPaths {
		t.Errorf("%d paths are remembered, want at most %d", n, manyPaths)
	}
}

// However many bindings come and go, the port table has those that are there.
func TestThePortTableForgetsNothingAndKeepsNothing(t *testing.T) {
	var table portTable
	cfg := DefaultConfig()
	table.init(&cfg)
	rnd := rand.New(rand.NewPCG(5, 6))
	type held struct {
		port uint16
		id   bindingID
		b    binding
	}
	var all []held
	for step := range 20_000 {
		if grows := step < 10_000; grows && rnd.IntN(3) > 0 || len(all) == 0 {
			local, _ := randomEnds(rnd)
			b := binding{addr: local.Addr(), ephemeral: rnd.IntN(2) == 0, reuseAddr: rnd.IntN(2) == 0}
			all = append(all, held{local.Port(), table.add(local.Port(), b), b})
		} else {
			i := rnd.IntN(len(all))
			table.remove(all[i].port, all[i].id)
			all[i] = all[len(all)-1]
			all = all[:len(all)-1]
		}
		if step%500 != 0 {
			continue
		}
		want, got := make(map[string]int), make(map[string]int)
		for _, h := range all {
			want[fmt.Sprint(h.port, h.b)]++
		}
		for port, n := range table.ports {
			for ; n != 0; n = table.uses[n].next {
				got[fmt.Sprint(port, table.binding(table.uses[n].kind))] += int(table.uses[n].count)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("step %d: %v, want %v", step, got, want)
		}
	}
	for _, h := range all {
		table.remove(h.port, h.id)
	}
	if len(table.ports) != 0 || len(table.known) != 0 {
		t.Errorf("%d ports and %d kinds of bindings remain", len(table.ports), len(table.known))
	}
}
