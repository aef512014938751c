package gang

import (
	"testing"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestAPodIsOfAGroupByBothLabels(t *testing.T) {
	both := map[string]string{GroupLabel: "qwen", SizeLabel: "4"}
	for _, example := range []struct {
		labels map[string]string
		group  string
		size   int
	}{
		{both, "qwen", 4},
		{map[string]string{GroupLabel: "qwen"}, "", 0},
		{map[string]string{SizeLabel: "4"}, "", 0},
		{map[string]string{GroupLabel: "qwen", SizeLabel: "1"}, "", 0},
		{map[string]string{GroupLabel: "qwen", SizeLabel: "all"}, "", 0},
	} {
		group, size := Of(&v1.Pod{ObjectMeta: metav1.ObjectMeta{Labels: example.labels}})
		if group != example.group || size != example.size {
			t.Errorf("%v: %s, %d; want %s, %d", example.labels, group, size, example.group, example.size)
		}
	}
}
