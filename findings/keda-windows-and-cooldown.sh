#!/usr/bin/env bash
# KEDA v2.21.0 (Go module github.com/kedacore/keda/v2), run 2026-11: its cron scaler and its scale executor, in a time of their own.
#
# - A cron window is open whenever its next end comes before its next start. With a start on workdays and an end every day, it is
#   open from Friday morning to Sunday evening; with a start every workday and an end on Fridays, it is open on Friday alone.
# - An active trigger beside one that gives errors does not count for the cool-down: lastActiveTime stands still meanwhile. When the
#   errors end and the load with them, the last pod goes at that look, and not cooldownPeriod (300 s) later.
#
# Seen (1 January 2000 is a Saturday): below, at the end.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat > go.mod <<'END'
module finding

go 1.26.0

require github.com/kedacore/keda/v2 v2.21.0

replace github.com/nexus-rpc/nexus-proto-annotations v0.1.0 => github.com/nexus-rpc/nexus-proto-annotations v0.1.1-0.20260629224316-835bd8d49cb4
END

cat > windows_test.go <<'END'
package main

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kedacore/keda/v2/pkg/scalers"
	"github.com/kedacore/keda/v2/pkg/scalers/scalersconfig"
)

// open prints when a window is open, in the first nine days of the year 2000; 1 January is a Saturday.
func open(start, end string) {
	metadata := map[string]string{"timezone": "UTC", "start": start, "end": end, "desiredReplicas": "2"}
	scaler, err := scalers.NewCronScaler(&scalersconfig.ScalerConfig{TriggerMetadata: metadata})
	if err != nil {
		panic(err)
	}
	fmt.Printf("%s to %s:", start, end)
	last := false
	time.Sleep(30 * time.Second)
	for range 9 * 24 * 60 {
		_, active, err := scaler.GetMetricsAndActivity(context.Background(), "cron")
		if err != nil {
			panic(err)
		}
		if active != last {
			word := map[bool]string{true: "open", false: "closed"}[active]
			fmt.Printf(" %s %s", word, time.Now().UTC().Format("Mon 2 15:04"))
			last = active
		}
		time.Sleep(time.Minute)
	}
	fmt.Println()
}

func TestWindows(t *testing.T) {
	for _, each := range [][2]string{
		{"0 8 * * 1-5", "0 20 * * 1-5"},
		{"0 8 * * 1-5", "0 20 * * *"},
		{"0 8 * * 1-5", "0 20 * * 5"},
	} {
		synctest.Test(t, func(*testing.T) { open(each[0], each[1]) })
	}
}
END

cat > cooldown_test.go <<'END'
package main

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	kedav1alpha1 "github.com/kedacore/keda/v2/apis/keda/v1alpha1"
	"github.com/kedacore/keda/v2/pkg/scaling/executor"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	scalefake "k8s.io/client-go/scale/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
)

// cool prints when the last pod goes: a trigger is active for an hour, and the other one fails meanwhile, or not.
func cool(fails bool) {
	object := &kedav1alpha1.ScaledObject{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "model", CreationTimestamp: metav1.Now()},
		Status: kedav1alpha1.ScaledObjectStatus{ScaleTargetGVKR: &kedav1alpha1.GroupVersionKindResource{
			Group: "example.com", Version: "v1", Kind: "Model", Resource: "models",
		}},
	}
	object.Spec.ScaleTargetRef = &kedav1alpha1.ScaleTarget{Name: "model"}
	pods := int32(1)
	scales := &scalefake.FakeScaleClient{}
	scales.AddReactor("get", "*", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, &autoscalingv1.Scale{Spec: autoscalingv1.ScaleSpec{Replicas: pods}}, nil
	})
	scales.AddReactor("update", "*", func(action clienttesting.Action) (bool, runtime.Object, error) {
		scale := action.(clienttesting.UpdateAction).GetObject().(*autoscalingv1.Scale)
		pods = scale.Spec.Replicas
		return true, scale, nil
	})
	scheme := runtime.NewScheme()
	if err := kedav1alpha1.AddToScheme(scheme); err != nil {
		panic(err)
	}
	client := fake.NewClientBuilder().WithScheme(scheme).Build()
	scaler := executor.NewScaleExecutor(client, scales, scheme, time.Second, events.NewFakeRecorder(1000))
	for second := 0; pods > 0; second += 30 {
		busy := second < 3600
		failed := fails && second >= 600 && second < 3600
		result := scaler.RequestScale(context.Background(), object, busy, failed, executor.ScaleExecutorOptions{})
		if result.LastActiveTime != nil {
			object.Status.LastActiveTime = result.LastActiveTime
		}
		if pods == 0 {
			fmt.Printf("busy to 3570 s, the other trigger fails from 600 s on: %v; the last pod goes at %d s\n", fails, second)
		}
		time.Sleep(30 * time.Second)
	}
}

func TestCooldown(t *testing.T) {
	for _, fails := range []bool{false, true} {
		synctest.Test(t, func(*testing.T) { cool(fails) })
	}
}
END

export GOFLAGS="-mod=mod -trimpath"
go test -vet=off -v . > all.txt || { cat all.txt; exit 2; }
grep -E '^(busy|0 8)' all.txt > seen.txt

diff - seen.txt <<'END'
busy to 3570 s, the other trigger fails from 600 s on: false; the last pod goes at 3900 s
busy to 3570 s, the other trigger fails from 600 s on: true; the last pod goes at 3600 s
0 8 * * 1-5 to 0 20 * * 1-5: open Mon 3 08:00 closed Mon 3 20:00 open Tue 4 08:00 closed Tue 4 20:00 open Wed 5 08:00 closed Wed 5 20:00 open Thu 6 08:00 closed Thu 6 20:00 open Fri 7 08:00 closed Fri 7 20:00
0 8 * * 1-5 to 0 20 * * *: open Sat 1 00:00 closed Sun 2 20:00 open Mon 3 08:00 closed Mon 3 20:00 open Tue 4 08:00 closed Tue 4 20:00 open Wed 5 08:00 closed Wed 5 20:00 open Thu 6 08:00 closed Thu 6 20:00 open Fri 7 08:00 closed Sun 9 20:00
0 8 * * 1-5 to 0 20 * * 5: open Fri 7 08:00 closed Fri 7 20:00
END
