package wire_test

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"hubbub/wire"
)

// RFC 3376, 7.1: "IGMPv1 Query: length = 8 octets AND Max Resp Code field is
// zero; IGMPv2 Query: length = 8 octets AND Max Resp Code field is non-zero;
// IGMPv3 Query: length >= 12 octets".
func TestGroupQuery(t *testing.T) {
	group := netip.MustParseAddr("239.1.2.3")
	for _, c := range []struct {
		q   wire.GroupQuery
		hex string
	}{
		{wire.GroupQuery{Version: 1, Group: netip.IPv4Unspecified()}, "1100 eeff 00000000"},
		{wire.GroupQuery{Version: 2, Group: group, MaxResponse: time.Second}, "110a fdf0 ef010203"},
		{
			wire.GroupQuery{
				Version: 3, Group: group, MaxResponse: 10 * time.Second, Suppress: true, Robustness: 2,
				Interval: 125 * time.Second, Sources: fromHex("0a000001 0a000002"),
			},
			"1164 df14 ef010203 0a7d 0002 0a000001 0a000002",
		},
	} {
		m, payload := c.q.Message(nil)
		b := m.AppendTo(nil, payload)
		wantBytes(t, "query", b, c.hex)
		read, rest, err := wire.ParseIGMP(b)
		want(t, "error", err, nil)
		got, err := wire.ParseGroupQuery(&read, rest)
		want(t, "error", err, nil)
		wantBytes(t, "sources", got.Sources, hexOf(c.q.Sources...))
		got.Sources, c.q.Sources = nil, nil
		want(t, "query", got.Version, c.q.Version)
		want(t, "group", got.Group, c.q.Group)
		want(t, "delay", got.MaxResponse, c.q.MaxResponse)
		want(t, "interval", got.Interval, c.q.Interval)
		want(t, "robustness and suppression", [2]any{got.Robustness, got.Suppress}, [2]any{c.q.Robustness, c.q.Suppress})
	}
}

// RFC 3376, 7.1: "Query messages that do not match any of the above conditions
// (e.g., a Query of length 10 octets) MUST be silently ignored."
func TestMalformedIGMPIsRefused(t *testing.T) {
	q := wire.GroupQuery{Version: 3, Group: netip.IPv4Unspecified(), Sources: fromHex("0a000001")}
	m, payload := q.Message(nil)
	for n := 1; n < len(payload); n++ {
		_, err := wire.ParseGroupQuery(&m, payload[:n])
		want(t, "cut off", errors.Is(err, wire.ErrShort), true)
	}
	b := m.AppendTo(nil, payload)
	_, _, err := wire.ParseIGMP(b[:7])
	want(t, "cut off", errors.Is(err, wire.ErrShort), true)
	b[9]++
	_, _, err = wire.ParseIGMP(b)
	want(t, "checksum", errors.Is(err, wire.ErrChecksum), true)
}

// RFC 3376, 4.1.1 and 4.1.7: codes of 128 and more have a mantissa and an
// exponent: "Max Resp Time = (mant | 0x10) << (exp + 3)".
func TestCodesOfIGMP(t *testing.T) {
	for _, c := range []struct {
		delay time.Duration
		code  uint8
		read  time.Duration
	}{
		{12700 * time.Millisecond, 127, 12700 * time.Millisecond},
		{12800 * time.Millisecond, 0x80, 12800 * time.Millisecond},
		{13000 * time.Millisecond, 0x80, 12800 * time.Millisecond},
		{time.Hour, 0xff, 3174400 * time.Millisecond},
	} {
		q := wire.GroupQuery{Version: 3, Group: netip.IPv4Unspecified(), MaxResponse: c.delay}
		m, payload := q.Message(nil)
		want(t, "code", m.Code, c.code)
		got, _ := wire.ParseGroupQuery(&m, payload)
		want(t, "delay", got.MaxResponse, c.read)
	}
	q := wire.GroupQuery{Version: 2, Group: netip.IPv4Unspecified(), MaxResponse: time.Hour}
	m, _ := q.Message(nil)
	want(t, "the full range of version 2 is linear", m.Code, 255)
}

