package event

import "fmt"

// SocketCall is a socket function that a program called, when it returned.
// A call that blocks is told once when it begins to wait, with Blocked set.
type SocketCall struct {
	Program string
	FD      int
	Call    string // such as "connect"
	Args    string
	Result  string // such as "0", "5 bytes"; empty while blocked
	Error   string // such as "ECONNREFUSED"; empty without one
	Blocked bool
}

// Said is what a program or a person has to say: a line of a scenario, what
// an echo server printed, an expectation that held.
type Said struct {
	Text string
}

// Expected is an expectation of a scenario, held or failed.
type Expected struct {
	What string
	OK   bool
	Got  string
}

func (SocketCall) isBody() {}
func (Said) isBody()       {}
func (Expected) isBody()   {}

func (e SocketCall) String() string {
	call := fmt.Sprintf("%s(%s)", e.Call, e.Args)
	switch {
	case e.Blocked:
		return call + " waits"
	case e.Error != "":
		return call + " = " + e.Error
	default:
		return call + " = " + e.Result
	}
}

func (e Said) String() string { return e.Text }

func (e Expected) String() string {
	if e.OK {
		return "as expected: " + e.What
	}
	return fmt.Sprintf("expected %s, got %s", e.What, e.Got)
}
