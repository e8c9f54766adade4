package capture

import (
	"slices"
	"testing"
	"time"

	"hubbub/clock"
)

// hopOf is how much later a step of a fuzzed stream happens.
func hopOf(step byte) clock.Time { return clock.Time(step>>6) * clock.Time(hop) }

func TestTextWidth(t *testing.T) {
	for text, want := range map[string]int{
		"": 0, "nick": 4, "尼克": 4, "é": 1, "e\u0301": 1, "한국": 4, "ａ": 2, "→": 1, "\x1b[31mred\x1b[m": 3, "👋": 2,
	} {
		if got := textWidth(text); got != want {
			t.Errorf("%q takes %d columns, want %d", text, got, want)
		}
	}
}

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		text string
		n    int
		want []string
	}{
		{"", 10, []string{""}},
		{"one two three", 20, []string{"one two three"}},
		{"one two three", 8, []string{"one two", "three"}},
		{"abcdefghijkl", 8, []string{"abcdefgh", "ijkl"}},
		{"尼克喊飞哥听得见", 8, []string{"尼克喊飞", "哥听得见"}},
	} {
		if got := wrap(c.text, c.n); !slices.Equal(got, c.want) {
			t.Errorf("%q in %d columns is %q, want %q", c.text, c.n, got, c.want)
		}
	}
}

func TestSnippet(t *testing.T) {
	for _, c := range []struct {
		text string
		n    int
		want string
	}{
		{"", 10, ""},
		{"hello", 10, `"hello"`},
		{"hello world", 10, `"hello w..."`},
		{"a\r\nb", 10, `"a\r\nb"`},
		{"\x00\x01", 10, ""},
		{"\xff\xfe", 10, ""},
		{"你好世界你好", 8, `"你好..."`},
	} {
		if got := snippet([]byte(c.text), c.n); got != c.want {
			t.Errorf("%q in %d columns is %s, want %s", c.text, c.n, got, c.want)
		}
	}
}

func TestSpanText(t *testing.T) {
	for d, want := range map[time.Duration]string{
		7200 * time.Nanosecond:                "7.2 µs",
		999_600 * time.Nanosecond:             "1 ms",
		676_186 * time.Microsecond:            "676 ms",
		999_773 * time.Microsecond:            "1 s",
		time.Second + 600*time.Millisecond:    "1.6 s",
		59*time.Second + 990*time.Millisecond: "1 min 0 s",
		75 * time.Second:                      "1 min 15 s",
		2*time.Hour + 11*time.Minute:          "2 h 11 min",
	} {
		if got := spanText(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}
