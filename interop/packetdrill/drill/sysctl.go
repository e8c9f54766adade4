package drill

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"hubbub/transport/tcp"
)

// sysctls reads the kernel's settings, of the network namespace that the
// process is in, so that a script's shell commands configure the host.
type sysctls struct {
	root string // such as /proc/sys
}

// read returns the numbers of a setting, none if the kernel hasn't got it.
func (s *sysctls) read(name string) (numbers []int) {
	if s.root == "none" {
		return nil
	}
	b, err := os.ReadFile(filepath.Join(s.root, strings.ReplaceAll(name, ".", "/")))
	if err != nil {
		return nil
	}
	for _, field := range strings.Fields(string(b)) {
		n, err := strconv.Atoi(field)
		if err != nil {
			return nil
		}
		numbers = append(numbers, n)
	}
	return numbers
}

// readSysctls gives the host the kernel's settings.
func (m *Machine) readSysctls() {
	m.world.Enter()
	defer m.world.Unlock()
	config := &m.stack.TCPEnv().Config
	for name, set := range settings {
		if values := m.sysctl.read(name); len(values) > 0 {
			set(config, values)
		}
	}
}

// settings say what each of the kernel's settings is to the host.
var settings = map[string]func(*tcp.Config, []int){
	"net.ipv4.tcp_timestamps":     func(c *tcp.Config, v []int) { c.Timestamps = v[0] != 0 },
	"net.ipv4.tcp_window_scaling": func(c *tcp.Config, v []int) { c.WindowScaling = v[0] != 0 },
	"net.ipv4.tcp_syn_retries":    func(c *tcp.Config, v []int) { c.SynRetries = v[0] },
	"net.ipv4.tcp_synack_retries": func(c *tcp.Config, v []int) { c.SynAckRetries = v[0] },
	"net.ipv4.tcp_rmem": func(c *tcp.Config, v []int) {
		if len(v) == 3 {
			c.ReceiveBuffer, c.MaxReceiveBuffer = v[1], v[2]
		}
	},
	"net.ipv4.tcp_wmem": func(c *tcp.Config, v []int) {
		if len(v) == 3 {
			c.SendBuffer = v[1]
		}
	},
	"net.ipv4.tcp_retries2": func(c *tcp.Config, v []int) { c.Retries2 = v[0] },
}
