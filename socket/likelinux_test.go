package socket_test

import (
	"strings"
	"testing"
)

// pairUp is both ends of a connection: C asked, S was accepted from L.
const pairUp = "tcp L; bind L; listen L 5; tcp C; connect C L; accept S L; poll C; poll S;"

// "each compared with the kernel": what every call says in every state, and
// what poll(2) sees.
func TestCallsInEveryState(t *testing.T) {
	probe := `poll X; recv X 10; send X hi; recv X 10 1; send X u 1; shutdown X 0; poll X; shutdown X 1; poll X; shutdown X 2;
		poll X; recv X 5; send X a; listen X 1; accept Y X; get X 1 4 4; poll X`
	for name, begin := range map[string]string{
		"new":            "tcp L; bind L; listen L 5; tcp X;",
		"bound":          "tcp L; bind L; listen L 5; tcp X; bind X;",
		"listening":      "tcp L; bind L; listen L 5; tcp X; bind X; listen X 5;",
		"refused":        "tcp L; bind L; tcp X; connect X L;",
		"established":    pairUp,
		"peer closed":    pairUp + "shutdown C 1;",
		"we closed":      pairUp + "shutdown S 1;",
		"both closed":    pairUp + "shutdown C 1; shutdown S 1;",
		"peer gone":      pairUp + "close C;",
		"reset":          pairUp + "send S data; close C;",
		"data, closed":   pairUp + "send C data; shutdown C 1;",
		"data, gone":     pairUp + "send C data; close C;",
		"linger 0":       pairUp + "setbytes C 1 13 0100000000000000; close C;",
		"reset by data":  pairUp + "close C; send S a; poll S;",
		"read shut":      pairUp + "shutdown S 0; send C data;",
		"both shut":      pairUp + "shutdown S 2; send C data; poll C;",
		"unread, closed": pairUp + "send C data; shutdown S 1; poll S; ioctl S 0x541b;",
	} {
		who := "S"
		if strings.Contains(begin, "tcp X") {
			who = "X"
		}
		for i, p := range []string{
			probe,
			"send X hi; poll X; send X hi; poll X; recv X 10; recv X 10; poll X; get X 1 4 4; get X 1 4 4; poll X; close X",
			"recv X 10 2; recv X 2 2; recv X 10 0x20; recv X 10; recv X 10; get X 1 4 4; send X hi; poll X",
			"get X 1 4 4; poll X; recv X 5; send X hi; ioctl X 0x541b; ioctl X 0x8905; ioctl X 0x1234",
			"connect X L; poll X; connect X L; poll X; send X hi; recv X 5; listen X 1; accept Y X",
			"shutdown X 1; send X hi; poll X; shutdown X 1; recv X 10; shutdown X 0; recv X 10; poll X; shutdown X 7",
			"shutdown X 2; poll X; recv X 10; send X hi; shutdown X 2; get X 1 4 4; poll X",
		} {
			sameAsKernel(t, name+"/"+string(rune('a'+i)), begin+strings.ReplaceAll(p, "X", who))
		}
	}
}

// Flags of recv(2) and send(2), and urgent data, as on Linux.
func TestFlagsLikeLinux(t *testing.T) {
	for name, script := range map[string]string{
		"peek":        "send C hello; recv S 3 2; recv S 10 2; recv S 2; recv S 10 2; recv S 10 0x102; recv S 10; recv S 10 2",
		"truncate":    "send C hello; recv S 3 0x20; recv S 10; send C hello; recv S 3 0x22; recv S 10 0x120",
		"urgent":      "send C abc; send C X 1; send C de; poll S; ioctl S 0x8905; recv S 1 1; poll S; recv S 1 1; recv S 10; ioctl S 0x8905; poll S; recv S 10; poll S",
		"urgent peek": "send C X 1; recv S 1 3; recv S 1 3; recv S 0 3; recv S 1 1; recv S 1 3; recv S 10; poll S; ioctl S 0x541b",
		"urgent late": "recv S 1 1; send C ab 1; ioctl S 0x541b; poll S; recv S 10; ioctl S 0x541b; ioctl S 0x8905; send C cd 1; recv S 10; recv S 1 1; recv S 10",
		"in line":     "set S 1 10 1; send C ab; send C X 1; poll S; recv S 1 1; recv S 10; ioctl S 0x8905; recv S 10; poll S",
		"errqueue":    "send C hello; recv S 10 0x2000; recv S 10",
		"nothing":     "recv S 0; send C -; send C x; recv S 0; recv S 1",
		"queues":      "send C hello; ioctl S 0x541b; ioctl C 0x5411; ioctl C 0x894b; recv S 2; ioctl S 0x541b; shutdown C 1; ioctl S 0x541b; ioctl C 0x5411",
		"low water":   "set S 1 18 4; send C abc; poll S; recv S 10 2; send C d; poll S; get S 1 18 4; recv S 10; poll S; shutdown C 1; poll S",
		"full":        "set C 1 7 8192; set S 1 8 16384; fill C; poll C; drain S; poll C",
	} {
		sameAsKernel(t, name, pairUp+script)
	}
}

