#!/usr/bin/env bash
# KServe v0.20.0 (github.com/kserve/kserve), its InferenceService controller in Standard mode, and pulumi-kubernetes, provider module at
# f47bc2d6f199 of 2026-01-15, whose file for conditions is that of kubectl. Run 2026-11-30. Needs Go; builds for some minutes.
#
# status.observedGeneration is to say which generation of an object its status is about, so that a condition of an older one is not
# taken for true: `kubectl wait --for=condition=Ready` and Pulumi's `pulumi.com/waitFor: condition=Ready` go by that. An InferenceService
# has its Deployment's observedGeneration there, another object's count. A new bound of replicas, or a new timeout, is a generation of the
# InferenceService and none of its Deployment: it is ready, and nobody who waits for that ever sees it, until the Deployment was changed
# as often. The other way round, an HPA that changes its replicas puts the Deployment ahead, and what is waited for is there at once,
# from before the update. So does an annotation of the InferenceService, which KServe copies to the template of its pods: they are made
# anew, be it for how long Pulumi is to wait.
#
# Seen: below, at the end (what happens: generations of the InferenceService and its Deployment, observedGeneration, Ready, waited for).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export GOFLAGS="-trimpath -buildvcs=false"

# Inside a copy of the module, so that its own go.mod chooses what it is built with.
dir() { go mod download -json "$1" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p'; }
module=$(dir github.com/kserve/kserve@v0.20.0)
cp -r "$module/pkg" "$module/go.mod" "$module/go.sum" .
chmod -R u+w .
mkdir -p finding/match
# The provider's own matcher, without what it writes to a log.
sed -e 's/^package condition$/package match/' -e '/pulumi\/sdk/d' -e 's/diag\.[A-Z][a-z]*/0/' -e 's/func checkCondition/func Check/' \
	-e 's/, logger logger, /, logger Silent, /' \
	"$(dir github.com/pulumi/pulumi-kubernetes/provider/v4@v4.0.0-20260115033456-f47bc2d6f199)/pkg/await/condition/kubectl.go" \
	> finding/match/kubectl.go
cat > finding/match/silent.go <<'GO'
package match

import "k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

type Silent struct{}

func (Silent) LogStatus(int, string) {}

func Ready(object map[string]any) bool {
	is, err := Check(&unstructured.Unstructured{Object: object}, Silent{}, "Ready", "True")
	if err != nil {
		panic(err)
	}
	return is
}
GO
cat > finding/main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"reflect"

	"github.com/go-logr/logr"
	"github.com/kserve/kserve/finding/match"
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
	"knative.dev/pkg/apis"
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
	// Generations are the API server's work, and a Deployment's status its controller's: here both are done at once, as they do it.
	var last appsv1.DeploymentSpec
	var generation int64
	settle := func() {
		for range 3 {
			_, err := reconciler.Reconcile(ctx, ctrl.Request{NamespacedName: key})
			must(err)
			pods := &appsv1.Deployment{}
			must(cluster.Get(ctx, client.ObjectKey{Namespace: "a", Name: "chat-predictor"}, pods))
			if !reflect.DeepEqual(pods.Spec, last) {
				generation++
				last = *pods.Spec.DeepCopy()
			}
			pods.Status.ObservedGeneration = generation
			pods.Status.Conditions = []appsv1.DeploymentCondition{
				{Type: appsv1.DeploymentAvailable, Status: corev1.ConditionTrue},
				{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionTrue, Reason: "NewReplicaSetAvailable"},
			}
			must(cluster.Status().Update(ctx, pods))
		}
	}
	show := func(what string) {
		now := &v1beta1.InferenceService{}
		must(cluster.Get(ctx, key, now))
		object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(now)
		must(err)
		fmt.Printf("%s: %d and %d, %d, %s, %v\n", what, now.Generation, generation, now.Status.ObservedGeneration,
			now.Status.GetCondition(apis.ConditionReady).Status, match.Ready(object))
	}
	update := func(change func(*v1beta1.InferenceService)) {
		now := &v1beta1.InferenceService{}
		must(cluster.Get(ctx, key, now))
		change(now)
		now.Generation++
		must(cluster.Update(ctx, now))
	}
	settle()
	show("made")
	update(func(now *v1beta1.InferenceService) { now.Spec.Predictor.MaxReplicas = 4 })
	settle()
	show("maxReplicas 4")
	update(func(now *v1beta1.InferenceService) { now.Spec.Predictor.TimeoutSeconds = ptr.To(int64(600)) })
	settle()
	show("timeout 600")
	update(func(now *v1beta1.InferenceService) {
		now.Spec.Predictor.PodSpec.Containers[0].Image = "vllm/vllm-openai:v0.20.0"
	})
	settle()
	show("image v0.20.0")
	annotated := &v1beta1.InferenceService{}
	must(cluster.Get(ctx, key, annotated))
	annotated.Annotations = map[string]string{"pulumi.com/timeoutSeconds": "900"} // no generation: that is of the spec
	must(cluster.Update(ctx, annotated))
	settle()
	show("an annotation")
	for replicas := range int32(4) {
		pods := &appsv1.Deployment{}
		must(cluster.Get(ctx, client.ObjectKey{Namespace: "a", Name: "chat-predictor"}, pods))
		pods.Spec.Replicas = ptr.To(4 - replicas)
		must(cluster.Update(ctx, pods))
		settle()
	}
	show("an HPA changed the replicas four times")
	update(func(now *v1beta1.InferenceService) {
		now.Spec.Predictor.PodSpec.Containers[0].Image = "vllm/vllm-openai:v0.21.0"
	})
	show("image v0.21.0, which KServe has not seen yet")
}
GO
go run ./finding > seen.txt 2> all.txt || { tail -20 all.txt; exit 2; }

diff - seen.txt <<'SEEN'
made: 1 and 1, 1, True, true
maxReplicas 4: 2 and 1, 1, True, false
timeout 600: 3 and 1, 1, True, false
image v0.20.0: 4 and 2, 2, True, false
an annotation: 4 and 3, 3, True, false
an HPA changed the replicas four times: 4 and 7, 7, True, true
image v0.21.0, which KServe has not seen yet: 5 and 7, 7, True, true
SEEN
