// Package proto holds the wire contract between nasc and its plugins: one
// directory per protocol version, and the Go code made from it.
//
// The contract is only ever added to: buf.yaml has the rules, and released.binpb is the
// contract that plugins in the world were built with.
//
// It is what makes a plugin independent of nasc's own language and
// release. It is not for importing by plugin authors: package sdk speaks it for
// them, and package wire turns its messages into the compiler's own types.
package proto

//go:generate ./generate.sh