// Datagram sockets, as on Linux.
func TestDatagramsLikeLinux(t *testing.T) {
	for name, script := range map[string]string{
		"bare":        "udp A; poll A; send A x; recv A 5; shutdown A 0; shutdown A 2; listen A 1; get A 1 4 4; poll A",
		"connected":   "udp A; bind A; udp B; connect B A; send B hello; poll A; ioctl A 0x541b; recv A 3; poll A; recv A 10; shutdown A 0; poll A",
		"truncate":    "udp A; bind A; udp B; sendto B hello A; sendto B world A; recv A 2 0x20; recv A 2 0x22; recv A 10 2; recv A 10",
		"refused":     "udp A; bind A; udp B; connect B A; close A; udp A; send B x; poll B; send B y; poll B; send B z; recv B 5; get B 1 4 4",
		"shut":        "udp A; bind A; udp B; connect B A; shutdown B 1; send B x; poll B; shutdown B 0; poll B; recv B 5; shutdown B 2",
		"shut reader": "udp A; bind A; udp B; connect B A; bind B; connect A B; send B x; shutdown A 0; poll A; recv A 5; recv A 5",
	} {
		sameAsKernel(t, name, script)
	}
}

// Options: their sizes, bounds, errors on each kind of socket.
func TestOptionsLikeLinux(t *testing.T) {
	for name, script := range map[string]string{
		"maxseg":    "tcp A; set A 6 2 87; set A 6 2 88; set A 6 2 32767; set A 6 2 32768; set A 6 2 0; get A 6 2 4",
		"keepalive": "tcp A; set A 6 4 0; set A 6 4 32767; set A 6 4 32768; get A 6 4 4; set A 6 5 32768; set A 6 6 127; set A 6 6 128; get A 6 6 2; get A 6 5 8",
		"user":      "tcp A; set A 6 18 -1; set A 6 18 5000; get A 6 18 4",
		"holding":   "tcp A; get A 6 3 4; set A 6 3 7; get A 6 3 4; get A 6 12 4; set A 6 12 0; get A 6 8 4; set A 6 8 5; get A 6 8 4; set A 6 8 121; get A 6 8 4; set A 6 8 -5; get A 6 8 4; set A 6 8 0; get A 6 8 4",
		"algorithm": "tcp A; setbytes A 6 13 72656e6f; get A 6 13 16; get A 6 13 3; setbytes A 6 13 72656e6f00ff; get A 6 13 99; setbytes A 6 13 7878; setbytes A 6 13 -; " + pairUp + "setbytes S 6 13 72656e6f; get S 6 13 5",
		"sizes":     "tcp A; setbytes A 6 1 0100; setbytes A 6 1 -; setbytes A 1 9 01; get A 6 1 0; get A 6 1 3; get A 1 3 2; get A 1 3 -1; setbytes A 0 1 10; get A 0 1 1; get A 0 1 4; get A 0 1 2",
		"linger":    "tcp A; get A 1 13 8; setbytes A 1 13 0100000005000000; get A 1 13 8; setbytes A 1 13 01000000; setbytes A 1 13 0000000005000000; get A 1 13 4",
		"timeouts":  "tcp A; get A 1 20 16; setbytes A 1 20 0100000000000000a086010000000000; get A 1 20 16; setbytes A 1 21 010000000000000040420f0000000000; setbytes A 1 20 0100000000000000",
		"unknown":   "tcp A; set A 1 9999 1; get A 1 9999 4; set A 6 9999 1; get A 6 9999 4; set A 0 999 1; get A 0 999 4; set A 77 1 1; get A 77 1 4",
		"udp":       "udp A; set A 6 1 1; get A 6 1 4; set A 17 999 1; get A 17 999 4; get A 1 9 4; set A 1 9 1; get A 1 9 4; get A 1 13 8; set A 1 10 1; get A 1 10 4; get A 1 30 4; get A 1 38 4",
		"reading":   "tcp A; set A 1 3 1; set A 1 4 1; set A 1 30 1; set A 1 38 1; set A 1 39 1; get A 1 39 4; get A 1 38 4; set A 1 19 1; get A 1 19 4; get A 0 14 4; set A 0 14 1",
		"ip":        "tcp A; set A 0 2 0; set A 0 2 256; set A 0 2 -1; get A 0 2 4; set A 0 1 255; get A 0 1 4; set A 0 10 6; set A 0 10 -1; get A 0 10 4; set A 0 10 3; get A 0 10 4; get A 0 4 40",
		"accept":    pairUp + "get S 1 30 4; get L 1 30 4; get C 1 30 4; get S 0 14 4; set S 0 13 1; get S 0 13 4",
		"inherited": "tcp L; set L 6 1 1; set L 1 9 1; set L 6 4 77; set L 6 18 500; setbytes L 1 13 0100000005000000; set L 1 10 1; set L 1 18 5; bind L; listen L 5; tcp C; connect C L; accept S L; get S 6 1 4; get S 1 9 4; get S 6 4 4; get S 6 18 4; get S 1 13 8; get S 1 10 4; get S 1 18 4",
	} {
		sameAsKernel(t, name, script)
	}
}

