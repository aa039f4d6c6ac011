//go:build race

package keys

// mostAllocated guards against a runaway alone: with the race detector pools
// forget what they are given, so that regular expressions allocate anew each
// time. What counts is held without it; see .ci/test.
const mostAllocated = 16 << 30
