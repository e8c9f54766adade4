package main

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

type completionCommand struct {
	Shell string `arg:"" help:"The shell: bash, zsh or fish." enum:"bash,zsh,fish" placeholder:"bash|zsh|fish"`
}

// Help is the longer help text.
func (completionCommand) Help() string {
	return `Examples:

  source <(hubbub completion bash)
  hubbub completion zsh > "${fpath[1]}/_hubbub"
  hubbub completion fish > ~/.config/fish/completions/hubbub.fish`
}

// Run prints the script.
func (c *completionCommand) Run(s streams, ctx *kong.Context) error {
	write := map[string]func(*strings.Builder, []completed){"bash": bash, "zsh": zsh, "fish": fish}[c.Shell]
	var b strings.Builder
	write(&b, completions(ctx.Model.Node))
	fmt.Fprint(s.out, b.String())
	return nil
}

// completed is a command with what can follow it.
type completed struct {
	name, help string
	flags      []completedFlag
	words      []string // that its argument can be
	files      bool     // its arguments are files
}

type completedFlag struct {
	name, help string
	values     []string // that it can have
	file       bool     // its value is a file
	alone      bool     // it has no value
}

// completions reads the commands of the command line's model.
func completions(root *kong.Node) []completed {
	var all []completed
	for _, node := range root.Children {
		c := completed{name: node.Name, help: node.Help}
		for _, arg := range node.Positional {
			if arg.Enum != "" {
				c.words = arg.EnumSlice()
			}
			c.files = c.files || strings.Contains(arg.Tag.PlaceHolder, "FILE")
		}
		for _, group := range node.AllFlags(true) {
			for _, f := range group {
				flag := completedFlag{
					name: f.Name, help: f.Help, alone: f.IsBool() || f.IsCounter(), file: f.Tag.PlaceHolder == "FILE",
				}
				if f.Enum != "" {
					flag.values = f.EnumSlice()
				}
				c.flags = append(c.flags, flag)
				if f.Tag.Negatable != "" {
					flag.name, flag.help = "no-"+f.Name, "Don't "+strings.ToLower(f.Help[:1])+f.Help[1:]
					c.flags = append(c.flags, flag)
				}
			}
		}
		all = append(all, c)
	}
	return all
}

func bash(b *strings.Builder, all []completed) {
	var names []string
	for _, c := range all {
		names = append(names, c.name)
	}
	b.WriteString("# bash completion of hubbub\n_hubbub() {\n")
	b.WriteString("  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n  COMPREPLY=()\n")
	fmt.Fprintf(b, "  if ((COMP_CWORD == 1)); then\n    COMPREPLY=($(compgen -W %q -- \"$word\"))\n    return\n  fi\n",
		strings.Join(append(names, "--help"), " "))
	b.WriteString("  case ${COMP_WORDS[1]} in\n")
	for _, c := range all {
		fmt.Fprintf(b, "  %s)\n    case $before in\n", c.name)
		var flags []string
		for _, f := range c.flags {
			flags = append(flags, "--"+f.name)
			switch {
			case f.values != nil:
				fmt.Fprintf(b, "    --%s) COMPREPLY=($(compgen -W %q -- \"$word\")); return ;;\n", f.name, strings.Join(f.values, " "))
			case f.file:
				fmt.Fprintf(b, "    --%s) COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n", f.name)
			case !f.alone:
				fmt.Fprintf(b, "    --%s) return ;;\n", f.name)
			}
		}
		fmt.Fprintf(b, "    esac\n    if [[ $word == -* ]]; then\n      COMPREPLY=($(compgen -W %q -- \"$word\"))\n", strings.Join(flags, " "))
		switch {
		case c.words != nil:
			fmt.Fprintf(b, "    else\n      COMPREPLY=($(compgen -W %q -- \"$word\"))\n", strings.Join(c.words, " "))
		case c.files:
			b.WriteString("    else\n      COMPREPLY=($(compgen -f -- \"$word\"))\n")
		}
		b.WriteString("    fi ;;\n")
	}
	b.WriteString("  esac\n}\ncomplete -o filenames -F _hubbub hubbub\n")
}

func zsh(b *strings.Builder, all []completed) {
	quote := strings.NewReplacer("'", "'\\''", "[", "\\[", "]", "\\]", ":", "\\:").Replace
	b.WriteString("#compdef hubbub\n# zsh completion of hubbub\n_hubbub() {\n  local -a commands=(\n")
	for _, c := range all {
		fmt.Fprintf(b, "    '%s:%s'\n", c.name, quote(c.help))
	}
	b.WriteString("  )\n  if ((CURRENT == 2)); then\n    _describe command commands\n    return\n  fi\n  case ${words[2]} in\n")
	for _, c := range all {
		fmt.Fprintf(b, "  %s)\n    shift words; ((CURRENT--))\n    _arguments", c.name)
		for _, f := range c.flags {
			value := ""
			switch {
			case f.values != nil:
				value = fmt.Sprintf(":value:(%s)", strings.Join(f.values, " "))
			case f.file:
				value = ":file:_files"
			case !f.alone:
				value = ":value: "
			}
			fmt.Fprintf(b, " \\\n      '--%s[%s]%s'", f.name, quote(f.help), value)
		}
		switch {
		case c.words != nil:
			fmt.Fprintf(b, " \\\n      '*:word:(%s)'", strings.Join(c.words, " "))
		case c.files:
			b.WriteString(" \\\n      '*:file:_files'")
		}
		b.WriteString(" ;;\n")
	}
	b.WriteString("  esac\n}\n_hubbub \"$@\"\n")
}

func fish(b *strings.Builder, all []completed) {
	quote := func(s string) string { return "'" + strings.NewReplacer("\\", "\\\\", "'", "\\'").Replace(s) + "'" }
	b.WriteString("# fish completion of hubbub\ncomplete -c hubbub -f\n")
	for _, c := range all {
		fmt.Fprintf(b, "complete -c hubbub -n __fish_use_subcommand -a %s -d %s\n", c.name, quote(c.help))
	}
	for _, c := range all {
		when := quote("__fish_seen_subcommand_from " + c.name)
		switch {
		case c.words != nil:
			fmt.Fprintf(b, "complete -c hubbub -n %s -a %s\n", when, quote(strings.Join(c.words, " ")))
		case c.files:
			fmt.Fprintf(b, "complete -c hubbub -n %s -F\n", when)
		}
		for _, f := range c.flags {
			value := ""
			switch {
			case f.values != nil:
				value = " -x -a " + quote(strings.Join(f.values, " "))
			case f.file:
				value = " -r -F"
			case !f.alone:
				value = " -x"
			}
			fmt.Fprintf(b, "complete -c hubbub -n %s -l %s%s -d %s\n", when, f.name, value, quote(f.help))
		}
	}
}
