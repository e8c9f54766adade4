package hubbub

import (
	"errors"
	"fmt"
	"io"

	"hubbub/stack"
)

// A Setting is one of a host's settings, as sysctl(8) shows them on Linux.
type Setting = stack.Sysctl

// DefaultSettings returns all settings, with the values that hosts begin with.
// A [Router] differs in net.ipv4.ip_forward.
func DefaultSettings() []Setting { return stack.DefaultSysctls() }

// FindSetting returns a setting, with the value that hosts begin with. The
// error is that there is none of that name.
func FindSetting(name string) (Setting, error) { return stack.DefaultSysctl(name) }

// CheckSetting returns what is wrong with a setting's name or value, nil if
// nothing is.
func CheckSetting(name, value string) error { return stack.CheckSysctl(name, value) }

// Sysctl returns the value of a setting, such as "60" of
// net.ipv4.tcp_fin_timeout. The name may lack its prefix "net.ipv4.",
// "net.ipv6." or "net.core.", and may have slashes for its dots; the settings of
// a card have its name in them, as net.ipv6.conf.eth0.accept_ra. The error is that there is
// no such setting.
func (h *Host) Sysctl(name string) (string, error) {
	h.network.world.Enter()
	defer h.network.world.Unlock()
	setting, err := h.stack.FindSysctl(name)
	return setting.Value, err
}

// SetSysctl changes a setting, at once: for everything that happens from now
// on, and for connections that are open, as far as the setting's description
// doesn't say otherwise. It stays when the host is switched off and on. The
// error says what is wrong with the name or the value.
func (h *Host) SetSysctl(name, value string) error {
	w := h.network.world
	w.Enter()
	defer w.Leave(h.node)
	return h.stack.SetSysctl(name, value)
}

// Sysctls returns all of the host's settings, by name.
func (h *Host) Sysctls() []Setting {
	h.network.world.Enter()
	defer h.network.world.Unlock()
	return h.stack.Sysctls()
}

// maxSysctlFile bounds a file of settings.
const maxSysctlFile = 1 << 20

// LoadSysctl changes the settings that a file in the syntax of sysctl.conf(5)
// names, as sysctl -p does: NAME = VALUE in a line; lines that begin with # or
// ; are comments, and one that begins with - may fail. The lines that are right
// are obeyed even if others are wrong. The error tells of those, each with its
// line, and the name of the file if r has one.
func (h *Host) LoadSysctl(r io.Reader) error {
	file := "settings"
	if named, ok := r.(interface{ Name() string }); ok {
		file = named.Name()
	}
	text, err := io.ReadAll(io.LimitReader(r, maxSysctlFile+1))
	switch {
	case err != nil:
		return fmt.Errorf("%s can't be read: %w", file, err)
	case len(text) > maxSysctlFile:
		return errors.New(file + " is too long for a file of settings: it can have 1 MiB")
	}
	w := h.network.world
	w.Enter()
	defer w.Leave(h.node)
	return h.stack.LoadSysctls(file, string(text))
}
