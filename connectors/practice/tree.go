package practice

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/pkg/sftp"
)

// A node is a folder or file of the shared tree; it implements os.FileInfo.
type node struct {
	name     string
	children map[string]*node // nil for a file
	data     []byte
	changed  time.Time
	locked   bool // seen, not opened: so that one can meet a refusal
}

func (n *node) Name() string       { return n.name }
func (n *node) Size() int64        { return int64(len(n.data)) }
func (n *node) ModTime() time.Time { return n.changed }
func (n *node) IsDir() bool        { return n.children != nil }
func (n *node) Sys() any           { return nil }

func (n *node) Mode() os.FileMode {
	switch {
	case n.IsDir() && n.locked:
		return os.ModeDir
	case n.IsDir():
		return os.ModeDir | 0o555
	case n.locked:
		return 0
	}
	return 0o444
}

// find walks to name; what lies in a locked folder is refused like the folder.
func (n *node) find(name string) (*node, error) {
	for part := range strings.SplitSeq(strings.Trim(path.Clean("/"+name), "/"), "/") {
		if part == "" {
			continue
		}
		if n.locked {
			return nil, sftp.ErrSSHFxPermissionDenied
		}
		next, ok := n.children[part]
		if !ok {
			return nil, sftp.ErrSSHFxNoSuchFile
		}
		n = next
	}
	return n, nil
}

// put adds a file and the folders on its way.
func (n *node) put(name, text string, changed time.Time) *node {
	parts := strings.Split(name, "/")
	for _, part := range parts[:len(parts)-1] {
		next, ok := n.children[part]
		if !ok {
			next = &node{name: part, children: map[string]*node{}, changed: changed}
			n.children[part] = next
		}
		n = next
	}
	f := &node{name: parts[len(parts)-1], data: []byte(text), changed: changed}
	n.children[f.name] = f
	return f
}

// share serves the tree to pkg/sftp, for reading only.
type share struct{ root *node }

func (s share) Fileread(r *sftp.Request) (io.ReaderAt, error) {
	n, err := s.root.find(r.Filepath)
	switch {
	case err != nil:
		return nil, err
	case n.locked:
		return nil, sftp.ErrSSHFxPermissionDenied
	case n.IsDir():
		return nil, sftp.ErrSSHFxFailure
	}
	return bytes.NewReader(n.data), nil
}

func (share) Filewrite(*sftp.Request) (io.WriterAt, error) { return nil, sftp.ErrSSHFxPermissionDenied }
func (share) Filecmd(*sftp.Request) error                  { return sftp.ErrSSHFxPermissionDenied }

func (s share) Filelist(r *sftp.Request) (sftp.ListerAt, error) {
	n, err := s.root.find(r.Filepath)
	if err != nil {
		return nil, err
	}
	switch r.Method {
	case "Stat", "Lstat":
		return infos{n}, nil
	case "List":
		if n.locked {
			return nil, sftp.ErrSSHFxPermissionDenied
		}
		if !n.IsDir() {
			return nil, sftp.ErrSSHFxFailure
		}
		var out infos
		for _, name := range slices.Sorted(maps.Keys(n.children)) {
			out = append(out, n.children[name])
		}
		return out, nil
	}
	return nil, sftp.ErrSSHFxOpUnsupported
}

type infos []os.FileInfo

func (l infos) ListAt(to []os.FileInfo, from int64) (int, error) {
	if from < 0 || from >= int64(len(l)) {
		return 0, io.EOF
	}
	n := copy(to, l[from:])
	if from+int64(n) >= int64(len(l)) {
		return n, io.EOF
	}
	return n, nil
}

