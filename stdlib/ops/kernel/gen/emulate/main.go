// Emulate runs the tests of the kernel package on an emulated processor, so that
// loops for AVX-512 can be proved on a machine that lacks it. It needs the emulator
// Bochs, a Linux kernel (the file vmlinuz of any distribution) and, to make a CD that
// Bochs starts from, xorriso and isolinux:
//
//	apt-get install bochs xorriso isolinux syslinux-common
//	apt-get download linux-image-6.1.0-50-cloud-amd64-unsigned
//	dpkg-deb -x linux-image-*.deb linux
//	go -C stdlib/ops/kernel/gen run ./emulate -linux $PWD/linux/boot/vmlinuz-* -test.v -test.run /avx512
//
// The tests are those of the tree as it is, changes that are not committed included. What
// follows the flags of emulate goes to them; /avx512 is all that try every set of loops,
// with the one that only this processor has, and -test.run '^TestBlocks$/avx512' one of
// them. Linux starts within one or two minutes; arithmetic takes some hundred times as
// long as on a real processor, all of it some twenty minutes of a processor's time. On a
// machine that is busy, -limit 6h gives it more than an hour, and two of these, with
// another -test.run each, use two processors; what passes is shown as it does. The
// clock of the emulated machine counts instructions, so that the times of a benchmark
// compare those of two loops; -env GODEBUG=cpu.avx512f=off runs it with the loops for
// AVX2.
package main

import (
	"bufio"
	"compress/gzip"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	log.SetFlags(0)
	linux := flag.String("linux", "", "the kernel of Linux, a bzImage")
	cpu := flag.String("cpu", "corei7_skylake_x", "the processor, one of those of bochs -help cpu")
	env := flag.String("env", "", "a variable of the environment of the tests, name=value")
	keep := flag.String("folder", "", "folder for what the machine is made of (default: a temporary one)")
	limit := flag.Duration("limit", time.Hour, "how long it may take")
	flag.CommandLine.SetOutput(os.Stderr)
	args := os.Args[1:]
	own := len(args)
	for i, a := range args {
		if strings.HasPrefix(a, "-test.") {
			own = i
			break
		}
	}
	flag.CommandLine.Parse(args[:own])
	if *linux == "" || flag.NArg() > 0 {
		log.Fatal("usage: emulate -linux vmlinuz [-cpu name] [-env name=value] [-test.flags]")
	}
	folder := *keep
	if folder == "" {
		var err error
		if folder, err = os.MkdirTemp("", "emulate"); err != nil {
			log.Fatal(err)
		}
		defer os.RemoveAll(folder)
	}
	m := machine{folder: folder, cpu: *cpu}
	if err := m.build(*linux, append([]string{*env}, args[own:]...)); err != nil {
		log.Fatal(err)
	}
	if err := m.run(*limit); err != nil {
		log.Fatal(err)
	}
}

// machine is an emulated one, with the files that it is made of.
type machine struct{ folder, cpu string }

func (m machine) path(name string) string { return filepath.Join(m.folder, name) }

// build makes the CD and the description of the machine, which runs the tests with a
// variable of the environment and arguments.
func (m machine) build(linux string, call []string) error {
	cd := m.path("cd")
	if err := os.MkdirAll(cd, 0o755); err != nil {
		return err
	}
	for _, c := range [][]string{
		{"go", "build", "-o", m.path("guest"), "./emulate/guest"},
		{"go", "-C", "..", "test", "-c", "-o", m.path("tests"), "."},
	} {
		if err := command(c...); err != nil {
			return err
		}
	}
	if err := m.archive(filepath.Join(cd, "initrd"), call); err != nil {
		return err
	}
	for to, from := range map[string][]string{
		"linux":        {linux},
		"isolinux.bin": {"/usr/lib/ISOLINUX/isolinux.bin", "/usr/lib/syslinux/isolinux.bin"},
		"ldlinux.c32":  {"/usr/lib/syslinux/modules/bios/ldlinux.c32", "/usr/lib/syslinux/bios/ldlinux.c32"},
	} {
		if err := copyFirst(filepath.Join(cd, to), from); err != nil {
			return err
		}
	}
	// Bochs 2.7 tells a wrong size for what XSAVEC writes, for which Linux would do
	// without AVX.
	boot := "default tests\nlabel tests\nkernel linux\nappend initrd=initrd rdinit=/guest console=ttyS0 loglevel=4 clearcpuid=xsaves,xsavec mitigations=off nokaslr panic=-1\n"
	if err := os.WriteFile(filepath.Join(cd, "isolinux.cfg"), []byte(boot), 0o644); err != nil {
		return err
	}
	if err := command("xorriso", "-as", "mkisofs", "-quiet", "-o", m.path("cd.iso"), "-b", "isolinux.bin", "-c", "boot.cat",
		"-no-emul-boot", "-boot-load-size", "4", "-boot-info-table", cd); err != nil {
		return err
	}
	settings := fmt.Sprintf(`cpu: model=%s, count=1, ips=100000000, reset_on_triple_fault=0
memory: guest=1024, host=1024
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
ata0: enabled=1
ata0-master: type=cdrom, path=%s, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=%s
display_library: rfb, options="timeout=0"
sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
log: %s
panic: action=fatal
error: action=report
info: action=ignore
debug: action=ignore
`, m.cpu, m.path("cd.iso"), m.path("serial"), m.path("log"))
	if err := os.WriteFile(m.path("commands"), []byte("continue\n"), 0o644); err != nil { // for its debugger
		return err
	}
	return os.WriteFile(m.path("settings"), []byte(settings), 0o644)
}

