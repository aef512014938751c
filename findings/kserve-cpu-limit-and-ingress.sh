#!/usr/bin/env bash
# KServe v0.20.0 (github.com/kserve/kserve, 2026-08-06), its own code, with what its chart ships. Needs Go.
#
# 1. A container that asks for 4 CPUs and names no limit is given the limit 1 by the defaulting webhook: below the
#    request, so the API server refuses the Deployment that KServe makes of it. An empty default is left alone.
#    pkg/apis/serving/v1beta1/inference_service_defaults.go
# 2. `timeout` of a predictor reaches no Ingress: in Standard mode without the Gateway API it does nothing.
# 3. Annotations of an InferenceService are copied to its Ingress when that is made, and never again: of an Ingress
#    that is there, the spec alone is compared.
#    pkg/controller/v1beta1/inferenceservice/reconcilers/ingress/kube_ingress_reconciler.go
#
# Seen on 2026-11-28:
#   shipped limit 1: request 4, limit 1
#   empty limit:     request 4, limit none
#   made with timeout 600: nginx.ingress.kubernetes.io/proxy-read-timeout=60
#   annotation now 900:    nginx.ingress.kubernetes.io/proxy-read-timeout=60
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

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

	"github.com/kserve/kserve/pkg/apis/serving/v1beta1"
	"github.com/kserve/kserve/pkg/controller/v1beta1/inferenceservice/reconcilers/ingress"
	corev1 "k8s.io/api/core/v1"
	netv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"
	"knative.dev/pkg/apis"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
)

const readTimeout = "nginx.ingress.kubernetes.io/proxy-read-timeout"

func model() *v1beta1.InferenceService {
	service := &v1beta1.InferenceService{}
	service.Name, service.Namespace, service.UID = "qwen", "inference", "1"
	service.Annotations = map[string]string{readTimeout: "60"}
	service.Spec.Predictor.TimeoutSeconds = ptr.To(int64(600))
	service.Spec.Predictor.PodSpec.Containers = []corev1.Container{{
		Name:  "kserve-container",
		Image: "vllm/vllm-openai:v0.19.0",
		Resources: corev1.ResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("4")},
		},
	}}
	return service
}

func limit(shipped string) string {
	config := &v1beta1.InferenceServicesConfig{}
	config.Resource.CPULimit = shipped
	service := model()
	service.DefaultInferenceService(config, nil, nil, nil, nil)
	resources := service.Spec.Predictor.PodSpec.Containers[0].Resources
	limit := "none"
	if found, there := resources.Limits[corev1.ResourceCPU]; there {
		limit = found.String()
	}
	return fmt.Sprintf("request %s, limit %s", resources.Requests.Cpu(), limit)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	fmt.Println("shipped limit 1:", limit("1"))
	fmt.Println("empty limit:    ", limit(""))

	scheme := runtime.NewScheme()
	must(v1beta1.AddToScheme(scheme))
	must(netv1.AddToScheme(scheme))
	must(corev1.AddToScheme(scheme))
	cluster := fake.NewClientBuilder().WithScheme(scheme).WithObjects(&corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "qwen-predictor", Namespace: "inference"},
	}).Build()
	settings := &v1beta1.IngressConfig{
		IngressClassName: ptr.To("nginx"),
		IngressDomain:    "example.com",
		DomainTemplate:   "{{ .Name }}-{{ .Namespace }}.{{ .IngressDomain }}",
		UrlScheme:        "http",
	}
	reconciler, err := ingress.NewRawIngressReconciler(
		cluster, scheme, settings, &v1beta1.InferenceServicesConfig{},
	)
	must(err)
	service := model()
	service.Status.SetCondition(v1beta1.PredictorReady, &apis.Condition{Status: corev1.ConditionTrue})

	show := func(when string) {
		_, err := reconciler.Reconcile(context.Background(), service)
		must(err)
		made := &netv1.Ingress{}
		must(cluster.Get(context.Background(), client.ObjectKeyFromObject(service), made))
		for key, value := range made.Annotations {
			fmt.Printf("%s %s=%s\n", when, key, value)
		}
	}
	show("made with timeout 600:")
	service.Annotations[readTimeout] = "900"
	show("annotation now 900:   ")
}
GO

got=$(go run ./finding)
echo "$got"
diff <(echo "$got") - <<'WANT'
shipped limit 1: request 4, limit 1
empty limit:     request 4, limit none
made with timeout 600: nginx.ingress.kubernetes.io/proxy-read-timeout=60
annotation now 900:    nginx.ingress.kubernetes.io/proxy-read-timeout=60
WANT
