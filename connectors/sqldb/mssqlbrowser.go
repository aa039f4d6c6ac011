package sqldb

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"strconv"
	"strings"
	"time"

	"jackfield/connectors"
)

const (
	browserPort = "1434"
	browserTime = 3 * time.Second
)

// instancePort asks the SQL Server Browser (MC-SQLR) for an instance's port. It
// answers over UDP, which goes through no proxy or jump host.
func instancePort(ctx context.Context, env *connectors.Env, host, instance string) (int, error) {
	port, err := askBrowser(ctx, env, net.JoinHostPort(host, browserPort), instance)
	if ctx.Err() != nil {
		return 0, (&session{}).explain(ctx, ctx.Err(), host)
	}
	if err != nil {
		err = &connectors.Error{Code: connectors.NotFound, Reason: "mssql.instance", Op: connectors.StageResolve, Target: host + `\` + instance, Field: "port", Err: err}
	}
	return port, err
}

func askBrowser(ctx context.Context, env *connectors.Env, addr, instance string) (int, error) {
	inner, cancel := context.WithTimeout(ctx, browserTime)
	defer cancel()
	conn, err := env.Dial(inner, "udp", addr)
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close() }()
	if _, ok := conn.RemoteAddr().(*net.UDPAddr); !ok {
		return 0, errors.New("the way to the server carries no UDP")
	}
	defer context.AfterFunc(inner, func() { _ = conn.Close() })()
	const oneInstance = 4 // CLNT_UCAST_INST
	if _, err := conn.Write(append(append([]byte{oneInstance}, instance...), 0)); err != nil {
		return 0, err
	}
	answer := make([]byte, 2048)
	n, err := conn.Read(answer)
	if err != nil {
		return 0, err
	}
	return portIn(answer[:n], instance)
}

var errNoInstance = errors.New("the server knows no such instance with TCP")

// portIn reads SVR_RESP (MC-SQLR 2.2.5): names and values between semicolons.
func portIn(answer []byte, instance string) (int, error) {
	if len(answer) < 3 || answer[0] != 5 || int(binary.LittleEndian.Uint16(answer[1:])) != len(answer)-3 {
		return 0, errNoInstance
	}
	parts := strings.Split(string(answer[3:]), ";")
	values := map[string]string{}
	for i := 0; i+1 < len(parts) && parts[i] != ""; i += 2 {
		values[strings.ToLower(parts[i])] = parts[i+1]
	}
	port, err := strconv.Atoi(values["tcp"])
	if err != nil || port < 1 || port > 65535 || !strings.EqualFold(values["instancename"], instance) {
		return 0, errNoInstance
	}
	return port, nil
}
