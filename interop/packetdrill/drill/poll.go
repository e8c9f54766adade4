package drill

import "syscall"

func (m *Machine) poll(*Args) (int64, syscall.Errno)        { return -1, syscall.ENOSYS }
func (m *Machine) epollCreate(*Args) (int64, syscall.Errno) { return -1, syscall.ENOSYS }
func (m *Machine) epollCtl(*Args) (int64, syscall.Errno)    { return -1, syscall.ENOSYS }
func (m *Machine) epollWait(*Args) (int64, syscall.Errno)   { return -1, syscall.ENOSYS }
func (m *Machine) forget(*file)                             {}
