package tcp

import (
	"errors"
	"fmt"
)

// How a connection ended, or why a command is not possible. The socket layer
// gives each its error number.
var (
	// ErrRefused ends an active open that was answered with a reset.
	ErrRefused = errors.New("the peer refused the connection: nobody listens on its port")
	// ErrReset ends a connection that the peer reset.
	ErrReset = errors.New("the peer reset the connection")
	// ErrResetClosing is ErrReset in CLOSE-WAIT: nobody reads what is written.
	ErrResetClosing = fmt.Errorf("%w", ErrReset)
	// ErrTimeout ends a connection whose peer doesn't answer.
	ErrTimeout = errors.New("the peer doesn't answer")
	// ErrAborted ends a connection that this end reset.
	ErrAborted = errors.New("the connection was aborted at this end")
	// ErrWriteClosed is writing after CloseWrite, or after the end of the
	// connection.
	ErrWriteClosed = errors.New("writing on this connection was closed")
	// ErrNotConnected is a command that needs a connection where there is none.
	ErrNotConnected = errors.New("there is no connection")
	// ErrNoAlgorithm is a congestion control algorithm that isn't there.
	ErrNoAlgorithm = errors.New("there is no congestion control algorithm of that name")
)
