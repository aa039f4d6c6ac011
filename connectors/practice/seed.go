package practice

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

const (
	company  = "Merrowdale Supply"
	domain   = "practice.example" // reserved by RFC 2606
	demoUser = "practice"
	// demoPassword opens invented data on this computer and nothing else.
	demoPassword = "practice-only"
)

// A person is invented; surnames are made up so that nobody real is meant.
type person struct {
	ID                                   int
	First, Last, Title, Department, Site string
	Phone                                string // of the range that Ofcom keeps for drama: 01632 960xxx
	Manager                              *person
	Hired                                time.Time
}

func (p *person) name() string { return p.First + " " + p.Last }
func (p *person) uid() string  { return strings.ToLower(p.First[:1] + p.Last) }
func (p *person) mail() string { return p.uid() + "@" + domain }

type customer struct {
	ID                           int
	Name, City, Country, Segment string
	Since                        time.Time
}

type product struct {
	SKU, Name, Category string
	Cents               int64
	Stock               int
}

type line struct {
	Product  product
	Quantity int
}

type order struct {
	ID       int
	Customer customer
	Date     time.Time
	Status   string
	Lines    []line
}

func (o order) cents() int64 {
	var sum int64
	for _, l := range o.Lines {
		sum += l.Product.Cents * int64(l.Quantity)
	}
	return sum
}

// books are the company's whole data; the same at every start.
type books struct {
	People    []*person
	Customers []customer
	Products  []product
	Orders    []order
}

func money(cents int64) string { return fmt.Sprintf("%d.%02d", cents/100, cents%100) }

func day(t time.Time) string { return t.Format(time.DateOnly) }

func pick[T any](r *rand.Rand, of []T) T { return of[r.IntN(len(of))] }

// epoch is the day on which the seeded data ends.
func epoch() time.Time { return time.Date(2026, time.June, 30, 16, 30, 0, 0, time.UTC) }

func departments() []string {
	return []string{"Sales", "Warehouse", "Finance", "Engineering", "Support"}
}

func seed() *books {
	r := rand.New(rand.NewPCG(20260630, 7))
	b := &books{}
	b.hire(r)
	b.stock(r)
	b.court(r)
	b.sell(r)
	return b
}

func (b *books) hire(r *rand.Rand) {
	first := strings.Fields("Amber Bram Cleo Dorian Edda Fenn Greta Hollis Ines Jory Kit Lorna Milo Nessa Orrin Petra Quinn Rowan Sable Tamsin")
	last := strings.Fields("Quillfeather Oakmarrow Tarnhollow Brightwick Fernsby-Vale Stonelark Underbrook Wrenfold Ashpenny Coldharrow")
	titles := map[string][]string{
		"Sales": {"Account Manager", "Sales Assistant"}, "Warehouse": {"Stock Keeper", "Dispatcher"}, "Finance": {"Accountant", "Payroll Clerk"},
		"Engineering": {"Test Engineer", "Designer"}, "Support": {"Support Agent", "Trainer"},
	}
	sites := []string{"Northgate", "Harbour", "Millbank"}
	heads := map[string]*person{}
	for i := range 40 {
		dept := departments()[i%5]
		// The second round of first names meets other surnames: forty different people.
		p := &person{ID: 1001 + i, First: first[i%len(first)], Last: last[(i*3+i/len(first))%len(last)], Department: dept, Site: sites[i%3],
			Title: titles[dept][i/5%2], Phone: fmt.Sprintf("+44 1632 960%03d", 100+i), Hired: time.Date(2014+r.IntN(12), time.Month(1+r.IntN(12)), 1+r.IntN(28), 9, 0, 0, 0, time.UTC)}
		p.Manager = heads[dept]
		if p.Manager == nil {
			p.Title = "Head of " + dept
			heads[dept] = p
			if i > 0 {
				p.Manager = b.People[0]
			}
		}
		b.People = append(b.People, p)
	}
	b.People[0].Title = "Managing Director"
}

func (b *books) stock(r *rand.Rand) {
	kinds := []struct {
		category string
		names    []string
		from, to int64
	}{
		{"Patch panels", []string{"Panel 24-way", "Panel 48-way", "Half-rack panel", "Wall panel 12-way"}, 8900, 32000},
		{"Leads", []string{"Lead 0.5 m", "Lead 1 m", "Lead 2 m", "Lead 5 m", "Lead 10 m", "Multicore 20 m"}, 490, 14900},
		{"Connectors", []string{"Jack, brass", "Jack, nickel", "Socket, panel", "Adapter set", "Blanking plug"}, 120, 2400},
		{"Testers", []string{"Lead tester", "Tone generator", "Signal tracer"}, 4900, 39900},
		{"Racks", []string{"Rack 6U", "Rack 12U", "Rack 24U", "Shelf 2U"}, 3900, 45900},
	}
	for _, k := range kinds {
		for i, n := range k.names {
			b.Products = append(b.Products, product{SKU: fmt.Sprintf("%s-%03d", strings.ToUpper(k.category[:2]), i+1), Name: n, Category: k.category,
				Cents: k.from + r.Int64N(k.to-k.from), Stock: r.IntN(400)})
		}
	}
}

func (b *books) court(r *rand.Rand) {
	a := strings.Fields("Alder Beacon Copperfield Dunmere Elmstead Foxglove Granite Heron Ivywell Juniper Kestrel Lantern")
	z := []string{"Studios", "Theatre", "Broadcast", "Events", "Recording"}
	towns := [][2]string{{"Bristol", "GB"}, {"Leeds", "GB"}, {"Lyon", "FR"}, {"Porto", "PT"}, {"Graz", "AT"}, {"Aarhus", "DK"}, {"Ghent", "BE"}, {"Turku", "FI"}}
	for i := range 60 {
		town := pick(r, towns)
		b.Customers = append(b.Customers, customer{ID: 5001 + i, Name: a[i%len(a)] + " " + z[i/len(a)], City: town[0], Country: town[1],
			Segment: pick(r, []string{"Studio", "Stage", "Public", "Trade"}), Since: time.Date(2015+r.IntN(11), time.Month(1+r.IntN(12)), 1+r.IntN(28), 0, 0, 0, 0, time.UTC)})
	}
}

func (b *books) sell(r *rand.Rand) {
	at := time.Date(2025, time.January, 2, 9, 0, 0, 0, time.UTC)
	for i := range 600 {
		at = at.Add(time.Duration(10+r.IntN(23)) * time.Hour / 2 * 5 / 2)
		if at.After(epoch()) {
			at = epoch()
		}
		o := order{ID: 70001 + i, Customer: pick(r, b.Customers), Date: at, Status: "delivered"}
		if at.After(epoch().AddDate(0, -1, 0)) {
			o.Status = pick(r, []string{"open", "picked", "shipped", "cancelled"})
		}
		for range 1 + r.IntN(4) {
			o.Lines = append(o.Lines, line{pick(r, b.Products), 1 + r.IntN(12)})
		}
		b.Orders = append(b.Orders, o)
	}
}
