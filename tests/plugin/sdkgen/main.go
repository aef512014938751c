// Writes the TypeScript SDK of a package, as Pulumi's Node.js host does for `pulumi package add`.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/pkg/v3/codegen/nodejs"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
)

func main() {
	if err := write(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write(schemaFile, folder string) error {
	text, err := os.ReadFile(schemaFile)
	if err != nil {
		return err
	}
	var spec schema.PackageSpec
	if err := json.Unmarshal(text, &spec); err != nil {
		return err
	}
	bound, found, err := schema.BindSpec(spec, providersOnly{}, schema.ValidationOptions{})
	if err != nil {
		return err
	}
	if len(found) > 0 {
		return found
	}
	files, err := nodejs.GeneratePackage("sdkgen", bound, nil, nil, true, providersOnly{})
	if err != nil {
		return err
	}
	for name, content := range files {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Knows of every other package that it has a provider, which is all that the schema refers to.
type providersOnly struct{}

func (l providersOnly) LoadPackage(name string, version *semver.Version) (*schema.Package, error) {
	return l.LoadPackageV2(context.Background(), &schema.PackageDescriptor{Name: name, Version: version})
}

func (l providersOnly) LoadPackageV2(
	_ context.Context, asked *schema.PackageDescriptor,
) (*schema.Package, error) {
	spec := schema.PackageSpec{
		Name:     asked.Name,
		Version:  asked.Version.String(),
		Provider: &schema.ResourceSpec{ObjectTypeSpec: schema.ObjectTypeSpec{Type: "object"}},
	}
	return schema.ImportSpec(spec, nil, l, schema.ValidationOptions{})
}

func (l providersOnly) LoadPackageReference(
	name string, version *semver.Version,
) (schema.PackageReference, error) {
	found, err := l.LoadPackage(name, version)
	if err != nil {
		return nil, err
	}
	return found.Reference(), nil
}

func (l providersOnly) LoadPackageReferenceV2(
	ctx context.Context, asked *schema.PackageDescriptor,
) (schema.PackageReference, error) {
	found, err := l.LoadPackageV2(ctx, asked)
	if err != nil {
		return nil, err
	}
	return found.Reference(), nil
}
