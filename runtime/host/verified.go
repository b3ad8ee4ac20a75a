package host

import (
	"io"
	"os"
)

// Verified is a program that may be started, as whoever decides that has found it. Between
// a look at files and their use somebody else may change them. So what has been looked at
// is what is executed, and where that cannot be, it is looked at again when it runs.
type Verified struct {
	// Program is the file that was verified, still open, if the command is a file of the
	// plugin's and not an interpreter; nil: what is executed is what has the command's path.
	Program *os.File
	// Unchanged is called when the process has described itself, and fails if anything is
	// not as it was when it was verified.
	Unchanged func() error
}

// close closes the program.
func (v *Verified) close() {
	if v != nil && v.Program != nil {
		v.Program.Close()
	}
}

// machineCode reports whether a file is for the processor. An interpreter opens its scripts
// by their names, and they look for what lies beside them.
func machineCode(f *os.File) bool {
	magic := make([]byte, 4)
	_, err := f.ReadAt(magic, 0)
	return (err == nil || err == io.EOF) && string(magic) == "\x7fELF"
}
