package exports_test

import (
	"os/exec"
	"strings"
	"testing"

	"jackfield/connectors/all"
	"jackfield/connectors/conntest/server"
	"jackfield/connectors/intake/internal/exports"
)

func TestTables(t *testing.T) {
	types := all.All()
	for _, c := range []expected{
		{"English", "type,name,host,port,user,password\nsftp,Files,files.example.com,2222,alice," + secret + "\n", "sftp", []string{"host=files.example.com", "port=2222", "user=alice", "password=**"}, ""},
		{"German", "Typ;Bezeichnung;Rechnername;Port;Benutzername;Passwort;Bemerkung\nPostgreSQL;Shop;db.example.com;5432;alice;" + secret + ";x\n", "postgres", []string{"host=db.example.com", "user=alice", "password=**"}, ""},
		{"French", "Type;Nom;Hôte;Port;Utilisateur;Mot de passe\nMySQL;Boutique;db.example.com;3306;alice;" + secret + "\n", "mysql", []string{"host=db.example.com", "user=alice", "password=**"}, ""},
		{"Spanish", "Protocolo;Nombre;Servidor;Puerto;Usuario;Contraseña;Base de datos\nSQL Server;Tienda;db.example.com;1433;alice;" + secret + ";shop\n", "sqlserver", []string{"host=db.example.com", "user=alice", "password=**", "database=shop"}, ""},
		{"tabs", "Host\tLogin\tPwd\nfiles.example.com:22\talice\t" + secret + "\n", "sftp ssh", []string{"host=files.example.com", "port=22"}, ""},
		{"1Password", "Title,Url,Username,Password,OTPAuth,Favorite,Archived,Tags,Notes\nShop,https://shop.example.com/login,alice," + secret + ",,false,false,,\n", "http webdav user_password", []string{"auth=basic", "user=alice", "password=**"}, ""},
		{"Bitwarden", "folder,favorite,type,name,notes,fields,reprompt,login_uri,login_username,login_password,login_totp\n,,login,Now,,,0,https://acme.service-now.com,alice," + secret + ",\n", "servicenow http user_password", []string{"user=alice", "password=**"}, ""},
		{"KeePass", "\"Group\",\"Title\",\"Username\",\"Password\",\"URL\",\"Notes\"\n\"Root\",\"Files\",\"alice\",\"" + secret + "\",\"sftp://files.example.com\",\"\"\n", "sftp", []string{"host=files.example.com", "user=alice"}, ""},
		{"no title", "username,password\nalice," + secret + "\n", "user_password", []string{"user=alice"}, ""},
		{"domain", `server,share,user,password` + "\n" + `fs.example.com,data,ACME\alice,` + secret + "\n", "smb", []string{"domain=ACME", "user=alice", "share=data"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			found, ok := exports.Table(input(types, c.text), nil)
			if !ok {
				t.Fatal("not recognized")
			}
			check(t, types, c, found)
			if !strings.HasPrefix(found.Items[0].Where, "row 2") {
				t.Error(found.Items[0].Where)
			}
		})
	}
	for _, text := range []string{"a,b\n1,2\n", "host,port\n", "Dear Alice,\nthe host, as you know, is down.\n", "lorem ipsum dolor sit amet, user, password"} {
		if found, ok := exports.Table(input(types, text), nil); ok {
			t.Errorf("%q is taken for %+v", text, found)
		}
	}
}

const pythonDialects = `
import csv, io, sys
rows = [["type", "name", "host", "user", "password"], ["sftp", "a \"quoted\", name; with|all", "files.example.com", "alice", "practice-only-secret"], ["ftp", "two\nlines", "b.example.com", "bob", "practice-only-secret"]]
for d in ["excel", "excel-tab", "unix", "semi", "pipe", "minimal-apostrophe"]:
    o = io.StringIO()
    kw = {"semi": dict(delimiter=";"), "pipe": dict(delimiter="|"), "minimal-apostrophe": dict(quotechar="'", quoting=csv.QUOTE_ALL)}.get(d)
    w = csv.writer(o, **kw) if kw else csv.writer(o, d)
    w.writerows(rows)
    sys.stdout.write(o.getvalue() + "\x00")
`

// What Python's csv module writes, in each of its dialects.
func TestTablesOfPython(t *testing.T) {
	types := all.All()
	out, err := exec.Command(server.Program(t, "python3", "python3"), "-c", pythonDialects).Output()
	if err != nil {
		t.Fatal(err)
	}
	texts := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	if len(texts) != 6 {
		t.Fatalf("%d dialects", len(texts))
	}
	for _, text := range texts {
		found, ok := exports.Table(input(types, text), nil)
		if !ok || len(found.Items) != 2 || found.Items[0].Name != `a "quoted", name; with|all` || found.Items[1].Readings[0].Type != "ftp" {
			t.Errorf("%q: %+v", text, found)
		}
		sound(t, types, found)
	}
}

func TestALongTableIsCut(t *testing.T) {
	types := all.All()
	text := "type,host,user,password\n" + strings.Repeat("sftp,files.example.com,alice,x\n", exports.MaxItems+5)
	found, ok := exports.Table(input(types, text), nil)
	if !ok || len(found.Items) != exports.MaxItems || len(found.Left) != 1 || !strings.Contains(found.Left[0].Name, "10,000") {
		t.Errorf("%d, %+v", len(found.Items), found.Left)
	}
}

// What would take memory out of proportion is cut, or is not read at all.
func TestSecurity53_AmountsAreBounded(t *testing.T) {
	types := all.All()
	found, ok := exports.Table(input(types, "host;user;password\n"+strings.Repeat("a;b;c\n", 30_000)), nil)
	offers := 0
	for _, i := range found.Items {
		offers += len(i.Readings)
	}
	if !ok || offers > 21_000 || len(found.Left) != 1 || !strings.HasPrefix(found.Left[0].Name, "everything after the first ") {
		t.Errorf("%d readings, %v", offers, found.Left)
	}
	found, ok = exports.Read(input(types, strings.Repeat("jackfield: profile/1\n---\n", 5000)), nil)
	if !ok || len(found.Left) > 100 {
		t.Errorf("%d things are named", len(found.Left))
	}
	for name, text := range map[string]string{
		"values":     `{"info":{"schema":"collection"},"host":"db.example.com","x":[` + strings.Repeat("{},", 500_000) + `1]}`,
		"attributes": "<FileZilla3" + strings.Repeat(" a=''", 300_000) + "><Server><Host>h</Host></Server></FileZilla3>",
	} {
		if found, ok := exports.Read(input(types, text), nil); ok {
			t.Errorf("many %s: %s", name, found.What)
		}
		if found, ok := exports.Plain(input(types, text), nil); ok {
			t.Errorf("many %s: %s", name, found.What)
		}
	}
}

func FuzzCSV(f *testing.F) {
	types := all.All()
	for _, s := range []string{"type,name,host\nsftp,x,y\n", "Typ;Rechner;Benutzer\nftp;x;y", "host\tuser\n\"a", "sep=;\nhost;user\na;b\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 16<<10 {
			return
		}
		if found, ok := exports.Table(input(types, text), nil); ok {
			for _, i := range found.Items {
				if len(i.Readings) == 0 {
					t.Errorf("%q has no reading", i.Name)
				}
			}
		}
	})
}
