package capture

import (
	"encoding/hex"
	"encoding/json"
	"io"
	"net/netip"

	"hubbub/event"
	"hubbub/wire"
)

// JSONOptions say what a [JSONWriter] writes. The zero value is every event,
// without the frames' bytes.
type JSONOptions struct {
	Filter *Filter // nil is all
	Bytes  bool    // write the frames' bytes in hexadecimal
}

// A JSONWriter writes an object for each event, one in a line:
//
//	{"id":16,"cause":12,"time_ns":0,"node":"nick","event":"frame_sent",
//	 "text":"sent a frame of 60 bytes from eth0: ARP request",
//	 "port":"eth0","reason":"ARP request","rfc":"RFC 826","frame":{...}}
//
// id, time_ns, node, event and text are always there; cause is left out if
// there is none. event is frame_sent, frame_heard, frame_dropped, fault,
// learned, held, harmed, neighbor, routed, conflict, fragmented, reassembled,
// configured, tcp_state, timer_set, timer_stopped, timer_fired, congestion, advice,
// overflow, socket_call, said or expected. The other fields are those of
// [JSONEvent]; what is empty is left out.
type JSONWriter struct {
	out *json.Encoder
	o   JSONOptions
	err error
}

// NewJSONWriter returns a writer to w.
func NewJSONWriter(w io.Writer, o JSONOptions) *JSONWriter {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	return &JSONWriter{out: out, o: o}
}

// Handle writes the next event.
func (j *JSONWriter) Handle(e *event.Event) {
	if j.err == nil && j.o.Filter.MatchEvent(e) {
		j.err = j.out.Encode(NewJSONEvent(e, j.o.Bytes))
	}
}

// Close returns the first error that writing met.
func (j *JSONWriter) Close() error { return j.err }

// A JSONEvent is an event as an object. The names are stable: fields are added,
// never renamed.
type JSONEvent struct {
	ID     event.ID `json:"id"`
	Cause  event.ID `json:"cause,omitempty"`
	TimeNS int64    `json:"time_ns"` // since the world began
	Node   string   `json:"node"`
	Event  string   `json:"event"`
	Text   string   `json:"text"`

	Port    string     `json:"port,omitempty"`
	FrameID event.ID   `json:"frame_id,omitempty"` // the frame_sent that a frame was sent by
	Reason  string     `json:"reason,omitempty"`   // why it was sent, dropped, changed
	RFC     string     `json:"rfc,omitempty"`
	Frame   *JSONFrame `json:"frame,omitempty"`

	Address     string    `json:"address,omitempty"` // IP or MAC, of neighbor, conflict, learned and configured
	MAC         string    `json:"mac,omitempty"`
	VLAN        uint16    `json:"vlan,omitempty"`
	Forgot      bool      `json:"forgot,omitempty"`
	From        string    `json:"from,omitempty"` // states
	To          string    `json:"to,omitempty"`
	What        string    `json:"what,omitempty"` // of configured
	Source      string    `json:"source,omitempty"`
	Destination string    `json:"destination,omitempty"`
	Prefix      string    `json:"prefix,omitempty"`
	NextHop     string    `json:"next_hop,omitempty"`
	Size        int       `json:"size,omitempty"`
	MTU         int       `json:"mtu,omitempty"`
	Pieces      int       `json:"pieces,omitempty"`
	ForNS       int64     `json:"for_ns,omitempty"`
	Local       string    `json:"local,omitempty"` // address and port
	Remote      string    `json:"remote,omitempty"`
	Timer       string    `json:"timer,omitempty"`
	AtNS        int64     `json:"at_ns,omitempty"`
	Cwnd        int       `json:"cwnd,omitempty"`
	Ssthresh    int       `json:"ssthresh,omitempty"`
	Phase       string    `json:"phase,omitempty"`
	Call        *JSONCall `json:"call,omitempty"`
	OK          *bool     `json:"ok,omitempty"` // of expected
	Expected    string    `json:"expected,omitempty"`
	Got         string    `json:"got,omitempty"`
}

