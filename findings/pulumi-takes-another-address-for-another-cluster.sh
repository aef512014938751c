#!/usr/bin/env bash
# pulumi-kubernetes, provider module at f47bc2d6f199 of 2026-01-15 (DiffConfig is the same at 9497796 of 2026-07-01, after 4.32.0), run
# 2026-11-30. Needs Go; builds for some minutes.
#
# A kubeconfig says how a cluster is reached, so that another address of the same API server (its public one in place of the private one, a
# new name, a balancer made anew), or a certificate authority that was rotated, is an update of the provider, one expects: credentials are.
# But without `clusterIdentifier` the provider takes each of these for another cluster, and is replaced. So is every object that it has
# made: namespaces, claims and models are made anew, and the old ones, which are the same objects in the same cluster, are deleted. With
# an identifier that stays, nothing is replaced. One that is added together with the new address comes too late: it has to have been there
# in the update before.
#
# Seen: below, at the end (what is new in the kubeconfig, and the identifier before and after: what replaces the provider).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat > go.mod <<'MOD'
module finding

go 1.24.7

require (
	github.com/pulumi/pulumi-kubernetes/provider/v4 v4.0.0-20260115033456-f47bc2d6f199
	github.com/pulumi/pulumi-kubernetes/sdk/v4 v4.24.0
)
MOD
cat > finding.go <<'GO'
package finding

import _ "github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
GO
{ go mod tidy && go mod vendor; } > tidy.log 2>&1 || { cat tidy.log; exit 1; }
package=github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider
cat > vendor/$package/identifier_test.go <<'GO'
package provider

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	rpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	structpb "google.golang.org/protobuf/types/known/structpb"
)

const config = `apiVersion: v1
kind: Config
current-context: ack
clusters: [{name: CLUSTER, cluster: {server: "https://ADDRESS:6443", certificate-authority-data: "Y2E="}}]
contexts: [{name: ack, context: {cluster: CLUSTER, user: me}}]
users: [{name: me, user: {token: TOKEN}}]
`

func given(identifier string, changes ...string) *structpb.Struct {
	kubeconfig := strings.NewReplacer(append(changes, "ADDRESS", "192.168.0.10", "TOKEN", "one", "CLUSTER", "kubernetes")...).Replace(config)
	values := resource.PropertyMap{"kubeconfig": resource.NewStringProperty(kubeconfig)}
	if identifier != "" {
		values["clusterIdentifier"] = resource.NewStringProperty(identifier)
	}
	result, err := plugin.MarshalProperties(values, plugin.MarshalOptions{})
	if err != nil {
		panic(err)
	}
	return result
}

func TestIdentifier(*testing.T) {
	for _, change := range [][]string{{"token", "TOKEN", "two"}, {"name", "CLUSTER", "other"}, {"authority", "Y2E=", "Y2Ey"}, {"address", "ADDRESS", "47.100.0.10"}} {
		for _, texts := range [][]string{{"", ""}, {"", "mine"}, {"mine", "mine"}} {
			result, err := (&kubeProvider{}).DiffConfig(context.Background(), &rpc.DiffRequest{
				Urn:  "urn:pulumi:dev::shop::pulumi:providers:kubernetes::cluster",
				Olds: given(texts[0]), News: given(texts[1], change[1:]...),
			})
			if err != nil {
				panic(err)
			}
			fmt.Printf("seen: another %s, identifier %q then %q: %v\n", change[0], texts[0], texts[1], result.Replaces)
		}
	}
}
GO
go test -trimpath -count 1 -v $package -run TestIdentifier > all.txt 2>&1 || { cat all.txt; exit 2; }
sed -n "s/^seen: //p" all.txt > seen.txt

diff - seen.txt <<'SEEN'
another token, identifier "" then "": []
another token, identifier "" then "mine": []
another token, identifier "mine" then "mine": []
another name, identifier "" then "": []
another name, identifier "" then "mine": []
another name, identifier "mine" then "mine": []
another authority, identifier "" then "": [kubeconfig]
another authority, identifier "" then "mine": [kubeconfig]
another authority, identifier "mine" then "mine": []
another address, identifier "" then "": [kubeconfig]
another address, identifier "" then "mine": [kubeconfig]
another address, identifier "mine" then "mine": []
SEEN
