#!/usr/bin/env bash
# Pulumi SDK v3.259.0 with the gopkg.in/yaml.v3 v3.0.1 that its go.mod names (Go modules), run 2026-11-30 with Go 1.26.8.
#
# `pulumi config set`, `config rm --path` and a first `stack init` with a passphrase write the stack file anew. Since comments, order and
# layout of the file survive that, one expects that everything else does too. Three things do not (sdk/go/common/util/yamlutil/edit.go):
# 1. Keys at the top that Pulumi does not know are left out, without a word, with the comment above them: `x-server`, the usual place for
#    YAML that is shared, is gone after a command that set something else.
# 2. Every alias and every merge key is replaced by what it stands for: what was written once is there once per use from then on, and a
#    later edit of one is an edit of one. That is also why (1) breaks nothing at once.
# 3. A comment belongs to a place in a list, not to its item: once the first of two pools is removed, the second stands below the
#    comment of the first.
#
# Seen: the file before and after, at the end of this script.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat >go.mod <<'END'
module finding

go 1.26

require github.com/pulumi/pulumi/sdk/v3 v3.259.0
END

cat >before.yaml <<'END'
# The team's defaults.
x-server: &server
  cpu: "8"
  image: vllm:0.33
# What the stack is made of.
config:
  llm:region: cn-beijing  # where the cards are
  llm:models:
    - name: chat
      server: *server
    - name: code
      server:
        <<: *server
        cpu: "16"
  llm:pools:
    # Reserved until March.
    - type: gn7i
    # Spot, taken away at any time.
    - type: gn6i
END

cat >main.go <<'END'
package main

import (
	"fmt"
	"os"

	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag/colors"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	sink := diag.DefaultSink(os.Stderr, os.Stderr, diag.FormatOptions{Color: colors.Never})
	stack, err := workspace.LoadProjectStack(sink, &workspace.Project{Name: "llm"}, "before.yaml")
	check(err)
	// What `pulumi config set llm:owner team-a` does, then `pulumi config rm --path llm:pools[0]`.
	check(stack.Config.Set(config.MustMakeKey("llm", "owner"), config.NewValue("team-a"), false))
	check(stack.Config.Remove(config.MustMakeKey("llm", "pools[0]"), true))
	check(stack.Save("after.yaml"))
	written, err := os.ReadFile("after.yaml")
	check(err)
	fmt.Print(string(written))
}
END

go mod tidy >go.log 2>&1 || { cat go.log; exit 2; }
grep -q 'gopkg.in/yaml.v3 v3.0.1' go.mod
go run . >seen

diff - seen <<'END'
# What the stack is made of.
config:
  llm:region: cn-beijing # where the cards are
  llm:models:
    - name: chat
      server:
        cpu: "8"
        image: vllm:0.33
    - name: code
      server:
        cpu: "16"
        image: vllm:0.33
  llm:pools:
    # Reserved until March.
    - type: gn6i
  llm:owner: team-a
END