// epoll(7): level and edge, one shot, exclusive, as on Linux.
func TestEpollLikeLinux(t *testing.T) {
	const in, out, rdhup, et, once, share = "1", "4", "0x2001", "0x80000005", "0x40000001", "0x10000001"
	for name, script := range map[string]string{
		"errors":    "epoll E; add E S " + in + "; add E S 1; mod E C 1; del E C; del E S; del E S; mod E S 1; add E S 0x10002001; add E S " + share + "; mod E S 1",
		"level":     "epoll E; add E S " + in + "; wait E; send C hi; wait E; wait E; recv S 10; wait E; add E C " + out + "; wait E; wait E",
		"order":     "epoll E; add E S 1; add E C 1; add E L 1; send C a; send S b; wait E; wait E; recv S 5; wait E; tcp D; connect D L; wait E; wait E; accept F L; wait E",
		"edge":      "epoll E; add E S " + et + "; wait E; wait E; send C hi; wait E; wait E; send C more; wait E; wait E; recv S 1; wait E; send C x; wait E; recv S 100; wait E; shutdown C 1; wait E; wait E",
		"edge out":  "set C 1 7 8192; set S 1 8 8192; epoll E; add E C 0x80000004; wait E; wait E; fill C; wait E; drain S; settle; drain S; settle; wait E; wait E",
		"edge mod":  "epoll E; add E S " + et + "; send C hi; wait E; wait E; mod E S " + et + "; wait E; wait E",
		"oneshot":   "epoll E; add E S " + once + "; send C a; wait E; wait E; send C b; wait E; mod E S " + once + "; wait E; close C; wait E; mod E S " + once + "; wait E",
		"hangup":    "epoll E; add E S " + rdhup + "; shutdown C 1; wait E; shutdown S 1; wait E; recv S 5; wait E",
		"nothing":   "epoll E; add E S 0; wait E; send S data; close C; wait E; wait E",
		"reset":     "epoll E; add E S 0x80002005; wait E; send S data; wait E; close C; wait E; wait E; recv S 5; wait E",
		"closing":   "epoll E; add E S 1; send C a; close S; wait E; add E S 1",
		"connect":   "epoll E; tcp D; add E D 0x80000005; wait E; connect D L; wait E; wait E; accept F L; send F x; wait E",
		"refused":   "epoll E; tcp G; bind G; tcp D; connect D G; add E D 5; wait E; get D 1 4 4; wait E",
		"listener":  "epoll E; add E L 0x80000001; tcp D; connect D L; wait E; wait E; tcp F; connect F L; wait E; wait E; accept G L; wait E",
		"two":       "epoll E; epoll F; add E S 1; add F S 1; send C a; wait E; wait F; recv S 4; wait E; wait F",
		"exclusive": "epoll E; epoll F; add E S " + share + "; add F S " + share + "; send C a; wait E; wait F; recv S 4; wait E; wait F",
		"delete":    "epoll E; add E S 1; send C a; del E S; wait E; add E S 1; wait E",
		"udp":       "epoll E; udp A; bind A; udp B; add E A 0x80000001; wait E; sendto B x A; wait E; wait E; sendto B y A; wait E; recv A 5; wait E; wait E",
		"low water": "set S 1 18 4; epoll E; add E S 0x80000001; send C ab; wait E; send C cd; wait E; wait E",
	} {
		sameAsKernel(t, name, pairUp+script)
	}
}
