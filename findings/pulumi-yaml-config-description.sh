#!/usr/bin/env bash
# pulumi-yaml v1.25.0 with the Pulumi SDK v3.206.0 that its go.mod names (Go modules), run 2026-11-29 with Go 1.26.8.
#
# A declaration in a project's `config` may have a `description`: the schema by which the SDK checks project files has it
# (sdk/go/common/workspace/project.json, configTypeDeclaration), and refuses a field that it does not know. pulumi-yaml, which reads
# the same file as its program, does not know this one: each preview and update of a program in YAML warns of it, declaration by
# declaration, as of a misspelt field. The program runs all the same.
#
# Seen (does the SDK accept it, and what pulumi-yaml says): below, at the end.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat >go.mod <<'END'
module finding

go 1.26

require github.com/pulumi/pulumi-yaml v1.25.0
END

cat >main.go <<'END'
package main

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-yaml/pkg/pulumiyaml"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	"gopkg.in/yaml.v3"
)

const project = `name: finding
runtime: yaml
config:
  zone:
    type: string
    FIELD: Where it runs.
    default: a
outputs:
  zone: ${zone}
`

func main() {
	for _, field := range []string{"description", "descripton"} {
		text := []byte(strings.ReplaceAll(project, "FIELD", field))
		var document map[string]any
		if err := yaml.Unmarshal(text, &document); err != nil {
			panic(err)
		}
		fmt.Printf("the SDK, %s: %t\n", field, workspace.ValidateProject(document) == nil)
		_, messages, err := pulumiyaml.LoadYAMLBytes("Pulumi.yaml", text)
		if err != nil {
			panic(err)
		}
		for _, message := range messages {
			fmt.Printf("pulumi-yaml, %s: %s\n", field, message.Summary)
		}
	}
}
END

go mod tidy >go.log 2>&1 || { cat go.log; exit 2; }
grep -q 'pulumi/sdk/v3 v3.206.0' go.mod
go run . >seen

diff - seen <<'END'
the SDK, description: true
pulumi-yaml, description: Field 'description' does not exist on Object 'config.zone'
the SDK, descripton: false
pulumi-yaml, descripton: Field 'descripton' does not exist on Object 'config.zone'
END
