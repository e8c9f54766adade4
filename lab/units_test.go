package lab

import (
	"testing"
	"time"
)

func TestUnits(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0s": 0, "10ms": 10 * time.Millisecond, "1.5s": 1500 * time.Millisecond, "2h11m": 131 * time.Minute, "5us": 5 * time.Microsecond,
	} {
		if got, err := parseDuration(text); got != want || err != nil {
			t.Errorf("parseDuration(%q) = %v, %v", text, got, err)
		}
	}
	for text, want := range map[string]int64{
		"1bit/s": 1, "56kbit/s": 56_000, "100Mbit/s": 100_000_000, "2.5Gbit/s": 2_500_000_000, "10 Mbit/s": 10_000_000,
	} {
		if got, err := parseRate(text); got != want || err != nil {
			t.Errorf("parseRate(%q) = %v, %v", text, got, err)
		}
	}
	for text, want := range map[string]float64{"0%": 0, "5%": 0.05, "0.5 %": 0.005, "100%": 1} {
		if got, err := parsePercent(text); got != want || err != nil {
			t.Errorf("parsePercent(%q) = %v, %v", text, got, err)
		}
	}
	for text, want := range map[string]int64{"0": 0, "1500": 1500, "1.5kB": 1500, "1KiB": 1024, "2MiB": 2 << 20} {
		if got, err := parseSize(text); got != want || err != nil {
			t.Errorf("parseSize(%q) = %v, %v", text, got, err)
		}
	}
}

func TestBadUnits(t *testing.T) {
	for _, text := range []string{"", "0", "5", "-1s", "ten", "1000000h", "1x", "9999999999999h"} {
		if d, err := parseDuration(text); err == nil {
			t.Errorf("parseDuration(%q) = %v", text, d)
		}
	}
	for _, text := range []string{"", "100", "0bit/s", "100MB/s", "-1Mbit/s", "99999999Gbit/s", "..Mbit/s"} {
		if r, err := parseRate(text); err == nil {
			t.Errorf("parseRate(%q) = %v", text, r)
		}
	}
	for _, text := range []string{"", "5", "101%", "-1%", "x%", "NaN%"} {
		if p, err := parsePercent(text); err == nil {
			t.Errorf("parsePercent(%q) = %v", text, p)
		}
	}
	for _, text := range []string{"", "1.5", "1XB", "-1", "2000000GB"} {
		if n, err := parseSize(text); err == nil {
			t.Errorf("parseSize(%q) = %v", text, n)
		}
	}
}

func TestWords(t *testing.T) {
	words := splitWords(`  send "hello \"you\"\n"  to 飞哥:80 ""`)
	want := []word{{"send", 2, false}, {"hello \"you\"\n", 7, true}, {"to", 26, false}, {"飞哥:80", 29, false}, {"", 35, true}}
	if len(words) != len(want) {
		t.Fatalf("%+v", words)
	}
	for i := range want {
		if words[i] != want[i] {
			t.Errorf("%+v, want %+v", words[i], want[i])
		}
	}
}

func TestDidYouMean(t *testing.T) {
	for _, test := range []struct {
		word  string
		known []string
		want  string
	}{
		{"x", nil, "there are none"},
		{"x", []string{"nick"}, "there is only nick"},
		{"nik", []string{"nick", "wang"}, "did you mean nick?"},
		{"TIME_WAIT", []string{"LAST-ACK", "TIME-WAIT"}, "did you mean TIME-WAIT?"},
		{"feige", []string{"nick", "wang", "li"}, "it can be nick, wang or li"},
	} {
		if got := didYouMean(test.word, test.known); got != test.want {
			t.Errorf("didYouMean(%q) = %q, want %q", test.word, got, test.want)
		}
	}
}
