package addrselect

import (
	"net/netip"
	"strings"
	"testing"
)

// The interfaces of the machine that the tests are about: all examples of the
// RFC have one.
const eth0, eth1 = 1, 2

// sources reads addresses of the machine, each with what is special about it
// behind it: "2001:db8::1 deprecated". A prefix is 64 bits long, 24 with IPv4.
func sources(list ...string) []Source {
	all := make([]Source, 0, len(list))
	for _, text := range list {
		all = append(all, source(text))
	}
	return all
}

func source(text string) Source {
	words := strings.Fields(text)
	addr := netip.MustParseAddr(words[0])
	s := Source{Prefix: netip.PrefixFrom(addr, 64), Interface: eth0}
	if addr.Is4() {
		s.Prefix = netip.PrefixFrom(addr, 24)
	}
	for _, word := range words[1:] {
		switch word {
		case "deprecated":
			s.Deprecated = true
		case "temporary":
			s.Temporary = true
		case "home":
			s.Home = true
		case "care-of":
			s.CareOf = true
		case "eth1":
			s.Interface = eth1
		default:
			s.Routers = append(s.Routers, netip.MustParseAddr(word))
		}
	}
	return s
}

// policy is the default one with other rows.
func policy(t *testing.T, rows ...Row) *Table {
	t.Helper()
	table := New()
	for _, r := range rows {
		if err := table.Set(r); err != nil {
			t.Fatal(err)
		}
	}
	return table
}

func row(prefix string, precedence, label int) Row {
	return Row{netip.MustParsePrefix(prefix), precedence, label}
}

// wantSource checks what a packet is sent from, and by which rule.
func wantSource(t *testing.T, table *Table, to Target, candidates []Source, want string, because Rule) {
	t.Helper()
	i, why := table.Source(&to, candidates)
	if got := addressOf(candidates, i); got != want || why != because {
		t.Errorf("to %v from %v: %s, for %q; want %s, for %q", to.Addr, candidates, got, why, want, because)
	}
}

func addressOf(candidates []Source, i int) string {
	if i < 0 {
		return "none"
	}
	return candidates[i].Prefix.Addr().String()
}

// wantOrder sorts two destinations, whose sources are chosen among the
// candidates, in both orders, and checks the result, "destination source" each,
// and the rule.
func wantOrder(t *testing.T, table *Table, candidates []Source, first, second string, because Rule) {
	t.Helper()
	dst := func(text string) Destination { return destination(table, candidates, strings.Fields(text)[0]) }
	for _, list := range [][]Destination{{dst(first), dst(second)}, {dst(second), dst(first)}} {
		_, why := table.Compare(&list[0], &list[1])
		table.Sort(list)
		if tell(&list[0]) != first || tell(&list[1]) != second || why != because {
			t.Errorf("%s before %s, for %q; want %s before %s, for %q",
				tell(&list[0]), tell(&list[1]), why, first, second, because)
		}
	}
}

func destination(table *Table, candidates []Source, text string) Destination {
	d := Destination{Addr: netip.MustParseAddr(text)}
	if i, _ := table.Source(&Target{Addr: d.Addr, Interface: eth0}, candidates); i >= 0 {
		d.Source = candidates[i]
	}
	return d
}

func tell(d *Destination) string {
	from := "none"
	if d.Source.Prefix.IsValid() {
		from = d.Source.Prefix.Addr().String()
	}
	return d.Addr.String() + " " + from
}
