package jsonx

import (
	"errors"
	"strings"
	"testing"
)

func TestLines(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"one a line", "{\"a\":1}\n{\"a\":2}\n", `[{"a":1},{"a":2}]`},
		{"Windows line ends and empty lines", "{\"a\":1}\r\n\r\n[2]\r\n", `[{"a":1},[2]]`},
		{"over several lines", "{\n\"a\":1\n}\n{\n\"a\":2\n}", `[{"a":1},{"a":2}]`},
		{"a text sequence", "\x1e{\"a\":1}\n\x1e{\"a\":2}\n", `[{"a":1},{"a":2}]`},
		{"scalars", "1\n\"x\"\nnull", `[1,"x",null]`},
		{"nothing", " \n\n", `[]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			list, err := Lines([]byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			if got := Show(list); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
	for _, text := range []string{"{} {}", "{}\n{", "{}\n<html>", "{}{}"} {
		if list, err := Lines([]byte(text)); err == nil {
			t.Errorf("%q became %s", text, Show(list))
		}
	}
}

func TestSecurity71_ManyObjectsAreRefused(t *testing.T) {
	if _, err := Parse([]byte("[" + strings.Repeat("{},", maxObjects) + "{}]")); !errors.Is(err, ErrMany) {
		t.Errorf("in a list: %v", err)
	}
	if _, err := Lines([]byte(strings.Repeat("{}\n", maxObjects+1))); !errors.Is(err, ErrMany) {
		t.Errorf("on lines: %v", err)
	}
}
