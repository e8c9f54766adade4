package lab

import (
	"fmt"
	"os"
	"path/filepath"

	"hubbub"
)

// settings returns the reading of a machine's settings into where: a mapping
// of names to values, which are checked.
func (r *reader) settings(where *[]Setting) func(key, value *node) {
	return func(_, value *node) {
		r.entries(value, "sysctl", func(key, value *node) {
			text := value.text
			if value.kind != scalar {
				r.problem(key.at, "%s must be a single value, not %s: several numbers have spaces between", key.text, value.kind)
				return
			}
			if _, err := hubbub.FindSetting(key.text); err != nil {
				r.problem(key.at, "%v", err)
				return
			}
			if err := hubbub.CheckSetting(key.text, text); err != nil {
				r.problem(value.at, "%v", err)
				return
			}
			*where = append(*where, Setting{key.at, key.text, text})
		})
	}
}

// configure gives a machine its settings.
func configure(h *hubbub.Host, settings []Setting) error {
	for _, s := range settings {
		if err := h.SetSysctl(s.Name, s.Value); err != nil {
			return fmt.Errorf("%s: %w", h.Name(), err)
		}
	}
	return nil
}

// setSetting reads the name of a setting, or -p.
func setSetting(_ *scenarioReader, c *Call, w string) error {
	c.Setting = w
	if w == "-p" {
		return nil
	}
	_, err := hubbub.FindSetting(w)
	return err
}

// setSettingValue reads what a setting is set to.
func setSettingValue(s *scenarioReader, c *Call, w string) error {
	c.To = w
	if c.Setting == "-p" {
		return nil
	}
	if _, err := hubbub.FindSetting(c.Setting); err != nil {
		return nil // of which the user is told already
	}
	return hubbub.CheckSetting(c.Setting, w)
}

// sysctl changes a setting, or all that a file names.
func (a *actor) sysctl(c *Call) error {
	if c.Setting != "-p" {
		a.say("sysctl -w %s=%q", c.Setting, c.To)
		return a.host().SetSysctl(c.Setting, c.To)
	}
	a.say("sysctl -p %s", c.To)
	name := c.To
	if !filepath.IsAbs(name) {
		name = filepath.Join(filepath.Dir(a.player.config.File), name)
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return a.host().LoadSysctl(f)
}
