package suggest

import "testing"

func TestDistance(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"", "abc", 3},
		{"abc", "", 3},
		{"abc", "abc", 0},
		{"kitten", "sitting", 3},
		{"adress", "address", 1},
		{"pnig", "ping", 1},
		{"ab", "ba", 1},
		{"飞哥", "飞鸽", 1},
	} {
		if got := distance(test.a, test.b); got != test.want {
			t.Errorf("distance(%q, %q) = %d, want %d", test.a, test.b, got, test.want)
		}
	}
}

func TestNearest(t *testing.T) {
	known := []string{"net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_sack"}
	for word, want := range map[string]string{
		"net.ipv4.tcp_fintimeout": known[0],
		"net.ipv4.tcp-sack":       known[1],
		"":                        "",
		"something else entirely": "",
	} {
		if got := Nearest(word, known); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}
