package sqldb

import (
	"errors"
	"regexp"
	"strings"
)

var instanceShape = regexp.MustCompile(`^[\p{L}_#&][\p{L}\p{N}_#$&]{0,15}$`)

// validInstance has the rules of
// https://learn.microsoft.com/sql/sql-server/install/instance-configuration.
func validInstance(v string) error {
	if !instanceShape.MatchString(v) {
		return errors.New("An instance's name is expected here, such as SQLEXPRESS: up to 16 letters and digits.")
	}
	return nil
}

var serviceShape = regexp.MustCompile(`^[A-Za-z0-9_$#][A-Za-z0-9_$#.-]{0,127}$`)

// validService keeps out what would end the value in a connect descriptor.
func validService(v string) error {
	if !serviceShape.MatchString(v) {
		return errors.New("A name of letters, digits, dots and _ is expected here, such as FREEPDB1 or sales.example.com.")
	}
	return nil
}

func validOracleUser(v string) error {
	if strings.ContainsAny(v, "\"/@[]") {
		return errors.New("A user's name alone is expected here, without a password, a proxy or a database.")
	}
	return nil
}
