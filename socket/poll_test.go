package socket_test

import (
	"syscall"
	"testing"
	"time"

	"hubbub/clock"
	"hubbub/socket"
)

// Poll waits for the first of several sockets of which something holds, in the
// network's time.
func TestPoll(t *testing.T) {
	inRoom(t, func(r *room) {
		server, client := r.pair()
		u := r.udp(r.feige)
		r.ok("bind", u.Bind(":9"))
		fds := []socket.PollFD{{Socket: server, Events: socket.POLLIN}, {Socket: u, Events: socket.POLLIN}}
		polls := func(what string, timeout, takes time.Duration, n int) {
			r.Helper()
			r.takes(what, takes, func() {
				got, err := r.feige.Poll(fds, timeout)
				r.ok(what, err)
				r.equal(what, got, n)
			})
		}
		polls("nothing, without waiting", 0, 0, 0)
		polls("nothing for a second", time.Second, time.Second, 0)
		r.start(func() {
			r.sleep(time.Second)
			_, err := r.udp(r.nick).SendTo([]byte("x"), "feige:9")
			r.ok("sendto", err)
			r.sleep(time.Second)
			r.sends(client, "y")
		})
		polls("the datagram", -1, time.Second, 1)
		r.equal("which", [2]int{fds[0].Revents, fds[1].Revents}, [2]int{0, socket.POLLIN})
		r.hears(u, 0, "x")
		polls("the stream", time.Hour, time.Second, 1)
		r.equal("which", [2]int{fds[0].Revents, fds[1].Revents}, [2]int{socket.POLLIN, 0})
		fds[1].Events = socket.POLLOUT
		polls("both", -1, 0, 2)
		r.start(func() { r.sleep(time.Second); r.ok("close", u.Close()) })
		r.hears(server, 0, "y")
		fds[1].Events = socket.POLLIN
		polls("closing", -1, time.Second, 1)
		r.equal("which", fds[1].Revents, socket.POLLNVAL)
	})
}

// Wait of an Epoll waits as well; and who closes the set, or the network,
// wakes it.
func TestEpollWaits(t *testing.T) {
	inRoom(t, func(r *room) {
		server, client := r.pair()
		e := r.feige.NewEpoll()
		r.ok("add", e.Add(server, socket.POLLIN|socket.EPOLLET, 42))
		events := make([]socket.EpollEvent, 5)
		waits := func(what string, timeout clock.Duration, takes time.Duration, n int, want error) {
			r.Helper()
			r.takes(what, takes, func() {
				got, err := e.Wait(events, timeout)
				r.fails(what, err, want)
				r.equal(what, got, n)
			})
		}
		waits("nothing for a second", time.Second, time.Second, 0, nil)
		r.start(func() { r.sleep(time.Second); r.sends(client, "x") })
		waits("something", -1, time.Second, 1, nil)
		r.equal("the event", events[0], socket.EpollEvent{Events: socket.POLLIN, Data: 42})
		waits("not again", time.Second, time.Second, 0, nil)
		_, err := e.Wait(nil, 0)
		r.fails("no room", err, syscall.EINVAL)
		r.start(func() { r.sleep(time.Second); r.ok("close", e.Close()) })
		waits("closing", -1, time.Second, 0, syscall.EBADF)
		r.fails("add to what is closed", e.Add(server, 1, 1), syscall.EBADF)
	})
}

// A Poll and an Epoll leave nothing behind in a socket that is watched no more.
func TestEpollAndPollOfOneSocket(t *testing.T) {
	inRoom(t, func(r *room) {
		server, client := r.pair()
		e := r.feige.NewEpoll()
		r.ok("add", e.Add(server, socket.POLLIN, 1))
		fds := []socket.PollFD{{Socket: server, Events: socket.POLLIN}}
		r.start(func() { r.sleep(time.Second); r.sends(client, "x") })
		n, err := r.feige.Poll(fds, -1)
		r.ok("poll", err)
		r.equal("poll", n, 1)
		n, err = e.Wait(make([]socket.EpollEvent, 1), 0)
		r.ok("wait", err)
		r.equal("wait", n, 1)
		r.ok("delete", e.Delete(server))
		r.fails("delete again", e.Delete(server), syscall.ENOENT)
	})
}
