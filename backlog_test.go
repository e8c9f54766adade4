package hubbub_test

import (
	"encoding/binary"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"hubbub/socket"
)

// A program that sends datagrams as fast as it can loses none to one that reads them
// as fast as it can, however little room there is for what waits.
func TestNoDatagramIsLostToAReaderWhoReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, feige, nick := classroom()
		defer n.Close()
		server, client := listensAndDials(t, feige, nick)
		room := server.(*socket.PacketConn).Socket().SetSockOpt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
		if room != nil {
			t.Fatal(room)
		}
		const all = 5000
		go func() {
			var b [64]byte
			for i := range all {
				binary.BigEndian.PutUint32(b[:], uint32(i))
				client.Write(b[:])
			}
		}()
		var b [100]byte
		for want := range all {
			got, _, err := server.ReadFrom(b[:])
			if err != nil || got != 64 || binary.BigEndian.Uint32(b[:]) != uint32(want) {
				t.Fatalf("datagram %d: %d octets, number %d, %v", want, got, binary.BigEndian.Uint32(b[:]), err)
			}
		}
	})
}

// A program that sends to one that has stopped reading is held up now and then only:
// what there is no room for is lost, as ever.
func TestNobodyWaitsForAReaderWhoHasStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, feige, nick := classroom()
		defer n.Close()
		server, client := listensAndDials(t, feige, nick)
		heard := make(chan struct{})
		go func() {
			var b [64]byte
			server.ReadFrom(b[:])
			close(heard)
		}()
		synctest.Wait()
		client.Write([]byte("hello"))
		<-heard
		since := time.Now()
		for range 5000 {
			client.Write([]byte("is anybody there?"))
		}
		if d := time.Since(since); d != 5*time.Millisecond {
			t.Errorf("5000 datagrams to nobody took %v, want 5ms: one wait", d)
		}
	})
}

func listensAndDials(t *testing.T, server, client interface {
	ListenPacket(network, address string) (net.PacketConn, error)
	Dial(network, address string) (net.Conn, error)
},
) (net.PacketConn, net.Conn) {
	t.Helper()
	from, err := server.ListenPacket("udp", ":7000")
	if err != nil {
		t.Fatal(err)
	}
	to, err := client.Dial("udp", "feige:7000")
	if err != nil {
		t.Fatal(err)
	}
	return from, to
}
