package screen

import (
	"fmt"

	"golang.org/x/sys/windows"
)

// excluded is WDA_EXCLUDEFROMCAPTURE, from Windows 10 2004 on
// (https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-setwindowdisplayaffinity).
const excluded = 0x11

// Hide leaves the window with that handle out of screenshots, recordings and
// shared screens, or shows it there again.
func Hide(hwnd uintptr, on bool) error {
	how := uintptr(0)
	if on {
		how = excluded
	}
	ok, _, err := windows.NewLazySystemDLL("user32.dll").NewProc("SetWindowDisplayAffinity").Call(hwnd, how)
	if ok == 0 {
		return fmt.Errorf("window display affinity: %w", err)
	}
	return nil
}
