#!/usr/bin/env bash
# Pulumi SDK v3.259.0 with the gopkg.in/yaml.v3 v3.0.1 that its go.mod names (Go modules), run 2026-11-30 with Go 1.26.8.
#
# A date or a time without quotes in a stack file does not reach the program as it was written. Pulumi keeps a configuration as text and
# JSON, neither of which has dates, and leaves `on` and `12:30` alone; so one expects the text. But its YAML library makes a time.Time of
# what it takes for a timestamp, and the stack file's reader prints that with %v (sdk/go/common/resource/config/object.go): the program
# gets Go's debug form, with the name of a zone, be it the value of a key, inside an object, or itself a key. Whatever checks for
# YYYY-MM-DD or RFC 3339 refuses it, and a tag or a label has another value. A program that reads the stack file by another YAML library
# (or a test that does) does not see it. What is no day (2026-13-01), or a time without a zone behind a T, stays text.
#
# Seen (written: handed to the program): below, at the end.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat >go.mod <<'END'
module finding

go 1.26

require github.com/pulumi/pulumi/sdk/v3 v3.259.0
END

cat >main.go <<'END'
package main

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/encoding"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
)

func main() {
	for _, written := range []string{
		"2026-10-01", "'2026-10-01'", "{day: 2026-10-01}", "{2026-10-01: day}", "2026-12-01T02:00:00+08:00", "2026-12-01T02:00:00",
		"2026-13-01", "12:30", "on",
	} {
		var stack workspace.ProjectStack
		if err := encoding.YAML.Unmarshal([]byte("config:\n  shop:key: "+written+"\n"), &stack); err != nil {
			panic(err)
		}
		value, err := stack.Config[config.MustMakeKey("shop", "key")].Value(config.NopDecrypter)
		if err != nil {
			panic(err)
		}
		fmt.Printf("%s: %s\n", written, value)
	}
}
END

export TZ=UTC
go mod tidy >go.log 2>&1 || { cat go.log; exit 2; }
grep -q 'gopkg.in/yaml.v3 v3.0.1' go.mod
go run . >seen

diff - seen <<'END'
2026-10-01: 2026-10-01 00:00:00 +0000 UTC
'2026-10-01': 2026-10-01
{day: 2026-10-01}: {"day":"2026-10-01 00:00:00 +0000 UTC"}
{2026-10-01: day}: {"2026-10-01 00:00:00 +0000 UTC":"day"}
2026-12-01T02:00:00+08:00: 2026-12-01 02:00:00 +0800 +0800
2026-12-01T02:00:00: 2026-12-01T02:00:00
2026-13-01: 2026-13-01
12:30: 12:30
on: on
END
