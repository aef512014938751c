// The part of a kubelet that Fluid needs: it answers `exec` into the master of a cache, in place of
// the programs jindocache and jindo that run there. It runs no command of this machine.
//
// Without it Fluid's engine asks the node for the master's container and stops there:
// "error when executing command [jindocache -report] ... the UFS is not ready".
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"io"
	"log"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	streams "k8s.io/apimachinery/pkg/util/remotecommand"
	"k8s.io/client-go/tools/remotecommand"
	server "k8s.io/kubelet/pkg/cri/streaming/remotecommand"
	"k8s.io/utils/exec"
)

const (
	idle     = 4 * time.Hour
	creation = 30 * time.Second
)

// master is what the programs of a cache's master remember.
type master struct {
	mounts    [][2]string // Path in the cache, and what is mounted there.
	refreshed bool        // Whether it has read its cache sets.
}

// masters answers for every master of a cluster.
type masters struct {
	lock sync.Mutex
	of   map[string]*master
}

// ExecInContainer answers a command that Fluid sends to a container.
func (m *masters) ExecInContainer(
	_ context.Context, pod string, _ types.UID, container string, command []string,
	_ io.Reader, out, faults io.WriteCloser, _ bool, _ <-chan remotecommand.TerminalSize, _ time.Duration,
) error {
	m.lock.Lock()
	defer m.lock.Unlock()
	answer, known := "", container == "jindofs-master"
	if known {
		of := m.of[pod]
		if of == nil {
			of = &master{}
			m.of[pod] = of
		}
		answer, known = of.answer(command)
	}
	if !known {
		fmt.Fprintf(faults, "the sandbox has no %s in %s\n", strings.Join(command, " "), container)
		return exec.CodeExitError{Err: fmt.Errorf("command not found"), Code: 127}
	}
	_, err := io.WriteString(out, answer)
	return err
}

// answer is what a command prints, and whether it is one of those that Fluid sends.
func (m *master) answer(command []string) (string, bool) {
	switch line := strings.Join(command, " "); {
	case line == "jindocache -report":
		return "Total MEM Capacity: 0B\nUsed MEM Capacity: 0B\nTotal Disk Capacity: 0B\nUsed Disk Capacity: 0B\n", true
	case line == "jindocache -mount":
		var lines strings.Builder
		for _, mount := range m.mounts {
			fmt.Fprintf(&lines, "%s -> %s\n", mount[1], mount[0])
		}
		return lines.String(), true
	case len(command) == 4 && strings.HasPrefix(line, "jindocache -mount "):
		mount := [2]string{command[2], command[3]}
		if !slices.Contains(m.mounts, mount) {
			m.mounts = append(m.mounts, mount)
		}
		return "", true
	case line == "jindocache -listCacheSet":
		if m.refreshed {
			return "cacheStrategy\n", true
		}
		return "", true
	case strings.HasPrefix(line, "jindocache -refreshCacheSet "):
		m.refreshed = true
		return "", true
	case line == "jindocache -formatCache":
		return "", true
	case len(command) == 4 && strings.HasPrefix(line, "jindo fs -count "):
		return fmt.Sprintf("0 0 0 %s\n", command[3]), true
	}
	return "", false
}

// serve takes /exec/<namespace>/<pod>/<container>, as a kubelet does.
func (m *masters) serve(writer http.ResponseWriter, request *http.Request) {
	options, err := server.NewOptions(request)
	if err != nil {
		http.Error(writer, err.Error(), http.StatusBadRequest)
		return
	}
	pod := request.PathValue("namespace") + "/" + request.PathValue("pod")
	server.ServeExec(
		writer, request, m, pod, "", request.PathValue("container"), request.URL.Query()["command"],
		options, idle, creation, streams.SupportedStreamingProtocols,
	)
}

// certificate is a new one, which nobody checks: the API server is told of no authority.
func certificate() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().AddDate(10, 0, 0),
		DNSNames:     []string{"localhost"},
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	return tls.Certificate{Certificate: [][]byte{signed}, PrivateKey: key}, err
}

func main() {
	address := flag.String("address", "", "address to listen on")
	flag.Parse()
	pair, err := certificate()
	if err != nil {
		log.Fatal(err)
	}
	all := &masters{of: map[string]*master{}}
	mux := http.NewServeMux()
	mux.HandleFunc("/exec/{namespace}/{pod}/{container}", all.serve)
	listener, err := tls.Listen("tcp", *address, &tls.Config{Certificates: []tls.Certificate{pair}})
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.Serve(listener, mux))
}
