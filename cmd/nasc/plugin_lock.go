package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/runtime/host"
	"github.com/nasc-project/nasc/runtime/packages"
	"github.com/nasc-project/nasc/runtime/plan"
)

func newPluginInstall() *cobra.Command {
	return &cobra.Command{
		Use:   "install SOURCE",
		Short: "Install a plugin from a folder, an archive or an address",
		Long: `install copies a package into the user's store: a folder with a plugin.json, a .zip
or .tar.gz archive of one, or the https:// or file:// address of an archive. Nothing
of it runs before a project locks it.`,
		Example: "  nasc plugin install annealing-0.1.0.tar.gz\n  nasc plugin lock me/annealing",
		Args:    args(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			ctx, stop := interruptible()
			defer stop()
			store, err := packages.UserStore()
			if err != nil {
				return machine(host.CannotStart, "", err)
			}
			p, hash, err := store.Install(ctx, args[0])
			if err != nil {
				return failed(ctx, plan.Explain(err, ""), nil)
			}
			fmt.Fprintf(c.OutOrStdout(), "%s %s %s\n", p.Name, p.Version, hash)
			fmt.Fprintf(os.Stderr, "installed in %s; a project allows it with `nasc plugin lock %s`\n", p.Dir, p.Name)
			return nil
		},
	}
}

func newPluginLock() *cobra.Command {
	var wants string
	c := &cobra.Command{
		Use:   "lock [NAME…]",
		Short: "Pin installed plugins for this project",
		Long: `lock writes nasc.lock: which version of each plugin this project runs, and the hash of
its package for every platform that is installed. It takes the newest installed version
that is wanted. Without a NAME it renews everything that is locked. Commit the file.`,
		Example: "  nasc plugin lock me/annealing\n  nasc plugin lock me/annealing --wants '~> 0.1'",
		Args:    args(0, -1),
	}
	c.Flags().StringVar(&wants, "wants", "", "the versions that may be locked, as in '~> 0.1'; as the lock says if it is not given")
	c.RunE = func(c *cobra.Command, names []string) error {
		ctx, stop := interruptible()
		defer stop()
		lock, err := packages.FindLock(".")
		if err != nil {
			return err
		}
		store, err := packages.UserStore()
		if err != nil {
			return machine(host.CannotStart, "", err)
		}
		if len(names) == 0 {
			for _, p := range lock.Plugins {
				names = append(names, p.Name)
			}
		}
		if len(names) == 0 {
			return refuse(packages.NotThere, "name an installed one, as in `nasc plugin lock me/annealing`", "there is nothing to lock")
		}
		for _, name := range names {
			before := lock.Locked(name)
			want := wants
			if before != nil && !c.Flags().Changed("wants") {
				want = before.Wants
			}
			now, err := pin(ctx, store, name, want)
			if err != nil {
				return failed(ctx, plan.Explain(err, ""), nil)
			}
			if before != nil && before.Version == now.Version {
				for platform, hash := range before.Packages { // those of other machines stay
					if now.Packages[platform] == "" {
						now.Packages[platform] = hash
					}
				}
			}
			lock.Set(now)
			fmt.Fprintf(os.Stderr, "%s %s\n", now.Name, now.Version)
		}
		if err := lock.Write(); err != nil {
			return machine(plan.CannotWrite, "", err)
		}
		fmt.Fprintln(c.OutOrStdout(), filepath.ToSlash(shortest(lock.File)))
		return nil
	}
	return c
}

// shortest is a path as seen from the working directory, where that is no longer.
func shortest(file string) string {
	here, err := os.Getwd()
	if err != nil {
		return file
	}
	if rel, err := filepath.Rel(here, file); err == nil && len(rel) < len(file) {
		return rel
	}
	return file
}

// pin makes what the lock says of a plugin, for which it is started once.
func pin(ctx context.Context, store packages.Store, name, wants string) (*packages.Locked, error) {
	p, _, err := store.Pin(name, wants)
	if err != nil {
		return nil, err
	}
	d, err := described(ctx, store, p)
	if err != nil {
		return nil, err
	}
	if p.Describe, err = packages.DescriptionHash(d); err != nil {
		return nil, err
	}
	p.Signatures = d.Signatures
	return p, store.Describe(p, d)
}

// described starts a plugin and returns what it says of itself.
func described(ctx context.Context, store packages.Store, p *packages.Locked) (d wire.Description, err error) {
	command, err := store.Command(p)
	if err != nil {
		return d, err
	}
	h := host.New(host.Options{Commands: map[string]host.Command{p.Name: command}})
	defer h.Close()
	started, err := h.Start(ctx, p.Name)
	if err != nil {
		return d, err
	}
	d = started.Description()
	if d.Name != p.Name || d.Version != p.Version {
		return d, &diag.Diagnostic{Code: packages.BadPackage, Message: fmt.Sprintf("the package of %s %s is, by what it says itself, %s %s", p.Name, p.Version, d.Name, d.Version),
			Help: "its plugin.json and its code must agree"}
	}
	return d, nil
}

// differs says how a plugin describes itself in another way than the lock says.
func differs(p *packages.Locked, d wire.Description) error {
	now, err := packages.DescriptionHash(d)
	switch {
	case err != nil:
		return err
	case now != p.Describe:
		return &diag.Diagnostic{Code: packages.Tampered, Message: fmt.Sprintf("%s %s describes itself in another way than the lock says: %s, and not %s", p.Name, p.Version, now, p.Describe),
			Help: "accept it with `nasc plugin lock " + p.Name + "`"}
	case strings.TrimSuffix(d.Signatures, "\n") != strings.TrimSuffix(p.Signatures, "\n"):
		return &diag.Diagnostic{Code: packages.Tampered, Message: fmt.Sprintf("the operations of %s %s that the lock has are not those that it offers", p.Name, p.Version),
			Help: "the lock was changed by hand; write it anew with `nasc plugin lock " + p.Name + "`"}
	}
	return nil
}

// verify checks a locked plugin, and keeps what it says of itself.
func verify(ctx context.Context, store packages.Store, p *packages.Locked) error {
	d, err := described(ctx, store, p)
	if err != nil {
		return err
	}
	if err := differs(p, d); err != nil {
		return err
	}
	return store.Describe(p, d)
}

func newPluginVerify() *cobra.Command {
	return &cobra.Command{
		Use:   "verify",
		Short: "Check that what is installed is what the project has locked",
		Long: `verify compares every locked package with its hash, and what each plugin says of itself
with the lock. What it says is kept, so that 'nasc check' knows it without asking.`,
		Example: "  nasc plugin verify",
		Args:    args(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			ctx, stop := interruptible()
			defer stop()
			lock, err := packages.FindLock(".")
			if err != nil {
				return err
			}
			store, err := packages.UserStore()
			if err != nil {
				return machine(host.CannotStart, "", err)
			}
			if len(lock.Plugins) == 0 {
				fmt.Fprintln(c.ErrOrStderr(), "nothing is locked: `nasc plugin lock` writes which plugins a project runs")
			}
			var all diag.List
			for _, p := range lock.Plugins {
				if err := verify(ctx, store, p); err != nil {
					all = append(all, plan.Explain(err, "")...)
					continue
				}
				fmt.Fprintf(c.OutOrStdout(), "%s %s is as it was locked\n", p.Name, p.Version)
			}
			return failed(ctx, all, nil)
		},
	}
}
