"""The API's description: valid, whole, and the same as what the command table takes."""

from openapi_spec_validator import validate

from mothership.commands import openapi, web
from mothership.commands.table import VERBS

DOCUMENT = openapi.document(VERBS.values())
OPERATIONS = [operation for methods in DOCUMENT["paths"].values() for operation in methods.values()]


def test_it_is_valid_openapi() -> None:
    validate(DOCUMENT)
    assert DOCUMENT["openapi"].startswith("3.1")


def test_every_verb_is_an_operation_with_a_summary() -> None:
    assert [operation["operationId"] for operation in OPERATIONS] == [name.replace(":", "_") for name in VERBS]
    assert all(operation["summary"] and operation["description"] for operation in OPERATIONS)


def test_the_examples_are_what_the_api_takes() -> None:
    seen = 0
    for verb in VERBS.values():
        operation = DOCUMENT["paths"][web.path(verb)][web.method(verb).lower()]
        for example in (
            operation.get("requestBody", {}).get("content", {}).get(openapi.JSON, {}).get("examples", {}).values()
        ):
            web.read(verb, "blog", example["value"], as_json=False)
            seen += 1
    assert seen > 15


def test_reading_verbs_have_parameters_and_changing_ones_a_body() -> None:
    for verb in VERBS.values():
        operation = DOCUMENT["paths"][web.path(verb)][web.method(verb).lower()]
        names = [parameter["name"] for parameter in operation["parameters"]]
        assert ("app" in names) == verb.app and "json" not in names
        assert not (verb.reads and "requestBody" in operation)


def test_every_failure_is_a_problem() -> None:
    for operation in OPERATIONS:
        failures = [code for code in operation["responses"] if code != "200"]
        assert {"400", "401", "403", "404", "409", "500", "503"} <= set(failures)
    for response in DOCUMENT["components"]["responses"].values():
        assert list(response["content"]) == ["application/problem+json"]


def test_every_verb_that_speaks_json_says_which_keys_it_has() -> None:
    for verb in VERBS.values():
        assert bool(verb.columns) == web.speaks_json(verb), verb.name