// A JSONCall is a socket call.
type JSONCall struct {
	Program string `json:"program,omitempty"`
	FD      int    `json:"fd"`
	Name    string `json:"name"`
	Args    string `json:"args,omitempty"`
	Result  string `json:"result,omitempty"`
	Error   string `json:"error,omitempty"`
	Waits   bool   `json:"waits,omitempty"` // it begins to wait, and will be told again
}

// A JSONFrame is what a frame's headers say.
type JSONFrame struct {
	Length    int    `json:"length"` // octets, without the frame check sequence
	FCSWrong  bool   `json:"fcs_wrong,omitempty"`
	Protocol  string `json:"protocol"`
	Summary   string `json:"summary"`
	Wrong     string `json:"wrong,omitempty"` // why reading ended early
	SrcMAC    string `json:"src_mac,omitempty"`
	DstMAC    string `json:"dst_mac,omitempty"`
	VLAN      uint16 `json:"vlan,omitempty"`
	Src       string `json:"src,omitempty"` // IP address; of ARP the sender's
	Dst       string `json:"dst,omitempty"`
	TTL       int    `json:"ttl,omitempty"` // or hop limit
	IPID      uint16 `json:"ip_id,omitempty"`
	FlowLabel uint32 `json:"flow_label,omitempty"`
	Fragment  bool   `json:"fragment,omitempty"`
	Offset    int    `json:"fragment_offset,omitempty"`
	SrcPort   uint16 `json:"src_port,omitempty"`
	DstPort   uint16 `json:"dst_port,omitempty"`
	Flags     string `json:"flags,omitempty"`
	Seq       uint32 `json:"seq,omitempty"`
	Ack       uint32 `json:"ack,omitempty"`
	Window    int    `json:"window,omitempty"`
	Data      int    `json:"data_length,omitempty"`
	Bytes     string `json:"bytes,omitempty"`
}

// NewJSONEvent returns an event as an object.
func NewJSONEvent(e *event.Event, bytes bool) *JSONEvent {
	j := &JSONEvent{ID: e.ID, Cause: e.Cause, TimeNS: int64(e.Time), Node: e.Node, Text: e.Body.String()}
	if flow, ok := flowOf(e.Body); ok {
		j.Local, j.Remote = addrPortText(flow.Local), addrPortText(flow.Remote)
	}
	switch b := e.Body.(type) {
	case event.FrameSent:
		j.Event, j.Port, j.Reason, j.RFC, j.Frame = "frame_sent", b.Port, b.Reason, b.RFC, jsonFrame(b.Data, b.FCS, bytes)
	case event.FrameHeard:
		j.Event, j.Port, j.FrameID, j.Frame = "frame_heard", b.Port, b.Frame, jsonFrame(b.Data, b.FCS, bytes)
	case event.FrameDropped:
		j.Event, j.Port, j.FrameID, j.Reason = "frame_dropped", b.Port, b.Frame, b.Reason
	case event.Fault:
		j.Event, j.Reason = "fault", b.What
	case event.Learned:
		j.Event, j.Address, j.VLAN, j.Port, j.Forgot, j.Reason = "learned", b.Address, b.VLAN, b.Port, b.Forgot, b.Why
	case event.Held:
		j.Event, j.FrameID, j.Reason, j.ForNS = "held", b.Frame, b.Why, int64(b.For)
	case event.Harmed:
		j.Event, j.FrameID, j.Reason = "harmed", b.Frame, b.What
	case event.SocketCall:
		j.Event, j.Call = "socket_call", &JSONCall{b.Program, b.FD, b.Call, b.Args, b.Result, b.Error, b.Blocked}
	case event.Said:
		j.Event = "said"
	case event.Expected:
		j.Event, j.OK, j.Expected, j.Got = "expected", &b.OK, b.What, b.Got
	default:
		j.network(e.Body)
	}
	return j
}

