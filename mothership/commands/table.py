"""The table: every verb there is."""

from typing import Any

from mothership.commands import (
    access,
    apps,
    audit,
    builder,
    buildpacks,
    builds,
    checks,
    config,
    deploy,
    domains,
    drains,
    help,
    keys,
    logs,
    pipelines,
    ps,
    releases,
    run,
    sources,
    stack,
    tokens,
    upkeep,
    webhooks,
)
from mothership.commands.verb import Verb

ALL: tuple[Verb[Any], ...] = (
    *help.VERBS,
    *apps.VERBS,
    *access.VERBS,
    *buildpacks.VERBS,
    *config.VERBS,
    *domains.VERBS,
    *ps.VERBS,
    *checks.VERBS,
    *releases.VERBS,
    *deploy.VERBS,
    *builds.VERBS,
    *builder.VERBS,
    *webhooks.VERBS,
    *sources.VERBS,
    *pipelines.VERBS,
    *run.VERBS,
    *stack.VERBS,
    *logs.VERBS,
    *drains.VERBS,
    *keys.VERBS,
    *tokens.VERBS,
    *upkeep.VERBS,
    *audit.VERBS,
)
VERBS: dict[str, Verb[Any]] = {verb.name: verb for verb in ALL}