func TestGroupReport(t *testing.T) {
	group := netip.MustParseAddr("239.1.2.3")
	m, payload := wire.GroupReport(nil,
		wire.ListenerRecord{Type: wire.ChangeToExclude, Group: group},
		wire.ListenerRecord{Type: wire.AllowSources, Group: group, Sources: fromHex("0a000001")})
	wantBytes(t, "report", m.AppendTo(nil, payload), "2200 e8f1 00000002 0400 0000 ef010203 0500 0001 ef010203 0a000001")
	want(t, "records", m.Records(), 2)
	first, rest, err := wire.NextGroupRecord(payload)
	want(t, "error", err, nil)
	want(t, "type and group", [2]any{first.Type, first.Group}, [2]any{wire.ChangeToExclude, group})
	for n := range rest {
		_, _, err := wire.NextGroupRecord(rest[:n])
		want(t, "cut off", errors.Is(err, wire.ErrShort), true)
	}
	second, rest, err := wire.NextGroupRecord(rest)
	want(t, "error", err, nil)
	want(t, "type", second.Type, wire.AllowSources)
	wantBytes(t, "sources", second.Sources, "0a000001")
	want(t, "rest", len(rest), 0)
	// RFC 3376, 4.2.10: "the auxiliary data [...] MUST be ignored".
	aux, rest, err := wire.NextGroupRecord(fromHex("0101 0000 ef010203 ffffffff 02"))
	want(t, "error", err, nil)
	want(t, "type", aux.Type, wire.ModeIsInclude)
	wantBytes(t, "rest", rest, "02")
}

func TestIGMPTypesHaveNames(t *testing.T) {
	for typ, name := range map[wire.IGMPType]string{
		wire.MembershipQuery: "membership query", wire.MembershipReportV1: "membership report v1",
		wire.MembershipReportV2: "membership report v2", wire.LeaveGroup: "leave group",
		wire.MembershipReportV3: "membership report v3", 9: "IGMP type 9",
	} {
		want(t, "name", typ.String(), name)
	}
	want(t, "protocol", wire.ProtocolIGMP.String(), "IGMP")
	option := wire.FindIPv4Option(wire.RouterAlertIPv4, wire.OptionRouterAlert)
	wantBytes(t, "router alert (RFC 2113, 2.1)", option, "94040000")
}

func TestIGMPAllocatesNothing(t *testing.T) {
	q := wire.GroupQuery{Version: 3, Group: netip.MustParseAddr("239.1.2.3"), Sources: fromHex("0a000001")}
	m, payload := q.Message(nil)
	b := m.AppendTo(nil, payload)
	if n := testing.AllocsPerRun(100, func() {
		m, rest, _ := wire.ParseIGMP(b)
		wire.ParseGroupQuery(&m, rest)
		wire.NextGroupRecord(rest)
		b = m.AppendTo(b[:0], rest)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzIGMP(f *testing.F) {
	f.Add(fromHex("1164 df14 ef010203 0a7d 0002 0a000001 0a000002"))
	f.Add(fromHex("2200 e8f1 00000002 0400 0000 ef010203 0500 0001 ef010203 0a000001"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, rest, err := wire.ParseIGMP(b)
		if err != nil {
			return
		}
		if q, err := wire.ParseGroupQuery(&m, rest); err == nil && m.Type == wire.MembershipQuery {
			m2, again := q.Message(nil)
			r, err := wire.ParseGroupQuery(&m2, again)
			if err != nil || r.MaxResponse != q.MaxResponse || r.Group != q.Group || r.Interval != q.Interval {
				t.Errorf("%+v became %+v: %v", q, r, err)
			}
		}
		for err := error(nil); err == nil && len(rest) > 0; {
			_, rest, err = wire.NextGroupRecord(rest)
		}
	})
}
