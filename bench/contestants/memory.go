package contestants

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// board joins those who dial to those who listen, where connections are made
// in memory.
type board struct {
	mu        sync.Mutex
	listeners map[int]*memoryListener
	make      func() (client, server net.Conn)
}

func newPipes(s Shape) (Network, error) { return newBoard(s, net.Pipe) }

func newCeiling(s Shape) (Network, error) { return newBoard(s, newCopies) }

func newBoard(s Shape, pair func() (client, server net.Conn)) (Network, error) {
	if s.Router {
		return nil, ErrNoRouter
	}
	return &board{listeners: make(map[int]*memoryListener), make: pair}, nil
}

func (b *board) Listen(port int) (net.Listener, error) {
	l := &memoryListener{queue: make(chan net.Conn, 128), closed: make(chan struct{})}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.listeners[port] = l
	return l, nil
}

func (b *board) Dial(port int) (net.Conn, error) {
	b.mu.Lock()
	l := b.listeners[port]
	b.mu.Unlock()
	if l == nil {
		return nil, os.ErrNotExist
	}
	client, server := b.make()
	select {
	case l.queue <- server:
		return client, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (b *board) ListenPacket(int) (net.PacketConn, error) { return nil, ErrNoPackets }
func (b *board) DialPacket(int) (net.Conn, error)         { return nil, ErrNoPackets }
func (b *board) Close() error                             { return nil }

type memoryListener struct {
	queue  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.queue:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *memoryListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *memoryListener) Addr() net.Addr { return &net.TCPAddr{} }

// chunkSize is how much is handed over at a time, chunksAhead how many chunks a
// direction has.
const (
	chunkSize   = 64 << 10
	chunksAhead = 2
)

// copies is one direction of the ceiling: what is written is copied into a
// chunk, handed over, and copied out.
type copies struct {
	full, free chan []byte
	rest       []byte // of the chunk that is being read
	chunk      []byte
	closed     chan struct{}
	once       sync.Once
}

func newDirection() *copies {
	d := &copies{
		full: make(chan []byte, chunksAhead), free: make(chan []byte, chunksAhead), closed: make(chan struct{}),
	}
	for range chunksAhead {
		d.free <- make([]byte, chunkSize)
	}
	return d
}

func (d *copies) write(b []byte) (int, error) {
	for done := 0; done < len(b); {
		select {
		case chunk := <-d.free:
			n := copy(chunk, b[done:])
			d.full <- chunk[:n] // has room: there are no more chunks than that
			done += n
		case <-d.closed:
			return done, io.ErrClosedPipe
		}
	}
	return len(b), nil
}

func (d *copies) read(b []byte) (int, error) {
	if len(d.rest) == 0 {
		select {
		case d.rest = <-d.full:
		case <-d.closed:
			select {
			case d.rest = <-d.full:
			default:
				return 0, io.EOF
			}
		}
		d.chunk = d.rest
	}
	n := copy(b, d.rest)
	if d.rest = d.rest[n:]; len(d.rest) == 0 {
		d.free <- d.chunk[:cap(d.chunk)]
	}
	return n, nil
}

func (d *copies) close() { d.once.Do(func() { close(d.closed) }) }

// copyConn is an end of a connection of two such directions.
type copyConn struct{ out, in *copies }

func newCopies() (client, server net.Conn) {
	there, back := newDirection(), newDirection()
	return &copyConn{there, back}, &copyConn{back, there}
}

func (c *copyConn) Read(b []byte) (int, error)  { return c.in.read(b) }
func (c *copyConn) Write(b []byte) (int, error) { return c.out.write(b) }

func (c *copyConn) Close() error {
	c.in.close()
	c.out.close()
	return nil
}

func (c *copyConn) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (c *copyConn) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (c *copyConn) SetDeadline(time.Time) error      { return os.ErrNoDeadline }
func (c *copyConn) SetReadDeadline(time.Time) error  { return os.ErrNoDeadline }
func (c *copyConn) SetWriteDeadline(time.Time) error { return os.ErrNoDeadline }
