#!/usr/bin/env bash
# Kueue v0.17.0 (Go module sigs.k8s.io/kueue), its webhooks as it serves them to an API server, run 2026-11-30. Needs Go; builds for some
# minutes.
#
# A LocalQueue is for those who ask for it by a label, one expects. But one that is called `default` takes in whatever is made in its
# namespace, Deployments and LeaderWorkerSets too, and the queue's quota holds back their pods. What runs already is left alone, one expects
# then. But the label is put on at each update as well, and of a model that serves no update may change it: from the day that somebody makes
# the queue, each update of its Deployment is refused, whatever it changes, for a label that nobody has written. One that serves nothing just
# now (at zero, or loading) stands in the queue from its next update on, and that restarts its pods. A Job that runs is suspended, which ends
# its pods. And who is in the queue cannot be taken out of it: the label is put on again, or may not be missing.
#
# Seen: below, at the end (what is sent, without a label, and what the webhooks make of it).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export GOFLAGS="-trimpath -buildvcs=false -mod=mod"

cat > go.mod <<'MOD'
module finding

go 1.25.0

require sigs.k8s.io/kueue v0.17.0
MOD
cat > main.go <<'GO'
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"

	patches "gopkg.in/evanphx/json-patch.v4"
	admission "k8s.io/api/admission/v1"
	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgo "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	control "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
	queues "sigs.k8s.io/kueue/apis/kueue/v1beta2"
	queuecache "sigs.k8s.io/kueue/pkg/cache/queue"
	schedulercache "sigs.k8s.io/kueue/pkg/cache/scheduler"
	"sigs.k8s.io/kueue/pkg/controller/jobframework"
	"sigs.k8s.io/kueue/pkg/controller/jobs/deployment"
	"sigs.k8s.io/kueue/pkg/controller/jobs/job"
	"sigs.k8s.io/kueue/pkg/controller/jobs/leaderworkerset"
	kueuetesting "sigs.k8s.io/kueue/pkg/util/testing"
	groups "sigs.k8s.io/lws/api/leaderworkerset/v1"
)

const label = "kueue.x-k8s.io/queue-name"

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func result[T any](value T, err error) T {
	must(err)
	return value
}

// webhooks serves those of Kueue, in a namespace with or without a queue of this name.
func webhooks(queue string) *http.ServeMux {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgo.AddToScheme, queues.AddToScheme, groups.AddToScheme} {
		must(add(scheme))
	}
	objects := kueuetesting.NewClientBuilder().Build()
	cache := queuecache.NewManagerForUnitTests(objects, schedulercache.New(objects))
	if queue != "" {
		must(cache.AddLocalQueue(context.Background(), &queues.LocalQueue{ObjectMeta: meta.ObjectMeta{Namespace: "a", Name: queue},
			Spec: queues.LocalQueueSpec{ClusterQueue: "cluster"}}))
	}
	managed := result(manager.New(&rest.Config{Host: "http://127.0.0.1:1"}, manager.Options{Scheme: scheme,
		Metrics:        server.Options{BindAddress: "0"},
		MapperProvider: func(*rest.Config, *http.Client) (apimeta.RESTMapper, error) { return objects.RESTMapper(), nil },
		NewClient:      func(*rest.Config, client.Options) (client.Client, error) { return objects, nil }}))
	for _, setup := range []func(control.Manager, ...jobframework.Option) error{deployment.SetupWebhook, leaderworkerset.SetupWebhook, job.SetupWebhook} {
		must(setup(managed, jobframework.WithQueues(cache), jobframework.WithCache(schedulercache.New(objects))))
	}
	return managed.GetWebhookServer().(interface{ WebhookMux() *http.ServeMux }).WebhookMux()
}

// sent is what becomes of an object that is made, or updated, at an API server.
func sent(mux *http.ServeMux, kind meta.GroupVersionKind, path string, old, object runtime.Object) (string, []byte) {
	request := &admission.AdmissionRequest{UID: "1", Kind: kind, Namespace: "a", Name: "chat", Operation: admission.Create}
	request.Object.Raw = result(json.Marshal(object))
	if old != nil {
		request.Operation, request.OldObject.Raw = admission.Update, result(json.Marshal(old))
	}
	for _, phase := range []string{"/mutate-", "/validate-"} {
		review := admission.AdmissionReview{TypeMeta: meta.TypeMeta{APIVersion: "admission.k8s.io/v1", Kind: "AdmissionReview"}, Request: request}
		call := httptest.NewRequest(http.MethodPost, phase+path, bytes.NewReader(result(json.Marshal(review))))
		call.Header.Set("Content-Type", "application/json")
		answer := httptest.NewRecorder()
		mux.ServeHTTP(answer, call)
		must(json.Unmarshal(answer.Body.Bytes(), &review))
		if !review.Response.Allowed {
			return "refused: " + review.Response.Result.Message, nil
		}
		if review.Response.Patch != nil {
			request.Object.Raw = result(result(patches.DecodePatch(review.Response.Patch)).Apply(request.Object.Raw))
		}
	}
	return "", request.Object.Raw
}

func model(ready int32, labels map[string]string) *apps.Deployment {
	app := map[string]string{"app": "chat"}
	return &apps.Deployment{TypeMeta: meta.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"}, ObjectMeta: meta.ObjectMeta{Namespace: "a", Name: "chat", Labels: labels},
		Spec:   apps.DeploymentSpec{Selector: &meta.LabelSelector{MatchLabels: app}, Template: template(app)},
		Status: apps.DeploymentStatus{ReadyReplicas: ready}}
}

