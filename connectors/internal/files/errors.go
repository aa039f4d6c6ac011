package files

import "errors"

// ErrNoRanges says that a store can read a file only from its beginning on.
var ErrNoRanges = errors.New("this store reads files from the beginning only")
