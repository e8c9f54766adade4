package main

import (
	"fmt"
	"strings"

	"hubbub"
)

type sysctlCommand struct {
	Name string `arg:"" optional:"" help:"A setting, or a part of its name." placeholder:"NAME"`
}

// Help is the longer help text.
func (sysctlCommand) Help() string {
	return `Every machine of a network has settings, by the names and with the meaning that
they have on Linux. They are listed with the values that a host begins with, and
with what they do. A lab file sets them (sysctl: under a host or a router, or
the call sysctl NAME VALUE), and so does a Go program (Host.SetSysctl).

Examples:

  hubbub sysctl
  hubbub sysctl tcp_fin_timeout
  hubbub sysctl keepalive`
}

// Run lists the settings.
func (c *sysctlCommand) Run(s streams) error {
	settings := hubbub.DefaultSettings()
	if c.Name != "" {
		var err error
		if settings, err = chosen(settings, c.Name); err != nil {
			return err
		}
	}
	for i := range settings {
		if i > 0 {
			fmt.Fprintln(s.out)
		}
		fmt.Fprint(s.out, describeSetting(&settings[i]))
	}
	return nil
}

// chosen returns the setting of that name, or else those whose names have it
// as a part.
func chosen(all []hubbub.Setting, name string) ([]hubbub.Setting, error) {
	one, err := hubbub.FindSetting(name)
	if err == nil {
		return []hubbub.Setting{one}, nil
	}
	var some []hubbub.Setting
	for _, s := range all {
		if strings.Contains(s.Name, strings.ReplaceAll(name, "/", ".")) {
			some = append(some, s)
		}
	}
	if len(some) == 0 {
		return nil, err
	}
	return some, nil
}

// describeSetting returns a setting as a page of a manual has it: how it
// begins, what it can be, what it does.
func describeSetting(s *hubbub.Setting) string {
	form := s.Form
	if s.ReadOnly {
		form += "; it can only be read"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s = %s\n", s.Name, strings.ReplaceAll(s.Value, "\t", " "))
	for _, line := range append(wrap(form+".", 72), wrap(s.Doc, 72)...) {
		fmt.Fprintf(&b, "    %s\n", line)
	}
	return b.String()
}

// wrap breaks a text into lines of at most width characters, where its words
// are no longer than that.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
