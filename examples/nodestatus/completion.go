package main

import (
	"fmt"
	"strings"
)

// completionCommand prints a script with which a shell completes the names of commands and their flags.
func completionCommand(args []string, std stdio) error {
	set := flags("completion", std)
	if err := set.Parse(args); err != nil {
		return usageError(err)
	}
	if set.NArg() != 1 {
		fmt.Fprintln(std.err, "error: want bash, zsh or fish")
		return errUsage
	}
	var names []string
	for _, c := range commands() {
		names = append(names, c.name)
	}
	words := strings.Join(names, " ")
	const options = "-pods -o -output -now -patience -templates -name -any -as -suggest -all -limit -mode -check -h"
	var err error
	switch set.Arg(0) {
	case "bash":
		_, err = fmt.Fprintf(std.out, `_nodestatus() {
	local word=${COMP_WORDS[COMP_CWORD]}
	if [ "$COMP_CWORD" -eq 1 ]; then
		COMPREPLY=($(compgen -W "%s help version" -- "$word"))
	elif [[ "$word" == -* ]]; then
		COMPREPLY=($(compgen -W "%s" -- "$word"))
	else
		COMPREPLY=($(compgen -f -- "$word"))
	fi
}
complete -o filenames -F _nodestatus nodestatus
`, words, options)
	case "zsh":
		_, err = fmt.Fprintf(std.out, `#compdef nodestatus
_nodestatus() {
	if (( CURRENT == 2 )); then
		compadd %s help version
	elif [[ $words[CURRENT] == -* ]]; then
		compadd -- %s
	else
		_files
	fi
}
compdef _nodestatus nodestatus
`, words, options)
	case "fish":
		_, err = fmt.Fprintf(std.out, "complete -c nodestatus -n __fish_use_subcommand -f -a '%s help version'\n", words)
		for _, o := range strings.Fields(options) {
			if err == nil {
				_, err = fmt.Fprintf(std.out, "complete -c nodestatus -o %s\n", strings.TrimPrefix(o, "-"))
			}
		}
	default:
		fmt.Fprintf(std.err, "error: no completion for %q, want bash, zsh or fish\n", set.Arg(0))
		return errUsage
	}
	return err
}
