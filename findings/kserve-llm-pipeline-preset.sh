#!/usr/bin/env bash
# KServe 0.20.0 (Go module github.com/kserve/kserve v0.20.0), read 2026-11-29 with Go 1.26.8.
#
# An LLMInferenceService with a `worker` and `parallelism.pipeline` is taken by the CRD and by the webhook, and its controller then
# looks for a preset (an LLMInferenceServiceConfig) for splitting layers over nodes: one for plain serving, one for decode, one for
# prefill. None of the three is among the presets KServe ships, in its chart kserve-runtime-configs or in config/llmisvcconfig, so
# that such a service stays without pods until somebody writes them. `parallelism.data` with `dataLocal` has its presets.
#
# Seen:
#   config-llm-decode-worker-pipeline-parallel: named 1, shipped 0
#   config-llm-prefill-worker-pipeline-parallel: named 1, shipped 0
#   config-llm-worker-pipeline-parallel: named 1, shipped 0
#   config-llm-worker-data-parallel: named 1, shipped 1
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
printf 'module finding\n\ngo 1.26\n' >go.mod
kserve=$(go mod download -json github.com/kserve/kserve@v0.20.0 | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')

named() { grep -c "\"$1\"" "$kserve/pkg/controller/v1alpha2/llmisvc/config_merge.go" || true; }
shipped() {
  grep -rhx "  name: kserve-$1" "$kserve/charts/kserve-runtime-configs" "$kserve/config/llmisvcconfig" |
    sort -u | wc -l
}
for preset in config-llm-{decode-worker,prefill-worker,worker}-pipeline-parallel \
  config-llm-worker-data-parallel; do
  echo "$preset: named $(named "$preset"), shipped $(shipped "$preset" || true)"
done | tee seen

for preset in config-llm-{decode-worker,prefill-worker,worker}-pipeline-parallel; do
  grep -qx "$preset: named 1, shipped 0" seen
done
grep -qx 'config-llm-worker-data-parallel: named 1, shipped 1' seen
