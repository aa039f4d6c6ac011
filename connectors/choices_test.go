package connectors

import (
	"errors"
	"iter"
	"strconv"
	"strings"
	"testing"
)

func listOf(values ...string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, v := range values {
			if !yield(v, nil) {
				return
			}
		}
	}
}

func same(v string) (string, string) { return v, "" }

func TestChoicesAreBoundedAndTypeable(t *testing.T) {
	got, err := ChoicesOf(listOf("a", "", "b\u202ec", "a", "line\nbreak", "x\x00", strings.Repeat("l", maxChoice+1)), same)
	if err != nil || len(got) != 2 || got[0].Value != "a" || got[1].Value != "b\u202ec" || got[1].Label != "b\ufffdc" {
		t.Errorf("%q, %v", got, err)
	}
	read := 0
	got, err = ChoicesOf(func(yield func(int, error) bool) {
		for yield(read, nil) {
			read++
		}
	}, func(i int) (string, string) { return strconv.Itoa(i), "no. " + strconv.Itoa(i) })
	if err != nil || len(got) != MaxChoices || read > MaxChoices || got[7].Label != "no. 7" {
		t.Errorf("%d choices after %d, %v", len(got), read, err)
	}
	if got, err := ChoicesOf(listOf(), same); got == nil || err != nil {
		t.Error("nothing to choose is no empty list")
	}
	broken := errors.New("the line broke")
	if _, err := ChoicesOf(func(yield func(string, error) bool) { _ = yield("a", nil) && yield("", broken) }, same); !errors.Is(err, broken) {
		t.Error(err)
	}
}
