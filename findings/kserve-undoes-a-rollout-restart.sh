#!/usr/bin/env bash
# KServe v0.20.0 (github.com/kserve/kserve), its InferenceService controller in Standard mode, run 2026-11-30. Needs Go; builds for some
# minutes.
#
# `kubectl rollout restart` puts a time into the annotations of a Deployment's pod template, so that all pods are made anew, one after the
# other. One expects that of the Deployment of an InferenceService too: what an HPA writes into it, KServe leaves alone. But it watches
# that Deployment, and puts the template back to the one of the pods that run: kubectl says "restarted", and the pods stay, with the old
# Secret, or with whatever hangs in them. An annotation of the InferenceService itself is copied to the template, and stays there.
#
# Seen: below, at the end (replicas, and the two annotations of the pod template).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export GOFLAGS="-trimpath -buildvcs=false"

# Inside a copy of the module, so that its own go.mod chooses what it is built with.
module=$(go mod download -json github.com/kserve/kserve@v0.20.0 | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
cp -r "$module/pkg" "$module/go.mod" "$module/go.sum" .
chmod -R u+w .
mkdir finding
cat > finding/main.go <<'GO'
package main

import (
	"context"
	"fmt"

	"github.com/go-logr/logr"
	"github.com/kserve/kserve/pkg/apis/serving/v1beta1"
	"github.com/kserve/kserve/pkg/controller/v1beta1/inferenceservice"
	"github.com/kserve/kserve/pkg/scheme"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	kubernetes "k8s.io/client-go/kubernetes/fake"
	clientgo "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/record"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	ctrl.SetLogger(logr.Discard())
	types := runtime.NewScheme()
	must(clientgo.AddToScheme(types))
	must(scheme.AddAll(types))
	settings := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "inferenceservice-config", Namespace: "kserve"},
		Data: map[string]string{
			"deploy": `{"defaultDeploymentMode": "Standard"}`,
			"inferenceService": `{}`,
			"storageInitializer": `{"image": "a", "cpuRequest": "100m", "cpuLimit": "1", "memoryRequest": "100Mi", "memoryLimit": "1Gi"}`,
			"ingress": `{"ingressGateway": "a/b", "ingressDomain": "example.com", "ingressClassName": "nginx",
				"domainTemplate": "{{ .Name }}.{{ .IngressDomain }}", "urlScheme": "http", "disableIstioVirtualHost": true}`,
		},
	}
	service := &v1beta1.InferenceService{ObjectMeta: metav1.ObjectMeta{Name: "chat", Namespace: "a", Generation: 1, UID: "1"}}
	service.Spec.Predictor.MinReplicas, service.Spec.Predictor.MaxReplicas = ptr.To(int32(1)), 3
	service.Spec.Predictor.PodSpec.Containers = []corev1.Container{{Name: "kserve-container", Image: "vllm/vllm-openai:v0.19.0"}}
	cluster := fake.NewClientBuilder().WithScheme(types).WithObjects(service, settings).
		WithStatusSubresource(&v1beta1.InferenceService{}, &appsv1.Deployment{}).Build()
	reconciler := &inferenceservice.InferenceServiceReconciler{
		Client: cluster, Clientset: kubernetes.NewSimpleClientset(settings), Log: logr.Discard(), Scheme: types,
		Recorder: record.NewFakeRecorder(100),
	}
	ctx, key := context.Background(), client.ObjectKeyFromObject(service)
	reconcile := func() {
		for range 3 {
			_, err := reconciler.Reconcile(ctx, ctrl.Request{NamespacedName: key})
			must(err)
		}
	}
	restarts := func(what string) {
		pods := &appsv1.Deployment{}
		must(cluster.Get(ctx, client.ObjectKey{Namespace: "a", Name: "chat-predictor"}, pods))
		fmt.Printf("%s: %d replicas, %q, %q\n", what, ptr.Deref(pods.Spec.Replicas, 1),
			pods.Spec.Template.Annotations["kubectl.kubernetes.io/restartedAt"], pods.Spec.Template.Annotations["example.com/restarted-at"])
	}
	reconcile()
	restarts("made")

	// What an HPA does, and what `kubectl rollout restart deployment chat-predictor` does.
	pods := &appsv1.Deployment{}
	must(cluster.Get(ctx, client.ObjectKey{Namespace: "a", Name: "chat-predictor"}, pods))
	pods.Spec.Replicas = ptr.To(int32(3))
	pods.Spec.Template.Annotations = map[string]string{"kubectl.kubernetes.io/restartedAt": "2026-11-30T12:00:00Z"}
	must(cluster.Update(ctx, pods))
	restarts("scaled, and restarted by kubectl")
	reconcile()
	restarts("KServe has seen it")

	// `kubectl annotate inferenceservice chat example.com/restarted-at=...`
	now := &v1beta1.InferenceService{}
	must(cluster.Get(ctx, key, now))
	now.Annotations = map[string]string{"example.com/restarted-at": "2026-11-30T12:00:00Z"}
	must(cluster.Update(ctx, now))
	reconcile()
	restarts("annotated the InferenceService")
}
GO
go run ./finding > seen.txt 2> all.txt || { tail -20 all.txt; exit 2; }

diff - seen.txt <<'SEEN'
made: 1 replicas, "", ""
scaled, and restarted by kubectl: 3 replicas, "2026-11-30T12:00:00Z", ""
KServe has seen it: 3 replicas, "", ""
annotated the InferenceService: 3 replicas, "", "2026-11-30T12:00:00Z"
SEEN
