package main

import (
	"io/fs"
	"strings"

	"github.com/nasc-project/nasc/runtime/packages"
)

// offered is the text that declares the operations of a plugin. That of a locked one is
// in the lock, so that files are checked without it. One that runs from where its author
// makes it is asked, once for each command.
func offered(name string) ([]byte, error) {
	if short, ok := strings.CutPrefix(name, "nasc/"); ok {
		if p, ok := builtins.plugin(short); ok {
			return []byte(p.Signatures), nil
		}
		return nil, fs.ErrNotExist
	}
	own, err := overridden()
	if err != nil {
		return nil, err
	}
	for i := len(own) - 1; i >= 0; i-- {
		if own[i].Name == name {
			return told(own[i])
		}
	}
	lock, err := packages.FindLock(".")
	if err != nil {
		return nil, err
	}
	if p := lock.Locked(name); p != nil {
		return []byte(p.Signatures), nil
	}
	if d := missingPlugin(name); d != nil {
		return nil, d
	}
	return nil, fs.ErrNotExist
}

// answers are what plugins have told of their operations.
var answers = map[string][]byte{}

// told starts a plugin to hear which operations it offers.
func told(o packages.Override) ([]byte, error) {
	if text, ok := answers[o.Name]; ok {
		return text, nil
	}
	command, err := o.Command()
	if err != nil {
		return nil, err
	}
	ctx, stop := interruptible()
	defer stop()
	plugins, err := hosted([]known{{name: o.Name, command: command, from: o.Path, override: true}})
	if err != nil {
		return nil, err
	}
	defer plugins.Host.Close()
	p, err := plugins.Host.Start(ctx, o.Name)
	if err != nil {
		return nil, err
	}
	answers[o.Name] = []byte(p.Description().Signatures)
	return answers[o.Name], nil
}
