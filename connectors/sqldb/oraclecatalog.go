package sqldb

import (
	"context"
	"strings"
)

func (*oracleDialect) databases() string { return "" }

// oracleOwn are the schemas that Oracle installs, for versions that do not mark them.
const oracleOwn = `'SYS','SYSTEM','OUTLN','DBSNMP','XDB','WMSYS','CTXSYS','MDSYS','ORDSYS','ORDDATA','ORDPLUGINS','OLAPSYS','EXFSYS','SYSMAN','APEX_030200','APPQOSSYS','FLOWS_FILES','SI_INFORMTN_SCHEMA','ORACLE_OCM','DIP','MGMT_VIEW','OWBSYS','ANONYMOUS'`

const (
	oracleSchemas = `SELECT u.username, 'schema', 1, NULL, NULL, NULL, NULL FROM all_users u
		WHERE (u.username = USER OR u.username IN (SELECT owner FROM all_tables UNION SELECT owner FROM all_views)) AND (u.username = USER OR `

	// The catalogue shows what the account has some right on. A right to read may
	// come from a grant to it, to a role of its or to everybody, or from a right
	// over all tables (https://docs.oracle.com/en/database/oracle/oracle-database/19/refrn/ALL_TAB_PRIVS.html).
	oracleAccess = `CASE WHEN o.owner = USER OR EXISTS (SELECT 1 FROM session_privs WHERE privilege IN ('SELECT ANY TABLE','READ ANY TABLE'))
		OR p.table_name IS NOT NULL THEN 'readable' ELSE 'listed' END`

	oracleTables = `SELECT o.name, o.kind, 1, TO_CHAR(o.num_rows), ` + oracleAccess + `, NULL, c.comments FROM (
			SELECT t.owner, t.table_name AS name, CASE WHEN m.mview_name IS NULL THEN 'table' ELSE 'materialized view' END AS kind, t.num_rows
			FROM all_tables t LEFT JOIN all_mviews m ON m.owner = t.owner AND m.mview_name = t.table_name WHERE t.nested = 'NO' AND t.secondary = 'N'
			UNION ALL SELECT v.owner, v.view_name, 'view', NULL FROM all_views v) o
		LEFT JOIN all_tab_comments c ON c.owner = o.owner AND c.table_name = o.name
		LEFT JOIN (SELECT DISTINCT table_schema, table_name FROM all_tab_privs WHERE privilege IN ('SELECT','READ')) p ON p.table_schema = o.owner AND p.table_name = o.name
		WHERE o.owner = :1 ORDER BY o.name`

	oracleColumns = `SELECT a.column_name, 'column', 0, NULL, NULL,
			'Type=' || a.data_type || CASE WHEN a.data_type IN ('VARCHAR2','NVARCHAR2','CHAR','NCHAR') THEN '(' || a.char_length || ')'
			WHEN a.data_type = 'NUMBER' AND a.data_precision IS NOT NULL THEN '(' || a.data_precision || ',' || a.data_scale || ')' END, c.comments
		FROM all_tab_columns a LEFT JOIN all_col_comments c ON c.owner = a.owner AND c.table_name = a.table_name AND c.column_name = a.column_name
		WHERE a.owner = :1 AND a.table_name = :2 ORDER BY a.column_id`
)

func (d *oracleDialect) below(id []string) (string, []any, bool) {
	switch len(id) {
	case 0:
		if d.marked {
			return oracleSchemas + "u.oracle_maintained = 'N') ORDER BY u.username", nil, true
		}
		return oracleSchemas + "u.username NOT IN (" + oracleOwn + ")) ORDER BY u.username", nil, true
	case 1:
		return oracleTables, []any{id[0]}, true
	case 2:
		return oracleColumns, []any{id[0], id[1]}, true
	}
	return "", nil, false
}

// columns cuts large objects on the server, and leaves out what cannot be shown.
func (d *oracleDialect) columns(ctx context.Context, q querier, id []string) ([]string, int, error) {
	if len(id) != 2 {
		return nil, 0, errNoTable()
	}
	rows, err := q.QueryContext(ctx, "SELECT column_name, data_type FROM all_tab_columns WHERE owner = :1 AND table_name = :2 ORDER BY column_id", id[0], id[1])
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = rows.Close() }()
	var out []string
	left := 0
	for rows.Next() {
		var name, kind string
		if err := rows.Scan(&name, &kind); err != nil {
			return nil, 0, err
		}
		if expr := d.cell(name, kind); expr != "" {
			out = append(out, expr)
		} else {
			left++
		}
	}
	return out, left, rows.Err()
}

// cell is the expression for a column, "" for types that no expression makes short.
func (d *oracleDialect) cell(name, kind string) string {
	quoted := d.quote(name)
	switch {
	case kind == "CLOB" || kind == "NCLOB":
		return "DBMS_LOB.SUBSTR(" + quoted + ",1000,1) AS " + quoted
	case kind == "BLOB":
		return "DBMS_LOB.SUBSTR(" + quoted + ",64,1) AS " + quoted
	case kind == "BFILE" || strings.HasPrefix(kind, "LONG") || strings.Contains(kind, "XMLTYPE") || strings.HasPrefix(kind, "SDO_") || strings.HasPrefix(kind, "ANYDATA"):
		return ""
	}
	return quoted
}
