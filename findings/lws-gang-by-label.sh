#!/bin/sh
# Pods of all groups of a LeaderWorkerSet carry the labels of one template: a scheduler that makes a
# gang by a label's value (ACK's pod-group.scheduling.sigs.k8s.io/name) takes several groups for one.
#
# Version: sigs.k8s.io/lws v0.9.0 (Go module), Go 1.26.
# Expected: LeaderWorkerSet tells a scheduler which pods are a group, whichever scheduler it is, or
# its webhook fills the group's number into a label of the template.
# Seen on 2026-11-29, by its own webhook and its own check of settings:
#     leader of group 0: pod-group qwen, group-index 0
#     leader of group 1: pod-group qwen, group-index 1
#     schedulerProvider coscheduling: Unsupported value, supported values: "volcano"
# So with two groups of two pods, the two leaders are a full gang, and each may hold a node while its
# worker waits for the other's. Labels make a gang of one group alone.
#
# Needs Go 1.26 and a module proxy; builds for some minutes. Ends with 1 if what is seen changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > main.go <<'PROGRAM'
package main

import (
	"context"
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	configapi "sigs.k8s.io/lws/api/config/v1alpha1"
	"sigs.k8s.io/lws/pkg/config"
	"sigs.k8s.io/lws/pkg/webhooks"
)

const gang = "pod-group.scheduling.sigs.k8s.io/name"

func main() {
	webhook := webhooks.NewPodWebhook(nil)
	for _, name := range []string{"qwen-0", "qwen-1"} {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: "inference",
			Labels: map[string]string{
				"leaderworkerset.sigs.k8s.io/name":         "qwen",
				"leaderworkerset.sigs.k8s.io/worker-index": "0",
				gang: "qwen",
			},
			Annotations: map[string]string{"leaderworkerset.sigs.k8s.io/size": "2"},
		}, Spec: corev1.PodSpec{Subdomain: "qwen", Containers: []corev1.Container{{Name: "server"}}}}
		if err := webhook.Default(context.Background(), pod); err != nil {
			panic(err)
		}
		index := pod.Labels["leaderworkerset.sigs.k8s.io/group-index"]
		fmt.Printf("leader of group %s: pod-group %s, group-index %s\n", index, pod.Labels[gang], index)
	}
	file := "settings.yaml"
	text := "apiVersion: config.lws.x-k8s.io/v1alpha1\nkind: Configuration\n" +
		"gangSchedulingManagement: {schedulerProvider: coscheduling}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		panic(err)
	}
	scheme := runtime.NewScheme()
	if err := configapi.AddToScheme(scheme); err != nil {
		panic(err)
	}
	_, _, err := config.Load(scheme, file)
	fmt.Println(err)
}
PROGRAM
cat > go.mod <<'MODULE'
module finding

go 1.26.0

require sigs.k8s.io/lws v0.9.0
MODULE
go mod tidy > log 2>&1 || { cat log; exit 1; }
go run . > seen
cat seen
grep -q '^leader of group 0: pod-group qwen, group-index 0$' seen
grep -q '^leader of group 1: pod-group qwen, group-index 1$' seen
grep -q 'Unsupported value: "coscheduling": supported values: "volcano"' seen
