// Package all lists the connection types.
package all

import (
	"fmt"
	"sync"

	"jackfield/connectors"
	"jackfield/connectors/account"
	"jackfield/connectors/amqp1"
	"jackfield/connectors/awsiot"
	"jackfield/connectors/clickhouse"
	"jackfield/connectors/elastic"
	"jackfield/connectors/folder"
	"jackfield/connectors/ftp"
	"jackfield/connectors/kafka"
	"jackfield/connectors/ldap"
	"jackfield/connectors/mail"
	"jackfield/connectors/mongodb"
	"jackfield/connectors/mqtt"
	"jackfield/connectors/nats"
	"jackfield/connectors/objectstore"
	"jackfield/connectors/rabbitmq"
	"jackfield/connectors/redis"
	"jackfield/connectors/servicebus"
	"jackfield/connectors/sftp"
	"jackfield/connectors/smb"
	"jackfield/connectors/sqldb"
	"jackfield/connectors/web"
	"jackfield/connectors/webdav"
)

// coded are the built-in types that are written in Go. The list is explicit:
// nothing registers itself.
func coded() []connectors.Type {
	out := []connectors.Type{sftp.Type(), sftp.Jump(), ldap.Type(), mqtt.Type(), awsiot.Type(), rabbitmq.Type(), kafka.Type(), nats.Type(), amqp1.Type(), servicebus.Type()}
	for _, list := range [][]connectors.Type{{ftp.Type(), webdav.Type(), smb.Type(), folder.Type()}, objectstore.Types(), sqldb.Types(), {clickhouse.Type(), mongodb.Type(), redis.Type(), elastic.Type()}, mail.Types(), account.Types()} {
		out = append(out, list...)
	}
	return append(out, web.OAuth())
}

// All are the built-in types.
func All() []connectors.Type {
	out := append(coded(), web.HTTP())
	services, err := web.Services()
	if err != nil {
		// The files are part of the program; TestEveryTypeIsSound fails first.
		return out
	}
	return append(out, services...)
}

// A Shelf has the built-in types and the user's own, and reads of the catalogue
// only what is asked for: a program that opens one connection needs one file.
// Its methods may be called concurrently.
type Shelf struct {
	own []connectors.Type
	all func() []connectors.Type

	mu   sync.Mutex
	read map[string]connectors.Type // what was asked for
}

// NewShelf adds the user's own catalogue files in dir. An error names a file
// that cannot be used; the rest stands. A user's type may not take the place of
// a built-in one, nor of another file's.
func NewShelf(dir string) (*Shelf, []error) {
	own, errs := web.FromFolder(dir)
	s := &Shelf{read: map[string]connectors.Type{}}
	for _, t := range own {
		_, builtIn := find(t.ID)
		if _, twice := connectors.Find(s.own, t.ID); builtIn || twice {
			errs = append(errs, &web.FileError{File: t.Origin, Err: fmt.Errorf("there is already a type %q", t.ID)})
			continue
		}
		s.own = append(s.own, t)
	}
	s.all = sync.OnceValue(func() []connectors.Type { return append(All(), s.own...) })
	return s, errs
}

// All are the types in gallery order.
func (s *Shelf) All() []connectors.Type { return s.all() }

// Find returns the type with the given id.
func (s *Shelf) Find(id string) (connectors.Type, bool) {
	if t, ok := connectors.Find(s.own, id); ok {
		return t, true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if t, ok := s.read[id]; ok {
		return t, true
	}
	t, ok := find(id)
	if ok {
		s.read[id] = t
	}
	return t, ok
}

func find(id string) (connectors.Type, bool) {
	if t, ok := connectors.Find(coded(), id); ok {
		return t, true
	}
	if id == "http" {
		return web.HTTP(), true
	}
	return web.Service(id)
}
