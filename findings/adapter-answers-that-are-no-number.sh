#!/usr/bin/env bash
# prometheus-adapter v0.12.0 (sigs.k8s.io/prometheus-adapter), and the HPA's replica calculator of Kubernetes v1.34.1
# (k8s.io/kubernetes), on x86-64, run 2026-11-30. Needs Go; builds for some minutes.
#
# A query that divides answers with infinity where it divides by 0, and with no number for 0 / 0. One expects an error, or that infinity
# is much. The adapter makes thousandths of a figure by a conversion to whole numbers, of which infinity comes out as the lowest there
# is: -9223372036854775808m, as `kubectl get --raw` shows it. The HPA reads that text as a quantity, whose thousandths overflow once
# more, and come to exactly 0. So whoever has most load counts as idle, and two errors look like a value, on which it scales down.
# What is no number is 0 for rules of pods, and takes the same way round for external rules.
#
# Seen: below, at the end. Of three replicas the first reports the figure, and the others 3; or it is one external figure.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export GOFLAGS="-trimpath -buildvcs=false -mod=mod"

mkdir "$folder/adapter" "$folder/kubernetes"
cd "$folder/adapter"
cat > go.mod <<'END'
module finding

go 1.22.1

require sigs.k8s.io/prometheus-adapter v0.12.0
END
cat > main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/custom-metrics-apiserver/pkg/provider"
	prom "sigs.k8s.io/prometheus-adapter/pkg/client"
	"sigs.k8s.io/prometheus-adapter/pkg/config"
	custom "sigs.k8s.io/prometheus-adapter/pkg/custom-provider"
	external "sigs.k8s.io/prometheus-adapter/pkg/external-provider"
	"sigs.k8s.io/prometheus-adapter/pkg/naming"
)

const rules = `
rules:
- seriesQuery: 'queue{namespace!="",pod!=""}'
  resources: {overrides: {namespace: {resource: namespace}, pod: {resource: pod}}}
  name: {as: load}
  metricsQuery: 'sum(queue{<<.LabelMatchers>>}) by (<<.GroupBy>>) / sum(available{<<.LabelMatchers>>}) by (<<.GroupBy>>)'
externalRules:
- seriesQuery: 'queue{namespace!=""}'
  resources: {overrides: {namespace: {resource: namespace}}}
  name: {as: load}
  metricsQuery: 'sum(queue{<<.LabelMatchers>>}) / sum(available{<<.LabelMatchers>>})'
`

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	var figure string
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		check(request.ParseForm())
		of := `{"__name__":"queue","namespace":"a","pod":"chat-1"}`
		if strings.HasSuffix(request.URL.Path, "/series") {
			fmt.Fprintf(writer, `{"status":"success","data":[%s]}`, of)
			return
		}
		fmt.Fprintf(writer, `{"status":"success","data":{"resultType":"vector","result":[{"metric":%s,"value":[1,"%s"]}]}}`, of, figure)
	}))
	defer server.Close()
	address, err := url.Parse(server.URL)
	check(err)
	client := prom.NewClient(http.DefaultClient, address, nil, http.MethodGet)
	mapper := apimeta.NewDefaultRESTMapper(nil)
	mapper.Add(core.SchemeGroupVersion.WithKind("Pod"), apimeta.RESTScopeNamespace)
	mapper.Add(core.SchemeGroupVersion.WithKind("Namespace"), apimeta.RESTScopeRoot)
	settings, err := config.FromYAML([]byte(rules))
	check(err)
	ofPods, err := naming.NamersFromConfig(settings.Rules, mapper)
	check(err)
	ofAll, err := naming.NamersFromConfig(settings.ExternalRules, mapper)
	check(err)
	pods, podsLister := custom.NewPrometheusProvider(mapper, nil, client, ofPods, time.Minute, time.Minute)
	whole, wholeLister := external.NewExternalPrometheusProvider(client, ofAll, time.Minute, time.Minute)
	stop := make(chan struct{})
	defer close(stop)
	podsLister.RunUntil(stop)
	wholeLister.RunUntil(stop)
	for len(pods.ListAllMetrics()) == 0 || len(whole.ListAllExternalMetrics()) == 0 {
		time.Sleep(10 * time.Millisecond)
	}
	out, err := os.Create(os.Args[1])
	check(err)
	defer out.Close()
	show := func(rule string, value resource.Quantity) {
		// As it goes to the HPA, as text.
		text, err := value.MarshalJSON()
		check(err)
		fmt.Fprintf(out, "%s %s %s\n", rule, figure, strings.Trim(string(text), `"`))
	}
	for _, figure = range []string{"3", "+Inf", "NaN"} {
		ofPod, err := pods.GetMetricByName(context.Background(), types.NamespacedName{Namespace: "a", Name: "chat-1"},
			provider.CustomMetricInfo{GroupResource: schema.GroupResource{Resource: "pods"}, Namespaced: true, Metric: "load"}, labels.Everything())
		check(err)
		show("pods", ofPod.Value)
		list, err := whole.GetExternalMetric(context.Background(), "a", labels.Everything(), provider.ExternalMetricInfo{Metric: "load"})
		check(err)
		show("external", list.Items[0].Value)
	}
}
GO
{ go mod tidy && go build -o main .; } > all.txt 2>&1 || { cat all.txt; exit 2; }
./main "$folder/answers.txt" 2> all.txt || { cat all.txt; exit 2; }

