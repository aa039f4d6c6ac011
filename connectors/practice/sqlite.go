package practice

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

const schema = `
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, city TEXT, country TEXT, segment TEXT, since DATE);
CREATE TABLE products (sku TEXT PRIMARY KEY, name TEXT NOT NULL, category TEXT, price NUMERIC NOT NULL, stock INTEGER NOT NULL);
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers(id), ordered DATE NOT NULL, status TEXT NOT NULL, note TEXT);
CREATE TABLE order_lines (order_id INTEGER NOT NULL REFERENCES orders(id), line INTEGER NOT NULL, sku TEXT NOT NULL REFERENCES products(sku),
	quantity INTEGER NOT NULL, price NUMERIC NOT NULL, PRIMARY KEY (order_id, line));
CREATE TABLE employees (number INTEGER PRIMARY KEY, name TEXT NOT NULL, title TEXT, department TEXT, site TEXT, manager INTEGER REFERENCES employees(number), hired DATE);
CREATE INDEX orders_by_customer ON orders(customer_id);
CREATE VIEW open_orders AS SELECT o.id, c.name AS customer, o.ordered, o.status FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.status IN ('open','picked','shipped');
CREATE VIEW revenue_by_month AS SELECT substr(o.ordered, 1, 7) AS month, count(DISTINCT o.id) AS orders, round(sum(l.quantity * l.price), 2) AS revenue
	FROM orders o JOIN order_lines l ON l.order_id = o.id WHERE o.status <> 'cancelled' GROUP BY 1;
CREATE VIEW best_customers AS SELECT c.name, c.country, round(sum(l.quantity * l.price), 2) AS revenue
	FROM customers c JOIN orders o ON o.customer_id = c.id JOIN order_lines l ON l.order_id = o.id GROUP BY c.id ORDER BY revenue DESC LIMIT 10;
`

// startSQLite writes a database file into a folder of its own that only this
// user may enter; stopping removes both.
func startSQLite(ctx context.Context, _ *slog.Logger) (Connection, func() error, error) {
	dir, err := os.MkdirTemp("", "jackfield-practice-") // 0700
	if err != nil {
		return Connection{}, nil, fmt.Errorf("sqlite folder: %w", err)
	}
	stop := func() error { return remove(dir) }
	file := filepath.Join(dir, "merrowdale.db")
	if err := fill(ctx, file, seed()); err != nil {
		return Connection{}, nil, errors.Join(fmt.Errorf("sqlite: %w", err), stop())
	}
	c := Connection{TypeID: "sqlite", Name: "Practice database (SQLite)", Description: "Customers, products and orders of " + company + ", an invented company.",
		Settings: settings(map[string]string{"file": file}, nil)}
	return c, stop, nil
}

func fill(ctx context.Context, file string, b *books) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	// The folder goes when the program ends, so nothing has to reach the disk.
	u := url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(file), RawQuery: "_pragma=synchronous(off)&_pragma=journal_mode(memory)"}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		return err
	}
	err = b.insert(ctx, db)
	return errors.Join(err, db.Close())
}

func (b *books) insert(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(ctx, schema); err != nil {
		return err
	}
	add := func(query string, rows int, row func(i int) []any) error {
		s, err := tx.PrepareContext(ctx, query)
		if err != nil {
			return err
		}
		defer func() { _ = s.Close() }()
		for i := range rows {
			if _, err := s.ExecContext(ctx, row(i)...); err != nil {
				return err
			}
		}
		return nil
	}
	var lines [][]any
	for _, o := range b.Orders {
		for i, l := range o.Lines {
			lines = append(lines, []any{o.ID, i + 1, l.Product.SKU, l.Quantity, price(l.Product.Cents)})
		}
	}
	err = errors.Join(
		add("INSERT INTO customers VALUES (?,?,?,?,?,?)", len(b.Customers), func(i int) []any {
			c := b.Customers[i]
			return []any{c.ID, c.Name, c.City, c.Country, c.Segment, day(c.Since)}
		}),
		add("INSERT INTO products VALUES (?,?,?,?,?)", len(b.Products), func(i int) []any {
			p := b.Products[i]
			return []any{p.SKU, p.Name, p.Category, price(p.Cents), p.Stock}
		}),
		add("INSERT INTO orders VALUES (?,?,?,?,?)", len(b.Orders), func(i int) []any {
			o := b.Orders[i]
			var note any
			if o.ID%9 == 0 {
				note = "leave at the stage door"
			}
			return []any{o.ID, o.Customer.ID, day(o.Date), o.Status, note}
		}),
		add("INSERT INTO order_lines VALUES (?,?,?,?,?)", len(lines), func(i int) []any { return lines[i] }),
		add("INSERT INTO employees VALUES (?,?,?,?,?,?,?)", len(b.People), func(i int) []any {
			p := b.People[i]
			var manager any
			if p.Manager != nil {
				manager = p.Manager.ID
			}
			return []any{p.ID, p.name(), p.Title, p.Department, p.Site, manager, day(p.Hired)}
		}),
	)
	if err != nil {
		return err
	}
	return tx.Commit()
}

func price(cents int64) float64 { return float64(cents) / 100 }

// remove waits a little for whoever has the file open: Windows removes no such
// file, and a window that closes lets go of its connections only then.
func remove(dir string) error {
	for end := time.Now().Add(3 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		err := os.RemoveAll(dir)
		if err == nil || time.Now().After(end) {
			return err
		}
	}
}
