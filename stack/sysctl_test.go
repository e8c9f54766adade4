package stack

import (
	"slices"
	"strings"
	"testing"

	"hubbub/transport/tcp"
)

// sysctl sets a setting.
func (m *machine) sysctl(name, value string) {
	m.t.Helper()
	m.ok("sysctl", m.SetSysctl(name, value))
}

// reads checks the value of a setting.
func (m *machine) reads(name, want string) {
	m.t.Helper()
	s, err := m.FindSysctl(name)
	m.ok("sysctl", err)
	if s.Value != want {
		m.t.Errorf("%s is %q, want %q", name, s.Value, want)
	}
}

// A name may lack its prefix, and may have slashes for its dots.
func TestSysctlNames(t *testing.T) {
	m := newHost(t)
	for _, name := range []string{
		"net.ipv4.tcp_fin_timeout", "net/ipv4/tcp_fin_timeout", "ipv4.tcp_fin_timeout", "tcp_fin_timeout",
	} {
		m.sysctl(name, " 10\n")
		m.reads(name, "10")
		m.sysctl("tcp_fin_timeout", "60")
	}
	m.reads("somaxconn", "4096")
	m.reads("core/somaxconn", "4096")
}

// The error of a wrong name or value says what would be right, and nothing is
// changed.
func TestSysctlErrors(t *testing.T) {
	m := newHost(t)
	for _, test := range [][3]string{
		{"tcp_fin_timout", "1", `there is no setting "tcp_fin_timout": did you mean net.ipv4.tcp_fin_timeout?`},
		{"net.ipv4.tcpsack", "1", `there is no setting "net.ipv4.tcpsack": did you mean net.ipv4.tcp_sack?`},
		{"vm.overcommit_memory", "1", `there is no setting "vm.overcommit_memory": hubbub sysctl lists those that there are`},
		{"", "1", `there is no setting "": hubbub sysctl lists those that there are`},
		{"tcp_fin_timeout", "ten", `net.ipv4.tcp_fin_timeout: "ten" is not a number of seconds`},
		{"tcp_fin_timeout", "0", `net.ipv4.tcp_fin_timeout: 0 is not a number of seconds from 1 to 2147483`},
		{"tcp_fin_timeout", "1 2", `net.ipv4.tcp_fin_timeout: "1 2" is not a number of seconds`},
		{"tcp_fin_timeout", "", `net.ipv4.tcp_fin_timeout: "" is not a number of seconds`},
		{"tcp_syn_retries", "128", `net.ipv4.tcp_syn_retries: 128 is not a number from 1 to 127`},
		{"tcp_syn_retries", "99999999999999999999", `net.ipv4.tcp_syn_retries: 99999999999999999999 is not a number from 1 to 127`},
		{"tcp_sack", "2", `net.ipv4.tcp_sack: 2 is not a number from 0 to 1`},
		{"ip_local_port_range", "40000", `net.ipv4.ip_local_port_range: "40000" must be 2 numbers with spaces between, not 1`},
		{"ip_local_port_range", "40000 39999", `net.ipv4.ip_local_port_range: the first port, 40000, must not be above the last, nor below ip_unprivileged_port_start, 1024`},
		{"ip_local_port_range", "1000 39999", `net.ipv4.ip_local_port_range: the first port, 1000, must not be above the last, nor below ip_unprivileged_port_start, 1024`},
		{"ip_local_port_range", "40000 x", `net.ipv4.ip_local_port_range: "x" is not a number`},
		{"ip_unprivileged_port_start", "32769", `net.ipv4.ip_unprivileged_port_start: 32769 is above the first port of ip_local_port_range, 32768`},
		{"ip_local_reserved_ports", "1-", `net.ipv4.ip_local_reserved_ports: "" is not a port`},
		{"ip_local_reserved_ports", "x", `net.ipv4.ip_local_reserved_ports: "x" is not a port`},
		{"ip_local_reserved_ports", "9010-9000", `net.ipv4.ip_local_reserved_ports: a range is written from the lower port to the higher, such as 9000-9010`},
	} {
		before := m.Sysctls()
		err := m.SetSysctl(test[0], test[1])
		if err == nil || err.Error() != test[2] {
			t.Errorf("%s = %s: %v, want %s", test[0], test[1], err, test[2])
		}
		if checked := CheckSysctl(test[0], test[1]); checked == nil || checked.Error() != test[2] {
			t.Errorf("checked, %s = %s: %v, want %s", test[0], test[1], checked, test[2])
		}
		if !slices.Equal(m.Sysctls(), before) {
			t.Errorf("%s = %s changed something", test[0], test[1])
		}
	}
	if _, err := m.FindSysctl("nonsense"); err == nil {
		t.Error("nonsense can be read")
	}
}

