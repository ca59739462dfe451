module mothership.test/lifecycle

go 1.26

require github.com/buildpacks/lifecycle v0.20.5