// network takes the events of layers 3 and 4.
func (j *JSONEvent) network(body event.Body) {
	switch b := body.(type) {
	case event.Neighbor:
		j.Event, j.Port, j.Address, j.From, j.To, j.Reason = "neighbor", b.Port, addrText(b.Address), b.From, b.To, b.Why
		if !b.MAC.IsZero() {
			j.MAC = b.MAC.String()
		}
	case event.Routed:
		j.Event, j.Destination, j.NextHop, j.Port, j.Reason = "routed", addrText(b.Destination), addrText(b.NextHop), b.Port, b.Why
		if b.Prefix.IsValid() {
			j.Prefix = b.Prefix.String()
		}
	case event.Conflict:
		j.Event, j.Port, j.Address, j.MAC, j.Reason = "conflict", b.Port, addrText(b.Address), b.MAC.String(), b.What
	case event.Fragmented:
		j.Event, j.Destination, j.Size, j.MTU, j.Pieces = "fragmented", addrText(b.Destination), b.Size, b.MTU, b.Pieces
	case event.Reassembled:
		j.Event, j.Source, j.Size, j.Pieces, j.Reason = "reassembled", addrText(b.Source), b.Size, b.Pieces, b.Why
	case event.Configured:
		j.Event, j.Port, j.What, j.Address, j.Reason = "configured", b.Port, b.What, b.Of, b.Why
	case event.TCPState:
		j.Event, j.From, j.To, j.Reason = "tcp_state", b.From, b.To, b.Why
	case event.TimerSet:
		j.Event, j.Timer, j.AtNS = "timer_set", b.Timer, int64(b.At)
	case event.TimerStopped:
		j.Event, j.Timer = "timer_stopped", b.Timer
	case event.TimerFired:
		j.Event, j.Timer = "timer_fired", b.Timer
	case event.Congestion:
		j.Event, j.Cwnd, j.Ssthresh, j.Phase, j.Reason = "congestion", b.Cwnd, b.Ssthresh, b.Phase, b.Why
	case event.Advice:
		j.Event, j.Reason = "advice", b.What
	case event.Overflow:
		j.Event, j.Local, j.Reason = "overflow", addrPortText(b.Local), b.What
	}
}

func addrText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

func addrPortText(a netip.AddrPort) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

func jsonFrame(data []byte, fcs uint32, bytes bool) *JSONFrame {
	p := Decode(data)
	j := &JSONFrame{
		Length: len(data), FCSWrong: wire.FCS(data) != fcs, Protocol: p.Protocol(), Summary: p.Summary(), Wrong: p.Wrong,
	}
	if p.Has&LayerEthernet != 0 {
		j.SrcMAC, j.DstMAC, j.VLAN = p.Ethernet.Src.String(), p.Ethernet.Dst.String(), p.Ethernet.VLAN.ID
	}
	if p.Has&(layerIP|LayerARP) != 0 {
		j.Src, j.Dst = p.Source().Addr().String(), p.Destination().Addr().String()
	}
	if p.Has&LayerIPv4 != 0 {
		j.TTL, j.IPID, j.Fragment, j.Offset = int(p.IP.TTL), p.IP.ID, p.Fragment(), p.IP.FragOffset
	}
	if p.Has&LayerIPv6 != 0 {
		j.TTL, j.FlowLabel, j.Fragment, j.Offset = int(p.IP.TTL), p.IPv6.FlowLabel, p.Fragment(), p.IP.FragOffset
	}
	j.SrcPort, j.DstPort, _ = p.Ports()
	if p.Has&LayerTCP != 0 {
		j.Flags, j.Seq, j.Ack, j.Window = flagText(p.TCP.Flags), p.TCP.Seq, p.TCP.Ack, int(p.TCP.Window)
	}
	if p.Has&(LayerTCP|LayerUDP|LayerICMP|LayerICMPv6) != 0 {
		j.Data = len(p.Payload)
	}
	if bytes {
		j.Bytes = hex.EncodeToString(data)
	}
	return j
}
