package conntest

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// watchPeak follows the most memory that a process had resident, in bytes, until
// stop. The rusage of an ended process does not do: it starts with what its
// parent had when it forked.
func watchPeak(pid int) (stop func() int64) {
	done, peak := make(chan struct{}), make(chan int64, 1)
	go func() {
		most := int64(0)
		for {
			most = max(most, highWater(pid))
			select {
			case <-done:
				peak <- most
				return
			case <-time.After(2 * time.Millisecond):
			}
		}
	}()
	return func() int64 {
		close(done)
		return <-peak
	}
}

// highWater reads VmHWM, see proc_pid_status(5).
func highWater(pid int) int64 {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(data) {
		if rest, ok := bytes.CutPrefix(line, []byte("VmHWM:")); ok {
			kib, _ := strconv.ParseInt(string(bytes.TrimSpace(bytes.TrimSuffix(bytes.TrimSpace(rest), []byte("kB")))), 10, 64)
			return kib * 1024
		}
	}
	return 0
}
