package main

import (
	"embed"
	"io/fs"
)

//go:embed help/*.md
var helpFiles embed.FS

// guide has the guide's chapters: Markdown files, read in the order of their names.
// The first line is the title. Of Markdown there is what the window shows well:
// headings of the second level, paragraphs, lists, bold, code, links.
func guide() fs.FS {
	chapters, err := fs.Sub(helpFiles, "help")
	if err != nil { // the folder is part of the program
		return helpFiles
	}
	return chapters
}
