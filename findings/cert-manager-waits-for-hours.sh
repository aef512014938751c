#!/usr/bin/env bash
# cert-manager v1.21.1 (Go module github.com/cert-manager/cert-manager), what decides when a Certificate is issued, run 2026-11-30. Needs Go;
# builds for some minutes.
#
# A certificate that could not be had, since its host did not lead to the cluster yet or its ClusterIssuer had a mistake, comes by itself
# within minutes once that is mended, one expects, as all else in a cluster does. But after a failure cert-manager asks for it no more for an
# hour, then two, up to 32 hours. What is mended elsewhere, DNS, a firewall, the ClusterIssuer, nobody tells it; another host, or another
# name of an issuer, in the Certificate itself ends the wait, and so does `cmctl renew`.
#
# Seen: below, at the end (failures so far, and what is in the Certificate: for how long it waits).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat > go.mod <<'MOD'
module finding

go 1.26.0

require github.com/cert-manager/cert-manager v1.21.1
MOD
cat > finding.go <<'GO'
package finding

import (
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/trigger"
	_ "github.com/cert-manager/cert-manager/pkg/util/pki"
)
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 2; }
defaults=$(go list -m -f '{{.Dir}}' github.com/cert-manager/cert-manager)/internal/apis/config/controller/v1alpha1/defaults.go
go mod vendor

# What waits is not exported: the test stands beside it, in the copy of this folder.
package=github.com/cert-manager/cert-manager/pkg/controller/certificates/trigger
{
	echo 'package trigger'
	echo 'import "time"'
	sed -n 's/^\tdefaultCertificateRequestMinimumBackoffDuration /const shortest /p; s/^\tdefaultCertificateRequestMaximumBackoffDuration /const longest /p' "$defaults"
} > vendor/$package/default_test.go
cat > vendor/$package/wait_test.go <<'GO'
package trigger

import (
	"encoding/pem"
	"fmt"
	"testing"
	"time"

	api "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	apimeta "github.com/cert-manager/cert-manager/pkg/apis/meta/v1"
	"github.com/cert-manager/cert-manager/pkg/util/pki"
	"github.com/go-logr/logr"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func TestWait(*testing.T) {
	certificate := &api.Certificate{Spec: api.CertificateSpec{
		SecretName: "models-tls", DNSNames: []string{"models.example.com"},
		IssuerRef: apimeta.IssuerReference{Kind: "ClusterIssuer", Name: "letsencrypt"},
	}}
	key := must(pki.GeneratePrivateKeyForCertificate(certificate))
	request := must(pki.EncodeCSR(must(pki.GenerateCSR(certificate)), key))
	request = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: request})
	failed := &api.CertificateRequest{Spec: api.CertificateRequestSpec{Request: request, IssuerRef: certificate.Spec.IssuerRef}}
	wait := func(about string, change func(*api.Certificate), failures int) {
		now := certificate.DeepCopy()
		change(now)
		now.Status.LastFailureTime, now.Status.FailedIssuanceAttempts = ptr.To(meta.Now()), &failures
		_, delay := shouldBackoffReissuingOnFailure(logr.Discard(), clock.RealClock{}, now, failed, shortest, longest)
		fmt.Printf("seen: %d failures, %s: %s\n", failures, about, delay.Round(time.Minute))
	}
	for failures := 1; failures <= 7; failures++ {
		wait("the same certificate", func(*api.Certificate) {}, failures)
	}
	wait("another host", func(now *api.Certificate) { now.Spec.DNSNames[0] = "llm.example.com" }, 7)
	wait("another issuer", func(now *api.Certificate) { now.Spec.IssuerRef.Name = "other" }, 7)
}
GO
go test -trimpath -count 1 -v $package -run TestWait > all.txt 2>&1 || { cat all.txt; exit 2; }
sed -n 's/^seen: //p' all.txt > seen.txt

diff - seen.txt <<'SEEN'
1 failures, the same certificate: 1h0m0s
2 failures, the same certificate: 2h0m0s
3 failures, the same certificate: 4h0m0s
4 failures, the same certificate: 8h0m0s
5 failures, the same certificate: 16h0m0s
6 failures, the same certificate: 32h0m0s
7 failures, the same certificate: 32h0m0s
7 failures, another host: 0s
7 failures, another issuer: 0s
SEEN