// growTree writes the company's data as files.
func growTree(b *books) *node {
	root := &node{children: map[string]*node{}, changed: epoch()}
	put := func(name string, lines []string) *node {
		return root.put(name, strings.Join(lines, "\n")+"\n", epoch())
	}
	put("README.txt", []string{company + " is an invented company. Its files are here to practise with.", "", "sales/     orders and customers as CSV", "reports/   monthly figures and notes", "hr/        people; one file and one folder in it are closed to you", "logs/      one file a day, for long listings"})
	put("offices.csv", []string{"site,street,town,people,opened", "Northgate,1 Patchbay Lane,Bristol,14,2014-03-01", "Harbour,22 Quay Row,Porto,13,2018-09-17", `Millbank,"Mill Yard, Unit 4",Graz,13,2021-05-03`})
	growSales(put, b)
	growReports(put, b)
	people := []string{"number,name,mail,title,department,site,hired"}
	for _, p := range b.People {
		people = append(people, fmt.Sprintf("%d,%s,%s,%s,%s,%s,%s", p.ID, p.name(), p.mail(), p.Title, p.Department, p.Site, day(p.Hired)))
	}
	put("hr/people.csv", people)
	put("hr/holidays-2026.csv", []string{"day,name", "2026-01-01,New Year", "2026-04-03,Spring Friday", "2026-05-04,May Day", "2026-08-31,Summer Monday", "2026-12-25,Midwinter"})
	put("hr/salaries.csv", []string{"closed"}).locked = true
	put("hr/board/minutes.txt", []string{"closed"})
	root.children["hr"].children["board"].locked = true
	for i := range 365 {
		at := epoch().AddDate(0, 0, -i)
		root.put("logs/"+day(at)+".log", fmt.Sprintf("%s 06:00:00 conveyor started\n%s 12:15:09 scanner %d cleaned\n%s 18:00:00 conveyor stopped\n", day(at), day(at), 1+i%4, day(at)), at)
	}
	return root
}

func growSales(put func(string, []string) *node, b *books) {
	head := "order,date,customer,city,country,status,total"
	months := map[string][]string{}
	for _, o := range b.Orders {
		name := "sales/" + o.Date.Format("2006") + "/orders-" + o.Date.Format("2006-01") + ".csv"
		if months[name] == nil {
			months[name] = []string{head}
		}
		months[name] = append(months[name], fmt.Sprintf("%d,%s,%s,%s,%s,%s,%s", o.ID, day(o.Date), o.Customer.Name, o.Customer.City, o.Customer.Country, o.Status, money(o.cents())))
	}
	for name, lines := range months {
		put(name, lines)
	}
	customers := []string{"number;name;city;country;segment;since"}
	for _, c := range b.Customers {
		customers = append(customers, fmt.Sprintf("%d;%s;%s;%s;%s;%s", c.ID, c.Name, c.City, c.Country, c.Segment, day(c.Since)))
	}
	put("sales/customers.csv", customers)
	prices := []string{"sku\tname\tcategory\tprice"}
	for _, p := range b.Products {
		prices = append(prices, fmt.Sprintf("%s\t%s\t%s\t%s", p.SKU, p.Name, p.Category, money(p.Cents)))
	}
	put("sales/price-list.tsv", prices)
}

func growReports(put func(string, []string) *node, b *books) {
	type key struct{ month, category string }
	sums := map[key]int64{}
	for _, o := range b.Orders {
		for _, l := range o.Lines {
			sums[key{o.Date.Format("2006-01"), l.Product.Category}] += l.Product.Cents * int64(l.Quantity)
		}
	}
	keys := slices.SortedFunc(maps.Keys(sums), func(x, y key) int {
		return strings.Compare(x.month+x.category, y.month+y.category)
	})
	years := map[string][]string{}
	for _, k := range keys {
		y := k.month[:4]
		if years[y] == nil {
			years[y] = []string{"month,category,revenue"}
		}
		years[y] = append(years[y], fmt.Sprintf("%s,%s,%s", k.month, k.category, money(sums[k])))
	}
	for y, lines := range years {
		put("reports/"+y+"/revenue.csv", lines)
	}
	put("reports/2026/notes.md", []string{"# First half of 2026", "", "- Two new racks are in the range.", "- The Harbour site ships to Portugal and France.", "- Returns fell from 2.1 % to 1.4 %."})
	put("reports/2026/stock.json", []string{"{", `  "counted": "2026-06-30",`, fmt.Sprintf(`  "products": %d,`, len(b.Products)), `  "differences": [{"sku": "LE-002", "found": 118, "expected": 120}]`, "}"})
}
