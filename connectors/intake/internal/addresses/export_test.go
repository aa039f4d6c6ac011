package addresses

// NotesForTest are all notes there are.
func NotesForTest() []string {
	return []string{noteInside, noteRepaired, noteUndecoded, noteFirst, noteChecked, noteAlways, noteWindows, noteEntra, noteOpen, noteClassic, noteRepository, noteWebhook, noteToken}
}
