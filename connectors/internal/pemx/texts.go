package pemx

import (
	"bytes"
	"unicode/utf8"
)

// texts are the repairs in words, after "Put right: ".
func texts(id string) string {
	switch id {
	case "bom":
		return "an invisible mark at the beginning"
	case "invisible":
		return "invisible characters inside"
	case "utf16":
		return "text that was saved as UTF-16"
	case "html":
		return "characters that were written for a web page, such as &quot; and &#10;"
	case "json":
		return `the key stood in a part of a JSON file; only the value of "private_key" was taken`
	case "json_lines":
		return "line breaks inside the values of a JSON file"
	case "escapes":
		return "characters that were written as JSON writes them, such as \\u002B"
	case "quotes":
		return "quotes around it"
	case "assignment":
		return "the name of a setting before it"
	case "newlines":
		return `line breaks that were written as \n`
	case "crlf":
		return "the line ends of Windows"
	case "spaces":
		return "spaces of an unusual kind"
	case "indentation":
		return "spaces before the lines"
	}
	return blockTexts(id)
}

func blockTexts(id string) string {
	switch id {
	case "quoting":
		return "> before the lines"
	case "dashes":
		return "dashes of the wrong kind or number"
	case "case":
		return "a BEGIN or END line in small letters"
	case "joined":
		return "lines that had run together"
	case "wrapped":
		return "lines of an unusual length"
	case "begin":
		return "a first line (BEGIN) that was missing"
	case "end":
		return "a last line (END) that was missing"
	case "doubled":
		return "a BEGIN or END line that was there twice"
	case "labels":
		return "BEGIN and END lines that did not say the same"
	case "alphabet":
		return "base64 in the alphabet of web addresses (- and _)"
	case "padding":
		return "the = at the end of the base64"
	case "headers":
		return "an empty line that was missing after the headers"
	case "blank":
		return "empty lines inside"
	case "bare":
		return "base64 without its BEGIN and END lines"
	case "base64":
		return "base64 around the text"
	case "prompt":
		return "a line of the terminal from which it was copied"
	case "comment":
		return "words beside the BEGIN or END line"
	case "around":
		return "lines before or after the PuTTY key"
	}
	return "the name of the key's kind before it"
}

// isText also knows the short binary files whose bytes happen to be valid UTF-8:
// keytabs.
func isText(data []byte) bool {
	keytab := len(data) > 2 && data[0] == 5 && data[1] <= 2
	return utf8.Valid(data) && bytes.IndexByte(data, 0) < 0 && !keytab
}