// Every setting takes the value that it has, keeps to its limits, and says in
// whole sentences what it does.
func TestEverySysctl(t *testing.T) {
	m := newHost(t)
	before := m.Sysctls()
	for i, s := range before {
		if i > 0 && before[i-1].Name >= s.Name {
			t.Errorf("%s doesn't follow %s", s.Name, before[i-1].Name)
		}
		if !strings.HasPrefix(s.Name, "net.") || !strings.HasSuffix(s.Doc, ".") || s.Form == "" {
			t.Errorf("%+v", s)
		}
		switch err := m.SetSysctl(s.Name, s.Value); {
		case s.ReadOnly && (err == nil || err.Error() != s.Name+" tells what there is: it can't be set"):
			t.Errorf("%s can be set: %v", s.Name, err)
		case !s.ReadOnly && err != nil:
			t.Errorf("%s refuses the value that it has: %v", s.Name, err)
		}
		for _, wrong := range []string{"nonsense", "-99", "9999999999", "1 2 3 4"} {
			if m.SetSysctl(s.Name, wrong) == nil {
				t.Errorf("%s takes %q", s.Name, wrong)
			}
		}
	}
	if after := m.Sysctls(); !slices.Equal(after, before) {
		t.Errorf("%v\nwant\n%v", after, before)
	}
	if !slices.Equal(DefaultSysctls(), before) {
		t.Error("a machine that nobody has set differs from the defaults")
	}
}

// sysctl.conf(5): lines are NAME = VALUE, blank ones and those that begin with
// # or ; are ignored, and so are blanks around names and values. "If a line
// begins with a single -, any attempts to set the value that fail will be
// ignored."
func TestLoadSysctls(t *testing.T) {
	m := newHost(t)
	err := m.LoadSysctls("sysctl.conf", `
# a comment = 1
; another = 2
net.ipv4.tcp_fin_timeout=10
  net/ipv4/tcp_sack   =   0
-net.ipv4.no_such_thing = 1
-tcp_dsack = 0
ip_local_port_range = 40000	50000
`+"net.ipv4.tcp_syn_retries = 2\r\n")
	m.ok("load", err)
	m.reads("tcp_fin_timeout", "10")
	m.reads("tcp_sack", "0")
	m.reads("tcp_dsack", "0")
	m.reads("tcp_syn_retries", "2")
	m.reads("ip_local_port_range", "40000\t50000")
}

// A line that is wrong doesn't keep the others from being obeyed, and the
// error tells of each.
func TestLoadSysctlsTellsOfEveryMistake(t *testing.T) {
	m := newHost(t)
	err := m.LoadSysctls("sysctl.conf", "tcp_sack\n\ntcp_fin_timeout = 0\n"+strings.Repeat("x", 5000)+"=1\ntcp_sack = 0")
	want := `sysctl.conf:1: "tcp_sack" has no value: write it as tcp_sack = VALUE
sysctl.conf:3: net.ipv4.tcp_fin_timeout: 0 is not a number of seconds from 1 to 2147483
sysctl.conf:4: the line has 5002 characters: it can have 4095`
	if err == nil || err.Error() != want {
		t.Errorf("%v\nwant\n%s", err, want)
	}
	m.reads("tcp_sack", "0")
}

// Settings are configuration: a machine that is switched off and on keeps
// them.
func TestSettingsOutliveARestart(t *testing.T) {
	m := newHost(t)
	m.sysctl("tcp_fin_timeout", "10")
	m.sysctl("ip_default_ttl", "7")
	m.sysctl("ipfrag_time", "9")
	before := m.Sysctls()
	m.Restart(m.now)
	if after := m.Sysctls(); !slices.Equal(after, before) {
		t.Errorf("%v\nwant\n%v", after, before)
	}
}

func FuzzLoadSysctls(f *testing.F) {
	f.Add("tcp_sack = 0\n# comment\n-nonsense=1\nip_local_reserved_ports = 1-2,3")
	f.Fuzz(func(t *testing.T, text string) {
		m := newHost(t)
		_ = m.LoadSysctls("f", text)
		for _, s := range m.Sysctls() {
			if !s.ReadOnly {
				m.sysctl(s.Name, s.Value)
			}
		}
	})
}

// ip-sysctl: the algorithm "to be used for new connections".
func TestTheCongestionControlIsASetting(t *testing.T) {
	m := newHost(t)
	m.reads("net.ipv4.tcp_congestion_control", "cubic")
	m.sysctl("net.ipv4.tcp_congestion_control", "reno")
	const refused = `"vegas": it must be one of cubic, reno, bbr`
	if err := m.SetSysctl("net.ipv4.tcp_congestion_control", "vegas"); err == nil || !strings.HasSuffix(err.Error(), refused) {
		t.Errorf("an unknown one: %v", err)
	}
	if c := tcp.Connect(m.TCPEnv(), 1, tcp.Params{MSS: 1460}); c.CongestionControl() != "reno" {
		t.Errorf("a new connection has %q", c.CongestionControl())
	}
}
