package stack

// bufferSysctls are the settings of buffers and memory, in octets where they
// don't say otherwise.
func bufferSysctls() []sysctl {
	return []sysctl{
		{
			"net.ipv4.tcp_rmem", numbers(3, 1, unbounded, nil, func(s *Stack) []*int {
				e := s.tcpEnv
				return []*int{&e.MinReceiveBuffer, &e.ReceiveBuffer, &e.MaxReceiveBuffer}
			}),
			"Three sizes of TCP's receive buffers: the least, which a connection has however short the memory is; that of a new connection; and the most that a buffer grows to by itself. It counts for connections opened from now on, the last for all.",
		},
		{
			"net.ipv4.tcp_wmem", numbers(3, 1, unbounded, nil, func(s *Stack) []*int {
				e := s.tcpEnv
				return []*int{&e.MinSendBuffer, &e.SendBuffer, &e.MaxSendBuffer}
			}),
			"Three sizes of TCP's send buffers, as tcp_rmem has them of receive buffers.",
		},
		{
			"net.ipv4.tcp_mem", numbers(3, 1, unbounded/4096, nil, func(s *Stack) []*int {
				p := &s.tcpEnv.MemoryPages
				return []*int{&p[0], &p[1], &p[2]}
			}),
			"What the queues of all TCP connections may take, in pages of 4096 octets: above the second number windows and buffers don't grow any more, and what came out of order is given up, until it is less than the first; above the third nothing is taken in beyond each connection's least buffers, and connections that no program has open any more are reset.",
		},
		{
			"net.ipv4.tcp_moderate_rcvbuf", toggle(func(s *Stack) *bool { return &s.tcpEnv.ModerateReceive }),
			"Let TCP's receive buffers grow, up to the last of tcp_rmem, so that the buffer is never what limits a transfer.",
		},
		{
			"net.ipv4.tcp_adv_win_scale", number(-31, 31, func(s *Stack) *int { return &s.tcpEnv.AdvWinScale }),
			"How much of a receive buffer is for data, and can be advertised as TCP's window: with N above 0 all but the 2^N-th part, else the 2^-N-th part. The rest is for what is kept beside the data.",
		},
		{
			"net.ipv4.tcp_notsent_lowat", number(0, 1<<32-1, func(s *Stack) *int { return &s.tcpEnv.NotSentLowat }),
			"How many octets a program may write that aren't sent yet, where its socket doesn't say otherwise (TCP_NOTSENT_LOWAT).",
		},
		{
			"net.core.rmem_default", number(leastReceiveBuffer, unbounded, func(s *Stack) *int { return &s.cfg.DatagramBuffer }),
			"How much may wait to be read from a socket of datagrams that doesn't say otherwise (SO_RCVBUF).",
		},
		{
			"net.core.rmem_max", number(leastReceiveBuffer, unbounded, func(s *Stack) *int { return &s.tcpEnv.MaxReceiveOption }),
			"The most that a program may ask for with SO_RCVBUF; the buffer then has twice as much.",
		},
		{
			"net.core.wmem_max", number(leastSendBuffer, unbounded, func(s *Stack) *int { return &s.tcpEnv.MaxSendOption }),
			"The most that a program may ask for with SO_SNDBUF; the buffer then has twice as much.",
		},
	}
}

// The least buffers that a socket can have, and that rmem_max and wmem_max can
// allow: Linux's on machines of 64 bits.
const (
	leastReceiveBuffer = 2304
	leastSendBuffer    = 4608
)
