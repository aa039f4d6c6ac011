// Package hygiene keeps this process's memory to itself.
package hygiene

// NoCoreDumps keeps a crash from writing secrets to disk. Where the system has
// no such switch it does nothing.
func NoCoreDumps() error { return noCoreDumps() }
