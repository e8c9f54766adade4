package stack

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"hubbub/event"
	"hubbub/internal/suggest"
)

// A Sysctl is a setting of a machine, under the name and with the meaning
// that it has on Linux (sysctl(8)).
type Sysctl struct {
	Name     string // in full, such as "net.ipv4.tcp_fin_timeout"
	Form     string // what its value is, such as "a number of seconds from 1 to 32767"
	Doc      string // what it does, in a sentence or two
	Value    string // the present one; several numbers have a tab between them
	ReadOnly bool
}

// sysctl is a row of the table: a name, a knob, and what it does.
type sysctl struct {
	name string
	knob knob
	doc  string
}

// sysctls are all settings, by name. There is none without an effect: one
// whose feature is missing is missing too.
var sysctls = sortedTable(tcpSysctls(), bufferSysctls(), ipSysctls(), ipv6Sysctls())

func sortedTable(parts ...[]sysctl) []sysctl {
	all := slices.Concat(parts...)
	slices.SortFunc(all, func(a, b sysctl) int { return strings.Compare(a.name, b.name) })
	return all
}

// Sysctls returns all settings, by name.
func (s *Stack) Sysctls() []Sysctl {
	rows := sysctls
	if more := s.interfaceSysctls(); more != nil {
		rows = sortedTable(sysctls, more)
	}
	all := make([]Sysctl, len(rows))
	for i := range rows {
		all[i] = s.describe(&rows[i])
	}
	return all
}

// FindSysctl returns a setting and its present value. See [Stack.SetSysctl]
// for what a name may look like.
func (s *Stack) FindSysctl(name string) (Sysctl, error) {
	row, err := s.findSysctl(name)
	if err != nil {
		return Sysctl{}, err
	}
	return s.describe(row), nil
}

func (s *Stack) describe(row *sysctl) Sysctl {
	return Sysctl{
		Name: row.name, Form: row.knob.form, Doc: row.doc,
		Value: row.knob.get(s), ReadOnly: row.knob.set == nil,
	}
}

// SetSysctl changes a setting, at once. The name may be written as on Linux:
// with or without the prefix "net.ipv4.", "net.ipv6." or "net.core.", and with
// slashes for the dots. The value is checked; a value that is refused changes nothing.
//
// Settings are configuration, as addresses are: [Stack.Restart] keeps them.
func (s *Stack) SetSysctl(name, value string) error {
	row, err := s.findSysctl(name)
	if err != nil {
		return err
	}
	if row.knob.set == nil {
		return fmt.Errorf("%s tells what there is: it can't be set", row.name)
	}
	if err := row.knob.set(s, strings.TrimSpace(value)); err != nil {
		return fmt.Errorf("%s: %w", row.name, err)
	}
	return nil
}

// CheckSysctl returns the error that [Stack.SetSysctl] would return on a
// machine with the default settings.
func CheckSysctl(name, value string) error { return scratch().SetSysctl(name, value) }

// DefaultSysctls returns all settings with the values that a machine has if
// nobody sets them.
func DefaultSysctls() []Sysctl { return scratch().Sysctls() }

// DefaultSysctl returns a setting with the value that it has if nobody sets
// it.
func DefaultSysctl(name string) (Sysctl, error) { return scratch().FindSysctl(name) }

// scratch returns a machine that nobody uses.
func scratch() *Stack {
	cfg := DefaultConfig()
	cfg.Stream, cfg.Random = new(event.Stream), rand.New(rand.NewPCG(0, 0))
	s := New(cfg)
	s.scratch = true
	return s
}

// sysctlPrefixes are what may be left out before a name.
var sysctlPrefixes = []string{"", "net.", "net.ipv4.", "net.core.", "net.ipv6."}

func (s *Stack) findSysctl(name string) (*sysctl, error) {
	name = strings.ReplaceAll(name, "/", ".")
	for _, prefix := range sysctlPrefixes {
		i, ok := slices.BinarySearchFunc(sysctls, prefix+name, func(row sysctl, name string) int {
			return strings.Compare(row.name, name)
		})
		if ok {
			return &sysctls[i], nil
		}
		if row, ok := s.sysctl6(prefix + name); ok {
			return &row, nil
		}
	}
	return nil, fmt.Errorf("there is no setting %q%s", name, nearestSysctl(name))
}

// nearestSysctl returns the question whether a known setting was meant.
func nearestSysctl(name string) string {
	var known []string
	for i := range sysctls {
		known = append(known, sysctls[i].name)
	}
	for _, prefix := range sysctlPrefixes {
		if near := suggest.Nearest(prefix+name, known); near != "" {
			return ": did you mean " + near + "?"
		}
	}
	return ": hubbub sysctl lists those that there are"
}
