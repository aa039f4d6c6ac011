package sqldb

import (
	"context"
	"database/sql"
	"time"

	"jackfield/connectors/internal/jwtx"
)

// expires is the day on which a login's password runs out, or the end of the
// token; zero where neither is known.
func (d mssqlDialect) expires(ctx context.Context, q querier) time.Time {
	switch d.c.Auth {
	case byToken:
		token, err := jwtx.Decode(d.c.Token.Reveal())
		if err != nil {
			return time.Time{}
		}
		return token.Expires
	case byPassword:
		var days sql.NullInt64
		err := q.QueryRowContext(ctx, "SELECT CAST(LOGINPROPERTY(SUSER_SNAME(), 'DaysUntilExpiration') AS int)").Scan(&days)
		if err == nil && days.Valid {
			return time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, int(days.Int64))
		}
	}
	return time.Time{}
}

// databases are those that are online but SQL Server's own.
func (mssqlDialect) databases() string {
	return `SELECT name, 'database', CAST(1 AS bit), NULL, CASE WHEN HAS_DBACCESS(name) = 1 THEN 'readable' ELSE 'denied' END, NULL, NULL
		FROM sys.databases WHERE state = 0 AND name NOT IN ('master','tempdb','model','msdb') ORDER BY name`
}

// The catalogue shows only what the account has some right on
// (https://learn.microsoft.com/sql/relational-databases/security/metadata-visibility-configuration).
const (
	mssqlSchemas = `SELECT s.name, 'schema', CAST(1 AS bit), NULL, NULL, NULL, NULL FROM sys.schemas s
		WHERE EXISTS (SELECT 1 FROM sys.objects o WHERE o.schema_id = s.schema_id AND o.type IN ('U','V') AND o.is_ms_shipped = 0) ORDER BY s.name`

	mssqlName = `QUOTENAME(s.name) + '.' + QUOTENAME(o.name)`

	mssqlTables = `SELECT o.name, CASE o.type WHEN 'V' THEN 'view' ELSE 'table' END, CAST(1 AS bit), CAST(p.n AS varchar(20)),
		CASE WHEN HAS_PERMS_BY_NAME(` + mssqlName + `, 'OBJECT', 'SELECT') = 1 THEN 'readable'
			WHEN EXISTS (SELECT 1 FROM sys.columns c WHERE c.object_id = o.object_id AND HAS_PERMS_BY_NAME(` + mssqlName + `, 'OBJECT', 'SELECT', c.name, 'COLUMN') = 1) THEN 'listed' ELSE 'denied' END,
		NULL, CAST(e.value AS nvarchar(400))
		FROM sys.objects o JOIN sys.schemas s ON s.schema_id = o.schema_id
		LEFT JOIN (SELECT object_id, SUM(rows) AS n FROM sys.partitions WHERE index_id IN (0, 1) GROUP BY object_id) p ON p.object_id = o.object_id
		LEFT JOIN sys.extended_properties e ON e.class = 1 AND e.major_id = o.object_id AND e.minor_id = 0 AND e.name = 'MS_Description'
		WHERE s.name = @p1 AND o.type IN ('U','V') AND o.is_ms_shipped = 0 ORDER BY o.name`

	mssqlMayRead = `HAS_PERMS_BY_NAME(` + mssqlName + `, 'OBJECT', 'SELECT', c.name, 'COLUMN')`

	mssqlOf = ` FROM sys.columns c JOIN sys.objects o ON o.object_id = c.object_id JOIN sys.schemas s ON s.schema_id = o.schema_id
		LEFT JOIN sys.extended_properties e ON e.class = 1 AND e.major_id = o.object_id AND e.minor_id = c.column_id AND e.name = 'MS_Description'
		WHERE s.name = @p1 AND o.name = @p2 AND o.type IN ('U','V') ORDER BY c.column_id`

	mssqlColumns = `SELECT c.name, 'column', CAST(0 AS bit), NULL, CASE WHEN ` + mssqlMayRead + ` = 1 THEN 'readable' ELSE 'denied' END,
		'Type=' + TYPE_NAME(c.user_type_id) + CASE WHEN TYPE_NAME(c.system_type_id) IN ('nvarchar','nchar') THEN '(' + CASE c.max_length WHEN -1 THEN 'max' ELSE CAST(c.max_length / 2 AS varchar(5)) END + ')'
			WHEN TYPE_NAME(c.system_type_id) IN ('varchar','char','varbinary','binary') THEN '(' + CASE c.max_length WHEN -1 THEN 'max' ELSE CAST(c.max_length AS varchar(5)) END + ')'
			WHEN TYPE_NAME(c.system_type_id) IN ('decimal','numeric') THEN '(' + CAST(c.precision AS varchar(3)) + ',' + CAST(c.scale AS varchar(3)) + ')' ELSE '' END,
		CAST(e.value AS nvarchar(400))` + mssqlOf
)

func (mssqlDialect) below(id []string) (string, []any, bool) {
	switch len(id) {
	case 0:
		return mssqlSchemas, nil, true
	case 1:
		return mssqlTables, []any{id[0]}, true
	case 2:
		return mssqlColumns, []any{id[0], id[1]}, true
	}
	return "", nil, false
}

func (d mssqlDialect) columns(ctx context.Context, q querier, id []string) ([]string, int, error) {
	if len(id) != 2 {
		return nil, 0, errNoTable()
	}
	return readable(ctx, q, d.quote, "SELECT c.name, CAST("+mssqlMayRead+" AS bit)"+mssqlOf, id[0], id[1])
}
