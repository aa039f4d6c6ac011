package practice

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
)

const (
	apiKey       = "practice-only-key" // opens invented data on this computer
	apiKeyHeader = "X-API-Key"
	pageSize     = 50
	maxPageSize  = 200
)

// startAPI serves the company's data as JSON to whoever shows the key.
func startAPI(ctx context.Context, log *slog.Logger) (Connection, func() error, error) {
	g, err := listen(ctx, portAPI)
	if err != nil {
		return Connection{}, nil, fmt.Errorf("api: %w", err)
	}
	origin := "http://" + g.Addr().String()
	b := seed()
	a := api{collections: []collection{b.customerRows(), b.productRows(), b.orderRows()}}
	stop := serveHTTP(g, origin, log, keyed(a))
	c := Connection{TypeID: "http", Name: "Practice API (key)", Description: "Customers, products and orders of " + company + ", an invented company, as JSON.",
		Settings: settings(map[string]string{"base_url": origin, "auth": "key", "key_in": "header", "key_name": apiKeyHeader, "test_path": "/", "paths": a.paths()},
			map[string]string{"key": apiKey})}
	return c, stop, nil
}

func keyed(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch key := r.Header.Get(apiKeyHeader); {
		case key == "":
			answer(w, http.StatusUnauthorized, trouble{"no_key", "Send your key in the header " + apiKeyHeader + "."})
		case !match(key, apiKey):
			answer(w, http.StatusUnauthorized, trouble{"wrong_key", "This key opens nothing here."})
		default:
			h.ServeHTTP(w, r)
		}
	})
}

// A collection is one resource: its rows, in order, by their id.
type collection struct {
	name string
	rows []row
}

type row struct {
	id string
	v  any
}

// api serves collections below base ("" or "/api").
type api struct {
	base        string
	collections []collection
}

func (a api) paths() string {
	var out []string
	for _, c := range a.collections {
		out = append(out, "/"+c.name)
	}
	return strings.Join(out, "\n")
}

type resource struct {
	Name  string `json:"name"`
	Path  string `json:"path"`
	Count int    `json:"count"`
}

type index struct {
	Company   string     `json:"company"`
	Account   string     `json:"account"`
	Resources []resource `json:"resources"`
}

type page struct {
	Items []any  `json:"items"`
	Page  int    `json:"page"`
	Pages int    `json:"pages"`
	Total int    `json:"total"`
	Next  string `json:"next,omitempty"`
}

func (a api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		answer(w, http.StatusMethodNotAllowed, trouble{"read_only", "This API is for reading."})
		return
	}
	rest, below := strings.CutPrefix(r.URL.Path, a.base)
	name, id, one := strings.Cut(strings.Trim(rest, "/"), "/")
	if below && name == "" {
		out := index{Company: company, Account: demoUser}
		for _, c := range a.collections {
			out.Resources = append(out.Resources, resource{c.name, a.base + "/" + c.name, len(c.rows)})
		}
		answer(w, http.StatusOK, out)
		return
	}
	for _, c := range a.collections {
		if !below || c.name != name {
			continue
		}
		if !one {
			a.list(w, r, c)
			return
		}
		for _, x := range c.rows {
			if x.id == id {
				answer(w, http.StatusOK, x.v)
				return
			}
		}
	}
	answer(w, http.StatusNotFound, trouble{"not_found", "There is nothing at this path."})
}

func (a api) list(w http.ResponseWriter, r *http.Request, c collection) {
	n, okPage := whole(r, "page", 1, 1<<30)
	size, okSize := whole(r, "per_page", pageSize, maxPageSize)
	if !okPage || !okSize {
		answer(w, http.StatusBadRequest, trouble{"bad_page", fmt.Sprintf("page begins with 1; per_page is at most %d.", maxPageSize)})
		return
	}
	out := page{Items: []any{}, Page: n, Pages: (len(c.rows) + size - 1) / size, Total: len(c.rows)}
	if n <= out.Pages {
		for _, x := range c.rows[(n-1)*size : min(n*size, len(c.rows))] {
			out.Items = append(out.Items, x.v)
		}
	}
	if n < out.Pages {
		out.Next = fmt.Sprintf("%s/%s?page=%d&per_page=%d", a.base, c.name, n+1, size)
		w.Header().Set("Link", "<"+out.Next+`>; rel="next"`)
	}
	answer(w, http.StatusOK, out)
}

// whole reads a number of the query from 1 to most.
func whole(r *http.Request, key string, def, most int) (int, bool) {
	v := r.URL.Query().Get(key)
	if v == "" {
		return def, true
	}
	n, err := strconv.Atoi(v)
	return n, err == nil && n >= 1 && n <= most
}

func (b *books) customerRows() collection {
	out := collection{name: "customers"}
	for _, c := range b.Customers {
		out.rows = append(out.rows, row{strconv.Itoa(c.ID), struct {
			ID      int    `json:"id"`
			Name    string `json:"name"`
			City    string `json:"city"`
			Country string `json:"country"`
			Segment string `json:"segment"`
			Since   string `json:"since"`
		}{c.ID, c.Name, c.City, c.Country, c.Segment, day(c.Since)}})
	}
	return out
}

func (b *books) productRows() collection {
	out := collection{name: "products"}
	for _, p := range b.Products {
		out.rows = append(out.rows, row{p.SKU, struct {
			SKU      string  `json:"sku"`
			Name     string  `json:"name"`
			Category string  `json:"category"`
			Price    float64 `json:"price"`
			Stock    int     `json:"stock"`
		}{p.SKU, p.Name, p.Category, price(p.Cents), p.Stock}})
	}
	return out
}

func (b *books) orderRows() collection {
	out := collection{name: "orders"}
	for _, o := range b.Orders {
		out.rows = append(out.rows, row{strconv.Itoa(o.ID), struct {
			ID       int     `json:"id"`
			Date     string  `json:"date"`
			Customer string  `json:"customer"`
			Status   string  `json:"status"`
			Lines    int     `json:"lines"`
			Total    float64 `json:"total"`
		}{o.ID, day(o.Date), o.Customer.Name, o.Status, len(o.Lines), price(o.cents())}})
	}
	return out
}

func (b *books) peopleRows() collection {
	out := collection{name: "people"}
	for _, p := range b.People {
		out.rows = append(out.rows, row{strconv.Itoa(p.ID), struct {
			ID         int    `json:"id"`
			Name       string `json:"name"`
			Mail       string `json:"mail"`
			Title      string `json:"title"`
			Department string `json:"department"`
			Site       string `json:"site"`
		}{p.ID, p.name(), p.mail(), p.Title, p.Department, p.Site}})
	}
	return out
}
