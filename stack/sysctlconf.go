package stack

import (
	"errors"
	"fmt"
	"strings"
)

// maxSysctlLine bounds a line of a file of settings, as sysctl.conf(5) does.
const maxSysctlLine = 4095

// LoadSysctls changes the settings that a text in the syntax of
// sysctl.conf(5) names: lines with NAME = VALUE; empty ones and those that
// begin with # or ; are comments. A line that begins with - may fail.
//
// As with sysctl -p, a line that is wrong doesn't keep the others from being
// obeyed. The error tells of all of them, each with the name that file has
// and the number of its line; it is nil if there are none.
func (s *Stack) LoadSysctls(file, text string) error {
	var all []error
	for i, line := range strings.Split(text, "\n") {
		if err := s.loadSysctl(strings.TrimSpace(line)); err != nil {
			all = append(all, fmt.Errorf("%s:%d: %w", file, i+1, err))
		}
	}
	return errors.Join(all...)
}

func (s *Stack) loadSysctl(line string) error {
	if line == "" || line[0] == '#' || line[0] == ';' {
		return nil
	}
	line, mayFail := strings.CutPrefix(line, "-")
	name, value, ok := strings.Cut(line, "=")
	name = strings.TrimSpace(name)
	var err error
	switch {
	case len(line) > maxSysctlLine:
		err = fmt.Errorf("the line has %d characters: it can have %d", len(line), maxSysctlLine)
	case !ok:
		err = fmt.Errorf("%q has no value: write it as %s = VALUE", line, name)
	default:
		err = s.SetSysctl(name, value)
	}
	if mayFail {
		return nil
	}
	return err
}