// command runs a program without cgo, whose output is shown if it fails.
func command(args ...string) error {
	c := exec.Command(args[0], args[1:]...)
	c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64", "GOFLAGS=")
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

// copyFirst copies the first of some files that there is.
func copyFirst(to string, from []string) error {
	var err error
	for _, f := range from {
		var data []byte
		if data, err = os.ReadFile(f); err == nil {
			return os.WriteFile(to, data, 0o644)
		}
	}
	return err
}

// archive writes the file system that Linux starts with, a cpio archive.
func (m machine) archive(path string, call []string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewWriterLevel(f, gzip.BestSpeed)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(z)
	a := archive{w: w}
	const folder, device, file = 0o040755, 0o020600, 0o100755
	a.add("dev", folder, nil, 0, 0)
	a.add("dev/console", device, nil, 5, 1)
	for _, name := range []string{"guest", "tests"} {
		data, err := os.ReadFile(m.path(name))
		if err != nil {
			return err
		}
		a.add(name, file, data, 0, 0)
	}
	a.add("call", file, []byte(strings.Join(call, "\n")), 0, 0)
	a.add("TRAILER!!!", 0, nil, 0, 0)
	for _, close := range []func() error{w.Flush, z.Close, f.Close} {
		if err := close(); err != nil {
			return err
		}
	}
	return nil
}

// archive is a cpio archive in the format newc.
type archive struct {
	w     *bufio.Writer
	inode int
}

// add adds an entry; what goes wrong the flush of the writer tells.
func (a *archive) add(name string, mode int, data []byte, major, minor int) {
	a.inode++
	header := fmt.Sprintf("070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
		a.inode, mode, 0, 0, 1, 0, len(data), 0, 0, major, minor, len(name)+1, 0)
	a.w.WriteString(header + name + "\x00")
	a.pad(len(header) + len(name) + 1)
	a.w.Write(data)
	a.pad(len(data))
}

func (a *archive) pad(n int) { a.w.WriteString(strings.Repeat("\x00", (4-n%4)%4)) }

// run emulates the machine and shows what the tests print.
func (m machine) run(limit time.Duration) error {
	if err := os.WriteFile(m.path("serial"), nil, 0o644); err != nil {
		return err
	}
	serial, err := os.Open(m.path("serial"))
	if err != nil {
		return err
	}
	defer serial.Close()
	output, err := os.Create(m.path("output"))
	if err != nil {
		return err
	}
	defer output.Close()
	bochs := exec.Command("bochs", "-q", "-f", m.path("settings"), "-rc", m.path("commands"))
	bochs.Stdout, bochs.Stderr = output, output
	if err := bochs.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- bochs.Wait() }()
	const mark = "emulated tests ended: "
	var seen strings.Builder
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); {
		over := false
		select {
		case <-ended:
			over = true
		case <-time.After(time.Second):
		}
		if _, err := io.Copy(io.MultiWriter(os.Stdout, &seen), serial); err != nil {
			return err
		}
		_, result, found := strings.Cut(seen.String(), mark)
		if result, _, whole := strings.Cut(result, "\n"); found && whole {
			if !over {
				bochs.Process.Kill()
				<-ended
			}
			if result = strings.TrimSpace(result); result != "<nil>" {
				return fmt.Errorf("the tests failed: %s", result)
			}
			return nil
		}
		if over {
			return fmt.Errorf("the emulator ended early; its log is %s", m.path("log"))
		}
	}
	bochs.Process.Kill()
	<-ended
	return fmt.Errorf("no result within %v", limit)
}