cd "$folder/kubernetes"
{
	echo 'module finding'
	echo 'go 1.25.0'
	echo "require k8s.io/kubernetes v1.34.1"
	for module in api apiextensions-apiserver apimachinery apiserver cli-runtime client-go cloud-provider cluster-bootstrap \
		code-generator component-base component-helpers controller-manager cri-api cri-client csi-translation-lib \
		dynamic-resource-allocation endpointslice externaljwt kms kube-aggregator kube-controller-manager kube-proxy \
		kube-scheduler kubectl kubelet metrics mount-utils pod-security-admission sample-apiserver; do
		echo "replace k8s.io/$module => k8s.io/$module v0.34.1"
	done
} > go.mod
cat > finding_test.go <<'GO'
package finding

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/kubernetes/pkg/controller/podautoscaler"
	"k8s.io/kubernetes/pkg/controller/podautoscaler/metrics"
)

// answers is a metrics API: three pods, of which the first reports a figure and the others 3; or one external figure.
type answers int64

func (figure answers) GetRawMetric(string, string, labels.Selector, labels.Selector) (metrics.PodMetricsInfo, time.Time, error) {
	return metrics.PodMetricsInfo{"0": {Value: int64(figure)}, "1": {Value: 3000}, "2": {Value: 3000}}, time.Now(), nil
}

func (figure answers) GetExternalMetric(string, string, labels.Selector) ([]int64, time.Time, error) {
	return []int64{int64(figure)}, time.Now(), nil
}

func (answers) GetResourceMetric(context.Context, core.ResourceName, string, labels.Selector, string) (metrics.PodMetricsInfo, time.Time, error) {
	return nil, time.Time{}, errors.New("none")
}

func (answers) GetObjectMetric(string, string, *autoscaling.CrossVersionObjectReference, labels.Selector) (int64, time.Time, error) {
	return 0, time.Time{}, errors.New("none")
}

func TestFinding(t *testing.T) {
	store := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
	for i := range 3 {
		ready := []core.PodCondition{{Type: core.PodReady, Status: core.ConditionTrue}}
		store.Add(&core.Pod{
			ObjectMeta: meta.ObjectMeta{Namespace: "a", Name: fmt.Sprint(i)},
			Status:     core.PodStatus{Phase: core.PodRunning, Conditions: ready},
		})
	}
	file, err := os.Open("../answers.txt")
	if err != nil {
		t.Fatal(err)
	}
	var rule, figure, text string
	for {
		if _, err := fmt.Fscan(file, &rule, &figure, &text); err != nil {
			break
		}
		var value resource.Quantity
		if err := value.UnmarshalJSON([]byte(`"` + text + `"`)); err != nil {
			t.Fatal(err)
		}
		calculator := podautoscaler.NewReplicaCalculator(answers(value.MilliValue()), listers.NewPodLister(store), 0, 0)
		fmt.Printf("seen: %s, %s: %s", rule, figure, text)
		none := &meta.LabelSelector{}
		show := func(kind string) func(int32, int64, time.Time, error) {
			return func(wanted int32, _ int64, _ time.Time, err error) {
				if err != nil {
					t.Fatal(err)
				}
				fmt.Printf(", %s 2: %d", kind, min(max(wanted, 1), 20))
			}
		}
		if rule == "pods" {
			show("AverageValue")(calculator.GetMetricReplicas(3, 2000, "load", podautoscaler.Tolerances{}, "a", labels.Everything(), labels.Everything()))
		} else {
			show("Value")(calculator.GetExternalMetricReplicas(3, 2000, "load", podautoscaler.Tolerances{}, "a", none, labels.Everything()))
			show("AverageValue")(calculator.GetExternalPerPodMetricReplicas(3, 2000, "load", podautoscaler.Tolerances{}, "a", none))
		}
		fmt.Println()
	}
}
GO
go mod tidy > all.txt 2>&1 || { cat all.txt; exit 2; }
go test -vet=off -count 1 -v . > all.txt 2>&1 || { cat all.txt; exit 2; }
sed -n 's/^seen: //p' all.txt > seen.txt

# What the adapter answers, and what an HPA of 1 to 20 replicas makes of it, with three there and a target of 2.
diff - seen.txt <<'SEEN'
pods, 3: 3, AverageValue 2: 5
external, 3: 3, Value 2: 5, AverageValue 2: 2
pods, +Inf: -9223372036854775808m, AverageValue 2: 3
external, +Inf: -9223372036854775808m, Value 2: 1, AverageValue 2: 1
pods, NaN: 0, AverageValue 2: 3
external, NaN: -9223372036854775808m, Value 2: 1, AverageValue 2: 1
SEEN
