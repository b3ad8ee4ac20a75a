#!/bin/sh
# Makes the code of the wire contract from its files. Needs protoc; the two generators
# for Go are pinned in go.mod. Running it on an unchanged tree changes nothing.
#
# With the argument `release` it writes released.binpb instead, with which every later
# contract is compared: nasc is released with the contract as it is now.
set -eu
cd "$(dirname "$0")"
if [ "${1:-}" = release ]; then
    protoc --include_imports --descriptor_set_out=released.binpb nasc/v1/*.proto
    exit
fi
bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT
go build -o "$bin" google.golang.org/protobuf/cmd/protoc-gen-go google.golang.org/grpc/cmd/protoc-gen-go-grpc
PATH="$bin:$PATH" protoc \
    --go_out=. --go_opt=paths=source_relative \
    --go-grpc_out=. --go-grpc_opt=paths=source_relative \
    nasc/v1/nasc.proto nasc/v1/oneshot.proto
protoc --python_out="$bin" nasc/v1/nasc.proto nasc/v1/oneshot.proto
# The modules are in a package of another name than the files'.
sed -i.bak 's/^from nasc\.v1 import /from . import /' "$bin"/nasc/v1/*_pb2.py
cp "$bin"/nasc/v1/*_pb2.py ../python/src/nasc_plugin/_wire/
# The header records the version of protoc, which is not part of the contract.
sed -i.bak -E '/^\/\/ .*protoc +\(?v[0-9.]+\)?$/d; /^\/\/ - protoc +v/d; /^\/\/ \tprotoc +v/d' nasc/v1/*.pb.go
rm -f nasc/v1/*.bak
gofmt -l nasc/v1
