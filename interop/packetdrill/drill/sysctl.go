package drill

import (
	"os"
	"path/filepath"
	"strings"

	"hubbub/stack"
)

// sysctls reads the kernel's settings, of the network namespace that the
// process is in, so that a script's shell commands configure the host.
type sysctls struct {
	root  string // such as /proc/sys, "none" for nowhere
	names []string
	seen  map[string]string
}

// changed returns a setting's value if it isn't the one that was seen last,
// and the kernel has such a setting.
func (s *sysctls) changed(name string) (string, bool) {
	b, err := os.ReadFile(filepath.Join(s.root, strings.ReplaceAll(name, ".", "/")))
	if err != nil || s.seen[name] == string(b) {
		return "", false
	}
	s.seen[name] = string(b)
	return string(b), true
}

// readSysctls gives the host those of the kernel's settings that it has too.
// A value that it refuses, as too large for it, leaves its own.
func (m *Machine) readSysctls() {
	if m.sysctl.root == "none" {
		return
	}
	m.world.Enter()
	defer m.world.Unlock()
	for _, name := range m.sysctl.names {
		if value, ok := m.sysctl.changed(name); ok {
			_ = m.stack.SetSysctl(name, value)
		}
	}
}

// ofCard reports whether a setting is that of a card. The kernel's card is not the
// host's: its MTU is another, and maybe it has no IPv6.
func ofCard(name string) bool {
	return strings.Contains(name, ".conf.") || strings.Contains(name, ".neigh.")
}

// init finds the settings that a script may change.
func (s *sysctls) init(root string, of *stack.Stack) {
	s.root, s.seen = root, make(map[string]string)
	for _, setting := range of.Sysctls() {
		if !setting.ReadOnly && !ofCard(setting.Name) {
			s.names = append(s.names, setting.Name)
		}
	}
	if root != "none" {
		s.changed(builtIn) // it is seen, and not obeyed
	}
}

// builtIn is the one setting whose value at the start is no wish of the
// script's: a network namespace has there what its kernel was built with, bbr
// on some, and scripts assume cubic. Nor can they ask for it: of another
// namespace than the first, the kernel takes only algorithms that anyone may
// use. What a script does change, counts.
const builtIn = "net.ipv4.tcp_congestion_control"
