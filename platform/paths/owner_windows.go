package paths

import "io/fs"

// ownedByUs leaves ownership to the profile folder's access list, which keeps
// other users out of %AppData%.
func ownedByUs(fs.FileInfo) error { return nil }
