"""The engine's images, and their way to registries and from them."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mothership.engine.calls import Calls, EngineError, labelled
from mothership.errors import Conflict, NotFound, TooLarge

UNNAMED = "<none>:<none>"


class Images(Calls):
    """Images by id or name."""

    async def image(self, name: str) -> dict[str, Any]:
        """Inspect an image. Raises NotFound."""
        return await self.call(lambda api: api.inspect_image(name))

    async def has_image(self, name: str) -> bool:
        try:
            await self.image(name)
        except NotFound:
            return False
        return True

    async def images(self, labels: Mapping[str, str]) -> list[dict[str, Any]]:
        """Images with all these labels. Their RepoTags are names alone, none for an image whose name has moved on."""
        found = await self.call(lambda api: api.images(filters={"label": labelled(labels)}))
        return [{**image, "RepoTags": [tag for tag in image["RepoTags"] or [] if tag != UNNAMED]} for image in found]

    async def import_image(self, tar: Path, repository: str, tag: str, changes: tuple[str, ...] = ()) -> None:
        """Make an image of one layer from a tar of a root file system."""
        await self.call(
            lambda api: api.import_image_from_file(str(tar), repository=repository, tag=tag, changes=list(changes))
        )

    async def tag(self, image: str, repository: str, tag: str) -> None:
        await self.call(lambda api: api.tag(image, repository, tag))

    async def push(self, repository: str, tag: str) -> None:
        """Push an image to a registry. Raises EngineError with the registry's words."""

        def verb(api: Any) -> None:
            for event in api.push(
                repository, tag=tag, stream=True, decode=True, auth_config=self.login_for(repository)
            ):
                if "error" in event:
                    raise EngineError(f"Pushing {repository}:{tag} failed: {event['error']}")

        await self.call(verb)

    async def pull(self, reference: str, login: Mapping[str, str] | None = None, *, most: int = 0) -> None:
        """Pull an image by name, tag or digest, with a registry's login if need be.

        `most` are the bytes that may be moved, 0 for any number. Raises NotFound, TooLarge, EngineError.
        """

        def verb(api: Any) -> None:
            login_ = dict(login or self.login_for(reference))
            sizes: dict[str, int] = {}
            with contextlib.closing(api.pull(reference, stream=True, decode=True, auth_config=login_)) as events:
                for event in events:
                    if "error" in event:
                        raise EngineError(str(event["error"]))
                    if event.get("status") == "Downloading":
                        sizes[str(event.get("id"))] = int(event["progressDetail"].get("total") or 0)
                    if most and sum(sizes.values()) > most:
                        raise TooLarge(f"{reference} has more than {most} bytes to move.")

        await self.call(verb)

    async def remote_digest(self, reference: str, login: Mapping[str, str] | None = None) -> str:
        """The digest that a registry has for an image's name. Raises EngineError, NotFound."""
        answer = await self.call(lambda api: api.inspect_distribution(reference, auth_config=dict(login or {})))
        return str(answer["Descriptor"]["digest"])

    async def remove_image(self, image: str, *, force: bool = False) -> None:
        with contextlib.suppress(NotFound, Conflict):
            await self.call(lambda api: api.remove_image(image, force=force))
