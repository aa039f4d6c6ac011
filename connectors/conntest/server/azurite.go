package server

import (
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// azuriteVersion is the npm package of Microsoft's emulator of Azure Storage.
const azuriteVersion = "azurite@3.37.0"

// The account of every Azurite; its key is published
// (https://learn.microsoft.com/azure/storage/common/storage-connect-azurite).
const (
	AzuriteAccount = "devstoreaccount1"
	AzuriteKey     = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)

// Azurite starts Azurite's blob service, empty and in memory, and returns the
// account's endpoint. With a ca it speaks TLS.
func Azurite(tb testing.TB, ca *CA) (endpoint string) {
	tb.Helper()
	node := Program(tb, "node", "nodejs")
	npm := Program(tb, "npm", "npm")
	home := Cached(tb, azuriteVersion, func(dir string) {
		Run(tb, npm, "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", dir, azuriteVersion)
	})
	port := strconv.Itoa(FreePort(tb))
	addr := "127.0.0.1:" + port
	args := []string{filepath.Join(home, "node_modules", "azurite", "dist", "src", "blob", "main.js"),
		"--silent", "--inMemoryPersistence", "--disableTelemetry", "--blobHost", "127.0.0.1", "--blobPort", port}
	scheme := "http"
	if ca != nil {
		cert, key := ca.Issue(tb, Cert{}).Write(tb, tb.TempDir(), "server-")
		args, scheme = append(args, "--cert", cert, "--key", key), "https"
	}
	p := Start(tb, exec.Command(node, args...), addr)
	showOutput(tb, p)
	tb.Cleanup(func() { _ = p.Cmd.Process.Kill() }) // it would wait for connections that are kept alive
	return scheme + "://" + addr + "/" + AzuriteAccount
}
