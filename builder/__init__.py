"""Source to image: buildpacks or a Dockerfile, cut into layers and put into the registry."""