func template(labels map[string]string) core.PodTemplateSpec {
	return core.PodTemplateSpec{ObjectMeta: meta.ObjectMeta{Labels: labels}, Spec: core.PodSpec{Containers: []core.Container{{Name: "vllm", Image: "vllm"}}}}
}

func made(mux *http.ServeMux, old, object *apps.Deployment) string {
	kind := meta.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}
	var before runtime.Object
	if old != nil {
		before = old
	}
	refused, raw := sent(mux, kind, "apps-v1-deployment", before, object)
	if refused != "" {
		return refused
	}
	stored := &apps.Deployment{}
	must(json.Unmarshal(raw, stored))
	return fmt.Sprintf("queue %q, its pods' %q", stored.Labels[label], stored.Spec.Template.Labels[label])
}

func group(mux *http.ServeMux, update bool) string {
	set := &groups.LeaderWorkerSet{TypeMeta: meta.TypeMeta{APIVersion: groups.GroupVersion.String(), Kind: "LeaderWorkerSet"}, ObjectMeta: meta.ObjectMeta{Namespace: "a", Name: "chat"}}
	set.Spec.Replicas, set.Spec.LeaderWorkerTemplate = ptr.To(int32(1)), groups.LeaderWorkerTemplate{Size: ptr.To(int32(2)), WorkerTemplate: template(nil)}
	var old runtime.Object
	if update {
		old = set.DeepCopy()
		set.Annotations = map[string]string{"note": "new"}
	}
	refused, raw := sent(mux, meta.GroupVersionKind{Group: groups.GroupVersion.Group, Version: "v1", Kind: set.Kind}, "leaderworkerset-x-k8s-io-v1-leaderworkerset", old, set)
	if refused != "" {
		return refused
	}
	stored := &groups.LeaderWorkerSet{}
	must(json.Unmarshal(raw, stored))
	return fmt.Sprintf("queue %q", stored.Labels[label])
}

func training(mux *http.ServeMux) string {
	job := &batch.Job{TypeMeta: meta.TypeMeta{APIVersion: "batch/v1", Kind: "Job"}, ObjectMeta: meta.ObjectMeta{Namespace: "a", Name: "training"}}
	job.Spec = batch.JobSpec{Parallelism: ptr.To(int32(1)), Suspend: ptr.To(false), Template: template(nil)}
	job.Status.Active = 1
	old := job.DeepCopy()
	job.Annotations = map[string]string{"note": "new"}
	refused, raw := sent(mux, meta.GroupVersionKind{Group: "batch", Version: "v1", Kind: "Job"}, "batch-v1-job", old, job)
	if refused != "" {
		return refused
	}
	stored := &batch.Job{}
	must(json.Unmarshal(raw, stored))
	return fmt.Sprintf("queue %q, suspended: %v", stored.Labels[label], *stored.Spec.Suspend)
}

func main() {
	for _, queue := range []string{"batch", "default"} {
		mux, queued := webhooks(queue), map[string]string{label: queue}
		fmt.Printf("a LocalQueue %q:\n", queue)
		fmt.Println("a new Deployment:", made(mux, nil, model(0, nil)))
		changed := model(1, map[string]string{"note": "new"})
		fmt.Println("a label more of a Deployment that serves:", made(mux, model(1, nil), changed))
		fmt.Println("a label more of a Deployment at zero:", made(mux, model(0, nil), changed))
		fmt.Println("a Deployment at zero without its queue's label:", made(mux, model(0, queued), changed))
		fmt.Println("a new LeaderWorkerSet:", group(mux, false))
		fmt.Println("an annotation more of a LeaderWorkerSet:", group(mux, true))
		fmt.Println("an annotation more of a Job that runs:", training(mux))
	}
	mux := webhooks("")
	fmt.Println("no LocalQueue any more:")
	fmt.Println("a Deployment at zero without its queue's label:", made(mux, model(0, map[string]string{label: "default"}), model(0, nil)))
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 2; }
go run . > seen.txt 2> all.txt || { cat all.txt; exit 2; }

diff - seen.txt <<'SEEN'
a LocalQueue "batch":
a new Deployment: queue "", its pods' ""
a label more of a Deployment that serves: queue "", its pods' ""
a label more of a Deployment at zero: queue "", its pods' ""
a Deployment at zero without its queue's label: refused: metadata.labels[kueue.x-k8s.io/queue-name]: Invalid value: "": field is immutable
a new LeaderWorkerSet: queue ""
an annotation more of a LeaderWorkerSet: queue ""
an annotation more of a Job that runs: queue "", suspended: false
a LocalQueue "default":
a new Deployment: queue "default", its pods' "default"
a label more of a Deployment that serves: refused: metadata.labels[kueue.x-k8s.io/queue-name]: Invalid value: "default": field is immutable
a label more of a Deployment at zero: queue "default", its pods' "default"
a Deployment at zero without its queue's label: queue "default", its pods' "default"
a new LeaderWorkerSet: queue "default"
an annotation more of a LeaderWorkerSet: refused: metadata.labels[kueue.x-k8s.io/queue-name]: Invalid value: "default": field is immutable
an annotation more of a Job that runs: queue "default", suspended: true
no LocalQueue any more:
a Deployment at zero without its queue's label: refused: metadata.labels[kueue.x-k8s.io/queue-name]: Invalid value: "": field is immutable
SEEN
