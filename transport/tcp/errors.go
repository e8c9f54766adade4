package tcp

import "syscall"

// An Error says how a connection ended, or why a command is not possible. It
// wraps the error number that a socket call would give.
type Error struct {
	text  string
	errno syscall.Errno
}

// Error returns the sentence.
func (e *Error) Error() string { return e.text }

// Unwrap returns the error number.
func (e *Error) Unwrap() error { return e.errno }

var (
	// ErrRefused ends an active open that was answered with a reset.
	ErrRefused = &Error{"the peer refused the connection: nobody listens on its port", syscall.ECONNREFUSED}
	// ErrReset ends a connection that the peer reset.
	ErrReset = &Error{"the peer reset the connection", syscall.ECONNRESET}
	// ErrTimeout ends a connection whose peer doesn't answer.
	ErrTimeout = &Error{"the peer doesn't answer", syscall.ETIMEDOUT}
	// ErrAborted ends a connection that this end reset.
	ErrAborted = &Error{"the connection was aborted at this end", syscall.ECONNABORTED}
	// ErrWriteClosed is writing after CloseWrite, or after the end of the
	// connection.
	ErrWriteClosed = &Error{"writing on this connection was closed", syscall.EPIPE}
	// ErrNotConnected is a command that needs a connection where there is none.
	ErrNotConnected = &Error{"there is no connection", syscall.ENOTCONN}
)
