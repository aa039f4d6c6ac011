//go:build !race

package keys

// mostAllocated is what reading a hostile file may allocate in all, in bytes.
const mostAllocated = 100 << 20
