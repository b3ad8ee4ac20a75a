package main

// stop has a process do nothing any more. Windows cannot stop it from within.
func stop() { select {} }
