package packages

import "github.com/nasc-project/nasc/dsl/diag"

// The codes of what can go wrong with a package.
const (
	NotLocked  = "E0513" // it is installed, but no lock names it
	Tampered   = "E0514" // it has another hash than the lock says
	BadPackage = "E0515" // the folder or the archive is no package
	BadLock    = "E0516" // nasc.lock cannot be read
	Unwanted   = "E0517" // the locked version is not one that is wanted
	NotThere   = "E0518" // the lock names what is not installed

	NotDescribed = "E0519" // nothing tells what the plugin says of itself
)

func fault(code, message, help string) *diag.Diagnostic {
	return &diag.Diagnostic{Code: code, Message: message, Help: help}
}
