package clipboard

import (
	"errors"
	"fmt"
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

const unicodeText = 13 // CF_UNICODETEXT

// CopySecret puts text on the clipboard with the formats that keep it out of the
// clipboard's history, its synchronization and monitors
// (https://learn.microsoft.com/windows/win32/dataxchg/clipboard-formats#cloud-clipboard-and-clipboard-history-formats).
func CopySecret(text string) error {
	runtime.LockOSThread() // the clipboard is open for a thread
	defer runtime.UnlockOSThread()
	user := windows.NewLazySystemDLL("user32.dll")
	call := func(name string, args ...uintptr) (uintptr, error) {
		got, _, err := user.NewProc(name).Call(args...)
		if got == 0 {
			return 0, fmt.Errorf("clipboard: %s: %w", name, err)
		}
		return got, nil
	}
	var err error
	for range 10 { // another program may have it open
		if _, err = call("OpenClipboard", 0); err == nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err != nil {
		return err
	}
	defer func() { _, _ = call("CloseClipboard") }()
	if _, err := call("EmptyClipboard"); err != nil {
		return err
	}
	wide, err := windows.UTF16FromString(text)
	if err != nil {
		return fmt.Errorf("clipboard: %w", err)
	}
	put := func(format uintptr, data []byte) error {
		h, err := global(data)
		if err != nil {
			return err
		}
		_, err = call("SetClipboardData", format, h) // the system's from here on
		return err
	}
	failed := put(unicodeText, unsafe.Slice((*byte)(unsafe.Pointer(&wide[0])), 2*len(wide)))
	for _, name := range []string{"ExcludeClipboardContentFromMonitorProcessing", "CanIncludeInClipboardHistory", "CanUploadToCloudClipboard"} {
		n, err := windows.UTF16PtrFromString(name)
		if err != nil {
			return err
		}
		format, err := call("RegisterClipboardFormatW", uintptr(unsafe.Pointer(n)))
		if err == nil {
			err = put(format, make([]byte, 4)) // the number 0
		}
		failed = errors.Join(failed, err)
	}
	return failed
}

// global copies data into memory that the clipboard can take.
func global(data []byte) (uintptr, error) {
	kernel := windows.NewLazySystemDLL("kernel32.dll")
	const moveable = 2 // GMEM_MOVEABLE
	h, _, err := kernel.NewProc("GlobalAlloc").Call(moveable, uintptr(len(data)))
	if h == 0 {
		return 0, fmt.Errorf("clipboard: %w", err)
	}
	p, _, err := kernel.NewProc("GlobalLock").Call(h)
	if p == 0 {
		return 0, fmt.Errorf("clipboard: %w", err)
	}
	copyTo := kernel.NewProc("RtlMoveMemory")
	_, _, _ = copyTo.Call(p, uintptr(unsafe.Pointer(&data[0])), uintptr(len(data)))
	_, _, _ = kernel.NewProc("GlobalUnlock").Call(h)
	return h, nil
}
