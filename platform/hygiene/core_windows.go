package hygiene

import "golang.org/x/sys/windows"

// noCoreDumps keeps Windows Error Reporting from writing this process's memory
// to disk and from showing its dialog (SetErrorMode, processthreadsapi.h).
func noCoreDumps() error {
	windows.SetErrorMode(windows.SEM_FAILCRITICALERRORS | windows.SEM_NOGPFAULTERRORBOX | windows.SEM_NOOPENFILEERRORBOX)
	return nil
}
