package hubbub_test

import (
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"hubbub"
	"hubbub/internal/need"
	"hubbub/stack"
)

// gathering is a virtual network with so many connections, one after the other,
// through each of which a byte goes both ways.
type gathering struct {
	t            *testing.T
	n            *hubbub.Network
	feige, nick  *hubbub.Host
	server       net.Listener
	here, there  []net.Conn
	endsAtServer bool // each is closed at once, at the server first
}

func gather(t *testing.T, count int, ends bool) *gathering {
	g := &gathering{t: t, endsAtServer: ends, here: make([]net.Conn, 0, count), there: make([]net.Conn, 0, count)}
	g.n, g.feige, g.nick = classroom(hubbub.Virtual(), hubbub.Config(func(c *stack.Config) { c.TCP.MSL = time.Hour }))
	g.n.Go("feige", func() { g.server, _ = g.feige.Listen("tcp", ":8080") })
	g.drive()
	return g
}

func (g *gathering) drive() {
	g.t.Helper()
	if err := g.n.RunFor(2 * time.Second); err != nil {
		g.t.Fatal(err)
	}
}

// meet opens so many connections, and lets the network rest.
func (g *gathering) meet(count int) {
	g.n.Go("feige", func() {
		for range count {
			c, err := g.server.Accept()
			if err != nil {
				g.t.Error(err)
				return
			}
			g.say(c)
			if g.endsAtServer {
				c.Close()
			} else {
				g.there = append(g.there, c)
			}
		}
	})
	g.n.Go("nick", func() {
		for range count {
			c, err := g.nick.Dial("tcp", "feige:8080")
			if err != nil {
				g.t.Error(err)
				return
			}
			g.say(c)
			if g.endsAtServer {
				io.Copy(io.Discard, onlyReader{c})
				c.Close()
			} else {
				g.here = append(g.here, c)
			}
		}
	})
	g.drive()
}

// say sends a byte and waits for one.
func (g *gathering) say(c net.Conn) {
	b := [1]byte{7}
	if _, err := c.Write(b[:]); err != nil {
		g.t.Error(err)
	}
	if _, err := io.ReadFull(c, b[:]); err != nil || b[0] != 7 {
		g.t.Errorf("got %v, %v", b, err)
	}
}

// costs returns by how many bytes the heap grows for each connection, and checks
// that none has a goroutine.
func (g *gathering) costs(count int) float64 {
	g.meet(count / 10) // what is needed once
	goroutines, before := runtime.NumGoroutine(), heap()
	g.meet(count)
	after := heap()
	if n := runtime.NumGoroutine(); n > goroutines+10 {
		g.t.Errorf("%d goroutines were added by %d connections", n-goroutines, count)
	}
	runtime.KeepAlive(g)
	return (float64(after) - float64(before)) / float64(count)
}

// A million pairs of connections at rest are to fit into 2 GB, with what Go's
// allocator and collector take besides: both ends of one take no more than this.
func TestIdleConnectionsTakeLittle(t *testing.T) {
	need.NoRace(t)
	const count, most = 3000, 1700
	g := gather(t, 2*count, false)
	defer g.n.Close()
	cost := g.costs(count)
	t.Logf("%.0f bytes", cost)
	if cost > most || cost < most/2 {
		t.Errorf("both ends of a connection take %.0f bytes, want at most %d", cost, most)
	}
}

// What is left of a connection in TIME-WAIT takes no more than this.
func TestTimeWaitsTakeLittle(t *testing.T) {
	need.NoRace(t)
	const count, most = 3000, 140
	g := gather(t, 0, true)
	defer g.n.Close()
	cost := g.costs(count)
	t.Logf("%.0f bytes", cost)
	if cost > most || cost < most/2 {
		t.Errorf("a connection in TIME-WAIT takes %.0f bytes, want at most %d", cost, most)
	}
	waiting := 0
	for _, s := range g.feige.Netstat() {
		if s.State == "TIME-WAIT" {
			waiting++
		}
	}
	if waiting < count {
		t.Errorf("%d connections are in TIME-WAIT, want %d", waiting, count)
	}
}

// onlyReader hides what else a connection can do.
type onlyReader struct{ io.Reader }
