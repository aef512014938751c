package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"time"
)

// serveRegistries is a proxy behind which every registry has every image: it answers a question
// for a tag with a digest, which is made of the image's name. Whoever trusts the certificate that
// it writes takes it for the registry.
func serveRegistries(address, certificate string) error {
	sign, err := authority(certificate)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("listening as a registry: %w", err)
	}
	tunnels := tunnels{listener, make(chan net.Conn)}
	config := &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: sign}
	registry := http.Server{Handler: http.HandlerFunc(answer), ReadHeaderTimeout: time.Minute}
	proxy := http.Server{Handler: http.HandlerFunc(tunnels.open), ReadHeaderTimeout: time.Minute}
	go registry.Serve(tls.NewListener(tunnels, config))
	go proxy.Serve(listener)
	return nil
}

// answer says what a registry says of a manifest whose digest is asked for.
func answer(writer http.ResponseWriter, request *http.Request) {
	digest := sha256.Sum256([]byte(request.Host + request.URL.Path))
	writer.Header().Set("Docker-Distribution-API-Version", "registry/2.0")
	writer.Header().Set("Docker-Content-Digest", fmt.Sprintf("sha256:%x", digest))
	writer.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
	writer.Header().Set("Content-Length", "2")
	if request.Method != http.MethodHead {
		fmt.Fprint(writer, "{}")
	}
}

// tunnels are the connections that clients of a proxy have had opened.
type tunnels struct {
	net.Listener
	opened chan net.Conn
}

func (t tunnels) Accept() (net.Conn, error) {
	return <-t.opened, nil
}

func (t tunnels) open(writer http.ResponseWriter, request *http.Request) {
	hijacker, ok := writer.(http.Hijacker)
	if request.Method != http.MethodConnect || !ok {
		http.Error(writer, "this is a proxy for TLS", http.StatusMethodNotAllowed)
		return
	}
	connection, buffered, err := hijacker.Hijack()
	if err != nil {
		return
	}
	fmt.Fprint(connection, "HTTP/1.1 200 Connection established\r\n\r\n")
	t.opened <- tunnel{connection, buffered.Reader}
}

// tunnel also gives what was read of a connection before it was taken over.
type tunnel struct {
	net.Conn
	reader *bufio.Reader
}

func (t tunnel) Read(bytes []byte) (int, error) {
	return t.reader.Read(bytes)
}

// authority writes the certificate of a new authority, and signs with it for whoever is asked for.
func authority(path string) (func(*tls.ClientHelloInfo) (*tls.Certificate, error), error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	root := certificateOf("sandbox", 1)
	root.IsCA, root.BasicConstraintsValid, root.KeyUsage = true, true, x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, root, root, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("signing a certificate: %w", err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return nil, fmt.Errorf("writing a certificate: %w", err)
	}
	return func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		leaf := certificateOf(hello.ServerName, time.Now().UnixNano())
		leaf.DNSNames = []string{hello.ServerName}
		signed, err := x509.CreateCertificate(rand.Reader, leaf, root, key.Public(), key)
		return &tls.Certificate{Certificate: [][]byte{signed}, PrivateKey: key}, err
	}, nil
}

func certificateOf(name string, serial int64) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(serial),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().AddDate(1, 0, 0),
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
}
