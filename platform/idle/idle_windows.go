package idle

import (
	"context"
	"errors"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// lastInputInfo is LASTINPUTINFO
// (https://learn.microsoft.com/windows/win32/api/winuser/ns-winuser-lastinputinfo).
type lastInputInfo struct{ size, time uint32 }

func idle(context.Context) (time.Duration, error) {
	info := lastInputInfo{size: uint32(unsafe.Sizeof(lastInputInfo{}))}
	ok, _, err := windows.NewLazySystemDLL("user32.dll").NewProc("GetLastInputInfo").Call(uintptr(unsafe.Pointer(&info)))
	if ok == 0 {
		return 0, errors.Join(errors.New("idle time"), err)
	}
	now, _, _ := windows.NewLazySystemDLL("kernel32.dll").NewProc("GetTickCount").Call()
	return time.Duration(uint32(now)-info.time) * time.Millisecond, nil // wraps after 49.7 days, as both do
}
