package connectors

import (
	"reflect"
	"strconv"
	"strings"
)

const tagName = "field"

// tagKeys lists the form keys that a configuration struct decodes; keys tagged
// ",issued" are left out, because no form asks for them.
func tagKeys(t reflect.Type) []string {
	keys := []string{}
	for f := range fieldsOf(t) {
		if f.Anonymous && f.Type.Kind() == reflect.Struct && f.Tag.Get(tagName) == "" {
			keys = append(keys, tagKeys(f.Type)...)
			continue
		}
		if key, issued := splitTag(f); key != "" && !issued {
			keys = append(keys, key)
		}
	}
	return keys
}

func fieldsOf(t reflect.Type) func(yield func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for i := range t.NumField() {
			if !yield(t.Field(i)) {
				return
			}
		}
	}
}

func splitTag(f reflect.StructField) (key string, issued bool) {
	key, option, _ := strings.Cut(f.Tag.Get(tagName), ",")
	return key, option == "issued"
}

// decode fills v, a struct, from the answers. Hidden fields are left at their
// zero value: an answer that the user can no longer see must not take effect.
func decode(v reflect.Value, form Form, s Settings) error {
	for f := range fieldsOf(v.Type()) {
		dst := v.FieldByIndex(f.Index)
		if f.Anonymous && f.Type.Kind() == reflect.Struct && f.Tag.Get(tagName) == "" {
			if err := decode(dst, form, s); err != nil {
				return err
			}
			continue
		}
		key, issued := splitTag(f)
		if key == "" {
			continue
		}
		if !issued && !form.Visible(key, s) {
			continue
		}
		if err := set(dst, key, form, s); err != nil {
			return err
		}
	}
	return nil
}

func set(dst reflect.Value, key string, form Form, s Settings) error {
	if dst.Type() == reflect.TypeFor[Secret]() {
		dst.Set(reflect.ValueOf(s.Secrets[key]))
		return nil
	}
	text := form.Answer(key, s)
	switch dst.Kind() {
	case reflect.String:
		dst.SetString(text)
	case reflect.Bool:
		dst.SetBool(text == "true")
	case reflect.Int:
		if text == "" {
			return nil
		}
		n, err := strconv.Atoi(text)
		if err != nil {
			return &Error{Code: BadInput, Op: StageForm, Field: key, Said: "a whole number is needed here", Err: err}
		}
		dst.SetInt(int64(n))
	default:
		return &Error{Code: BadInput, Op: StageForm, Field: key, Said: "this field's struct type is not supported"}
	}
	return nil
}
